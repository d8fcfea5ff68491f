//! The post store, how long things are kept, and how large a thing may be.

use std::time::Duration;

use crate::section::section;
use crate::units::ByteSize;

section! {
    /// The post store of a node: one LSM for all its shards, and the in-memory columns over it.
    pub struct StorageConfig = "storage" {
        /// Block cache of the LSM.
        kv_cache: ByteSize = "64MiB", in "1MiB"..="1TiB";
        /// Memtable of the LSM, per keyspace.
        kv_memtable: ByteSize = "32MiB", in "1MiB"..="4GiB";
        /// Journal of the LSM before it is flushed and recycled.
        kv_journal: ByteSize = "256MiB", in "64MiB"..="64GiB";
        /// What a node keeps of posts and vectors on its heap: indexes count as their files, mapped rows not. Each replica has an
        /// equal share; with a full one it takes no posts, users and actions.
        columns: ByteSize = "4GiB", in "16MiB"..="4TiB";
        /// Time between checkpoints: folder files and LSM fsynced, then the log cut.
        checkpoint_interval: Duration = "10s", in "100ms"..="1h";
        /// Share of the disk of data_dir that stays free. With less a node refuses posts, users and actions and leads no
        /// shard until there is room again; 0.0 = off.
        min_free_disk_ratio: f64 = 0.05, in 0.0..=0.5;
        /// Time between two checks of a shard, by its leader, that all its replicas hold the same; one that does not is built
        /// anew. Each reads all records once.
        verify_interval: Option<Duration> = "24h", in "1s"..="365d";
        /// Time between two passes of the scrubber, which reads the files of all sealed vectors again, compares them with their
        /// checksums and has other replicas make good what is damaged. The first one begins soon after the start.
        scrub_interval: Duration = "24h", in "1s"..="365d";
        /// What the scrubber reads per second, over all shards of a node.
        scrub_rate: ByteSize = "32MiB", in "1MiB"..="16GiB";
        /// What builds and merges of vector indexes read and write per second, over all shards of a node. Nothing waits for it
        /// once a shard has half of ann.max_unsealed to seal, or 128 segments that were never merged.
        build_rate: ByteSize = "200MiB", in "1MiB"..="16GiB";
        /// Threads that apply committed entries; each shard has its fixed one.
        apply_threads: usize = 1, in 1..=64;
    }
}

section! {
    /// How long posts are kept. What a feed shows is limited by feed.max_post_age.
    pub struct RetentionConfig = "retention" {
        /// Age at which a post and its vector are dropped.
        window: Option<Duration> = "48h", in "1m"..="36500d";
        /// Time between two trims of a shard, proposed by its leader.
        trim_interval: Duration = "2m", in "1s"..="1h";
        /// A trim advances by at most this beyond the oldest post, so that a wrong clock cannot drop everything at once.
        trim_step: Duration = "10m", in "1s"..="24h";
        /// How long a viewer's action ids are remembered, so that a repeated action counts once.
        action_memory: Duration = "15m", in "1m"..="24h";
    }
}

section! {
    /// How large one thing may be. What is larger is refused with an error that names the limit.
    pub struct LimitsConfig = "limits" {
        /// Text of a post.
        text: ByteSize = "16KiB", in "280B"..="256KiB";
        /// Pictures and videos of a post.
        media: usize = 16, in 0..=64;
        /// Address of one picture or video.
        media_url: ByteSize = "2KiB", in "64B"..="16KiB";
        /// Items in one call of the API.
        batch_items: usize = 1000, in 1..=10_000;
        /// Users that one user follows.
        follows: usize = 10_000, in 1..=100_000;
        /// Topics that one user follows.
        topics: usize = 1000, in 0..=100_000;
        /// Users that one user blocks; the same number again may be muted.
        blocks: usize = 10_000, in 1..=100_000;
        /// Muted keywords of one user.
        muted_keywords: usize = 200, in 0..=10_000;
        /// One muted keyword.
        keyword: ByteSize = "256B", in "8B"..="4KiB";
        /// Ids in seen_ids and in served_ids of one request; the rest is cut with a warning.
        exclude_ids: usize = 10_000, in 0..=100_000;
        /// Posts in one feed reply.
        feed_posts: usize = 100, in 1..=1000;
        /// Hits of one search.
        search_k: usize = 1000, in 1..=10_000;
        /// Actions kept per user, impressions not counted: the newest to happen, and for a while up to a sixteenth more.
        actions: usize = 4096, in 16..=4096;
    }
}
