//! Recall on real word vectors, when the file is there.

use covey_ann::Metric;

use crate::fixture::{Fixture, env};
use crate::{PartitionOptions, SearchRequest};

#[path = "../examples/bench_ann/fvecs.rs"]
mod fvecs;

/// As seen from where cargo runs the tests of this crate.
const FILE: &str = "../../../shared/data/vectors/glove6b-100d-top50k.fvecs";
const DIM: usize = 100;

fn vectors() -> Option<Vec<Vec<f32>>> {
    let bytes = env().disk.read_file(FILE.as_ref(), 1 << 30).ok()?;
    let (dim, vectors) = fvecs::read(&bytes).unwrap();
    assert_eq!(dim, DIM);
    Some(vectors)
}

#[test]
fn word_vectors_are_found_with_the_recall_that_was_asked_for() {
    let Some(vectors) = vectors() else {
        println!("skipped: {FILE} is not there");
        return;
    };
    let options = PartitionOptions {
        seal_rows: 6000,
        merge_factor: 3,
        ..PartitionOptions::default()
    };
    let mut fixture = Fixture::new(DIM, Metric::Cosine, options);
    let (queries, rows): (Vec<_>, Vec<_>) = vectors.iter().take(20_000).enumerate().partition(|(i, _)| i % 100 == 7);
    for (post, vector) in rows {
        fixture.put_vector(post as u64, 1, vector);
    }
    fixture.partition().seal();
    fixture.settle();
    let status = fixture.partition().reader().status();
    assert_eq!(status.unsealed_rows, 0, "{status:?}");
    for (k, least) in [(10, 0.95), (100, 0.95)] {
        let mut found = 0;
        for (_, query) in &queries {
            let got = fixture.search(query, &SearchRequest::nearest(k)).hits;
            let truth = fixture
                .search(
                    query,
                    &SearchRequest {
                        exact: true,
                        ..SearchRequest::nearest(k)
                    },
                )
                .hits;
            found += truth.iter().filter(|hit| got.contains(hit)).count();
        }
        let recall = found as f64 / (queries.len() * k) as f64;
        println!("recall@{k} {recall:.4}, {status:?}");
        assert!(recall >= least, "recall@{k} {recall}");
    }
}
