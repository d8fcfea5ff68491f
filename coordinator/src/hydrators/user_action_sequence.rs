//! Query hydrator: the viewer's recent actions, one entry per post and moment of attention.

use std::collections::BTreeMap;
use std::time::Duration;

use covey_pipeline::{QueryHydrator, QueryUpdate, Reply, RunContext, ready};
use covey_shared::ids::{PostKey, UnixMillis, UserId};
use covey_shared::model::ActionKind;
use covey_shared::wire::ViewerAction;
use futures::future;

use crate::feed::query::FeedQuery;
use crate::hydrators::viewer::no_state;

/// What the viewer did with one post within one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceEntry {
    /// On which post.
    pub post: PostKey,
    /// The first action of the entry.
    pub at: UnixMillis,
    /// Multi-hot: bit n is the kind with index n.
    pub kinds: u32,
    /// Longest time that the viewer looked, in milliseconds.
    pub dwell_ms: u32,
    /// Where in the product the first action was.
    pub surface: u8,
}

impl SequenceEntry {
    fn of(action: &ViewerAction) -> SequenceEntry {
        SequenceEntry {
            post: action.post,
            at: action.at,
            kinds: 1 << action.kind.index(),
            dwell_ms: action.dwell_ms,
            surface: action.surface,
        }
    }

    fn any(&self, what: impl Fn(ActionKind) -> bool) -> bool {
        ActionKind::ALL
            .into_iter()
            .any(|kind| self.kinds & 1 << kind.index() != 0 && what(kind))
    }

    /// The viewer liked the post and did nothing that says otherwise.
    pub(crate) fn is_positive(&self) -> bool {
        self.any(ActionKind::is_positive) && !self.is_negative()
    }

    /// The viewer did not want to see the post.
    pub(crate) fn is_negative(&self) -> bool {
        self.any(ActionKind::is_negative)
    }
}

/// The sequence of `actions`, which may come in any order and with repeats; oldest first.
///
/// Actions on one post join the entry whose first action lies at most `window` before them. An entry of nothing but
/// impressions says only that the post was on the screen: it is dropped. The newest `most` entries are kept.
pub(crate) fn aggregate(actions: &[ViewerAction], window: Duration, most: usize) -> Vec<SequenceEntry> {
    let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    let mut actions = actions.to_vec();
    // The surface and the kind break ties, so that the order in which actions came has no say.
    actions.sort_by_key(|action| (action.at, action.post, action.surface, action.kind));
    let mut entries: Vec<SequenceEntry> = Vec::new();
    let mut open: BTreeMap<PostKey, usize> = BTreeMap::new();
    for action in &actions {
        let entry = open.get(&action.post).map(|i| &mut entries[*i]);
        match entry.filter(|entry| action.at.since(entry.at) <= window) {
            Some(entry) => {
                entry.kinds |= 1 << action.kind.index();
                entry.dwell_ms = entry.dwell_ms.max(action.dwell_ms);
            }
            None => {
                open.insert(action.post, entries.len());
                entries.push(SequenceEntry::of(action));
            }
        }
    }
    entries.retain(|entry| entry.kinds != 1 << ActionKind::Impression.index());
    entries.drain(..entries.len().saturating_sub(most));
    entries
}

/// Per author: entries that say the viewer liked a post, less those that say the opposite. Authors at 0 are left out.
pub(crate) fn affinity(sequence: &[SequenceEntry]) -> BTreeMap<UserId, i32> {
    let mut affinity = BTreeMap::new();
    for entry in sequence {
        let change = i32::from(entry.is_positive()) - i32::from(entry.is_negative());
        *affinity.entry(entry.post.author).or_insert(0) += change;
    }
    affinity.retain(|_, balance| *balance != 0);
    affinity
}

/// `feed.uas_window` and `feed.uas_max_length`.
pub(crate) struct UserActionSequence {
    pub(crate) window: Duration,
    pub(crate) max_length: usize,
}

impl QueryHydrator<FeedQuery> for UserActionSequence {
    fn hydrate<'a>(&'a self, _: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, QueryUpdate<FeedQuery>> {
        let Some(state) = &query.state else {
            return Box::pin(future::ready(Err(no_state())));
        };
        let sequence = aggregate(&state.actions, self.window, self.max_length);
        let affinity = affinity(&sequence);
        ready(QueryUpdate::new(move |query: &mut FeedQuery| {
            query.sequence = sequence;
            query.affinity = affinity;
        }))
    }
}

#[cfg(test)]
#[path = "user_action_sequence_test.rs"]
mod tests;
