//! A transfer goes on where it stopped, and keeps nothing that is not what was sent.

use std::sync::atomic::{AtomicU64, Ordering};

use covey_env::Monotonic;
use covey_shared::ids::{LogIndex, ShardEpoch, Term};
use covey_shared::members::{Members, ShardDescriptor};
use covey_shared::slots::SlotRange;
use covey_shared::wire::SnapshotManifest;

use super::super::pulls::Want;
use super::*;

const SHARD: ShardId = ShardId(3);
const CHUNK: usize = SNAPSHOT_CHUNK as usize;

/// A sender of these contents, which gives up after `answers`.
struct Sender {
    contents: Vec<Vec<u8>>,
    answers: AtomicU64,
    asked: AtomicU64,
    /// The sender's disk flips a bit of every piece; its checksum is right.
    lies: bool,
}

impl Sender {
    fn new(contents: Vec<Vec<u8>>) -> Sender {
        Sender {
            contents,
            answers: AtomicU64::new(u64::MAX),
            asked: AtomicU64::new(0),
            lies: false,
        }
    }

    fn piece(&self, file: u32, offset: u64) -> Result<SnapshotChunk, AskError> {
        let answered = self.asked.fetch_add(1, Ordering::Relaxed);
        if answered >= self.answers.load(Ordering::Relaxed) {
            return Err(AskError::Answer);
        }
        let (content, from) = (&self.contents[file as usize], offset as usize);
        let mut data = content[from..content.len().min(from + CHUNK)].to_vec();
        if self.lies {
            data[0] ^= 1;
        }
        let crc = crc32c::crc32c(&data);
        Ok(SnapshotChunk { data, crc })
    }

    fn opened(&self) -> OpenedSnapshot {
        let file = |(i, content): (usize, &Vec<u8>)| SnapshotFile {
            name: format!("kv-{i:04}"),
            bytes: content.len() as u64,
            hash: *blake3::hash(content).as_bytes(),
        };
        OpenedSnapshot {
            id: 9,
            leader_term: Term(1),
            manifest: SnapshotManifest {
                descriptor: ShardDescriptor {
                    shard: SHARD,
                    slots: SlotRange { start: 0, end: 1 },
                    epoch: ShardEpoch::default(),
                    members: Members::default(),
                },
                index: LogIndex(1),
                term: Term(1),
                files: self.contents.iter().enumerate().map(file).collect(),
                folders: vec![],
            },
        }
    }
}

struct Receiver {
    env: Env,
    dir: tempfile::TempDir,
    pulls: Pulls,
}

impl Receiver {
    fn new() -> Receiver {
        let pulls = Pulls::default();
        pulls.want(SHARD, Want::Lost, Monotonic::default());
        Receiver {
            env: Env::production(1).expect("a thread can be started"),
            dir: tempfile::tempdir().expect("there is room for a directory"),
            pulls,
        }
    }

    async fn fetch(&self, sender: &Sender) -> Result<(), FetchError> {
        self.fetch_leaving(0.0, sender).await
    }

    async fn fetch_leaving(&self, min_free: f64, sender: &Sender) -> Result<(), FetchError> {
        let ask = |_, file, offset| futures::future::ready(sender.piece(file, offset)).boxed();
        let mut fetch = Fetch {
            env: &self.env,
            ask: &ask,
            pulls: &self.pulls,
            bucket: &mut TokenBucket::new(u64::MAX),
            min_free,
            shard: SHARD,
            dir: self.dir.path(),
        };
        fetch.run(&sender.opened()).await
    }

    fn has_all_of(&self, sender: &Sender) -> bool {
        let files = sender.opened().manifest.files;
        files.iter().zip(&sender.contents).all(|(file, content)| {
            let limit = content.len() as u64;
            let found = self.env.disk.read_file(&staged(self.dir.path(), file), limit);
            found.is_ok_and(|found| found == *content)
        })
    }

