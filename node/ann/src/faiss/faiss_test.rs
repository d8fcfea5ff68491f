//! faiss passes the conformance suite in every form; deletes, ties and errors of faiss itself.

use super::*;
use crate::backend::Backend;
use crate::conformance::{self, Clustered, MemoryRows};
use crate::metric::{encode_row, prepare_query};
use crate::plan::IndexSpec;

fn spec(factory: &str) -> IndexSpec {
    IndexSpec::parse(factory, Metric::L2, 50).unwrap()
}

#[test]
fn fast_scan_lists_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &IndexSpec::default());
}

#[test]
fn lists_of_residual_codes_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &spec("IVF{nlist},PQ64x4fsr"));
}

#[test]
fn graphs_pass_the_conformance_suite() {
    conformance::run(Backend::Faiss, &spec("HNSW16"));
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
fn flat_of_faiss_agrees_with_the_exact_scan() {
    let mut source = Clustered::new(5, 64, 30);
    let rows = MemoryRows(
        (0..500)
            .map(|_| encode_row(Metric::L2, 64, &source.vector()).unwrap())
            .collect(),
    );
    let mut index = FaissIndex::create(Metric::L2, 64, "Flat").unwrap();
    let floats: Vec<f32> = rows.0.iter().flatten().map(|x| x.to_f32()).collect();
    index.add(&floats, 1).unwrap();
    let query = prepare_query(Metric::L2, 64, &source.vector()).unwrap();
    let mut out = Vec::new();
    index
        .search(&query, 10, &SearchParams::default(), None, &mut out)
        .unwrap();
    let got: Vec<u32> = out.iter().map(|n| n.row).collect();
    assert_eq!(
        (index.kind(), got),
        (IndexKind::Flat, rows.brute_force(Metric::L2, &query, 10, |_| true))
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
            .search(
                &query,
                400,
                &SearchParams {
                    nprobe,
                    ef: 1,
                    ..SearchParams::default()
                },
                None,
                &mut out,
            )
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
