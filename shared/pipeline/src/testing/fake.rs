//! A component that implements every trait, with a delay and a way to fail.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Post, Query, World};
use crate::{
    ComponentError, Filter, Hydrator, QueryHydrator, QueryUpdate, Reply, RowError, Rows, RunContext, Score, Scorer,
    Selector, SideEffect, SideEffectInput, Source, Verdict,
};

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Answer,
    Error,
    OneRowTooFew,
}

type Judge = Box<dyn Fn(&Post, &[Post]) -> Verdict + Send + Sync>;
type Rate = Box<dyn Fn(&Post) -> f64 + Send + Sync>;

/// Notes `start` when called, `end` when done and `cancelled` when dropped before.
pub(crate) struct Fake {
    world: World,
    name: &'static str,
    delay: Duration,
    budget: Duration,
    required: bool,
    mode: Mode,
    failing_calls: std::ops::Range<usize>,
    found: Vec<Post>,
    bad_rows: BTreeSet<u64>,
    judge: Judge,
    rate: Rate,
}

impl Fake {
    pub fn new(world: World, name: &'static str) -> Self {
        Self {
            world,
            name,
            delay: Duration::ZERO,
            budget: Duration::MAX,
            required: false,
            mode: Mode::Answer,
            failing_calls: 0..usize::MAX,
            found: Vec::new(),
            bad_rows: BTreeSet::new(),
            judge: Box::new(|_, _| Verdict::Keep),
            rate: Box::new(|post| post.score),
        }
    }

    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    pub fn budget(self, budget: Duration) -> Self {
        Self { budget, ..self }
    }

    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub fn error(self) -> Self {
        Self {
            mode: Mode::Error,
            ..self
        }
    }

    /// Fails from its `n`th call on, counted from 0.
    pub fn error_from(self, n: usize) -> Self {
        Self {
            mode: Mode::Error,
            failing_calls: n..usize::MAX,
            ..self
        }
    }

    pub fn one_row_too_few(self) -> Self {
        Self {
            mode: Mode::OneRowTooFew,
            ..self
        }
    }

    pub fn finds(self, found: Vec<Post>) -> Self {
        Self { found, ..self }
    }

    pub fn bad_rows(self, ids: impl IntoIterator<Item = u64>) -> Self {
        Self {
            bad_rows: ids.into_iter().collect(),
            ..self
        }
    }

    /// Judges by the post alone.
    pub fn judges(self, judge: impl Fn(&Post) -> Verdict + Send + Sync + 'static) -> Self {
        Self {
            judge: Box::new(move |post, _| judge(post)),
            ..self
        }
    }

    /// Judges by the post and those before it.
    pub fn compares(self, judge: impl Fn(&Post, &[Post]) -> Verdict + Send + Sync + 'static) -> Self {
        Self {
            judge: Box::new(judge),
            ..self
        }
    }

    pub fn removes(self, ids: impl IntoIterator<Item = u64>, reason: &'static str) -> Self {
        let ids: BTreeSet<u64> = ids.into_iter().collect();
        self.judges(move |post| Verdict::remove_if(ids.contains(&post.id), reason))
    }

    pub fn rates(self, rate: impl Fn(&Post) -> f64 + Send + Sync + 'static) -> Self {
        Self {
            rate: Box::new(rate),
            ..self
        }
    }

    async fn work(&self, run: &RunContext) -> Result<(), ComponentError> {
        let call = self
            .world
            .names("start")
            .iter()
            .filter(|name| *name == self.name)
            .count();
        self.world.note("start", self.name);
        let mut unfinished = Unfinished {
            fake: self,
            done: false,
        };
        if !self.delay.is_zero() {
            run.sleep(self.delay).await;
        }
        unfinished.done = true;
        self.world.note("end", self.name);
        if self.mode == Mode::Error && self.failing_calls.contains(&call) {
            let cause = std::io::Error::other("connection refused");
            return Err(ComponentError::caused_by("rpc", cause).retry_after(Duration::from_secs(3)));
        }
        Ok(())
    }

