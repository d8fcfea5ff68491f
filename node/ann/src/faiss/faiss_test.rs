//! faiss passes the conformance suite in every form; deletes, ties and errors of faiss itself.

use super::*;
use crate::backend::Backend;
use crate::conformance::{self, Clustered};
use crate::metric::prepare_query;
use crate::plan::IndexSpec;

fn spec(factory: &str) -> IndexSpec {
    IndexSpec::Factory(factory.into())
}

#[test]
fn fast_scan_lists_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &IndexSpec::Auto);
}

#[test]
fn graphs_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &spec("HNSW16"));
}

#[test]
fn flat_passes_the_conformance_suite() {
    conformance::run(Backend::Faiss, &spec("Flat"));
}

#[test]
fn scalar_quantised_lists_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &spec("IVF64,SQ8"));
}

#[test]
fn errors_of_faiss_carry_its_words() {
    let mut index = FaissIndex::create(Metric::L2, 32, "IVF16,Flat").unwrap();
    let error = index.add(&[1.0; 64], 1).unwrap_err();
    assert!(
        matches!(&error, AnnError::Faiss { message } if message.contains("is_trained")),
        "{error}"
    );
    assert!(matches!(
        index.add(&[1.0; 33], 1),
        Err(AnnError::WrongDimension { expected: 32, got: 1 })
    ));
    assert!(
        matches!(index.train(&[1.0; 64], 1), Err(AnnError::Faiss { .. })),
        "2 rows for 16 lists"
    );
}

#[test]
fn an_empty_index_answers_nothing() {
    let index = FaissIndex::create(Metric::Cosine, 32, "Flat").unwrap();
    let mut out = Vec::new();
    index
        .search(&[0.5; 32], 3, &SearchParams::default(), None, &mut out)
        .unwrap();
    assert!(out.is_empty());
}

#[test]
fn parameters_of_one_search_do_not_reach_another() {
    let mut source = Clustered::new(3, 32, 400);
    let flat: Vec<f32> = (0..20_000).flat_map(|_| source.vector()).collect();
    let mut index = FaissIndex::create(Metric::L2, 32, "IVF128,Flat").unwrap();
    index.train(&flat[..6400 * 32], 1).unwrap();
    index.add(&flat, 1).unwrap();
    let query = prepare_query(Metric::L2, 32, &source.vector()).unwrap();
    let search = |nprobe| {
        let mut out = Vec::new();
        index
            .search(&query, 400, &SearchParams { nprobe, ef: 1 }, None, &mut out)
            .unwrap();
        out
    };
    let (narrow, wide) = (search(1), search(128));
    assert_ne!(narrow, wide);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..100).for_each(|_| assert_eq!(search(1), narrow)));
            scope.spawn(|| (0..100).for_each(|_| assert_eq!(search(128), wide)));
        }
    });
}
