//! Recall on real word vectors, when the file is there.

use covey_ann::Metric;
use covey_env::Env;

use crate::fixture::Fixture;
use crate::{PartitionOptions, SearchRequest};

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/vectors/glove6b-100d-top50k.fvecs"
);
const DIM: usize = 100;

/// Records of a little-endian dimension and as many floats.
fn vectors() -> Option<Vec<Vec<f32>>> {
    let disk = Env::production(1).unwrap().disk;
    let bytes = disk.read_file(FILE.as_ref(), 1 << 30).ok()?;
    let floats = |record: &[u8]| {
        record[4..]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    };
    Some(bytes.chunks_exact(4 + 4 * DIM).map(floats).collect())
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
