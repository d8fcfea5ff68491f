//! What a replica is opened with. Everything except `generation` and `partition` must be the same on all replicas of a shard: apply
//! depends on it.

use std::time::Duration;

use covey_embeddings::{PartitionOptions, SpaceSpec};
use covey_shared::ids::Generation;
use covey_shared::members::ShardDescriptor;

use crate::heat::HalfLives;

/// How a replica is opened.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    /// The shard as a new replica begins; an existing one knows its own slots, epoch and members.
    pub descriptor: ShardDescriptor,
    /// Which incarnation's keys to use; local to the node.
    pub generation: Generation,
    /// The space of the content vectors; fixed once the replica was opened.
    pub content: SpaceSpec,
    /// How the partition of the content vectors behaves; local to the node.
    pub partition: PartitionOptions,
    /// How long an action id is remembered at least; at most twice as long.
    pub action_memory: Duration,
    /// How long served posts are remembered.
    pub served_memory: Duration,
    /// Engagement that is this much older counts half.
    pub popular_half_life: Duration,
    /// A reply or quote that is this much older counts half for how much a post is talked about.
    pub active_half_life: Duration,
    /// An author with at most this many followers is a small one.
    pub small_author_followers: u32,
    /// Sizes.
    pub limits: ShardLimits,
    /// What in-network reads look at.
    pub in_network: InNetworkLimits,
    /// The impression bloom filter.
    pub impressions: ImpressionOptions,
}

impl ShardOptions {
    pub(crate) fn half_lives(&self) -> HalfLives {
        HalfLives {
            engagement: self.popular_half_life.as_millis() as u64,
            talk: self.active_half_life.as_millis() as u64,
        }
    }
}

/// How large one thing may be.
#[derive(Clone, Debug)]
pub struct ShardLimits {
    /// Text of a post, in bytes.
    pub text_bytes: usize,
    /// Pictures and videos of a post.
    pub media: usize,
    /// Address of one of them, in bytes.
    pub media_url_bytes: usize,
    /// Users that one user follows; the same number of subscriptions.
    pub follows: u32,
    /// Topics that one user follows.
    pub topics: u32,
    /// Users that one user blocks; the same number again may be muted.
    pub blocks: u32,
    /// Muted keywords of a user.
    pub keywords: usize,
    /// One muted keyword, in bytes.
    pub keyword_bytes: usize,
    /// Actions kept per viewer, the newest ones.
    pub actions: u32,
    /// Served deltas kept per viewer, the newest ones.
    pub served_deltas: u32,
    /// Records that one trim removes at most; the next one goes on.
    pub trim_records: usize,
    /// Not yet sealed rows at which [`crate::ShardStore::pressure`] asks to refuse proposals.
    pub unsealed_rows: u64,
    /// Bytes of posts and vectors on the heap, all parts together, at which it does so.
    pub memory_bytes: u64,
    /// Undelivered effects at which it does so.
    pub outbox: u64,
}

/// What an in-network read looks at (docs/feed.md, "In-network").
#[derive(Clone, Copy, Debug)]
pub struct InNetworkLimits {
    /// Entries of one author's timeline that are looked at.
    pub scan_per_author: usize,
    /// Originals of one author; videos too.
    pub originals_per_author: usize,
    /// Replies and reposts of one author.
    pub secondary_per_author: usize,
}

/// A Bloom filter in rotating generations: m = −n·ln p / ln²2 bits, k = m/n·ln 2 hashes (Bloom 1970).
#[derive(Clone, Copy, Debug)]
pub struct ImpressionOptions {
    /// Posts of one generation (n).
    pub per_generation: u32,
    /// Generations kept.
    pub generations: u32,
    /// Share of false positives of a full generation (p), above 0 and below 1.
    pub false_positives: f64,
}

impl Default for ShardLimits {
    fn default() -> Self {
        ShardLimits {
            text_bytes: 16 << 10,
            media: 16,
            media_url_bytes: 2 << 10,
            follows: 10_000,
            topics: 1000,
            blocks: 10_000,
            keywords: 200,
            keyword_bytes: 256,
            actions: 4096,
            served_deltas: 128,
            trim_records: 10_000,
            unsealed_rows: 4 * 8192,
            memory_bytes: 4 << 30,
            outbox: 1_000_000,
        }
    }
}

impl Default for InNetworkLimits {
    fn default() -> Self {
        InNetworkLimits {
            scan_per_author: 500,
            originals_per_author: 50,
            secondary_per_author: 30,
        }
    }
}

impl Default for ImpressionOptions {
    fn default() -> Self {
        ImpressionOptions {
            per_generation: 5000,
            generations: 2,
            false_positives: 0.01,
        }
    }
}
