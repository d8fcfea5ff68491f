//! One item of a write on its way to a shard, and what became of it.

use covey_shared::command::{ItemResult, LabelUpdate, PostDelete, RejectReason, Served, ShardCommand};
use covey_shared::ids::UserId;
use covey_shared::model::{Action, Post, UserUpdate};
use covey_shared::wire::InvalidRequest;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum WriteItem {
    PutPost(Post),
    DeletePost(PostDelete),
    PutUser(UserUpdate),
    Action(Action),
    Served(Served),
    Labels(LabelUpdate),
}

/// Items of one kind share an entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    PutPosts,
    DeletePosts,
    PutUsers,
    Actions,
    Served,
    Labels,
}

/// Fixed part of an encoded item, rounded up.
const ITEM_BYTES: usize = 256;

impl WriteItem {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            WriteItem::PutPost(_) => Kind::PutPosts,
            WriteItem::DeletePost(_) => Kind::DeletePosts,
            WriteItem::PutUser(_) => Kind::PutUsers,
            WriteItem::Action(_) => Kind::Actions,
            WriteItem::Served(_) => Kind::Served,
            WriteItem::Labels(_) => Kind::Labels,
        }
    }

    /// Whose shard it belongs to.
    pub(crate) fn owner(&self) -> UserId {
        match self {
            WriteItem::PutPost(post) => post.key.author,
            WriteItem::DeletePost(delete) => delete.key.author,
            WriteItem::PutUser(user) => user.user,
            WriteItem::Action(action) => action.viewer,
            WriteItem::Served(served) => served.viewer,
            WriteItem::Labels(update) => update.key.author,
        }
    }

    /// Upper bound of its encoded size: an entry of the log has a limit.
    pub(crate) fn bytes(&self) -> usize {
        ITEM_BYTES
            + match self {
                WriteItem::PutPost(post) => {
                    let media: usize = post.media.iter().map(|m| m.url.len() + 16).sum();
                    post.text.len() + post.vector.0.len() + media
                }
                WriteItem::PutUser(user) => {
                    let words = user.muted_keywords.iter().flatten().map(|w| w.len() + 8);
                    user.edges.len() * 16 + words.sum::<usize>() + 64
                }
                WriteItem::Served(served) => served.posts.len() * 8,
                WriteItem::DeletePost(_) | WriteItem::Action(_) | WriteItem::Labels(_) => 0,
            }
    }
}

/// The command that carries these items, all of `kind`, in their order.
pub(crate) fn command(kind: Kind, items: Vec<WriteItem>) -> ShardCommand {
    macro_rules! of_kind {
        ($Command:ident, $Item:ident) => {
            ShardCommand::$Command(
                items
                    .into_iter()
                    .filter_map(|item| match item {
                        WriteItem::$Item(inner) => Some(inner),
                        _ => None,
                    })
                    .collect(),
            )
        };
    }
    match kind {
        Kind::PutPosts => of_kind!(PutPosts, PutPost),
        Kind::DeletePosts => of_kind!(DeletePosts, DeletePost),
        Kind::PutUsers => of_kind!(PutUsers, PutUser),
        Kind::Actions => of_kind!(RecordActions, Action),
        Kind::Served => of_kind!(RecordServed, Served),
        Kind::Labels => of_kind!(SetLabels, Labels),
    }
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriteFailure {
    /// It breaks a rule.
    #[error("{0}")]
    Rejected(RejectReason),
    /// The shard refuses such a request.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// Not done; send it again.
    #[error("the shard cannot take writes now; send it again")]
    Unavailable {
        /// Milliseconds to wait before.
        retry_after_ms: u32,
    },
    /// Perhaps done; send it again.
    #[error("the outcome is not known; send it again, it counts once")]
    Uncertain,
}

/// A write that took effect, or had done so before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Done.
    Ok,
    /// A newer version was there.
    Superseded,
}

/// The outcome of one item.
pub(crate) type Outcome = Result<Written, WriteFailure>;

pub(crate) fn outcome(result: &ItemResult) -> Outcome {
    match result {
        ItemResult::Ok => Ok(Written::Ok),
        ItemResult::Superseded => Ok(Written::Superseded),
        ItemResult::StaleEpoch => Err(WriteFailure::Unavailable { retry_after_ms: 100 }),
        ItemResult::Rejected(why) => Err(WriteFailure::Rejected(*why)),
        // No answer to an item of ours.
        ItemResult::Operation(_) => Err(WriteFailure::Uncertain),
    }
}
