//! Nearest neighbours over all shards, in as few rounds as exactness allows.

use covey_shared::score::Hit;
use covey_shared::wire::{ReplyBody, RequestBody, SearchQuery};

use crate::cluster::Cluster;
use crate::cluster::fan_out::Ask;
use crate::cluster::merge::{TopK, first_k};
use crate::cluster::reads::{ReadError, SearchAsk, answered, limit, opener};
use crate::cluster::report::{Gathered, ReadContext, ReadReport};

/// Rounds after which what there is counts: two without overlap, more only while a split is settling.
const MAX_ROUNDS: usize = 4;

impl Cluster {
    /// The `ask.k` nearest posts, best first, ties by lower post id, each once: the same as one big shard would return.
    ///
    /// 1. Ask every shard for its share of k and some more.
    /// 2. Merge; ask again only shards whose last hit is better than the merged k-th.
    ///
    /// # Errors
    /// No shard answered, or the vectors do not fit the space.
    pub async fn search(&self, ask: SearchAsk, context: &ReadContext) -> Result<Gathered<Vec<Hit>>, ReadError> {
        let mut shards = self.all_shards();
        let mut asked = first_k(ask.k, shards.len());
        let mut top = TopK::new(ask.k);
        let mut report: Option<ReadReport> = None;
        for round in 1.. {
            let body = |shards| {
                RequestBody::Search(SearchQuery {
                    shards,
                    space: ask.space.clone(),
                    model_epoch: context.model_epoch,
                    vectors: ask.vectors.clone(),
                    k: limit(asked),
                    exact: ask.exact,
                    recall_target: ask.recall_target,
                    filter: ask.filter.clone(),
                })
            };
            let open = opener!(Search);
            let answers = self
                .fan_out(
                    &Ask {
                        shards,
                        body: &body,
                        open,
                    },
                    context,
                )
                .await;
            let answers = match &mut report {
                None => answered(answers)?,
                // The first answer of a shard stands if the second does not come: less exact, not less covered.
                Some(report) => {
                    report.partial |= !answers.failed.is_empty();
                    answers
                }
            };
            match &mut report {
                None => report = Some(answers.report),
                Some(report) => report.again(&answers.report),
            }
            let got: Vec<_> = answers.parts.iter().map(|part| part.shard).collect();
            top.put(answers.parts, asked);
            let merged = top.merge();
            shards = merged.again.into_iter().filter(|shard| got.contains(shard)).collect();
            asked = merged.next_k;
            if shards.is_empty() || round == MAX_ROUNDS {
                let mut report = report.unwrap_or_default();
                report.partial |= !shards.is_empty();
                return Ok(Gathered {
                    value: merged.hits,
                    report,
                });
            }
        }
        unreachable!("the loop returns in its last round")
    }
}