    fn rows<T>(&self, posts: &[Post], value: impl Fn(&Post) -> T) -> Vec<Result<T, RowError>> {
        let missing = usize::from(self.mode == Mode::OneRowTooFew);
        let row = |post: &Post| {
            if self.bad_rows.contains(&post.id) {
                Err(RowError("no_row"))
            } else {
                Ok(value(post))
            }
        };
        posts.iter().skip(missing).map(row).collect()
    }
}

struct Unfinished<'a> {
    fake: &'a Fake,
    done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.fake.world.note("cancelled", self.fake.name);
        }
    }
}

macro_rules! common {
    () => {
        fn name(&self) -> &'static str {
            self.name
        }
        fn enable(&self, query: &Query) -> bool {
            !query.off.contains(self.name)
        }
        fn budget(&self) -> Duration {
            self.budget
        }
    };
    (and required) => {
        common!();
        fn required(&self) -> bool {
            self.required
        }
    };
}

impl QueryHydrator<Query> for Fake {
    common!(and required);
    fn hydrate<'a>(&'a self, run: &'a RunContext, query: &'a Query) -> Reply<'a, QueryUpdate<Query>> {
        Box::pin(async move {
            self.work(run).await?;
            let tag = (self.name, query.tags.len());
            Ok(QueryUpdate::new(move |query: &mut Query| query.tags.push(tag)))
        })
    }
}

impl Source<Query, Post> for Fake {
    common!(and required);
    fn find<'a>(&'a self, run: &'a RunContext, _: &'a Query) -> Reply<'a, Vec<Post>> {
        Box::pin(async move {
            self.work(run).await?;
            Ok(self.found.clone())
        })
    }
}

impl Hydrator<Query, Post> for Fake {
    common!(and required);
    fn hydrate<'a>(&'a self, run: &'a RunContext, _: &'a Query, posts: &'a [Post]) -> Reply<'a, Rows<Post>> {
        Box::pin(async move {
            self.work(run).await?;
            let rows = self.rows(posts, |post| (self.name, post.tags.len()));
            Ok(Rows::new(rows, |post: &mut Post, tag| post.tags.push(tag)))
        })
    }
}

impl Filter<Query, Post> for Fake {
    common!(and required);
    fn filter<'a>(&'a self, run: &'a RunContext, _: &'a Query, posts: &'a mut [Post]) -> Reply<'a, Vec<Verdict>> {
        Box::pin(async move {
            self.work(run).await?;
            let missing = usize::from(self.mode == Mode::OneRowTooFew);
            Ok((missing..posts.len())
                .map(|i| (self.judge)(&posts[i], &posts[..i]))
                .collect())
        })
    }
}

impl Scorer<Query, Post> for Fake {
    common!(and required);
    fn score<'a>(&'a self, run: &'a RunContext, _: &'a Query, posts: &'a [Post]) -> Reply<'a, Rows<Post>> {
        Box::pin(async move {
            self.work(run).await?;
            let rows = self.rows(posts, |post| (self.rate)(post));
            Ok(Rows::new(rows, |post: &mut Post, score| post.score = score))
        })
    }
    fn step(&self, post: &Post) -> Option<Score> {
        Score::new(post.score)
    }
}

impl SideEffect<Query, Post> for Fake {
    common!();
    fn run<'a>(&'a self, run: &'a RunContext, input: &'a SideEffectInput<Query, Post>) -> Reply<'a, ()> {
        Box::pin(async move {
            self.work(run).await?;
            self.world
                .note("served", &format!("{:?}", super::ids(input.selected.iter())));
            Ok(())
        })
    }
}

/// Ranks by the post's score; NaN is unscored.
pub(crate) struct ByScore(pub usize);

impl Selector<Query, Post> for ByScore {
    fn enable(&self, query: &Query) -> bool {
        !query.off.contains("ByScore")
    }
    fn score(&self, post: &Post) -> Score {
        Score::new(post.score).unwrap_or(Score::UNSCORED)
    }
    fn size(&self) -> usize {
        self.0
    }
}
