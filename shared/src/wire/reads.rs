//! Queries to shards and what they return. Candidates carry fixed-width fields only; text is fetched for selected posts.

use std::cmp::Ordering;

use bincode::{Decode, Encode};

use crate::ids::{ModelEpoch, PostId, PostKey, UnixMillis, UserId, Version};
use crate::model::{ActionKind, Language, Post, Topics};
use crate::score::Score;
use crate::wire::seen::SeenBloom;
use crate::wire::shard::ShardRead;

/// Posts by key.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct GetPostsQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// Keys; a shard answers those in its range. Author 0 = look the id up in every asked shard.
    pub keys: Vec<PostKey>,
    /// Also return vectors.
    pub with_vectors: bool,
}

/// The fixed-width fields of posts, by key: a hit of a search becomes a candidate.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct CandidatesQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// Keys; a shard answers those in its range. ≤ 10 000.
    pub keys: Vec<PostKey>,
}

/// A post as it is now.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct PostView {
    /// The post; its vector is empty unless asked for.
    pub post: Post,
    /// Its counters.
    pub counters: Counters,
}

/// How often each kind of action was recorded on a post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Counters {
    /// By [`ActionKind`]'s index; 20 kinds.
    pub by_kind: [u32; 20],
}

impl Counters {
    /// The count of one kind.
    pub fn of(&self, kind: ActionKind) -> u32 {
        self.by_kind[kind.index()]
    }
}

/// The sums of counters that the first score looks at: candidates are many, counters 20.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Engagement {
    /// Actions by which a viewer answers or passes on ([`ActionKind::is_engaging`]).
    pub engaged: u32,
    /// Actions by which a viewer turns away ([`ActionKind::is_negative`]).
    pub unwanted: u32,
    /// Impressions.
    pub views: u32,
}

impl Engagement {
    /// Of all counters.
    pub fn of(counters: &Counters) -> Engagement {
        let sum = |wanted: fn(ActionKind) -> bool| {
            let kinds = ActionKind::ALL.into_iter().filter(|kind| wanted(*kind));
            kinds.fold(0_u32, |sum, kind| sum.saturating_add(counters.of(kind)))
        };
        Engagement {
            engaged: sum(ActionKind::is_engaging),
            unwanted: sum(ActionKind::is_negative),
            views: counters.of(ActionKind::Impression),
        }
    }
}

/// Conditions that are checked next to the data.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct SearchFilter {
    /// Only these authors; empty = all. ≤ 10 000.
    pub authors: Vec<UserId>,
    /// None of these authors (blocked, muted, the viewer). ≤ 10 000.
    pub not_authors: Vec<UserId>,
    /// None of these posts. ≤ 10 000.
    pub not_posts: Vec<PostId>,
    /// Created at or after.
    pub created_from: Option<UnixMillis>,
    /// Created before.
    pub created_before: Option<UnixMillis>,
    /// Only this language; `None` = all.
    pub language: Option<Language>,
    /// Only posts with (or without) a video.
    pub video: Option<bool>,
    /// None with any of these label bits.
    pub without_labels: u32,
    /// None that the viewer's impression bloom holds.
    pub not_seen: Option<SeenBloom>,
    /// Only originals and quotes: no replies.
    pub no_replies: bool,
}

/// Nearest neighbours in one vector space.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SearchQuery {
    /// Shards to search.
    pub shards: Vec<ShardRead>,
    /// Name of the vector space.
    pub space: String,
    /// Epoch of the space; 0 for `content`.
    pub model_epoch: ModelEpoch,
    /// Query vectors, each of the space's dimension; results of all are one list per shard, de-duplicated. ≤ 8.
    pub vectors: Vec<Vec<f32>>,
    /// Results per shard, 1 ..= 1000.
    pub k: u32,
    /// Scan everything: exact, identical on every replica.
    pub exact: bool,
    /// Wanted recall@k of the index, 0.5 ..= 1; 0 = the configured one.
    pub recall_target: f32,
    /// Conditions.
    pub filter: SearchFilter,
}

/// A place in a list of posts that goes back in time: the newest first, of the same moment the lower id first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Place {
    /// When the post was written.
    pub created_at: UnixMillis,
    /// The post.
    pub post: PostId,
}

impl Place {
    /// The place of a post.
    pub fn of(post: &Candidate) -> Place {
        Place {
            created_at: post.created_at,
            post: post.key.post,
        }
    }

