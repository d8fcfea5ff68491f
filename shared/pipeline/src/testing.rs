//! Test doubles: a timer and a spawner moved by hand, and one fake component that can be put in any list.

mod fake;
mod time;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) use fake::{ByScore, Fake};
pub(crate) use time::{ManualSpawner, ManualTimer};

use crate::{Candidate, Components, EffectPool, Limits, Outcome, Pipeline, PipelineError, Request, RequestId};

pub(crate) const DEADLINE: Duration = Duration::from_millis(100);

pub(crate) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Who wrote here, and how many had written before in what the writer saw.
pub(crate) type Tags = Vec<(&'static str, usize)>;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Post {
    pub id: u64,
    pub score: f64,
    pub tags: Tags,
}

impl Candidate for Post {
    type Id = u64;
    fn id(&self) -> u64 {
        self.id
    }
}

/// Posts whose score is the lower, the later they come.
pub(crate) fn posts(ids: impl IntoIterator<Item = u64>) -> Vec<Post> {
    ids.into_iter()
        .enumerate()
        .map(|(i, id)| Post {
            id,
            score: 1000.0 - i as f64,
            tags: Tags::new(),
        })
        .collect()
}

pub(crate) fn ids<'a>(posts: impl IntoIterator<Item = &'a Post>) -> Vec<u64> {
    posts.into_iter().map(|post| post.id).collect()
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub tags: Tags,
    /// Names of components that are disabled for this query.
    pub off: BTreeSet<&'static str>,
}

pub(crate) type Outcomes = Result<Outcome<Query, Post>, PipelineError>;

/// All that the fakes of one test share.
#[derive(Clone)]
pub(crate) struct World {
    pub timer: Arc<ManualTimer>,
    pub tasks: Arc<ManualSpawner>,
    pub effects: Arc<EffectPool>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Default for World {
    fn default() -> World {
        World::permitting(256)
    }
}

impl World {
    /// With so many side effects at a time.
    pub fn permitting(permits: usize) -> World {
        let tasks: Arc<ManualSpawner> = Arc::default();
        World {
            timer: Arc::default(),
            effects: Arc::new(EffectPool::new(permits, tasks.clone())),
            tasks,
            log: Arc::default(),
        }
    }

    pub fn fake(&self, name: &'static str) -> Fake {
        Fake::new(self.clone(), name)
    }

    /// A pipeline list with a source named `source` that finds these posts at once.
    pub fn finding(&self, slate: usize, found: Vec<Post>) -> Components<Query, Post> {
        Components {
            sources: vec![Box::new(self.fake("source").finds(found))],
            ..Components::new(Box::new(ByScore(slate)))
        }
    }

    pub fn note(&self, event: &str, name: &str) {
        self.log
            .lock()
            .expect("no test panics with the lock")
            .push(format!("{event} {name}"));
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().expect("no test panics with the lock").clone()
    }

    /// Names noted with `event`, in order.
    pub fn names(&self, event: &str) -> Vec<String> {
        self.log()
            .iter()
            .filter_map(|line| Some(line.strip_prefix(event)?.trim().to_owned()))
            .collect()
    }

    pub fn pipeline(&self, components: Components<Query, Post>, limits: Limits) -> Pipeline<Query, Post> {
        let (timer, effects) = (Arc::clone(&self.timer), Arc::clone(&self.effects));
        Pipeline::new(components, limits, timer, effects).expect("the list of a test is valid")
    }

    pub fn request(&self) -> Request<Query, u64> {
        Request::new(Query::default(), RequestId(7), DEADLINE)
    }

    pub fn run(&self, components: Components<Query, Post>) -> Outcomes {
        self.run_with(components, Limits::default(), self.request())
    }

    pub fn run_with(
        &self,
        components: Components<Query, Post>,
        limits: Limits,
        request: Request<Query, u64>,
    ) -> Outcomes {
        self.serve(&self.pipeline(components, limits), request)
    }

    /// Runs it, and shows what comes.
    pub fn serve(&self, pipeline: &Pipeline<Query, Post>, request: Request<Query, u64>) -> Outcomes {
        let mut outcome = self.timer.drive(pipeline.run(request))?;
        pipeline.start_side_effects(&mut outcome);
        Ok(outcome)
    }
}
