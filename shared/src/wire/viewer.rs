//! What is kept about a viewer, read in one round trip.

use bincode::{Decode, Encode};

use crate::ids::{PostId, PostKey, UnixMillis, UserId};
use crate::model::{ActionKind, Profile};
use crate::wire::{SeenBloom, ShardRead};

/// Everything kept about one viewer: one round trip.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct ViewerQuery {
    /// The viewer's shard.
    pub shard: ShardRead,
    /// The viewer.
    pub viewer: UserId,
    /// Most recent actions to return, ≤ 4096.
    pub max_actions: u32,
    /// Served posts since then.
    pub served_since: UnixMillis,
}

/// One recorded action as hydration returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ViewerAction {
    /// What.
    pub kind: ActionKind,
    /// On which post.
    pub post: PostKey,
    /// When.
    pub at: UnixMillis,
    /// For `DwellTime`.
    pub dwell_ms: u32,
    /// Where in the product.
    pub surface: u8,
}

/// Everything kept about one viewer.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct ViewerState {
    /// Whether the shard knows the viewer at all.
    pub known: bool,
    /// Profile, default when never written.
    pub profile: Profile,
    /// Followed users, ascending.
    pub follows: Vec<UserId>,
    /// Blocked users, ascending.
    pub blocks: Vec<UserId>,
    /// Muted users, ascending.
    pub mutes: Vec<UserId>,
    /// Subscribed users, ascending.
    pub subscriptions: Vec<UserId>,
    /// Followed topics, ascending.
    pub topics: Vec<u32>,
    /// Muted keywords as written.
    pub muted_keywords: Vec<String>,
    /// Most recent actions, oldest first.
    pub actions: Vec<ViewerAction>,
    /// Posts served since the asked time.
    pub served: Vec<PostId>,
    /// What the viewer has seen.
    pub seen: SeenBloom,
}
