//! Users: profile and edges to other users.

use bincode::{Decode, Encode};

use crate::ids::{UnixMillis, UserId, Version};
use crate::model::Language;

/// The public face of a user and what ranking knows about the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Profile {
    /// Handle, without a leading @.
    pub screen_name: String,
    /// Preferred language.
    pub language: Language,
    /// Country as two upper-case ASCII letters (ISO 3166-1), zero bytes = unknown.
    pub country: [u8; 2],
    /// When the account was made.
    pub created_at: UnixMillis,
}

/// What a user is to another one, or to a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum EdgeKind {
    /// Wants to see the other's posts.
    Follow,
    /// Wants neither to see the other nor be seen.
    Block,
    /// Does not want to see the other.
    Mute,
    /// Pays for the other's posts.
    Subscribe,
    /// Wants to see posts about a topic.
    Topic,
}

impl EdgeKind {
    /// All.
    pub const ALL: [EdgeKind; 5] = [
        EdgeKind::Follow,
        EdgeKind::Block,
        EdgeKind::Mute,
        EdgeKind::Subscribe,
        EdgeKind::Topic,
    ];
}

/// Turns one edge on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct EdgeUpdate {
    /// Which relation.
    pub kind: EdgeKind,
    /// The other user, not the user itself; of [`EdgeKind::Topic`] the number of the topic, 32 bits. Not 0.
    pub target: UserId,
    /// Whether the edge exists afterwards.
    pub on: bool,
}

/// A change of one user. Each part is an upsert by version: higher wins, equal is the same write again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct UserUpdate {
    /// Whom it is about; not 0.
    pub user: UserId,
    /// Version given by the writer.
    pub version: Version,
    /// New profile, if it changes.
    pub profile: Option<Profile>,
    /// Edges that change.
    pub edges: Vec<EdgeUpdate>,
    /// The whole list of muted keywords, if it changes.
    pub muted_keywords: Option<Vec<String>>,
}
