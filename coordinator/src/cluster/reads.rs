//! Typed reads. Each returns what the shards that answered know, and says how complete that is.

use covey_shared::ids::{PostKey, ShardId, UnixMillis, UserId};
use covey_shared::score::Ranked;
use covey_shared::slots::Slot;
use covey_shared::wire::{
    Candidate, InNetworkQuery, InvalidRequest, Place, ReplyBody, RequestBody, SearchFilter, ShardRead, ViewerQuery,
    ViewerState,
};
use thiserror::Error;

use crate::cluster::Cluster;
use crate::cluster::fan_out::{Answers, Ask, Open};
use crate::cluster::progress::ShardFailure;
use crate::cluster::reads_by_key::owned;
use crate::cluster::report::{Gathered, ReadContext};
use crate::cluster::rounds::Best;

/// Most hits of a search, or posts of a ranked list, that a shard may be asked for.
pub(super) const MAX_ROWS: usize = 1000;
/// Most posts of followed authors that a shard may be asked for.
const MAX_NEWEST: usize = 10_000;

/// Why a read has no answer at all. Where some shards answered there is an answer, with less coverage.
#[derive(Clone, Debug, Error)]
pub enum ReadError {
    /// No shard that was asked answered.
    #[error("shard {shard} has no answer")]
    NoAnswer {
        /// One of them.
        shard: ShardId,
        /// Why.
        #[source]
        source: ShardFailure,
    },
    /// The request is at fault.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
}

/// Newest posts of some authors.
#[derive(Clone, Debug, Default)]
pub struct InNetworkAsk {
    /// For whom: reposts of the viewer's own posts are skipped.
    pub viewer: UserId,
    /// Authors, ascending; ≤ 10 000.
    pub authors: Vec<UserId>,
    /// Users whom the viewer follows, for the rule about replies, ascending; ≤ 10 000.
    pub followed: Vec<UserId>,
    /// Posts to skip; ≤ 10 000.
    pub exclude: Vec<covey_shared::ids::PostId>,
    /// Only posts with video.
    pub video_only: bool,
    /// Posts in all, newest first.
    pub max_results: usize,
    /// Created at or after.
    pub created_from: UnixMillis,
    /// All that the authors wrote, without the limits and rules of the channel.
    pub complete: bool,
    /// Nothing that stands before this place.
    pub start: Option<Place>,
}

/// Nearest neighbours.
#[derive(Clone, Debug)]
pub struct SearchAsk {
    /// Vector space.
    pub space: String,
    /// Query vectors, ≤ 8; the hits are those of all, once each.
    pub vectors: Vec<Vec<f32>>,
    /// Hits wanted, 1 ..= 1000.
    pub k: usize,
    /// Scan everything.
    pub exact: bool,
    /// Wanted recall, 0.5 ..= 1; 0 = the configured one.
    pub recall_target: f32,
    /// Conditions.
    pub filter: SearchFilter,
}

/// May these posts be shown?
#[derive(Clone, Debug, Default)]
pub struct VerdictAsk {
    /// To whom.
    pub viewer: UserId,
    /// Posts; ≤ 4096.
    pub keys: Vec<PostKey>,
    /// Also fetch them.
    pub with_posts: bool,
}

/// Takes the list out of a reply of the expected kind.
macro_rules! opener {
    ($Kind:ident) => {
        |reply| match reply {
            ReplyBody::$Kind(list) => Some(list),
            _ => None,
        }
    };
}
pub(crate) use opener;

impl Cluster {
    /// Everything kept about a viewer, from the viewer's shard: at most `max_actions` actions, and what was served since
    /// `served_since`. An unknown viewer is an answer, not an error.
    ///
    /// # Errors
    /// No replica of that shard answered.
    pub async fn viewer(
        &self,
        viewer: UserId,
        max_actions: u32,
        served_since: UnixMillis,
        context: &ReadContext,
    ) -> Result<Gathered<ViewerState>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            RequestBody::Viewer(ViewerQuery {
                shard: shards[0],
                viewer,
                max_actions,
                served_since,
            })
        };
        let open = |reply| match reply {
            ReplyBody::Viewer(state) => Some(vec![*state]),
            _ => None,
        };
        let shards = vec![self.shard_of(viewer)];
        let mut answers = answered(
            self.fan_out(
                &Ask {
                    shards,
                    body: &body,
                    open,
                },
                context,
            )
            .await,
        )?;
        let part = answers.parts.pop().expect("answered() has seen an answer");
        Ok(Gathered {
            value: part.value,
            report: answers.report,
        })
    }

    /// Newest posts of `ask.authors`, newest first, of the same moment the lower id first, each once: the same as one big shard would
    /// return. Each node is told only the authors that it owns.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn in_network(
        &self,
        ask: InNetworkAsk,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<Candidate>>, ReadError> {
        let body = |shards: Vec<ShardRead>, asked: &[u32]| {
            let ranges = self.ranges(&shards);
            RequestBody::InNetwork(InNetworkQuery {
                shards,
                viewer: ask.viewer,
                authors: owned(&ask.authors, &ranges, |author| *author),
                followed: ask.followed.clone(),
                exclude: ask.exclude.clone(),
                video_only: ask.video_only,
                max_results: asked[0],
                created_from: ask.created_from,
                complete: ask.complete,
                start: ask.start,
            })
        };
        let read = Best {
            shards: self.shards_of(ask.authors.iter().copied()),
            wanted: &[ask.max_results],
            most: MAX_NEWEST,
            body: &body,
            open: |reply| match reply {
                ReplyBody::InNetwork(replies) => Some(replies.into_iter().map(|reply| reply.map(newest)).collect()),
                _ => None,
            },
        };
        let found = self.best(read, context).await?;
        let posts = |list: Vec<Newest>| list.into_iter().map(|Newest(post)| post).collect();
        Ok(found.map(|mut lists| lists.pop().map_or(Vec::new(), posts)))
    }

    /// Fans out and gathers the rows that count.
    pub(super) async fn rows<R: Send + 'static>(
        &self,
        shards: Vec<ShardId>,
        body: &(dyn Fn(Vec<ShardRead>) -> RequestBody + Sync),
        open: Open<Vec<R>>,
        slot: impl Fn(&R) -> Slot,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<R>>, ReadError> {
        let answers = answered(self.fan_out(&Ask { shards, body, open }, context).await)?;
        let (value, report) = answers.rows(slot);
        Ok(Gathered { value, report })
    }
}

/// A post among others by their age.
#[derive(Clone, Copy)]
struct Newest(Candidate);

impl Ranked for Newest {
    type Rank = UnixMillis;

    fn rank(&self) -> UnixMillis {
        self.0.created_at
    }

    fn key(&self) -> PostKey {
        self.0.key
    }
}

/// The one list of an answer.
fn newest(posts: Vec<Candidate>) -> Vec<Vec<Newest>> {
    vec![posts.into_iter().map(Newest).collect()]
}

pub(crate) fn limit(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// An error only if nothing answered although something was asked, or if the request itself was refused.
pub(crate) fn answered<T>(answers: Answers<T>) -> Result<Answers<T>, ReadError> {
    if let Some(why) = answers.failed.values().find_map(ShardFailure::invalid) {
        return Err(why.into());
    }
    match answers.failed.iter().next() {
        Some((shard, failure)) if answers.parts.is_empty() => Err(ReadError::NoAnswer {
            shard: *shard,
            source: failure.clone(),
        }),
        _ => Ok(answers),
    }
}
