//! What a run is given from outside: its identity, its deadline, and the two things that a pipeline cannot make itself,
//! time and tasks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;

/// Monotonic time. Production gives real timers, the simulator simulated ones.
pub trait Timer: Send + Sync {
    /// Time since an arbitrary fixed start; never goes back.
    fn now(&self) -> Duration;

    /// Completes no earlier than `duration` after the call.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Starts side effects. Must not wait for them; may drop them, unfinished, at shutdown.
pub trait Spawner: Send + Sync {
    /// Runs `task` to its end, independently of the caller.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// Identity of one request, in logs and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Handed to every component that may wait: whose request this is, and until when an answer is of use.
#[derive(Clone)]
pub struct RunContext {
    request_id: RequestId,
    deadline: Duration,
    timer: Arc<dyn Timer>,
}

impl RunContext {
    /// A context that ends at `deadline`, a point on the scale of [`Timer::now`].
    #[must_use]
    pub fn new(request_id: RequestId, deadline: Duration, timer: Arc<dyn Timer>) -> Self {
        Self {
            request_id,
            deadline,
            timer,
        }
    }

    /// The request that this run serves.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// When the component that got this context is cancelled, on the scale of [`Timer::now`]: the earlier of the
    /// request's deadline and the end of the component's own budget. Calls to other machines carry [`Self::time_left`].
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Time until [`Self::deadline`]; zero once it has passed.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_sub(self.now())
    }

    /// The time now, on the scale of the deadline.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.timer.now()
    }

    /// Sleeps on the run's own timer.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.timer.sleep(duration)
    }

    /// The same run with at most `budget` left.
    pub(crate) fn within(&self, budget: Duration) -> Self {
        let end = self.now().saturating_add(budget);
        Self {
            deadline: self.deadline.min(end),
            ..self.clone()
        }
    }

    /// The same request with a deadline of its own, for what outlives the reply.
    pub(crate) fn detached(&self, budget: Duration) -> Self {
        Self {
            deadline: self.now().saturating_add(budget),
            ..self.clone()
        }
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext")
            .field("request_id", &self.request_id)
            .field("deadline", &self.deadline)
            .finish()
    }
}
