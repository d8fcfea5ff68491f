//! For tests: a ranking model that says what it is told to.

use std::sync::Arc;

use covey_pipeline::{ComponentError, Reply, ready};
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{ActionKind, HEADS};
use covey_shared::wire::Candidate;
use futures::future;
use parking_lot::Mutex;

use crate::ranking::predictions::Outputs;
use crate::ranking::ranker::{RankRequest, Ranker};

/// These heads, and 0 for all others.
pub(crate) fn outputs(said: &[(ActionKind, f32)]) -> Outputs {
    let mut outputs = [0.0; HEADS];
    for (head, output) in said {
        outputs[head.index()] = *output;
    }
    outputs
}

/// Ways to answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    Fails,
    Hangs,
    /// Leaves the last post out.
    Short,
    /// Says something of one post more.
    Long,
}

pub(crate) struct FakeRanker {
    pub(crate) mood: Mood,
    /// What it says of a post.
    pub(crate) says: fn(&Candidate) -> Option<Outputs>,
    pub(crate) not_calibrated: &'static [ActionKind],
    /// Viewer and posts of each call.
    pub(crate) asked: Mutex<Vec<(UserId, Vec<PostId>)>>,
}

impl FakeRanker {
    pub(crate) fn new(says: fn(&Candidate) -> Option<Outputs>) -> FakeRanker {
        FakeRanker {
            mood: Mood::Answers,
            says,
            not_calibrated: &[],
            asked: Mutex::default(),
        }
    }
}

impl Ranker for FakeRanker {
    fn version(&self) -> u32 {
        12
    }

    fn is_calibrated(&self, head: ActionKind) -> bool {
        !self.not_calibrated.contains(&head)
    }

    fn rank<'a>(&'a self, request: RankRequest<'a>) -> Reply<'a, Vec<Option<Outputs>>> {
        let ids = request.posts.iter().map(|post| post.key.post).collect();
        self.asked.lock().push((request.viewer, ids));
        let mut said: Vec<_> = request.posts.into_iter().map(self.says).collect();
        match self.mood {
            Mood::Answers => ready(said),
            Mood::Short => {
                said.pop();
                ready(said)
            }
            Mood::Long => {
                said.push(None);
                ready(said)
            }
            Mood::Fails => Box::pin(future::ready(Err(ComponentError::new("model_gone")))),
            Mood::Hangs => Box::pin(future::pending()),
        }
    }
}

/// Likes posts with a higher id a little more.
pub(crate) fn by_id() -> Arc<dyn Ranker> {
    Arc::new(FakeRanker::new(|post| {
        let share = (post.key.post.0 % 1000) as f32 / 1000.0;
        Some(outputs(&[(ActionKind::Favorite, share)]))
    }))
}
