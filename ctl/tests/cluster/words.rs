//! Search over real word vectors: 3 nodes, 8 shards, sealed and merged segments.

use std::path::Path;
use std::time::{Duration, Instant};

use covey_ann::{Metric, Ranked, TopK, encode_row, prepare_query, score_row};
use covey_api::v1::{Post, SearchReply, SearchRequest};
use covey_ctl::client::Client;

use crate::calls::{DIM, WORD_DIM, put};
use crate::process::{SOON, eventually};
use crate::world::{Cluster, shared, status};

/// As seen from where cargo runs the tests of this crate.
const FILE: &str = "../../shared/data/vectors/glove6b-100d-top50k.fvecs";
/// Ids of word number 0 and its author; other tests have smaller ones.
const FIRST_POST: u64 = 10_000_000;
const FIRST_AUTHOR: u64 = 20_000_000;
/// A word of its own author is rare, so that authors, like real ones, have several posts.
const AUTHORS: u64 = 9_973;
/// Every so many words are written a second time, so that there are ties for the post id to decide.
const TWIN_EVERY: usize = 50;
const QUERIES: usize = 200;
const K: usize = 10;
const BATCH: usize = 500;

/// The words, each a direction in the space of posts.
fn words() -> Option<Vec<Vec<f32>>> {
    let bytes = std::fs::read(Path::new(FILE)).ok()?;
    let word = |record: &[u8]| {
        let floats = record[4..]
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes));
        let mut vector: Vec<f32> = floats.collect();
        vector.resize(DIM, 0.0);
        vector
    };
    Some(bytes.chunks_exact(4 + 4 * WORD_DIM).map(word).collect())
}

/// Post, author and vector of everything that is written: the words, then the twins of some.
fn rows(words: &[Vec<f32>]) -> Vec<(u64, u64, &Vec<f32>)> {
    let twins = words.iter().step_by(TWIN_EVERY);
    (0..)
        .zip(words.iter().chain(twins))
        .map(|(i, vector)| (FIRST_POST + i, FIRST_AUTHOR + i % AUTHORS, vector))
        .collect()
}

async fn write(client: &Client, rows: &[(u64, u64, &Vec<f32>)]) {
    let post = |(post_id, author_id, vector): &(u64, u64, &Vec<f32>)| Post {
        post_id: *post_id,
        author_id: *author_id,
        text: "a word".to_owned(),
        created_at_ms: 1_700_000_000_000,
        vector: (*vector).clone(),
        ..Post::default()
    };
    for batch in rows.chunks(BATCH) {
        put(client, batch.iter().map(post).collect(), "").await;
    }
}

/// Waits until every replica has indexes for most of its rows and is busy with none; share of indexed rows, segments.
async fn until_sealed(cluster: &Cluster) -> (f64, u32) {
    let nodes = cluster.node_clients();
    let since = Instant::now();
    loop {
        let mut spaces = Vec::new();
        for node in &nodes {
            spaces.extend(
                status(node)
                    .await
                    .replicas
                    .into_iter()
                    .flat_map(|replica| replica.spaces),
            );
        }
        let count = |of: fn(&covey_shared::wire::SpaceStatus) -> u64| spaces.iter().map(of).sum::<u64>();
        let share = count(|space| space.indexed_rows) as f64 / count(|space| space.rows).max(1) as f64;
        let segments = spaces.iter().map(|space| space.segments).max().unwrap_or(0);
        let building = spaces.iter().filter(|space| space.building).count();
        // Six sealed segments of a shard become two by merging.
        if share >= 0.8 && building == 0 && segments <= 3 {
            return (share, segments);
        }
        assert!(
            since.elapsed() < 2 * SOON,
            "not sealed: {share} in {segments} segments, {building} building"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn search(client: &Client, vector: &[f32], k: usize, exact: bool) -> Vec<(u64, u64, u32)> {
    let request = SearchRequest {
        vector: vector.to_vec(),
        k: k as u32,
        exact,
        // A replica that lags would answer with less.
        strong: exact,
        ..SearchRequest::default()
    };
    let reply: SearchReply = eventually("a complete answer", async || {
        let reply = client.rpc().search_similar(request.clone()).await;
        let reply = reply.map_err(|status| status.to_string())?.into_inner();
        match &reply.answer {
            Some(answer) if answer.coverage == 1.0 && answer.degraded.is_empty() => Ok(reply),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    reply
        .hits
        .iter()
        .map(|hit| (hit.post_id, hit.author_id, hit.score.to_bits()))
        .collect()
}

/// The nearest rows by one pass over all of them: best first, ties by lower post id. Score of a row as stored.
fn one_pass(rows: &[(u64, u64, &Vec<f32>)], queries: &[&Vec<f32>], k: usize) -> Vec<Vec<(u64, u64, u32)>> {
    let prepared: Vec<Vec<f32>> = queries
        .iter()
        .map(|query| prepare_query(Metric::Cosine, DIM, query).expect("a word is a query"))
        .collect();
    let mut tops: Vec<TopK<u64>> = queries.iter().map(|_| TopK::new(k)).collect();
    for (post, author, vector) in rows {
        let row = encode_row(Metric::Cosine, DIM, vector).expect("a word is a row");
        for (top, query) in tops.iter_mut().zip(&prepared) {
            top.push(score_row(Metric::InnerProduct, &row, query), *post, *author);
        }
    }
    let hit = |best: Ranked<u64>| (best.id, best.payload, best.score.to_bits());
    tops.into_iter()
        .map(|top| top.into_sorted().into_iter().map(hit).collect())
        .collect()
}

#[tokio::test]
async fn word_vectors_are_found_and_exact_search_equals_one_pass() {
    let Some(words) = words() else {
        println!("skipped: {FILE} is not there");
        return;
    };
    let cluster = shared();
    let client = cluster.client().await;
    let rows = rows(&words);
    let since = Instant::now();
    // Four writers: together they keep the leaders of all shards busy.
    let quarters: Vec<_> = rows.chunks(rows.len().div_ceil(4)).collect();
    tokio::join!(
        write(&client, quarters[0]),
        write(&client, quarters[1]),
        write(&client, quarters[2]),
        write(&client, quarters[3]),
    );
    let written = since.elapsed();
    let (share, segments) = until_sealed(cluster).await;
    let sealed = since.elapsed();

    let queries: Vec<&Vec<f32>> = words.iter().step_by(words.len() / QUERIES).take(QUERIES).collect();
    let truth = one_pass(&rows, &queries, K);
    let mut found = 0;
    for (query, truth) in queries.iter().zip(&truth) {
        assert_eq!(
            search(&client, query, K, true).await,
            *truth,
            "an exact search equals one pass"
        );
        let hits = search(&client, query, K, false).await;
        found += truth.iter().filter(|hit| hits.contains(hit)).count();
    }
    let recall = found as f64 / (QUERIES * K) as f64;
    println!(
        "words: {} posts written in {written:.1?}, sealed and merged after {sealed:.1?} ({:.1} % of rows indexed, at most \
         {segments} segments a shard), recall@{K} {recall:.4} over {QUERIES} queries, exact search identical",
        rows.len(),
        share * 100.0
    );
    assert!(recall >= 0.95, "recall@{K} {recall}");

    // Deep lists meet the ties of the twins, and more than one round of asking.
    let deep: Vec<&Vec<f32>> = queries.iter().copied().step_by(20).collect();
    for (query, truth) in deep.iter().zip(one_pass(&rows, &deep, 300)) {
        assert_eq!(search(&client, query, 300, true).await, truth);
    }
}
