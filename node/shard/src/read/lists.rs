//! The best posts of the lists that are kept ranked.

use std::collections::BTreeSet;

use covey_shared::score::Score;
use covey_shared::wire::{Candidate, InvalidRequest, ListAsk, ListsQuery, MAX_LISTS, RankedBy, RankedPost};

use super::filter::Filter;
use super::{Read, ShardView};
use crate::error::ShardStoreError;
use crate::memory::{PostColumns, RankKey, Table, age_rank};

/// Most posts of each list.
const MAX_POSTS: u32 = 1000;
/// Entries read under one lock.
const PAGE: usize = 256;

impl ShardView {
    /// The best posts of each list that is asked for, best first. A post may be in several.
    ///
    /// # Errors
    /// Numbers or lists beyond their limits.
    pub fn lists(
        &self,
        query: &ListsQuery,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Read<Vec<Vec<RankedPost>>>, ShardStoreError> {
        let too_long = |list: &ListAsk| list.posts > MAX_POSTS;
        if query.lists.len() > MAX_LISTS || query.lists.iter().any(too_long) {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let mut listing = Listing {
            view: self,
            query,
            filter: Filter::new(self, &query.filter)?,
            table: self.memory.columns.table(),
            cancelled,
            visited: 0,
            partial: false,
            short: false,
        };
        let lists = query.lists.iter().map(|list| listing.best(*list)).collect();
        Ok(Read {
            partial: listing.partial || listing.short,
            ..Read::complete(lists, listing.visited)
        })
    }
}

struct Listing<'a> {
    view: &'a ShardView,
    query: &'a ListsQuery,
    filter: Filter<'a>,
    table: Table,
    cancelled: &'a dyn Fn() -> bool,
    visited: u64,
    /// It was cancelled.
    partial: bool,
    /// A list was read to where it may lack posts.
    short: bool,
}

impl Listing<'_> {
    fn best(&mut self, ListAsk { by, group, posts }: ListAsk) -> Vec<RankedPost> {
        let rankings = &self.view.memory.rankings;
        let (oldest, lost) = (age_rank(self.filter.from()), rankings.lost_by(by, self.query.now));
        // Of a list that is ranked by age what stands behind one of these is older still.
        let is_too_old = |key: &RankKey| by == RankedBy::Newest && key.0.0 < oldest;
        let (mut best, mut after) = (Vec::new(), None);
        // One that is edited or gains rank meanwhile may be met twice.
        let mut taken = BTreeSet::new();
        while best.len() < posts as usize && !self.partial {
            let page = rankings.page(by, group, after, PAGE);
            // What is not wanted is not missed.
            let missing = page.missing.filter(|fallen| fallen.newest >= self.filter.from());
            let missing = missing.map(|fallen| fallen.best).filter(|best| !is_too_old(best));
            after = page.keys.last().copied();
            for key in page.keys.iter().take_while(|key| !is_too_old(key)) {
                if best.len() == posts as usize {
                    break;
                }
                self.visited += 1;
                self.short |= missing.is_some_and(|missing| missing < *key);
                let (rank, post, ordinal) = *key;
                let columns = self.table.live(ordinal).map(|row| row.load());
                let wanted = columns.filter(|columns| self.filter.columns(columns) && taken.insert(post));
                best.extend(wanted.map(|columns| RankedPost {
                    rank: rank.0 - lost,
                    post: self.scored(by, &columns),
                }));
            }
            if after.is_none_or(|last| is_too_old(&last)) {
                self.short |= best.len() < posts as usize && missing.is_some();
                break;
            }
            self.partial = (self.cancelled)();
        }
        best
    }

    fn scored(&self, by: RankedBy, columns: &PostColumns) -> Candidate {
        let score = self.view.memory.rankings.value(by, &columns.heats, self.query.now);
        self.view.candidate(columns, Score::or_lowest(score as f32))
    }
}

#[cfg(test)]
#[path = "lists_test.rs"]
mod tests;
