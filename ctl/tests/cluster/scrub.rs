//! Bits of vectors that rot on the disk of one node: found while searches go on, and healed from the other nodes.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use covey_api::v1::SearchRequest;
use covey_ctl::client::Client;
use covey_rpc::NodeClient;
use covey_shared::ids::ModelEpoch;
use covey_shared::score::Hit;
use covey_shared::wire::{
    Class, NodeStatus, ReplyBody, RequestBody, ScrubStatus, SearchFilter, SearchQuery, ShardRead,
};

use crate::calls::{DIM, apart_from_words, post, put};
use crate::place::children;
use crate::process::{SOON, binary, run_to_end};
use crate::replicas::{assert_same_everywhere, key, until_equal, until_level};
use crate::world::{Cluster, ask, layout, status};

/// Many small segments, which do not merge by themselves.
const SETTINGS: &str = "[ann]\nseal_rows = 64\nmin_train_rows = 100000\nmerge_factor = 16\n\
maintenance_interval = \"100ms\"\n[storage]\ncheckpoint_interval = \"500ms\"\n";
/// Posts, over all shards.
const POSTS: u64 = 2_000;
/// Node 3.
const NODE: usize = 2;
/// Bytes in front of the first row, and of a row.
const HEADER: u64 = 4096;
const ROW: u64 = 2 * DIM as u64;
/// Rows of a sealed folder: `seal_rows`.
const SEALED: u64 = 64;
/// Rows that rot.
const ROTTEN: [u64; 5] = [0, 1, 17, 40, 63];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotten_rows_are_found_fetched_from_peers_and_repaired_while_searches_go_on() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("scrub", SETTINGS));
    let (client, nodes) = (cluster.client().await, cluster.node_clients());
    // What follows needs no builds, only seals.
    assert_eq!(builds(&cluster, &["pause", "--for", "30m"]).0, Some(0));
    let mut written = BTreeSet::new();
    for number in (1..=POSTS).step_by(50) {
        let posts: Vec<_> = (number..number + 50)
            .map(|number| post(100 + number % 40, number))
            .collect();
        written.extend(posts.iter().map(|post| key(post.author_id, post.post_id)));
        put(&client, posts, "").await;
    }
    until_sealed(&nodes[NODE]).await;
    assert_pauses(&cluster, &nodes).await;
    cluster.nodes[NODE].kill();
    let shard = shard_with_folders(&cluster.dir.join("data/node-3"));
    let folder = &sealed_folders(&shard)[0];
    rot(&folder.join("rows.emb"));
    cluster.nodes[NODE].start();
    let since = Instant::now();
    let found = until_healed(&client, &nodes[NODE], 1).await;
    println!(
        "scrub: healed {:.1?} after the start of the node: {found:?}",
        since.elapsed()
    );
    assert_eq!(
        (found.damaged, found.repaired),
        (ROTTEN.len() as u64, ROTTEN.len() as u64)
    );
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    assert_equal_answers(&nodes).await;
    until_gone(folder).await;
    cluster.nodes[NODE].kill();
    cluster.nodes[NODE].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    assert_same_everywhere(&nodes, &written).await;
    assert_equal_answers(&nodes).await;
    damage_while_it_runs(&client, &nodes, &shard).await;
    tokio::task::block_in_place(|| until_equal(&cluster));
    assert!(cluster.nodes[NODE].log().contains("made good by other members"));
    cluster.assert_no_panic();
}

