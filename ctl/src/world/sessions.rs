//! Sessions: viewers come, are shown a slate by a mediocre recommender, look from the top down and act. The result is the
//! action log from which a system learns.

use std::sync::Arc;

use covey_api::v1::{Action, ActionKind};

use super::World;
use super::dice::{Dice, Stream};
use super::posts::PostFacts;
use super::taste::{DWELL_TIME, HEADS, Viewer, mean_dwell};

/// Posts on one slate.
const SLATE: usize = 20;

/// Surface of all simulated actions: the home feed.
const HOME: u32 = 1;

/// "This author has not written yet."
const NONE: u32 = u32::MAX;

/// The sessions of a world in time order. Keeps the latest two posts of every author (8 bytes a user) and nothing else.
#[derive(Debug)]
pub struct Sessions {
    world: Arc<World>,
    next: u64,
    /// Posts before this one are in `latest`.
    posted: u64,
    latest: Vec<[u32; 2]>,
}

/// When a session happens and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// 0-based index of the viewer.
    pub viewer: u64,
    /// Start, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl World {
    /// Start of session `index`.
    pub fn visit(&self, index: u64) -> Visit {
        let mut dice = Dice::new(self.spec.seed, Stream::Session, index);
        // The first hour is without visitors: there is little to see yet.
        let spread = self.moment(index, self.spec.sessions, dice.unit());
        let rank = dice.rank(self.spec.users, 0.5, 30.0);
        Visit {
            viewer: self.scrambled(rank),
            at_ms: spread.max(self.start_ms() + super::HOUR_MS),
        }
    }

    /// All sessions, each as the list of its actions.
    pub fn sessions(world: Arc<World>) -> Sessions {
        Sessions {
            latest: vec![[NONE; 2]; world.spec.users as usize],
            world,
            next: 0,
            posted: 0,
        }
    }
}

impl Iterator for Sessions {
    type Item = Vec<Action>;

    fn next(&mut self) -> Option<Vec<Action>> {
        if self.next == self.world.spec.sessions {
            return None;
        }
        let index = self.next;
        self.next += 1;
        let visit = self.world.visit(index);
        self.advance(visit.at_ms);
        let viewer = self.world.viewer(visit.viewer, visit.at_ms);
        let slate = self.slate(index, &viewer, visit.at_ms);
        Some(self.world.view(index, visit, &viewer, &slate))
    }
}

impl Sessions {
    /// Takes note of the posts written before `at_ms`.
    fn advance(&mut self, at_ms: u64) {
        while self.posted < self.world.spec.posts {
            let sketch = self.world.sketch(self.posted);
            if sketch.created_ms >= at_ms {
                break;
            }
            let latest = &mut self.latest[sketch.author as usize];
            *latest = [self.posted as u32, latest[0]];
            self.posted += 1;
        }
    }

    /// The logging policy: posts of followed users and a few recent ones of strangers, ordered by a noisy guess.
    fn slate(&self, index: u64, viewer: &Viewer, at_ms: u64) -> Vec<PostFacts> {
        let mut dice = Dice::new(self.world.spec.seed, Stream::Slate, index);
        let mut found: Vec<u64> = Vec::new();
        let follows = &viewer.follows;
        for _ in 0..follows.len().min(30) {
            let author = follows[dice.below(follows.len() as u64) as usize];
            let latest = self.latest[author as usize];
            found.extend(latest.iter().filter(|post| **post != NONE).map(|post| u64::from(*post)));
        }
        let per_hour = self.world.spec.posts as f64 / self.world.spec.hours as f64;
        for _ in 0..40 {
            let back = 1 + (-(1.0 - dice.unit()).ln() * 8.0 * per_hour) as u64;
            found.extend(self.posted.checked_sub(back));
        }
        found.sort_unstable();
        found.dedup();
        let mut ranked: Vec<(f64, PostFacts)> = found
            .into_iter()
            .map(|post| self.world.facts(post))
            .filter(|facts| facts.author != viewer.person.index && facts.created_ms < at_ms)
            .map(|facts| (self.world.log_utility(viewer, &facts) + 1.2 * dice.normal(), facts))
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
        ranked.into_iter().take(SLATE).map(|(_, facts)| facts).collect()
    }
}

impl World {
    /// What the viewer does with a slate: sees a place the less likely the lower it is, tires of repeated topics and
    /// authors, and acts by the true probabilities.
    fn view(&self, index: u64, visit: Visit, viewer: &Viewer, slate: &[PostFacts]) -> Vec<Action> {
        let mut dice = Dice::new(self.spec.seed, Stream::Viewing, index);
        let mut log = Log {
            visit,
            request: index + 1,
            clock_ms: visit.at_ms,
            actions: Vec::new(),
        };
        let mut seen: Vec<&PostFacts> = Vec::new();
        for (place, post) in slate.iter().enumerate() {
            if !dice.chance(examined(place)) {
                continue;
            }
            let same = |what: fn(&PostFacts) -> u64| seen.iter().filter(|s| what(s) == what(post)).count() as f64;
            let fatigue = 0.25 * same(|p| u64::from(p.topic)) + 0.4 * same(|p| p.author);
            let utility = self.log_utility(viewer, post) - fatigue;
            let p = self.predict(viewer, post, utility);
            let dwell = -(1.0 - dice.unit()).ln() * mean_dwell(viewer, post, utility);
            log.look(post, if viewer.person.bot { 0.3 } else { dwell });
            log.act(post, &p, &mut dice);
            seen.push(post);
        }
        log.actions
    }
}

/// Probability that a viewer looks at a place of the slate (0 = top): position bias.
pub fn examined(place: usize) -> f64 {
    0.95 * (1.0 + place as f64).powf(-0.35)
}

struct Log {
    visit: Visit,
    request: u64,
    clock_ms: u64,
    actions: Vec<Action>,
}

impl Log {
    fn look(&mut self, post: &PostFacts, seconds: f64) {
        self.push(post, ActionKind::Impression, 0);
        let millis = ((seconds * 1000.0) as u32).clamp(100, 600_000);
        self.clock_ms += u64::from(millis);
        self.push(post, ActionKind::DwellTime, millis);
    }

    fn act(&mut self, post: &PostFacts, p: &[f64; HEADS], dice: &mut Dice) {
        for (head, chance) in p.iter().enumerate().take(DWELL_TIME) {
            if dice.chance(*chance) {
                let kind = ActionKind::try_from(head as i32 + 1).expect("the model's outputs are the first kinds");
                self.push(post, kind, 0);
            }
        }
    }

    fn push(&mut self, post: &PostFacts, kind: ActionKind, dwell_ms: u32) {
        self.actions.push(Action {
            viewer_id: self.visit.viewer + 1,
            kind: kind.into(),
            post_id: post.index + 1,
            author_id: post.author + 1,
            at_ms: self.clock_ms,
            dwell_ms,
            surface: HOME,
            prediction_request_id: self.request,
        });
    }
}
