//! Post-selection hydrator: what the owners of the selected posts, of what they repeat and quote and of the conversation
//! above them say, and their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_pipeline::{ComponentError, Hydrator, Reply, RowError, Rows, RunContext};
use covey_shared::ids::PostKey;
use covey_shared::wire::Verdict;

use crate::cluster::VerdictAsk;
use crate::feed::candidate::{Facts, FeedCandidate};
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;

/// Posts of a conversation above a selected one that are judged. The rules of the sources let replies pass that are two
/// deep; what is deeper than this was not judged, so it is not served.
const MAX_ANCESTORS: usize = 4;
/// Most posts of one question.
const MAX_KEYS: usize = 4096;
/// Retry hint when no shard gives verdicts: about the time of an election.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Why a post is not served: a shard that must judge it, or what it refers to, did not answer.
pub(crate) const NO_VERDICT: &str = "no_verdict";

type Known = BTreeMap<PostKey, Verdict>;

/// Required: a post without a verdict is not served.
pub(crate) struct Verdicts {
    pub(crate) shards: Arc<dyn Shards>,
    /// `feed.verdict_timeout`.
    pub(crate) timeout: Duration,
    /// `feed.verdict_staleness`: what may be older than this is no verdict.
    pub(crate) staleness: Duration,
}

impl Hydrator<FeedQuery, FeedCandidate> for Verdicts {
    fn required(&self) -> bool {
        true
    }

    fn budget(&self) -> Duration {
        self.timeout
    }

    fn hydrate<'a>(
        &'a self,
        run: &'a RunContext,
        query: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        Box::pin(async move {
            let known = self.judge(run, query, posts).await?;
            let rows = posts.iter().map(|post| facts(post, &known).map(Arc::new)).collect();
            Ok(Rows::new(rows, |post: &mut FeedCandidate, facts| {
                post.facts = Some(facts)
            }))
        })
    }
}

impl Verdicts {
    /// One fan-out per level of the conversations: a post names only the post that it answers, and a repost not what the repeated one quotes.
    async fn judge(
        &self,
        run: &RunContext,
        query: &FeedQuery,
        posts: &[FeedCandidate],
    ) -> Result<Known, ComponentError> {
        let mut known = Known::new();
        let mut asked = BTreeSet::new();
        let mut next: BTreeSet<PostKey> = posts.iter().flat_map(first_keys).collect();
        for level in 0..MAX_ANCESTORS {
            next.retain(|key| key.post.0 != 0 && asked.insert(*key));
            if next.is_empty() {
                break;
            }
            let keys: Vec<PostKey> = std::mem::take(&mut next).into_iter().take(MAX_KEYS).collect();
            let ask = VerdictAsk {
                viewer: query.viewer,
                keys,
                with_posts: true,
            };
            let context = query.read_context(run).within(self.staleness);
            let answer = query.ledger.take("Verdicts", self.shards.verdicts(ask, &context).await);
            let verdicts = match answer {
                Ok(verdicts) => verdicts,
                // Only the posts whose ancestors could not be read suffer.
                Err(_) if level > 0 => break,
                Err(error) => return Err(error.retry_after(RETRY_AFTER)),
            };
            known.extend(verdicts.into_iter().map(|verdict| (verdict.key, verdict)));
            let above = posts.iter().filter_map(|post| top(post, &known).err());
            let quoted = posts.iter().filter_map(|post| quoted(post, &known).err());
            next = above.chain(quoted).collect();
        }
        Ok(known)
    }
}

fn first_keys(post: &FeedCandidate) -> [PostKey; 4] {
    let core = &post.core;
    [core.key, core.repost_of, core.quote_of, core.reply_to]
}

/// The conversation above a post, nearest first, as far up as it still exists; `Err` with the next post that has no
/// verdict yet.
fn top(post: &FeedCandidate, known: &Known) -> Result<Vec<Verdict>, PostKey> {
    let mut above = Vec::new();
    let mut at = post.core.reply_to;
    while at.post.0 != 0 && above.len() < MAX_ANCESTORS {
        let verdict = known.get(&at).ok_or(at)?;
        above.push(verdict.clone());
        at = verdict
            .post
            .as_ref()
            .and_then(|post| post.reply_to)
            .map(|above| above.key)
            .unwrap_or_default();
    }
    if at.post.0 == 0 { Ok(above) } else { Err(at) }
}

/// The post that is shown quoted: of a repost that which the repeated one quotes. `Err` with the post that has no verdict yet.
fn quoted(post: &FeedCandidate, known: &Known) -> Result<Option<Verdict>, PostKey> {
    let source = known
        .get(&post.core.repost_of)
        .and_then(|verdict| verdict.post.as_ref());
    let key = source.map_or(post.core.quote_of, |source| {
        source.quote_of.map(|quoted| quoted.key).unwrap_or_default()
    });
    match key.post.0 {
        0 => Ok(None),
        _ => known.get(&key).cloned().map(Some).ok_or(key),
    }
}

/// All that must be known of a post before it may be served, or that something is not.
fn facts(post: &FeedCandidate, known: &Known) -> Result<Facts, RowError> {
    let of = |key: PostKey| known.get(&key).cloned().ok_or(RowError(NO_VERDICT));
    let reference = |key: PostKey| if key.post.0 == 0 { Ok(None) } else { of(key).map(Some) };
    Ok(Facts {
        own: Some(of(post.core.key)?),
        source: reference(post.core.repost_of)?,
        quoted: quoted(post, known).map_err(|_| RowError(NO_VERDICT))?,
        ancestors: top(post, known).map_err(|_| RowError(NO_VERDICT))?,
    })
}

#[cfg(test)]
#[path = "verdicts_test.rs"]
mod tests;
