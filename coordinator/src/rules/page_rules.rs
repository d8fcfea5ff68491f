//! Arranger: a page under the rules `pin`, `inject` and `cap`.

use covey_config::{RuleAction, RuleConfig};
use covey_pipeline::{Arranger, Selection};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::rules::cap::{Cap, Counts};
use crate::rules::{Placing, Rule};

/// Posts that a rule has for its place: those that may not be shown are no match any more.
const CLAIM: usize = 3;
/// Slates of posts with room that come before what has none: one to be judged, the others to fill it up.
const FRONT: usize = 3;

/// The page is made slot by slot: a pinned post, else one that a rule wants here by now, else the best that is left. No cap is ever
/// passed: pins are seated first and count for the caps, and a pin or inject that would pass one does nothing. Within a kind the order
/// of the list decides.
#[derive(Clone, Debug)]
pub(crate) struct PageRules {
    /// Each with its slot, from 1.
    pins: Vec<Rule<usize>>,
    /// Each with its slot, from 1.
    injects: Vec<Rule<usize>>,
    caps: Vec<Rule<Cap>>,
}

impl PageRules {
    pub(crate) fn new(rules: &[RuleConfig]) -> PageRules {
        PageRules {
            pins: Rule::of(rules, |action| match action {
                RuleAction::Pin { slot } => Some(slot),
                _ => None,
            }),
            injects: Rule::of(rules, |action| match action {
                RuleAction::Inject { slot } => Some(slot),
                _ => None,
            }),
            caps: Rule::of(rules, |action| match action {
                RuleAction::Cap { per, most } => Some(Cap { per, most }),
                _ => None,
            }),
        }
    }

    /// Puts what no page has room for, beside better posts of its kind, behind enough others to fill `size` places and to make up for
    /// those that may not be shown. All else stays in its order, the best first.
    pub(crate) fn room_first(&self, ranked: Vec<FeedCandidate>, size: usize) -> Vec<FeedCandidate> {
        let mut counts = Counts::new(&self.caps, &ranked);
        let (mut room, mut surplus) = (Vec::with_capacity(ranked.len()), Vec::new());
        let mut rest = ranked.into_iter().enumerate();
        // Not behind all others: the next page wants it, and a session keeps the front of its reserve only.
        while room.len() < FRONT * size
            && let Some((i, mut post)) = rest.next()
        {
            let Some(cap) = counts.full_for(i) else {
                counts.place(i);
                room.push(post);
                continue;
            };
            // Without the cap it would be judged now.
            if room.len() < size {
                post.rules.placed = cap.placed(Placing::HeldBack);
            }
            surplus.push(post);
        }
        room.into_iter()
            .chain(surplus)
            .chain(rest.map(|(_, post)| post))
            .collect()
    }

    /// Parts what is ranked, best first, into the slate and the reserve. Each rule that places a post has matches of its own in the
    /// slate, as only what is judged can be shown: those that rank there, else others that are called up, as far as there are any.
    pub(crate) fn select(
        &self,
        query: &FeedQuery,
        ranked: Vec<FeedCandidate>,
        size: usize,
    ) -> Selection<FeedCandidate> {
        let mut claimed = vec![false; ranked.len()];
        for rule in self.placing(query) {
            let own = (0..ranked.len()).filter(|i| !claimed[*i] && rule.is_match(&ranked[*i]));
            for i in own.take(CLAIM).collect::<Vec<_>>() {
                claimed[i] = true;
            }
        }
        let (mut selected, mut reserve) = (Vec::with_capacity(size), Vec::new());
        for (i, post) in ranked.into_iter().enumerate() {
            if i < size || claimed[i] {
                selected.push(post);
            } else {
                reserve.push(post);
            }
        }
        selected.sort_by_key(|post| post.rank_by(post.score));
        Selection { selected, reserve }
    }

    fn placing(&self, query: &FeedQuery) -> impl Iterator<Item = &Rule<usize>> {
        let pins = self.pins.iter().filter(|_| query.first_page);
        pins.chain(&self.injects)
    }
}

impl Arranger<FeedQuery, FeedCandidate> for PageRules {
    fn enable(&self, _: &FeedQuery) -> bool {
        !(self.pins.is_empty() && self.injects.is_empty() && self.caps.is_empty())
    }

