//! Which replies showed which post, and when: the accounting, without clock and network. Times count from the start of the run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::tries::Kind;
use super::watchers;

/// A reply to a request that began so long after the acknowledgement must not show the post: "visible everywhere within 1 s".
pub(super) const PROMISE: Duration = Duration::from_secs(1);

/// A reply with an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// Who asked.
    pub(super) watcher: usize,
    /// When the request began, and when its reply was there.
    pub(super) from: Duration,
    pub(super) to: Duration,
    /// Of a later page, when the first one of its session was there: what was ranked by then is the source of both.
    pub(super) ranked: Option<Duration>,
    /// Ids of the posts in it, and of those that they repeat or quote.
    pub(super) shown: BTreeSet<u64>,
    /// How old it may be, as it says itself.
    pub(super) staleness_ms: u32,
    /// Every shard had a say in it. One that lacks a shard cannot tell that a post of it is gone.
    pub(super) whole: bool,
}

/// One post that is taken away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) kind: Kind,
    /// Watchers who had it in a reply.
    seen_by: BTreeSet<usize>,
    acked: Option<Duration>,
    /// End of the last request whose reply showed it.
    last_shown: Duration,
    /// Replies that broke the promise.
    pub(super) violations: u64,
}

impl Try {
    /// How long after the acknowledgement the last reply showed it; `None` if it was not acknowledged or had not been seen by all.
    pub(super) fn latency(&self, watchers: usize) -> Option<Duration> {
        let acked = self.acked.filter(|_| self.seen_by.len() == watchers)?;
        Some(self.last_shown.saturating_sub(acked))
    }
}

/// All tries of a run and what was seen of them.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) tries: Vec<Try>,
    /// Tries by the posts that show them.
    by_post: HashMap<u64, usize>,
    /// Times of the acknowledgements, ascending.
    acks: Vec<Duration>,
    /// Begin of the last session that was looked through, by watcher.
    latest: BTreeMap<usize, Duration>,
    pub(super) watchers: usize,
    pub(super) replies: u64,
    /// Replies that lack a shard.
    pub(super) partial: u64,
    /// Pages asked for [`PROMISE`] after an acknowledgement, or later, of sessions that were ranked before it.
    pub(super) late_pages: u64,
    pub(super) failed: u64,
    /// Some of what went wrong, in words.
    pub(super) told: Vec<String>,
}

/// Violations that are told one by one, and before them tries that not all have seen.
const TOLD: usize = 20;
const UNSEEN_TOLD: usize = 10;

impl Ledger {
    pub(super) fn new(watchers: usize) -> Ledger {
        Ledger {
            tries: Vec::new(),
            by_post: HashMap::new(),
            acks: Vec::new(),
            latest: BTreeMap::new(),
            watchers,
            replies: 0,
            partial: 0,
            late_pages: 0,
            failed: 0,
            told: Vec::new(),
        }
    }

    /// A new try, which any of these posts shows. Its number.
    pub(super) fn open(&mut self, kind: Kind, posts: &[u64]) -> usize {
        let number = self.tries.len();
        self.by_post.extend(posts.iter().map(|post| (*post, number)));
        self.tries.push(Try {
            kind,
            seen_by: BTreeSet::new(),
            acked: None,
            last_shown: Duration::ZERO,
            violations: 0,
        });
        number
    }

    /// The label, or the deletion, was acknowledged. A reply may be counted before the acknowledgement that came first, but not a
    /// second before: so no violation is missed.
    pub(super) fn acked(&mut self, number: usize, at: Duration) {
        self.tries[number].acked = Some(at);
        self.acks.push(at);
    }

    /// Counts a reply.
    pub(super) fn look(&mut self, look: &Look) {
        self.replies += 1;
        self.partial += u64::from(!look.whole);
        self.late_pages += u64::from(self.is_late_page(look));
        // A reply may show a try twice: a post, and the one that it repeats.
        let found = look.shown.iter().filter_map(|post| self.by_post.get(post));
        for number in found.copied().collect::<BTreeSet<usize>>() {
            let one = &mut self.tries[number];
            one.seen_by.insert(look.watcher);
            one.last_shown = one.last_shown.max(look.to);
            let Some(acked) = one.acked.filter(|acked| look.from >= *acked + PROMISE) else {
                continue;
            };
            one.violations += 1;
            if self.told.len() < TOLD {
                self.told.push(format!(
                    "{} {number} is shown to {}, who asked {:.3} s after the acknowledgement; the reply is {} ms old, as it says",
                    one.kind.name(),
                    watchers::name(look.watcher),
                    (look.from - acked).as_secs_f64(),
                    look.staleness_ms,
                ));
            }
        }
    }

    fn is_late_page(&self, look: &Look) -> bool {
        let Some(ranked) = look.ranked else { return false };
        let next = self.acks.partition_point(|acked| *acked < ranked);
        self.acks.get(next).is_some_and(|acked| *acked + PROMISE <= look.from)
    }

    /// A watcher has had whole replies to all requests of a session whose first one began at `from`.
    pub(super) fn looked_through(&mut self, watcher: usize, from: Duration) {
        self.latest.insert(watcher, from);
    }

    /// How many of these tries not every watcher has seen.
    pub(super) fn unseen(&self, tries: &[usize]) -> usize {
        let all = |number: &&usize| self.tries[**number].seen_by.len() < self.watchers;
        tries.iter().filter(all).count()
    }

    /// Says who has not seen these tries.
    pub(super) fn tell_unseen(&mut self, tries: &[usize]) {
        for number in tries {
            let one = &self.tries[*number];
            let blind = (0..self.watchers).filter(|watcher| !one.seen_by.contains(watcher));
            let told = blind.map(|watcher| {
                format!(
                    "{} {number} was never shown to {}",
                    one.kind.name(),
                    watchers::name(watcher)
                )
            });
            let room = UNSEEN_TOLD.saturating_sub(self.told.len());
            self.told.extend(told.take(room));
        }
    }

    /// Every watcher has looked through a session that began at `from` or later.
    pub(super) fn looked_since(&self, from: Duration) -> bool {
        self.latest.len() == self.watchers && self.latest.values().all(|begin| *begin >= from)
    }
}

#[cfg(test)]
#[path = "ledger_test.rs"]
mod tests;
