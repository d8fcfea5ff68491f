//! The best of ranked lists over all shards, in as few rounds as exactness allows.

use std::collections::BTreeSet;

use covey_shared::ids::ShardId;
use covey_shared::score::Ranked;
use covey_shared::wire::{RequestBody, ShardRead};

use crate::cluster::Cluster;
use crate::cluster::fan_out::{Ask, Open};
use crate::cluster::merge::{Merged, TopK, first_k};
use crate::cluster::progress::Part;
use crate::cluster::reads::{ReadError, answered, limit};
use crate::cluster::report::{Gathered, ReadContext, ReadReport};

/// Rounds after which what there is counts: two without overlap, more only while a split is settling.
const MAX_ROUNDS: usize = 4;

/// What a node is asked: for these of its shards, so many rows of each list. 0 = none of that list.
pub(super) type Body<'a> = &'a (dyn Fn(Vec<ShardRead>, &[u32]) -> RequestBody + Sync);

/// A list on its way.
struct List<R> {
    /// Rows that the next round asks a shard for; 0 = none.
    asked: usize,
    top: TopK<R>,
    /// A shard may have more of it than it may be asked for.
    cut: bool,
}

impl Cluster {
    /// The best rows of each list, `wanted` of it, best first, each post once: the same as one big shard would return.
    /// All lists come in the same calls.
    ///
    /// 1. Ask every shard for its share of each list and some more.
    /// 2. Merge; ask again only shards that may have more of a list, and only for such lists.
    ///
    /// # Errors
    /// No shard answered, or the request was refused.
    pub(super) async fn best<R: Ranked + Copy + Send + 'static>(
        &self,
        wanted: &[usize],
        body: Body<'_>,
        open: Open<Vec<Vec<R>>>,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<Vec<R>>>, ReadError> {
        let mut shards = self.all_shards();
        let list = |k: &usize| List {
            asked: if *k == 0 { 0 } else { first_k(*k, shards.len()) },
            top: TopK::new(*k),
            cut: false,
        };
        let mut lists: Vec<List<R>> = wanted.iter().map(list).collect();
        let mut report: Option<ReadReport> = None;
        for round in 1.. {
            let asked: Vec<u32> = lists.iter().map(|list| limit(list.asked)).collect();
            let body = |shards| body(shards, &asked);
            let body = &body;
            let answers = self.fan_out(&Ask { shards, body, open }, context).await;
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
            let got: BTreeSet<ShardId> = answers.parts.iter().map(|part| part.about.shard).collect();
            answers.parts.into_iter().for_each(|part| put(&mut lists, part));
            let (rows, again): (Vec<_>, Vec<_>) = lists.iter_mut().map(|list| list.merge(&got)).unzip();
            shards = again
                .into_iter()
                .flatten()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            if shards.is_empty() || round == MAX_ROUNDS {
                let mut report = report.unwrap_or_default();
                report.partial |= !shards.is_empty() || lists.iter().any(|list| list.cut);
                return Ok(Gathered { value: rows, report });
            }
        }
        unreachable!("the loop returns in its last round")
    }
}

/// Takes in one shard's answer to all lists.
fn put<R: Ranked + Copy>(lists: &mut [List<R>], part: Part<Vec<Vec<R>>>) {
    let Part { about, damaged, value } = part;
    let rows = value.into_iter().chain(std::iter::repeat_with(Vec::new));
    for (list, value) in lists.iter_mut().zip(rows).filter(|(list, _)| list.asked > 0) {
        list.top.put(Part { about, damaged, value }, list.asked);
    }
}

impl<R: Ranked + Copy> List<R> {
    /// The rows so far, and which of the shards that `got` a say may have more. Sets what those are asked for.
    fn merge(&mut self, got: &BTreeSet<ShardId>) -> (Vec<R>, Vec<ShardId>) {
        let Merged {
            rows,
            mut again,
            next_k,
            cut,
        } = self.top.merge();
        self.cut = cut;
        again.retain(|shard| got.contains(shard));
        self.asked = if again.is_empty() { 0 } else { next_k };
        (rows, again)
    }
}