    fn arrange(&self, query: &FeedQuery, slate: &mut [FeedCandidate], size: usize) -> Vec<usize> {
        let mut draft = Draft::new(self, slate, size);
        if query.first_page {
            draft.seat_pins();
        }
        draft.fill();
        let Draft { page, placed, .. } = draft;
        for (post, placed) in slate.iter_mut().zip(placed) {
            post.rules.placed = placed;
        }
        page
    }
}

/// A page in the making. Posts are positions in the slate.
struct Draft<'a> {
    rules: &'a PageRules,
    posts: &'a [FeedCandidate],
    /// Best first.
    ranked: Vec<usize>,
    /// Those that may still have something to do.
    injects: Vec<&'a Rule<usize>>,
    /// Placed, seated or held back.
    gone: Vec<bool>,
    /// Pinned posts, by slot.
    seats: Vec<Option<usize>>,
    counts: Counts<'a>,
    page: Vec<usize>,
    /// What was done to each post, by which rule.
    placed: Vec<Option<(usize, Placing)>>,
}

impl<'a> Draft<'a> {
    fn new(rules: &'a PageRules, posts: &'a [FeedCandidate], size: usize) -> Draft<'a> {
        let mut ranked: Vec<usize> = (0..posts.len()).collect();
        // Backfill ranks above what was called up from far below.
        ranked.sort_by_key(|i| posts[*i].rank_by(posts[*i].score));
        Draft {
            rules,
            posts,
            ranked,
            injects: rules.injects.iter().collect(),
            gone: vec![false; posts.len()],
            seats: vec![None; size],
            counts: Counts::new(&rules.caps, posts),
            page: Vec::new(),
            placed: vec![None; posts.len()],
        }
    }

    fn seat_pins(&mut self) {
        for pin in &self.rules.pins {
            let slot = pin.with;
            let free = self.seats.get(slot - 1).is_some_and(Option::is_none);
            let best = self.best(pin).filter(|_| free);
            if let Some(i) = best {
                self.seats[slot - 1] = Some(i);
                self.placed[i] = pin.placed(Placing::Pinned(slot));
                self.take(i);
            }
        }
    }

    fn fill(&mut self) {
        for slot in 1..=self.seats.len() {
            let next = self.seats[slot - 1].or_else(|| self.next(slot));
            self.page.extend(next);
        }
    }

    fn next(&mut self, slot: usize) -> Option<usize> {
        let turn = self.whose_turn();
        if let Some((i, inject)) = self.due(slot).filter(|(i, _)| Some(*i) != turn) {
            self.placed[i] = inject.placed(Placing::Injected(slot));
            self.take(i);
            return Some(i);
        }
        turn.inspect(|i| self.take(*i))
    }

    /// The first inject that wants a post here, and that post. One that has a match on the page, or none that is left, is done: neither
    /// changes while the page is made.
    fn due(&mut self, slot: usize) -> Option<(usize, &'a Rule<usize>)> {
        let mut at = 0;
        while let Some(inject) = self.injects.get(at).copied() {
            if inject.with > slot {
                at += 1;
                continue;
            }
            let stands = self.page.iter().any(|i| inject.is_match(&self.posts[*i]));
            match self.best(inject).filter(|_| !stands) {
                Some(i) => return Some((i, inject)),
                None => self.injects.remove(at),
            };
        }
        None
    }

    /// The best that is left; those above it that a cap leaves no room for are held back.
    fn whose_turn(&mut self) -> Option<usize> {
        for i in self.ranked.iter().copied() {
            if self.gone[i] {
                continue;
            }
            let Some(cap) = self.counts.full_for(i) else {
                return Some(i);
            };
            self.placed[i] = cap.placed(Placing::HeldBack);
            self.gone[i] = true;
        }
        None
    }

    /// The best match that is left and has room.
    fn best(&self, rule: &Rule<usize>) -> Option<usize> {
        let fits = |i: &usize| !self.gone[*i] && rule.is_match(&self.posts[*i]) && self.counts.full_for(*i).is_none();
        self.ranked.iter().copied().find(fits)
    }

    fn take(&mut self, i: usize) {
        self.gone[i] = true;
        self.counts.place(i);
    }
}

#[cfg(test)]
#[path = "page_rules_test.rs"]
mod tests;
