//! Who follows whom: always a user of another shard, so that every change of a count travels there as an effect.

use covey_env::Entropy;
use covey_shared::command::ShardCommand;
use covey_shared::ids::{UserId, Version};
use covey_shared::layout::Layout;
use covey_shared::model::{EdgeKind, EdgeUpdate, UserUpdate};
use covey_shared::slots::Slot;

/// Followers of one writer.
const FOLLOWERS: u64 = 6;
/// Users of each shard who are followed, by those of all writers.
const FOLLOWED: usize = 3;
/// The ids of those who are followed begin here.
const FIRST: u64 = 90_000;

/// Who follows, and whom.
pub(crate) type Edge = (UserId, UserId);

/// An edge of this writer.
pub(crate) fn choose(layout: &Layout, writer: u64, entropy: &dyn Entropy) -> Edge {
    let follower = UserId(writer * 1000 + 500 + entropy.below(FOLLOWERS));
    let at = entropy.below(FOLLOWED as u64) as usize;
    (follower, elsewhere(layout, follower)[at])
}

/// Users who are followed, and do not live in the shard of `follower`.
fn elsewhere(layout: &Layout, follower: UserId) -> Vec<UserId> {
    let shard = |user: UserId| layout.owner(Slot::of(user)).shard;
    let others = (FIRST..).map(UserId).filter(|user| shard(*user) != shard(follower));
    others.take(FOLLOWED).collect()
}

/// Puts or lifts an edge.
pub(crate) fn command((user, target): Edge, on: bool, version: u64) -> ShardCommand {
    ShardCommand::PutUsers(vec![UserUpdate {
        user,
        version: Version(version),
        edges: vec![EdgeUpdate {
            kind: EdgeKind::Follow,
            target,
            on,
        }],
        ..UserUpdate::default()
    }])
}