    /// The place right behind this one; the last one of all is behind itself.
    #[must_use]
    pub fn next(self) -> Place {
        let Place { created_at, post } = self;
        match (post.0.checked_add(1), created_at.0.checked_sub(1)) {
            (Some(id), _) => Place {
                created_at,
                post: PostId(id),
            },
            (None, Some(earlier)) => Place {
                created_at: UnixMillis(earlier),
                post: PostId(0),
            },
            (None, None) => self,
        }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let newer = other.created_at.cmp(&self.created_at);
        newer.then(self.post.cmp(&other.post))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Newest posts of followed authors.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct InNetworkQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// The viewer: retweets of the viewer's own posts are skipped.
    pub viewer: UserId,
    /// Authors; a shard answers those in its range. ≤ 10 000, ascending.
    pub authors: Vec<UserId>,
    /// Followed users, for the reply rule; ascending. ≤ 10 000.
    pub followed: Vec<UserId>,
    /// Posts to skip. ≤ 10 000.
    pub exclude: Vec<PostId>,
    /// Only posts with video.
    pub video_only: bool,
    /// Most candidates per shard.
    pub max_results: u32,
    /// Created at or after.
    pub created_from: UnixMillis,
    /// All that the authors wrote: the limits per author and the rules for replies and reposts do not count.
    pub complete: bool,
    /// Nothing that stands before this place.
    pub start: Option<Place>,
}

/// Flags of a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct CandidateFlags(pub u8);

impl CandidateFlags {
    /// Has text or media.
    pub const HAS_CONTENT: u8 = 1;
    /// Has a photo.
    pub const HAS_PHOTO: u8 = 1 << 1;
    /// The author has few followers: eligible for exploration.
    pub const SMALL_AUTHOR: u8 = 1 << 2;
    /// Only for users who subscribe to the author.
    pub const SUBSCRIBERS_ONLY: u8 = 1 << 3;

    /// Whether all bits of `mask` are set.
    pub fn has(self, mask: u8) -> bool {
        self.0 & mask == mask
    }
}

/// A post as a source returns it: fixed-width fields only.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct Candidate {
    /// Author and id.
    pub key: PostKey,
    /// Version of the post.
    pub version: Version,
    /// When it was written.
    pub created_at: UnixMillis,
    /// The post that it answers; zeros = none.
    pub reply_to: PostKey,
    /// The post that it repeats; zeros = none.
    pub repost_of: PostKey,
    /// The post that it comments on; zeros = none.
    pub quote_of: PostKey,
    /// First post of the conversation; 0 = itself.
    pub conversation: PostId,
    /// Safety labels.
    pub labels: u32,
    /// Length of the video in milliseconds; 0 = none.
    pub video_ms: u32,
    /// Language.
    pub language: Language,
    /// Flags.
    pub flags: CandidateFlags,
    /// What the source ranked by: similarity, decayed engagement, or 0.
    pub source_score: Score,
    /// What viewers did at the time of the query.
    pub engagement: Engagement,
    /// Of its text: near-duplicates differ in few bits; 0 = none, as for short texts.
    pub simhash: u64,
    /// What it is about.
    pub topics: Topics,
}

/// May these posts be shown, and with which text?
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct VerdictQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// Who would see them.
    pub viewer: UserId,
    /// Posts, their sources, quoted posts and ancestors. ≤ 4096.
    pub keys: Vec<PostKey>,
    /// Also return the posts themselves.
    pub with_posts: bool,
}

/// What the owner of a post says about it.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Verdict {
    /// The post.
    pub key: PostKey,
    /// It exists and is not deleted.
    pub exists: bool,
    /// Safety labels.
    pub labels: u32,
    /// The author blocks the viewer.
    pub author_blocks_viewer: bool,
    /// The post, if it exists and was asked for; without its vector.
    pub post: Option<Post>,
    /// Its author's handle, empty when never written.
    pub screen_name: String,
}

/// Which of these posts hold one of some phrases?
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TextQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// Keys; a shard answers those in its range. ≤ 10 000.
    pub keys: Vec<PostKey>,
    /// See [`Phrases`](crate::text::Phrases). ≤ 10 000.
    pub phrases: Vec<String>,
}

/// What a text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TextMatch {
    /// The post.
    pub key: PostKey,
    /// Position of a phrase that its text holds, in the query; `None` also if there is no such post.
    pub phrase: Option<u32>,
}

/// Names and follower counts.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct AuthorsQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// Authors; a shard answers those in its range. ≤ 4096.
    pub authors: Vec<UserId>,
}

/// What is shown of an author.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuthorInfo {
    /// The author.
    pub user: UserId,
    /// Handle; empty when never written.
    pub screen_name: String,
    /// Followers.
    pub followers: u32,
}

#[cfg(test)]
#[path = "reads_test.rs"]
mod tests;
