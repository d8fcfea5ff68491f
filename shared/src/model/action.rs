//! What viewers do with posts.

use bincode::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::ids::{ActionId, PostKey, UnixMillis, UserId};

/// Number of model outputs: the discrete actions and dwell time.
pub const HEADS: usize = 19;

/// What a viewer did. The first 19 are the ranking model's outputs, in its order; the numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum ActionKind {
    Favorite,
    Reply,
    Repost,
    PhotoExpand,
    Click,
    ProfileClick,
    /// Video quality view: watched long enough to count.
    Vqv,
    Share,
    ShareViaDm,
    ShareViaCopyLink,
    Dwell,
    Quote,
    QuotedClick,
    FollowAuthor,
    NotInterested,
    BlockAuthor,
    MuteAuthor,
    Report,
    /// Carries how long the viewer looked ([`Action::dwell_ms`]).
    DwellTime,
    /// The post was on the viewer's screen. Feeds the impression bloom; no model output.
    Impression,
}

impl ActionKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [ActionKind; HEADS + 1] = [
        ActionKind::Favorite,
        ActionKind::Reply,
        ActionKind::Repost,
        ActionKind::PhotoExpand,
        ActionKind::Click,
        ActionKind::ProfileClick,
        ActionKind::Vqv,
        ActionKind::Share,
        ActionKind::ShareViaDm,
        ActionKind::ShareViaCopyLink,
        ActionKind::Dwell,
        ActionKind::Quote,
        ActionKind::QuotedClick,
        ActionKind::FollowAuthor,
        ActionKind::NotInterested,
        ActionKind::BlockAuthor,
        ActionKind::MuteAuthor,
        ActionKind::Report,
        ActionKind::DwellTime,
        ActionKind::Impression,
    ];

    /// Position in [`ActionKind::ALL`]; below [`HEADS`] it is the model output.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Says that the viewer liked what they saw: such posts shape the interest vector.
    pub fn is_positive(self) -> bool {
        use ActionKind::*;
        matches!(
            self,
            Favorite | Reply | Repost | Quote | Share | ShareViaDm | ShareViaCopyLink | FollowAuthor | Vqv | Click
        )
    }

    /// Answers or passes on what the viewer saw, or follows its author: stronger than [`ActionKind::is_positive`].
    pub fn is_engaging(self) -> bool {
        use ActionKind::*;
        matches!(
            self,
            Favorite | Reply | Repost | Quote | Share | ShareViaDm | ShareViaCopyLink | FollowAuthor
        )
    }

    /// Says that the viewer did not want to see it.
    pub fn is_negative(self) -> bool {
        use ActionKind::*;
        matches!(self, NotInterested | BlockAuthor | MuteAuthor | Report)
    }

    /// The viewer has seen the post: it feeds the impression bloom.
    pub fn is_impression(self) -> bool {
        matches!(self, ActionKind::Impression | ActionKind::Dwell | ActionKind::DwellTime)
    }
}

/// One recorded action.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Action {
    /// Who acted; not 0.
    pub viewer: UserId,
    /// Identity: the same id again is a retry and changes nothing.
    pub id: ActionId,
    /// What was done.
    pub kind: ActionKind,
    /// On which post; for actions on a user (follow, block, mute) the post where it happened.
    pub post: PostKey,
    /// When, by the client's clock.
    pub at: UnixMillis,
    /// How long the viewer looked, in milliseconds; only for `DwellTime`.
    pub dwell_ms: u32,
    /// Where in the product (0 = unknown, 1 = home feed … 15).
    pub surface: u8,
    /// The feed request that served the post, 0 = none: joins labels to predictions.
    pub prediction_request_id: u64,
}
