//! Newtypes for every id and counter. Raw integers appear only at the raft seam and in the codecs.

use std::fmt;

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($raw:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $raw);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// A cluster: the first 64 bits of the xxh3 of its name. Peers of another cluster are refused.
    ClusterId(u64), "cluster-"
);
id!(
    /// A machine of the cluster, ≥ 1. Never reused for another machine.
    NodeId(u64), "node-"
);
id!(
    /// A shard: one Raft group that owns a contiguous range of slots. ≥ 1; 0 is [`ShardId::METADATA`].
    ShardId(u64), "shard-"
);
id!(
    /// One replica of one shard on one node, ≥ 1: `born << 42 | shard << 16 | node`. Never reused, so that a removed replica
    /// cannot come back as a member.
    ReplicaId(u64), "replica-"
);
id!(
    /// An operation: the position of its start in the log of the metadata.
    OperationId(u64), "operation-"
);
id!(
    /// A user. 0 is "nobody" and never valid in a request.
    UserId(u64), "user-"
);
id!(
    /// A post. 0 is "none" and never valid in a request.
    PostId(u64), "post-"
);
id!(
    /// Position in a Raft log.
    LogIndex(u64), "index-"
);
id!(
    /// Raft term.
    Term(u64), "term-"
);
id!(
    /// Version of an item given by its writer; the higher one wins, an equal one is the same write again.
    Version(u64), "v"
);
id!(
    /// Milliseconds since the Unix epoch.
    UnixMillis(u64), "t"
);
id!(
    /// Serving epoch of the models; 0 is "no model" (text vectors only).
    ModelEpoch(u32), "epoch-"
);
id!(
    /// Number, local to a node, of the incarnation of the replica that wrote a key of the post store.
    Generation(u32), "gen-"
);

/// Bits of a replica's id that hold its node, and those that hold its shard.
const NODE_BITS: u32 = 16;
const SHARD_BITS: u32 = 26;

impl ShardId {
    /// The Raft group that keeps the metadata of the cluster: a shard without slots.
    pub const METADATA: ShardId = ShardId(0);
}

impl ReplicaId {
    /// The replica of `shard` on `node` that came with `conf_ver` `born`; 0: with the cluster. A shard has each `conf_ver` once,
    /// so no id is ever used again, without asking anybody. `node` < 2^16, `shard` < 2^26, `born` < 2^22.
    pub fn new(born: u64, shard: ShardId, node: NodeId) -> ReplicaId {
        debug_assert!(node.0 >> NODE_BITS == 0 && shard.0 >> SHARD_BITS == 0);
        ReplicaId(born << (SHARD_BITS + NODE_BITS) | shard.0 << NODE_BITS | node.0)
    }

    /// Its machine.
    pub fn node(self) -> NodeId {
        NodeId(self.0 & ((1 << NODE_BITS) - 1))
    }

    /// Its shard.
    pub fn shard(self) -> ShardId {
        ShardId(self.0 >> NODE_BITS & ((1 << SHARD_BITS) - 1))
    }

    /// The `conf_ver` that it came with; 0: with the cluster.
    pub fn born(self) -> u64 {
        self.0 >> (SHARD_BITS + NODE_BITS)
    }
}

impl UnixMillis {
    /// Time from `earlier` to `self` in milliseconds, 0 if `earlier` is later.
    pub fn since(self, earlier: UnixMillis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl ClusterId {
    /// The id of the cluster called `name`.
    pub fn from_name(name: &str) -> Self {
        ClusterId(xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
    }
}

/// Epoch of a shard: which range it owns and who its members are. Ordered by range first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct ShardEpoch {
    /// + 1 per split, for parent and child.
    pub range_ver: u64,
    /// + 1 per membership change.
    pub conf_ver: u64,
}

/// Where a post lives: its author decides the shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct PostKey {
    /// The author, whose slot owns the post.
    pub author: UserId,
    /// The post.
    pub post: PostId,
}

/// Identity of one recorded action: a retry carries the same one and counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
pub struct ActionId {
    /// The recording client (device or service).
    pub client: u64,
    /// The client's request number.
    pub sequence: u64,
    /// Position inside the request.
    pub item: u32,
}
