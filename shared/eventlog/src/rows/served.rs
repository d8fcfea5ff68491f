//! A post that a feed showed.

use covey_shared::ids::{PostId, UnixMillis, UserId};

use super::Row;
use crate::files::Kind;
use crate::table::fields;

fields! {
    /// How a recall channel found a post.
    #[derive(Default)]
    pub struct ChannelHit {
        /// Name of the channel.
        pub name: String,
        /// Position in the channel's list, from 1.
        pub rank: u32,
        /// What the channel ranks by: similarity, decayed engagement, or 0.
        pub score: f32,
    }
}

fields! {
    /// A post that a feed showed: one row for each post of each page.
    #[derive(Default)]
    pub struct ServedRow {
        /// When the request began, by the coordinator's clock.
        pub asked_at: UnixMillis,
        /// The request that showed the post.
        pub request: u64,
        /// The request that scored it, the key that actions name: that of an earlier page when the post comes from the session's reserve.
        /// 0 = it was not scored.
        pub prediction_request_id: u64,
        /// When it was scored; `None` = it was not.
        pub scored_at: Option<UnixMillis>,
        /// Who asked.
        pub viewer: UserId,
        /// Position on the page, from 1.
        pub slot: u32,
        /// The post.
        pub post: PostId,
        /// Its author.
        pub author: UserId,
        /// Of a repost the repeated post.
        pub repeated_post: Option<PostId>,
        /// Of a repost the author of the repeated post.
        pub repeated_author: Option<UserId>,
        /// When the post was written.
        pub created_at: UnixMillis,
        /// Every channel that found it, in the order of the pipeline.
        pub channels: Vec<ChannelHit>,
        /// The author is the viewer or followed; `None` = not known.
        pub in_network: Option<bool>,
        /// The request was for posts of followed users alone.
        pub in_network_only: bool,
        /// The page is one of the Following feed, which ranks nothing.
        pub following: bool,
        /// Actions by which viewers answered or passed on what is shown, when it was scored.
        pub engaged: u32,
        /// Actions by which viewers turned away.
        pub unwanted: u32,
        /// How often it had been on a screen.
        pub views: u32,
        /// How often the viewer liked what the author, or the author of what is repeated, wrote, less how often not.
        pub affinity: i32,
        /// The first score; `None` = no filter needed it.
        pub l1_score: Option<f64>,
        /// The score before business rules; `None` = not scored.
        pub weighted_score: Option<f64>,
        /// The score after AuthorDiversity; `None` = not scored.
        pub diversified_score: Option<f64>,
        /// The score that ranked it; `None` = not scored.
        pub score: Option<f64>,
        /// The version of the model that scored it; `None` = no model did, the score is that of a formula.
        pub model: Option<u32>,
        /// Its place was drawn, and not only ranked.
        pub explored: bool,
        /// Probability with which it got this place; 1 = it was ranked there.
        pub propensity: f32,
        /// A business rule put it there: a pin or an inject.
        pub rule_placed: bool,
        /// Version of the settings that the page was made by; 0 = what the file says.
        pub config_version: u64,
    }
}

impl Row for ServedRow {
    const KIND: Kind = Kind::Served;
}
