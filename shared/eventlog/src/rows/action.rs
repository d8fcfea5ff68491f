//! What a viewer did.

use covey_shared::ids::{PostId, UnixMillis, UserId};
use covey_shared::model::ActionKind;

use super::Row;
use crate::files::Kind;
use crate::table::fields;

fields! {
    /// An action that the cluster has accepted.
    #[derive(Copy)]
    pub struct ActionRow {
        /// When, by the client's clock.
        pub acted_at: UnixMillis,
        /// When it was recorded, by the coordinator's clock.
        pub recorded_at: UnixMillis,
        /// Who acted.
        pub viewer: UserId,
        /// What was done; the column has the name that the public API gives it, in lower case.
        pub kind: ActionKind,
        /// On which post.
        pub post: PostId,
        /// The post's author.
        pub author: UserId,
        /// How long the viewer looked, in milliseconds; 0 but for `dwell_time`.
        pub dwell_ms: u32,
        /// Where in the product: 0 = unknown, 1 = home feed, up to 15.
        pub surface: u32,
        /// The request that scored the post; 0 = the client named none.
        pub prediction_request_id: u64,
        /// The recording client.
        pub client: u64,
        /// Its request number. An action that was sent again has the same client, sequence and item.
        pub sequence: u64,
        /// Position in that request, from 0.
        pub item: u32,
    }
}

impl Row for ActionRow {
    const KIND: Kind = Kind::Actions;
}

/// The name of a kind of action in the log: that of the public API, in lower case.
pub(crate) fn action_name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Favorite => "favorite",
        ActionKind::Reply => "reply",
        ActionKind::Repost => "repost",
        ActionKind::PhotoExpand => "photo_expand",
        ActionKind::Click => "click",
        ActionKind::ProfileClick => "profile_click",
        ActionKind::Vqv => "vqv",
        ActionKind::Share => "share",
        ActionKind::ShareViaDm => "share_via_dm",
        ActionKind::ShareViaCopyLink => "share_via_copy_link",
        ActionKind::Dwell => "dwell",
        ActionKind::Quote => "quote",
        ActionKind::QuotedClick => "quoted_click",
        ActionKind::FollowAuthor => "follow_author",
        ActionKind::NotInterested => "not_interested",
        ActionKind::BlockAuthor => "block_author",
        ActionKind::MuteAuthor => "mute_author",
        ActionKind::Report => "report",
        ActionKind::DwellTime => "dwell_time",
        ActionKind::Impression => "impression",
    }
}
