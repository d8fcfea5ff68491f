//! The seam behind which a ranking model stands.

use covey_pipeline::Reply;
use covey_shared::ids::{UnixMillis, UserId};
use covey_shared::model::ActionKind;
use covey_shared::wire::Candidate;

use crate::hydrators::user_action_sequence::SequenceEntry;
use crate::ranking::predictions::Outputs;

/// One viewer and the posts to rank. What is said of a post must depend on the viewer and that post alone, never on the others or
/// their order.
#[derive(Clone, Debug)]
pub struct RankRequest<'a> {
    /// Who would see them.
    pub viewer: UserId,
    /// The moment of the request.
    pub now: UnixMillis,
    /// What the viewer did lately, oldest first; at most `feed.uas_max_length`.
    pub history: &'a [SequenceEntry],
    /// The posts, of a repost the repeated one where that is known; at most `feed.l2_candidates`.
    pub posts: Vec<&'a Candidate>,
}

/// A ranking model in service.
pub trait Ranker: Send + Sync {
    /// Which model it is, from 1; stands in every reply.
    fn version(&self) -> u32;

    /// Whether the probabilities of this head are those that are observed. One that is not calibrated weighs nothing. The
    /// answer never changes.
    fn is_calibrated(&self, head: ActionKind) -> bool;

    /// One answer per post, in their order; `None` where it has none. Another number of answers counts as a failure. Dropped when
    /// `feed.rank_timeout` is over, or half of what the request has left. It must not compute where it is polled, which is the thread of a
    /// feed actor, where no deadline can interrupt it, but on the pool of [`covey_env::Env`], and should stop there when it is dropped.
    ///
    /// # Errors
    /// Nothing can be said about any of them.
    fn rank<'a>(&'a self, request: RankRequest<'a>) -> Reply<'a, Vec<Option<Outputs>>>;
}