/// No pass is due for a day: what heals here was met by a search.
async fn damage_while_it_runs(client: &Client, nodes: &[NodeClient], shard: &Path) {
    let (node, since) = (&nodes[NODE], Instant::now());
    while status(node).await.scrubs.iter().any(|scrub| scrub.passes == 0) {
        assert!(since.elapsed() < SOON, "the first pass comes soon after the start");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Folders may have been merged since the start.
    let rotten = &sealed_folders(shard)[0];
    rot(&rotten.join("rows.emb"));
    all_hits(node).await;
    let found = until_healed(client, node, 1).await;
    println!("scrub: rotten while it ran: {found:?}");
    until_gone(rotten).await;
    let cut = &sealed_folders(shard)[0];
    let rows = OpenOptions::new().write(true).open(cut.join("rows.emb"));
    rows.and_then(|file| file.set_len(HEADER)).expect("a file can be cut");
    all_hits(node).await;
    let found = until_healed(client, node, found.damaged + 1).await;
    println!("scrub: cut while it ran: {found:?}");
    until_gone(cut).await;
    assert_equal_answers(nodes).await;
}

/// A healed folder is merged away from its bad place.
async fn until_gone(folder: &Path) {
    let since = Instant::now();
    while folder.exists() {
        assert!(since.elapsed() < SOON, "{} is still there", folder.display());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn builds(cluster: &Cluster, args: &[&str]) -> (Option<i32>, String) {
    let server = format!("http://127.0.0.1:{}", cluster.grpc);
    let args = [&["--server", &server, "builds"], args].concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let (status, said) = tokio::task::block_in_place(|| run_to_end(&binary("covey"), &args, &[]));
    (status.code(), said)
}

/// All nodes pause and have sealed meanwhile; one goes on when it is told. What cannot be is refused.
async fn assert_pauses(cluster: &Cluster, nodes: &[NodeClient]) {
    for node in nodes {
        let found = status(node).await.builds;
        assert!((1..=1_800_000).contains(&found.pause_left_ms), "{found:?}");
    }
    let waiting = status(&nodes[NODE]).await.builds.waiting_indexes;
    assert!(
        u64::from(waiting) > POSTS / 64 / 2,
        "{waiting} segments wait for their index"
    );
    assert_eq!(builds(cluster, &["resume", "--node", "1"]).0, Some(0));
    let left = [status(&nodes[0]).await, status(&nodes[1]).await].map(|status| status.builds.pause_left_ms);
    assert!(left[0] == 0 && left[1] > 0, "{left:?}");
    let (code, said) = builds(cluster, &["pause", "--node", "9"]);
    assert!(code == Some(1) && said.contains("there is no node 9"), "{said}");
    let (code, said) = builds(cluster, &["pause", "--for", "25h"]);
    assert!(code == Some(2) && said.contains("at most 24h"), "{said}");
}

async fn until_sealed(node: &NodeClient) {
    let since = Instant::now();
    loop {
        let NodeStatus { replicas, .. } = status(node).await;
        let posts: u64 = replicas.iter().map(|replica| replica.posts).sum();
        let sealed = |replica: &covey_shared::wire::ReplicaStatus| {
            let space = &replica.spaces[0];
            u64::from(space.segments) == space.rows.saturating_sub(1) / SEALED && !space.building
        };
        if posts == POSTS && replicas.iter().all(sealed) {
            return;
        }
        assert!(since.elapsed() < SOON, "not all is sealed: {replicas:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The folder of a shard that has at least three sealed ones.
fn shard_with_folders(dir: &Path) -> PathBuf {
    let mut shards = children(dir).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("shard-")
    });
    shards
        .find(|shard| sealed_folders(shard).len() >= 3)
        .expect("three folders are sealed")
}

fn sealed_folders(shard: &Path) -> Vec<PathBuf> {
    let folders = children(shard).into_iter();
    folders.filter(|folder| folder.join("meta").exists()).collect()
}

fn rot(path: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.expect("the file of a node that is down can be opened");
    let length = file.metadata().expect("it has a length").len();
    for at in ROTTEN
        .map(|row| HEADER + row * ROW + 3)
        .into_iter()
        .filter(|at| *at < length)
    {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).expect("it is that long");
        file.write_all_at(&[byte[0] ^ 0x40], at).expect("it can be written");
    }
}

/// Searches all the time; what the scrubber found, once it was at least so many rows and all of them are repaired.
async fn until_healed(client: &Client, node: &NodeClient, at_least: u64) -> ScrubStatus {
    let (since, mut searches) = (Instant::now(), 0);
    loop {
        let request = SearchRequest {
            vector: apart_from_words(searches),
            k: 20,
            exact: true,
            deadline_ms: 30_000,
            ..SearchRequest::default()
        };
        let reply = client
            .rpc()
            .search_similar(request)
            .await
            .expect("a search is answered")
            .into_inner();
        let answer = reply.answer.expect("an answer says how complete it is");
        assert_eq!((answer.coverage, reply.hits.len()), (1.0, 20), "{answer:?}");
        searches += 1;
        let scrubs = status(node).await.scrubs;
        let damaged: Vec<&ScrubStatus> = scrubs.iter().filter(|scrub| scrub.damaged > 0).collect();
        if let [scrub] = damaged[..]
            && scrub.damaged >= at_least
            && scrub.repaired == scrub.damaged
            && scrub.passes > 0
        {
            assert_eq!(scrub.unrepaired, 0);
            println!("scrub: {searches} searches meanwhile");
            return scrub.clone();
        }
        assert!(since.elapsed() < SOON, "nothing is healed: {scrubs:?}");
    }
}

/// Every node returns every vector in an exact search, in one order, with the same scores.
async fn assert_equal_answers(nodes: &[NodeClient]) {
    until_level(nodes).await;
    let mut answers = Vec::new();
    for node in nodes {
        answers.push(all_hits(node).await);
    }
    assert_eq!(answers[0].iter().map(Vec::len).sum::<usize>(), POSTS as usize);
    for answer in &answers[1..] {
        assert!(*answer == answers[0], "replicas answer the same");
    }
}

async fn all_hits(node: &NodeClient) -> Vec<Vec<Hit>> {
    let read = |plan: &covey_shared::layout::ShardPlan| ShardRead::of(plan.shard, plan.epoch.range_ver);
    let query = SearchQuery {
        shards: layout().shards.iter().map(read).collect(),
        space: "content".into(),
        model_epoch: ModelEpoch(0),
        vectors: vec![apart_from_words(3)],
        k: 1_000,
        exact: true,
        recall_target: 0.0,
        filter: SearchFilter::default(),
    };
    let ReplyBody::Search(replies) = ask(node, Class::Query, RequestBody::Search(query)).await else {
        panic!("another reply than asked for");
    };
    let hits = replies
        .into_iter()
        .map(|reply| reply.result.expect("the replica answers"));
    hits.collect()
}
