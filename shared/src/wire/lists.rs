//! Lists of posts that every shard keeps ranked: what is asked of them, and what comes back.

use bincode::{Decode, Encode};

use crate::ids::{PostKey, UnixMillis};
use crate::model::Language;
use crate::score::Ranked;
use crate::wire::reads::{Candidate, SearchFilter};
use crate::wire::shard::ShardRead;

/// Most lists of one query.
pub const MAX_LISTS: usize = 64;

/// By what the posts of a list are ranked. No list has replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum RankedBy {
    /// Engagement, decayed with time; posts without any are in no such list.
    Popularity,
    /// The moment at which they were written.
    Newest,
    /// Replies and quotes by others than the author, decayed with time; posts without any are in no such list.
    Activity,
}

impl RankedBy {
    /// All.
    pub const ALL: [RankedBy; 3] = [RankedBy::Popularity, RankedBy::Newest, RankedBy::Activity];

    /// Place in [`RankedBy::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            RankedBy::Popularity => 0,
            RankedBy::Newest => 1,
            RankedBy::Activity => 2,
        }
    }
}

/// Of which posts a list is. Those of a language, country or topic are kept besides the one of all, and a quarter as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum ListGroup {
    /// Of all.
    #[default]
    All,
    /// In a language.
    Language(Language),
    /// Of authors who lived in a country when they wrote them: two upper-case letters (ISO 3166-1).
    Country([u8; 2]),
    /// About a topic.
    Topic(u32),
}

/// One list, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ListAsk {
    /// Which list.
    pub by: RankedBy,
    /// Of which posts.
    pub group: ListGroup,
    /// Posts per shard, ≤ 1000; 0 = none.
    pub posts: u32,
}

/// The best posts of lists.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct ListsQuery {
    /// Shards to ask.
    pub shards: Vec<ShardRead>,
    /// The lists; the answer has one for each, in this order. ≤ [`MAX_LISTS`].
    pub lists: Vec<ListAsk>,
    /// Now, for the decay.
    pub now: UnixMillis,
    /// Conditions.
    pub filter: SearchFilter,
}

/// A post in a list.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
pub struct RankedPost {
    /// What the list is ordered by, higher is better: log2 of the decayed sum at the query's `now`, in 1/65 536, also where that lies
    /// before the last action (the sum then counts as if it had grown backwards); or the moment of writing in milliseconds. Of the same
    /// meaning on all shards, whatever their half-lives.
    pub rank: i64,
    /// The post; its `source_score` is the decayed sum now, or 0 where the list has none.
    pub post: Candidate,
}

impl Ranked for RankedPost {
    type Rank = i64;

    fn rank(&self) -> i64 {
        self.rank
    }

    fn key(&self) -> PostKey {
        self.post.key
    }
}
