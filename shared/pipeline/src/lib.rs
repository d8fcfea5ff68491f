//! The candidate pipeline framework: eight small traits and the order in which they run.
//!
//! A pipeline turns a query `Q` into a ranked list of candidates `C`. It is a visible list of components
//! ([`Components`]); a run calls them in this order:
//!
//! | | stage | trait | runs |
//! |---|---|---|---|
//! | 1 | query hydrators | [`QueryHydrator`] | in parallel, each on the query as it came; updates applied in list order |
//! | 1b | dependent query hydrators | [`QueryHydrator`] | in parallel, on the result of 1 |
//! | 2 | sources | [`Source`] | in parallel; results appended in list order, never completion order |
//! | 3 | hydrators | [`Hydrator`] | in parallel on one snapshot; updates applied in list order |
//! | 4 | filters | [`Filter`], [`RowFilter`] | one after another |
//! | 5 | scorers | [`Scorer`] | one after another |
//! | 6 | selector | [`Selector`] | stable, descending |
//! | 7, 8 | hydrators and filters of the slate | [`Hydrator`], [`Filter`] | as 3 and 4 |
//! | 8b | backfill | | while too few survive: take the next of the ranked reserve, hydrate them, filter the whole slate |
//! | 8c | arranger | [`Arranger`] | at most one; what it leaves out is made up for by backfill, and it is asked again |
//! | 9 | truncate to the result size | | what is not on the page leads the reserve |
//! | 10 | side effects | [`SideEffect`] | spawned by [`Pipeline::start_side_effects`] once the outcome is shown; the reply does not wait for them |
//!
//! # When a component fails
//!
//! An error, an answer with the wrong number of rows, and an overrun of the budget are all failures. The budget of a call
//! is the smaller of the component's own and what the request has left, or half of that if it is not *required*: so those
//! behind one that hangs still have their time. At its end the future is dropped. A failure
//! is logged, stands in the [`Report`], is named in [`Report::degraded`], and the run goes on without the component, unless it is
//! required. Required components fail closed: the run is [`PipelineError::Unavailable`] without a required query
//! hydrator, source, hydrator, filter or scorer; a row that a required hydrator could not fill, and a candidate that a required filter
//! could not judge, is removed. A panic is not caught: it is a broken invariant, and the process's policy decides.
//!
//! The framework does no I/O and has no clock: time comes from a [`Timer`], tasks from a [`Spawner`].
//!
//! # Adding a filter
//!
//! One file with one struct that implements the trait, and one line in the pipeline's list.
//!
//! ```
//! # use std::sync::Arc;
//! # use std::time::Duration;
//! # use futures::future::{BoxFuture, FutureExt, pending};
//! # use covey_pipeline::*;
//! # #[derive(Debug, Clone, PartialEq)] pub struct Post { id: u64, author: u64 }
//! # impl Candidate for Post { type Id = u64; fn id(&self) -> u64 { self.id } }
//! # pub struct Query { viewer: u64 }
//! # struct NoTime;
//! # impl Timer for NoTime {
//! #     fn now(&self) -> Duration { Duration::ZERO }
//! #     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> { pending().boxed() }
//! # }
//! # struct NoTasks;
//! # impl Spawner for NoTasks { fn spawn(&self, _: BoxFuture<'static, ()>) {} }
//! # struct Newest;
//! # impl Selector<Query, Post> for Newest {
//! #     fn score(&self, post: &Post) -> Score { Score::new(post.id as f64).unwrap_or(Score::UNSCORED) }
//! #     fn size(&self) -> usize { 50 }
//! # }
//! # struct Fixed(Vec<Post>);
//! # impl Source<Query, Post> for Fixed {
//! #     fn find<'a>(&'a self, _: &'a RunContext, _: &'a Query) -> Reply<'a, Vec<Post>> { ready(self.0.clone()) }
//! # }
//! /// The file: the viewer's own posts are not shown to the viewer.
//! pub struct SelfPost;
//!
//! impl RowFilter<Query, Post> for SelfPost {
//!     fn judge(&self, query: &Query, post: &Post) -> Verdict {
//!         Verdict::remove_if(post.author == query.viewer, "own_post")
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let posts = vec![Post { id: 1, author: 7 }, Post { id: 2, author: 8 }, Post { id: 3, author: 9 }];
//! // The line: `filters: vec![..]` is the list.
//! let components = Components {
//!     sources: vec![Box::new(Fixed(posts))],
//!     filters: vec![Box::new(SelfPost)],
//!     ..Components::new(Box::new(Newest))
//! };
//!
//! // The test: run it, and see what it kept and removed.
//! let effects = Arc::new(EffectPool::new(0, Arc::new(NoTasks)));
//! let pipeline = Pipeline::new(components, Limits::default(), Arc::new(NoTime), effects)?;
//! let request = Request::new(Query { viewer: 8 }, RequestId(1), Duration::from_millis(200));
//! let outcome = futures::executor::block_on(pipeline.run(request))?;
//!
//! assert_eq!(outcome.selected.iter().map(|post| post.id).collect::<Vec<_>>(), [3, 1]);
//! assert_eq!(outcome.report.of("SelfPost").next().ok_or("it ran")?.removed["own_post"], 1);
//! assert_eq!(outcome.fate(&2), Fate::Removed { stage: Stage::Filter, component: "SelfPost", reason: "own_post" });
//! # Ok(())
//! # }
//! ```
//!
//! A filter that compares candidates with each other is a [`Filter`] and sees the whole list; one that waits for something,
//! too: it returns `Box::pin(async move { .. })` instead of [`ready`], and should set a `budget`. A filter whose failure must not let anything through says `required`, and answers
//! [`Verdict::Unjudged`] for what it cannot tell.

mod arranger;
mod call;
mod candidate;
mod context;
mod effects;
mod error;
mod filter;
mod hydrator;
mod name;
mod outcome;
mod pipeline;
mod query_hydrator;
mod reply;
mod report;
mod run;
mod score;
mod scorer;
mod selector;
mod side_effect;
mod source;
#[cfg(test)]
mod testing;
mod trace;

pub use arranger::Arranger;
pub use candidate::Candidate;
pub use context::{RequestId, RunContext, Spawner, Timer};
pub use effects::{EffectPool, EffectStats};
pub use error::{BuildError, ComponentError, Failure, PipelineError, RowError};
pub use filter::{Filter, RowFilter, Verdict};
pub use hydrator::Hydrator;
pub use outcome::{Fate, Outcome, Removed, Request};
pub use pipeline::{Components, Limits, Pipeline};
pub use query_hydrator::QueryHydrator;
pub use reply::{QueryUpdate, Reply, Rows, ready};
pub use report::{ComponentReport, Degraded, Report, Stage, StageReport, Status};
pub use score::Score;
pub use scorer::Scorer;
pub use selector::{Selection, Selector};
pub use side_effect::{SIDE_EFFECT_BUDGET, SideEffect, SideEffectInput};
pub use source::Source;
pub use trace::{CandidateTrace, TraceEvent};
