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
use crate::cluster::report::{Gathered, ReadContext};

/// Rounds after which what there is counts: two without overlap, more only while a split is settling.
const MAX_ROUNDS: usize = 4;

/// What a node is asked: for these of its shards, so many rows of each list. 0 = none of that list.
pub(super) type Body<'a> = &'a (dyn Fn(Vec<ShardRead>, &[u32]) -> RequestBody + Sync);

/// What is read.
pub(super) struct Best<'a, R> {
    /// Shards to ask.
    pub(super) shards: Vec<ShardId>,
    /// Rows of each list.
    pub(super) wanted: &'a [usize],
    /// Most rows of a list that a shard may be asked for.
    pub(super) most: usize,
    pub(super) body: Body<'a>,
    pub(super) open: Open<Vec<Vec<R>>>,
}

/// A list on its way.
struct List<R> {
    /// Rows that the next round asks a shard for; 0 = none: as many as there will be have come.
    asked: usize,
    top: TopK<R>,
    /// Best first, of what has come.
    rows: Vec<R>,
    /// A shard may have more of it than it may be asked for.
    cut: bool,
}

impl Cluster {
    /// The best rows of each list, as many as are wanted, best first, each post once: the same as one big shard would return. All lists
    /// come in the same calls.
    ///
    /// 1. Ask every shard for its share of each list and some more.
    /// 2. Merge; ask again only shards that may have more of a list, and only for lists of which one of them may.
    ///
    /// # Errors
    /// In the first round no shard answered, or the request was refused. What fails later leaves the report partial.
    pub(super) async fn best<R: Ranked + Copy + Send + 'static>(
        &self,
        read: Best<'_, R>,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<Vec<R>>>, ReadError> {
        let Best {
            shards,
            wanted,
            most,
            body,
            open,
        } = read;
        let ask = async |shards: Vec<ShardId>, asked: Vec<u32>| {
            let body = |shards| body(shards, &asked);
            self.fan_out(
                &Ask {
                    shards,
                    body: &body,
                    open,
                },
                context,
            )
            .await
        };
        let mut lists: Vec<List<R>> = wanted.iter().map(|k| List::new(*k, shards.len(), most)).collect();
        let first = answered(ask(shards, asked(&lists)).await)?;
        let (mut parts, mut report) = (first.parts, first.report);
        for round in 1.. {
            report.partial |= mark_short(&mut parts, lists.len());
            let again = take_in(&mut lists, parts);
            if again.is_empty() || round == MAX_ROUNDS {
                report.partial |= !again.is_empty() || lists.iter().any(|list| list.cut);
                break;
            }
            let next = ask(again.into_iter().collect(), asked(&lists)).await;
            // What a shard has said before stands if it does not answer again: less exact, not less covered.
            report.partial |= !next.failed.is_empty();
            report.again(&next.report);
            parts = next.parts;
        }
        let value = lists.into_iter().map(|list| list.rows).collect();
        Ok(Gathered { value, report })
    }
}

fn asked<R>(lists: &[List<R>]) -> Vec<u32> {
    lists.iter().map(|list| limit(list.asked)).collect()
}

/// An answer with another number of lists than was asked for is a part of one. Whether there is such an answer.
fn mark_short<R>(parts: &mut [Part<Vec<Vec<R>>>], lists: usize) -> bool {
    let short = parts.iter_mut().filter(|part| part.value.len() != lists);
    short.map(|part| part.about.partial = true).count() > 0
}

/// Takes in one round's answers to all lists; the shards of it that may have more.
fn take_in<R: Ranked + Copy>(lists: &mut [List<R>], parts: Vec<Part<Vec<Vec<R>>>>) -> BTreeSet<ShardId> {
    let got: BTreeSet<ShardId> = parts.iter().map(|part| part.about.shard).collect();
    for Part { about, damaged, value } in parts {
        let rows = value.into_iter().chain(std::iter::repeat_with(Vec::new));
        for (list, value) in lists.iter_mut().zip(rows).filter(|(list, _)| list.asked > 0) {
            list.top.put(Part { about, damaged, value }, list.asked);
        }
    }
    lists.iter_mut().flat_map(|list| list.merge(&got)).collect()
}

impl<R: Ranked + Copy> List<R> {
    fn new(k: usize, shards: usize, most: usize) -> Self {
        List {
            asked: if k == 0 { 0 } else { first_k(k, shards, most) },
            top: TopK::new(k, most),
            rows: Vec::new(),
            cut: false,
        }
    }

    /// Merges what has come, if it was asked for. Which of the shards that `got` a say may have more; sets what those are asked for.
    fn merge(&mut self, got: &BTreeSet<ShardId>) -> Vec<ShardId> {
        if self.asked == 0 {
            return Vec::new();
        }
        let Merged {
            rows,
            mut again,
            next_k,
            cut,
        } = self.top.merge();
        let all = again.len();
        again.retain(|shard| got.contains(shard));
        self.asked = if again.is_empty() { 0 } else { next_k };
        // Of one that is not asked again there may be more all the same: a later answer of another shard was worse than its first.
        (self.rows, self.cut) = (rows, cut || again.len() < all);
        again
    }
}
