//! Posts by time-decayed engagement, and the newest ones.

use std::collections::BTreeSet;

use covey_shared::ids::PostId;
use covey_shared::score::Score;
use covey_shared::wire::{Candidate, InvalidRequest, PopularQuery};

use super::filter::Filter;
use super::{Read, ShardView};
use crate::error::ShardStoreError;
use crate::memory::{By, Table};

/// Most posts of each list.
const MAX_POSTS: u32 = 1000;
/// Entries read under one lock.
const PAGE: usize = 256;

impl ShardView {
    /// The most popular posts, best first, scored by their engagement now, and behind them the newest ones that are not
    /// among them, scored 0.
    ///
    /// # Errors
    /// Numbers or lists beyond their limits.
    pub fn popular(
        &self,
        query: &PopularQuery,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Read<Vec<Candidate>>, ShardStoreError> {
        if query.popular.max(query.newest) > MAX_POSTS {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let filter = Filter::new(self, &query.filter)?;
        let mut listing = Listing {
            view: self,
            query,
            filter,
            table: self.memory.columns.table(),
            taken: BTreeSet::new(),
            read: Read::default(),
        };
        listing.list(By::Popular, query.popular as usize, cancelled);
        listing.list(By::Newest, query.newest as usize, cancelled);
        Ok(listing.read)
    }
}

struct Listing<'a> {
    view: &'a ShardView,
    query: &'a PopularQuery,
    filter: Filter<'a>,
    table: Table,
    taken: BTreeSet<PostId>,
    read: Read<Vec<Candidate>>,
}

impl Listing<'_> {
    fn list(&mut self, by: By, wanted: usize, cancelled: &dyn Fn() -> bool) {
        let rankings = &self.view.memory.rankings;
        let (mut left, mut after) = (wanted, None);
        while left > 0 && !self.read.partial {
            let page = rankings.page(by, self.query.filter.language, after, PAGE);
            let Some(last) = page.last() else { return };
            after = Some(*last);
            self.read.visited += page.len() as u64;
            for (_, post, ordinal) in page {
                let Some(columns) = self.table.live(ordinal).map(|row| row.load()) else {
                    continue;
                };
                if left == 0 || !self.filter.columns(&columns) || !self.taken.insert(post) {
                    continue;
                }
                left -= 1;
                let score = match by {
                    By::Popular => columns.heat.value(self.query.now, rankings.half_life_ms()) as f32,
                    By::Newest => 0.0,
                };
                self.read
                    .value
                    .push(self.view.candidate(&columns, Score::or_lowest(score)));
            }
            self.read.partial = cancelled();
        }
    }
}