    fn moved(&self) -> u64 {
        self.pulls.status(Monotonic::default())[0].moved_bytes
    }
}

fn contents() -> Vec<Vec<u8>> {
    let content = |seed: u8, len: usize| (0..len).map(|i| seed.wrapping_add((i / 7) as u8)).collect();
    vec![
        content(1, 3 * CHUNK + 5),
        content(2, 0),
        content(3, 100),
        content(4, 2 * CHUNK),
    ]
}

#[tokio::test]
async fn a_transfer_that_is_cut_off_again_and_again_moves_every_byte_once() {
    let (receiver, sender) = (Receiver::new(), Sender::new(contents()));
    let total: u64 = sender.contents.iter().map(|content| content.len() as u64).sum();
    let mut moved = 0;
    for answers in [1, 3, 4, 6] {
        sender.answers.store(answers, Ordering::Relaxed);
        sender.asked.store(answers - 1, Ordering::Relaxed);
        let stopped = receiver.fetch(&sender).await;
        assert!(matches!(stopped, Err(FetchError::Ask(AskError::Answer))), "{stopped:?}");
        moved += receiver.moved();
    }
    sender.answers.store(u64::MAX, Ordering::Relaxed);
    receiver.fetch(&sender).await.expect("nothing cuts it off");
    assert!(receiver.has_all_of(&sender));
    assert_eq!(moved + receiver.moved(), total);
    receiver.fetch(&sender).await.expect("everything is here");
    assert_eq!(receiver.moved(), 0);
}

#[tokio::test]
async fn what_another_snapshot_shares_is_kept_and_what_it_does_not_is_removed() {
    let (receiver, mut sender) = (Receiver::new(), Sender::new(contents()));
    receiver.fetch(&sender).await.expect("nothing cuts it off");
    let old = sender.opened().manifest.files[0].clone();
    sender.contents[0] = vec![9; 50];
    receiver.fetch(&sender).await.expect("nothing cuts it off");
    assert_eq!(receiver.moved(), 50);
    assert!(receiver.has_all_of(&sender));
    let gone = !receiver
        .env
        .disk
        .exists(&staged(receiver.dir.path(), &old))
        .expect("the disk works");
    assert!(gone, "nobody needs it");
}

#[tokio::test]
async fn nothing_is_fetched_onto_a_disk_that_would_be_nearly_full_then() {
    let (receiver, sender) = (Receiver::new(), Sender::new(contents()));
    let refused = receiver.fetch_leaving(1.0, &sender).await;
    assert!(
        matches!(refused, Err(FetchError::NoRoom { free: 0, .. })),
        "{refused:?}"
    );
    assert_eq!(sender.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_file_that_is_not_what_was_promised_is_thrown_away_and_fetched_again() {
    let (receiver, mut sender) = (Receiver::new(), Sender::new(contents()));
    sender.lies = true;
    let refused = receiver.fetch(&sender).await;
    assert!(
        matches!(&refused, Err(FetchError::Damaged { name }) if name == "kv-0000"),
        "{refused:?}"
    );
    sender.lies = false;
    receiver.fetch(&sender).await.expect("the sender's disk is mended");
    assert!(receiver.has_all_of(&sender));
}

#[tokio::test]
async fn a_transfer_keeps_to_its_rate_and_ends_when_the_node_stops() {
    let clock = Env::production(1).expect("a thread can be started").clock;
    let mut bucket = TokenBucket::new(1 << 20);
    let began = clock.monotonic();
    bucket.take(&*clock, 1 << 18).await;
    assert!(
        clock.monotonic().since(began) >= Duration::from_millis(240),
        "a quarter of a second"
    );
    let (receiver, sender) = (Receiver::new(), Sender::new(contents()));
    receiver.pulls.close();
    let stopped = receiver.fetch(&sender).await;
    assert!(
        matches!(stopped, Err(FetchError::Ask(AskError::Stopped))),
        "{stopped:?}"
    );
}
