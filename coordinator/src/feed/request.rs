//! A feed request as the API has checked it.

use std::collections::BTreeMap;

use covey_shared::ids::{PostId, PostKey, UserId};
use covey_shared::model::Language;
use covey_shared::session::SessionToken;
use covey_shared::wire::SeenBloom;

/// A place on earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geo {
    /// Degrees north, −90 ..= 90.
    pub latitude: f64,
    /// Degrees east, −180 ..= 180.
    pub longitude: f64,
}

/// Which feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeedKind {
    /// Ranked, from all channels.
    #[default]
    ForYou,
    /// All that the viewer and the followed users wrote, back in time.
    Following,
}

/// What the viewer asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedRequest {
    /// Who asks; not 0.
    pub viewer: UserId,
    /// Which feed.
    pub kind: FeedKind,
    /// The client application; 0 = unknown.
    pub client_app_id: u32,
    /// Country as two upper-case letters, zeros = unknown.
    pub country: [u8; 2],
    /// Language of the client.
    pub language: Language,
    /// Kind of device, at most 64 bytes; empty = unknown.
    pub device: String,
    /// The viewer's local time in minutes since midnight, 0 ..= 1439.
    pub local_minutes: Option<u16>,
    /// Where the viewer is.
    pub geo: Option<Geo>,
    /// Posts that the viewer has seen; at most `limits.exclude_ids`.
    pub seen: Vec<PostId>,
    /// Posts that the client session was served; at most `limits.exclude_ids`.
    pub served: Vec<PostId>,
    /// Bloom filters of posts that the client has shown, each of one generation.
    pub blooms: Vec<SeenBloom>,
    /// Only posts of the viewer and of followed users.
    pub in_network_only: bool,
    /// The client scrolled to the end and wants the next page.
    pub is_bottom_request: bool,
    /// Posts wanted, 1 ..= `limits.feed_posts`.
    pub limit: usize,
    /// Sealed cursor of the previous page; empty = first page.
    pub cursor: String,
    /// What the client has seen: no read is older.
    pub token: SessionToken,
    /// Explain what was served, and `explain_posts`.
    pub explain: bool,
    /// Posts to explain whether they are served or not; both ids not 0, at most 100.
    pub explain_posts: Vec<PostKey>,
    /// Experiment to arm; at most 100.
    pub experiment_overrides: BTreeMap<String, String>,
    /// Only posts with video.
    pub video_only: bool,
    /// Leave no trace: nothing is recorded as served.
    pub dry_run: bool,
}
