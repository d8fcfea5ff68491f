//! What every post of the world is worth to a viewer, and which posts the viewer may be shown at all.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use covey_api::v1::{Action, ActionKind, EdgeKind};
use covey_config::FeedConfig;

use crate::world::{HEADS, PostFacts, Shape, World};

/// A post that a viewer may be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    /// 0-based.
    pub(super) post: u64,
    pub(super) author: u64,
    pub(super) topic: u8,
    pub(super) created_ms: u64,
    /// The true score, but not below 0.
    pub(super) gain: f64,
    /// Engagement of all viewers, decayed.
    pub(super) popularity: f64,
    /// The viewer follows the author.
    pub(super) followed: bool,
    /// Nobody has been shown it before.
    pub(super) cold: bool,
}

/// A world at one moment, with what its log says.
pub(super) struct Truth {
    world: Arc<World>,
    at_ms: u64,
    posts: Vec<PostFacts>,
    weights: [f64; HEADS],
    min_video_ms: u32,
    /// Older posts are not shown.
    max_age_ms: u64,
    /// Engagement this much older counts half, in milliseconds.
    half_life_ms: f64,
    popularity: HashMap<u64, f64>,
    /// Posts that somebody was shown.
    shown: BTreeSet<u64>,
    /// Posts that each of the viewers saw.
    seen: BTreeMap<u64, BTreeSet<u64>>,
    /// By whom each of the viewers is blocked.
    blocked_by: BTreeMap<u64, BTreeSet<u64>>,
}

impl Truth {
    /// Reads the whole log of the world; `viewers` are 0-based. The rules are those of a cluster with the defaults of `[feed]`.
    pub(super) fn new(world: Arc<World>, at_ms: u64, viewers: &BTreeSet<u64>) -> Truth {
        let feed = FeedConfig::default();
        let mut truth = Truth {
            at_ms,
            posts: (0..world.spec().posts).map(|index| world.facts(index)).collect(),
            weights: feed.weights.by_head(),
            min_video_ms: feed.min_video_duration.as_millis() as u32,
            max_age_ms: feed.max_post_age.map_or(u64::MAX, |age| age.as_millis() as u64),
            half_life_ms: feed.popular.half_life.as_secs_f64() * 1000.0,
            popularity: HashMap::new(),
            shown: BTreeSet::new(),
            seen: viewers.iter().map(|viewer| (*viewer, BTreeSet::new())).collect(),
            blocked_by: BTreeMap::new(),
            world: world.clone(),
        };
        for action in World::sessions(world.clone()).flatten() {
            truth.learn(&action);
        }
        for user in 0..world.spec().users {
            let blocks = of_kinds(&world, user, &[EdgeKind::Block]);
            for viewer in blocks.intersection(viewers) {
                truth.blocked_by.entry(*viewer).or_default().insert(user);
            }
        }
        truth
    }

    fn learn(&mut self, action: &Action) {
        let (viewer, post) = (action.viewer_id - 1, action.post_id - 1);
        let shown = self.world.shown(&self.posts[post as usize]);
        match action.kind() {
            ActionKind::Impression => {
                self.shown.insert(shown);
                if let Some(seen) = self.seen.get_mut(&viewer) {
                    seen.insert(post);
                }
            }
            ActionKind::Favorite | ActionKind::Reply | ActionKind::Repost | ActionKind::Quote | ActionKind::Share => {
                let age = self.at_ms.saturating_sub(action.at_ms) as f64;
                *self.popularity.entry(shown).or_default() += (-age / self.half_life_ms).exp2();
            }
            _ => {}
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.world.spec().seed
    }

    pub(super) fn text(&self, post: u64) -> String {
        match post < self.world.spec().posts {
            true => self.world.post(post).text,
            false => String::new(),
        }
    }

    /// 0-based indexes of the users whom a viewer follows, ascending.
    pub(super) fn follows(&self, viewer: u64) -> Vec<u64> {
        self.world.follows(viewer)
    }

    /// A post that is not in the pool of a viewer.
    pub(super) fn worthless(&self, post: u64) -> Entry {
        let facts = self.posts.get(post as usize);
        Entry {
            post,
            author: facts.map_or(u64::MAX, |facts| facts.author),
            topic: facts.map_or(0, |facts| facts.topic),
            created_ms: 0,
            gain: 0.0,
            popularity: 0.0,
            followed: false,
            cold: false,
        }
    }

    /// Everything that the rules let the viewer be shown, in the order of the posts: young, unseen, nobody's repost, not the viewer's own, by
    /// nobody who is blocked or muted or blocks the viewer, and quoting nobody such. Strangers' posts neither answer others nor carry a label
    /// that keeps them from being recommended, nor do they quote what carries one.
    pub(super) fn pool(&self, index: u64) -> Vec<Entry> {
        let viewer = self.world.viewer(index, self.at_ms);
        let mut unwanted = of_kinds(&self.world, index, &[EdgeKind::Block, EdgeKind::Mute]);
        unwanted.extend(self.blocked_by.get(&index).into_iter().flatten());
        let nothing = BTreeSet::new();
        let seen = self.seen.get(&index).unwrap_or(&nothing);
        let eligible = |post: &PostFacts, followed: bool| {
            let age = self.at_ms.checked_sub(post.created_ms);
            let parent = |shape: Shape| post.parent.filter(|_| post.shape == shape);
            // A parent is an earlier post.
            let quoted = parent(Shape::Quote).map(|quoted| &self.posts[quoted as usize]);
            age.is_some_and(|age| age <= self.max_age_ms)
                && post.shape != Shape::Repost
                && post.author != index
                && (followed || (post.shape != Shape::Reply && post.recommendable()))
                && !unwanted.contains(&post.author)
                && quoted
                    .is_none_or(|quoted| !unwanted.contains(&quoted.author) && (followed || quoted.recommendable()))
                && !seen.contains(&post.index)
                && parent(Shape::Reply).is_none_or(|answered| !seen.contains(&answered))
        };
        let entry = |post: &PostFacts| {
            let followed = viewer.follows.binary_search(&post.author).is_ok();
            let score = || self.world.true_score(&viewer, post, &self.weights, self.min_video_ms);
            eligible(post, followed).then(|| Entry {
                post: post.index,
                author: post.author,
                topic: post.topic,
                created_ms: post.created_ms,
                gain: score().max(0.0),
                popularity: self.popularity.get(&post.index).copied().unwrap_or(0.0),
                followed,
                cold: !self.shown.contains(&post.index),
            })
        };
        self.posts.iter().filter_map(entry).collect()
    }
}

/// 0-based indexes of those to whom a user has edges of these kinds.
fn of_kinds(world: &World, user: u64, kinds: &[EdgeKind]) -> BTreeSet<u64> {
    let edges = world.user(user).edges;
    let wanted = edges.iter().filter(|edge| kinds.contains(&edge.kind()));
    wanted.map(|edge| edge.target_id - 1).collect()
}

#[cfg(test)]
#[path = "truth_test.rs"]
mod tests;
