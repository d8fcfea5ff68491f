//! A node's directory, damaged while the node is down: it is refused or mended, and nothing acknowledged is lost.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use covey_ctl::client::Client;
use covey_shared::ids::PostKey;

use crate::calls::{post, put};
use crate::place::children;
use crate::process::{binary, run_to_end};
use crate::replicas::{assert_same_everywhere, key, shard_check, until_equal};
use crate::world::Cluster;

/// Node 3.
const NODE: usize = 2;
/// Bytes in front of the first record of a log file.
const HEADER: usize = 512;

const MORE: &str = "[storage]\ncheckpoint_interval = \"500ms\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_is_refused_a_torn_one_mended_and_the_node_catches_up() {
    let mut cluster = tokio::task::block_in_place(|| Cluster::start("damage", MORE));
    let client = cluster.client().await;
    let mut written = BTreeSet::new();
    write(&client, 1..=600, &mut written).await;
    cluster.nodes[NODE].kill();
    let intact = Log::newest(&cluster.dir.join("data/node-3/wal"));
    write(&client, 601..=1_200, &mut written).await;

    tokio::task::block_in_place(|| {
        let (code, said) = shard_check(&cluster);
        assert_eq!(code, Some(1), "replicas of a node that is down cannot be equal: {said}");
        assert!(said.contains("CHECK_VERDICT_UNDECIDED"), "{said}");
        another_cluster_is_refused(&cluster);
        a_flipped_byte_is_refused(&cluster, &intact);
        a_cut_off_file_is_refused(&cluster, &intact);
    });

    intact.tear();
    cluster.nodes[NODE].start();
    tokio::task::block_in_place(|| cluster.wait_until_healthy());
    assert_same_everywhere(&cluster.node_clients(), &written).await;
    tokio::task::block_in_place(|| until_equal(&cluster));
    let log = cluster.nodes[NODE].log();
    assert!(
        log.contains("unfinished write"),
        "the node says that it cut its log: {}",
        cluster.nodes[NODE].log_tail()
    );
    cluster.assert_no_panic();
}

/// Writes posts number `numbers` and takes them down as acknowledged.
async fn write(client: &Client, numbers: std::ops::RangeInclusive<u64>, written: &mut BTreeSet<PostKey>) {
    let posts: Vec<_> = numbers.map(|number| post(100 + number % 40, number)).collect();
    for some in posts.chunks(50) {
        put(client, some.to_vec(), "").await;
        written.extend(some.iter().map(|post| key(post.author_id, post.post_id)));
    }
}

/// What node 3 says when it cannot start.
fn refusal(config: &Path) -> String {
    let args = ["--config", &config.display().to_string(), "--node", "3"].map(str::to_owned);
    let (status, said) = run_to_end(&binary("covey-node"), &args, &[]);
    assert_eq!(status.code(), Some(1), "{said}");
    said
}

fn another_cluster_is_refused(cluster: &Cluster) {
    let text = fs::read_to_string(cluster.config()).expect("the configuration is there");
    let other = cluster.dir.join("other.toml");
    let text = text.replace("name = \"damage\"", "name = \"another\"");
    fs::write(&other, text).expect("a configuration can be written");
    let said = refusal(&other);
    for words in ["node-3/wal", "belongs to", "data_dir"] {
        assert!(said.contains(words), "{said}");
    }
}

fn a_flipped_byte_is_refused(cluster: &Cluster, intact: &Log) {
    // Zeros may be padding, which nobody reads.
    let mut written = (HEADER + (intact.end - HEADER) / 2..intact.end).filter(|at| intact.content[*at] != 0);
    let middle = written.next().expect("a log has content");
    let mut damaged = intact.content.clone();
    damaged[middle] ^= 0x10;
    fs::write(&intact.path, &damaged).expect("a log can be written");
    let said = refusal(&cluster.config());
    for words in [
        &intact.path.display().to_string(),
        "damaged",
        "at byte",
        "had been synced",
        "docs/running.md",
    ] {
        assert!(said.contains(words), "no {words:?} in: {said}");
    }
    let left = fs::read(&intact.path).expect("a log can be read");
    assert!(left == damaged, "a refused log is left as it was found");
    intact.restore();
}

fn a_cut_off_file_is_refused(cluster: &Cluster, intact: &Log) {
    intact.cut();
    let said = refusal(&cluster.config());
    assert!(
        said.contains("its end is cut off") && said.contains("docs/running.md"),
        "{said}"
    );
    intact.restore();
}

/// The newest file of a log, as it was when its node was killed.
struct Log {
    path: PathBuf,
    content: Vec<u8>,
    /// Where its last record ends, give or take some zeros.
    end: usize,
}

impl Log {
    fn newest(dir: &Path) -> Log {
        let mut files = children(dir).into_iter();
        let path = files.rfind(|path| path.extension().is_some_and(|e| e == "wal"));
        let path = path.expect("there is a log file");
        let content = fs::read(&path).expect("a log can be read");
        let last = content.iter().rposition(|byte| *byte != 0).expect("a log has a header");
        assert!(last > HEADER, "the newest file has records");
        Log {
            path,
            content,
            end: last + 1,
        }
    }

    fn restore(&self) {
        fs::write(&self.path, &self.content).expect("a log can be written");
    }

    /// Leaves zeros where the last record ends: its write was on its way.
    fn tear(&self) {
        let mut torn = self.content.clone();
        torn[self.end - 3..self.end].fill(0);
        fs::write(&self.path, torn).expect("a log can be written");
    }

    /// Cuts the file within its last record. It was made in its whole length, so that no power loss does this.
    fn cut(&self) {
        fs::write(&self.path, &self.content[..self.end - 3]).expect("a log can be written");
    }
}
