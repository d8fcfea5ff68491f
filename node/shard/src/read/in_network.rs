//! Newest posts of followed authors (docs/feed.md, "In-network").

use std::collections::HashSet;

use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId};
use covey_shared::score::Score;
use covey_shared::slots::Slot;
use covey_shared::wire::{Candidate, InNetworkQuery, InvalidRequest, Place};

use super::{MAX_LIST, MAX_RESULTS, Read, ShardView};
use crate::error::ShardStoreError;
use crate::memory::{Entry, Known, Ordinal, PostColumns, Table, Which};

/// Authors read between two looks at `cancelled`.
const CANCEL_AUTHORS: usize = 16;

/// One query at work.
struct Run<'a> {
    view: &'a ShardView,
    query: &'a InNetworkQuery,
    table: Table,
    from: UnixMillis,
    exclude: HashSet<PostId>,
    followed: Vec<UserId>,
    entries: Vec<Entry>,
    found: Vec<(Place, UserId, Ordinal)>,
    /// There was more than fits.
    cut: bool,
    visited: u64,
}

impl ShardView {
    /// The newest posts of the query's authors that belong to this shard: newest first, of the same moment the lower id
    /// first.
    ///
    /// # Errors
    /// A list longer than 10 000.
    pub fn in_network(
        &self,
        query: &InNetworkQuery,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Read<Vec<Candidate>>, ShardStoreError> {
        if query.authors.len().max(query.followed.len()).max(query.exclude.len()) > MAX_LIST {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let mut followed = query.followed.clone();
        followed.sort_unstable();
        let mut run = Run {
            view: self,
            query,
            table: self.memory.columns.table(),
            from: query.created_from.max(self.trimmed_before()),
            exclude: query.exclude.iter().copied().collect(),
            followed,
            entries: Vec::new(),
            found: Vec::new(),
            cut: false,
            visited: 0,
        };
        let slots = self.slots();
        let mut authors = query.authors.clone();
        authors.sort_unstable();
        authors.dedup();
        let mut partial = false;
        for (turn, author) in authors.into_iter().filter(|a| slots.contains(Slot::of(*a))).enumerate() {
            partial = turn % CANCEL_AUTHORS == 0 && cancelled();
            if partial {
                break;
            }
            run.author(author);
            run.prune();
        }
        let visited = run.visited;
        let (value, short) = run.finish();
        partial |= short;
        Ok(Read {
            value,
            visited,
            partial,
            damaged: 0,
        })
    }
}

impl Run<'_> {
    fn author(&mut self, author: UserId) {
        let limits = self.view.options.in_network;
        if self.query.video_only {
            return self.timeline(author, Which::Video, limits.originals_per_author);
        }
        self.timeline(author, Which::Original, limits.originals_per_author);
        self.timeline(author, Which::Secondary, limits.secondary_per_author);
    }

    /// `most` counts unless the query is for all.
    fn timeline(&mut self, author: UserId, which: Which, most: usize) {
        let complete = self.query.complete;
        let mut left = if complete { self.most() } else { most };
        let scan = self.view.options.in_network.scan_per_author;
        let mut start = self.query.start;
        let mut last = None;
        let mut entries = std::mem::take(&mut self.entries);
        loop {
            entries.clear();
            // No more than are wanted, unless some of them may not pass.
            let scan = match complete {
                true => left.min(scan),
                false => scan,
            };
            let excluded = |post: PostId| !self.exclude.is_empty() && self.exclude.contains(&post);
            let timelines = &self.view.memory.timelines;
            timelines.newest((author, which), (start, self.from), scan, excluded, &mut entries);
            self.visited += entries.len() as u64;
            for entry in &entries {
                if left == 0 {
                    break;
                }
                // While a post is edited, its old and its new row may both be there.
                if last == Some(entry.post) {
                    continue;
                }
                if self.entry_passes(author, entry) {
                    last = Some(entry.post);
                    left -= 1;
                    self.found.push((entry.place(), author, entry.ordinal));
                }
            }
            let end = entries.last().filter(|_| complete && left > 0 && entries.len() == scan);
            let Some(end) = end else { break };
            start = Some(end.place().next());
        }
        self.entries = entries;
    }

    /// Most entries are originals, of which nothing but their life has to be known.
    fn entry_passes(&self, author: UserId, entry: &Entry) -> bool {
        let row = self.table.live(entry.ordinal);
        let key = PostKey {
            author,
            post: entry.post,
        };
        row.is_some_and(|row| row.is_original())
            || self
                .load(key, entry.ordinal)
                .is_some_and(|columns| self.passes(&columns))
    }

    /// Forgets what is too old for the answer already, and has later authors read no further back than that.
    fn prune(&mut self) {
        let most = self.most();
        if most > 0 && self.found.len() >= 2 * most {
            let (_, (oldest, ..), _) = self.found.select_nth_unstable(most - 1);
            self.from = self.from.max(oldest.created_at);
            self.found.truncate(most);
            self.cut = true;
        }
    }

    fn most(&self) -> usize {
        (self.query.max_results as usize).min(MAX_RESULTS)
    }

    /// The post in this row, or where it went when it was edited just now; `None` if it is deleted.
    fn load(&self, key: PostKey, ordinal: Ordinal) -> Option<PostColumns> {
        match self.table.live(ordinal) {
            Some(row) => Some(row.load()),
            None => self.view.memory.latest(key),
        }
    }

    fn passes(&self, columns: &PostColumns) -> bool {
        if self.query.complete {
            return true;
        }
        if columns.is_repost {
            let own = columns.repost_of.author == self.query.viewer;
            if own || self.view.memory.ids.get(columns.repost_of) == Some(Known::Deleted) {
                return false;
            }
        }
        !columns.is_reply || self.reply_passes(columns)
    }

    /// Its parent is known and starts a conversation, or answers the start of this one and is by a followed author.
    fn reply_passes(&self, columns: &PostColumns) -> bool {
        let hint = &columns.hint;
        let parent_is_original = hint.in_reply_to.is_none() && !hint.is_repost;
        let answers_the_start = columns.conversation.0 != 0
            && hint.in_reply_to == Some(columns.conversation)
            && self.followed.binary_search(&columns.reply_to.author).is_ok();
        hint.known && (parent_is_original || answers_the_start)
    }

    /// The answer, and whether it lacks what was cut off for a post that was deleted or edited while it was made.
    fn finish(mut self) -> (Vec<Candidate>, bool) {
        let most = self.most();
        self.found.sort_unstable();
        self.found.dedup_by_key(|(place, ..)| place.post);
        let load = |&(Place { post, .. }, author, ordinal): &_| self.load(PostKey { author, post }, ordinal);
        let posts = self.found.iter().filter_map(load).take(most);
        let posts: Vec<Candidate> = posts
            .map(|columns| self.view.candidate(&columns, Score::default()))
            .collect();
        // Who asked takes an answer with fewer for all that there is.
        let short = self.cut && posts.len() < most;
        (posts, short)
    }
}

#[cfg(test)]
#[path = "in_network_test.rs"]
mod tests;
