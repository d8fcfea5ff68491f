//! How components, runs and pipeline definitions fail.

use std::error::Error;
use std::time::Duration;

use crate::{Report, Stage};

/// Why a component has no answer. Made by the component.
///
/// `reason` is a metric label and part of the reply's `degraded` list, hence static: its values are few. What varies
/// (addresses, ids) belongs in the source, which goes to the log and to `explain`.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ComponentError {
    reason: &'static str,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ComponentError {
    /// A failure that needs no further cause.
    #[must_use]
    pub fn new(reason: &'static str) -> Self {
        Self {
            reason,
            retry_after: None,
            source: None,
        }
    }

    /// A failure caused by another error.
    #[must_use]
    pub fn caused_by(reason: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            reason,
            retry_after: None,
            source: Some(source.into()),
        }
    }

    /// Says when it makes sense to ask again; passed on to the client if the component is required.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The short reason.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

/// Why one row of a batch has no answer; the candidate keeps its old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RowError(pub &'static str);

/// Why the framework counts a component as failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The component said so.
    #[error("the component failed")]
    Component(#[source] ComponentError),
    /// It was cancelled at the end of its budget or of the request's deadline.
    #[error("no answer within {limit:?}")]
    TimedOut {
        /// How long it was given.
        limit: Duration,
    },
    /// It answered for more or fewer rows than it was asked for, so that no answer can be matched with its candidate.
    #[error("asked for {expected} rows, got {got}")]
    LengthMismatch {
        /// Number of candidates given.
        expected: usize,
        /// Number of rows returned.
        got: usize,
    },
}

impl Failure {
    /// Short static reason for metrics and for the `degraded` list.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Component(error) => error.reason,
            Self::TimedOut { .. } => "timed_out",
            Self::LengthMismatch { .. } => "length_mismatch",
        }
    }

    /// The hint of the component, if it gave one.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Component(error) => error.retry_after,
            Self::TimedOut { .. } | Self::LengthMismatch { .. } => None,
        }
    }
}

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// A required component gave no answer, and serving without it would be unsafe.
    #[error("{stage} {component} is required and gave no answer; retry after {retry_after:?}")]
    Unavailable {
        /// Stage of the component.
        stage: Stage,
        /// Name of the component.
        component: &'static str,
        /// When to ask again.
        retry_after: Duration,
        /// What happened to it.
        #[source]
        source: Failure,
        /// What was done until then.
        report: Box<Report>,
    },
    /// The deadline had passed before the run began; nothing was done.
    #[error("the deadline had passed before the pipeline started; give the request more time")]
    DeadlineExceeded,
}

/// Why a list of components makes no pipeline.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Reports and metrics could not tell the two apart.
    #[error("two components of stage {stage} are called {name}; give one of them a name() of its own")]
    DuplicateName {
        /// Stage of both.
        stage: Stage,
        /// Name of both.
        name: &'static str,
    },
    /// A limit of zero that would make every run empty.
    #[error("limit {limit} is 0; set it to at least 1")]
    ZeroLimit {
        /// Field of [`crate::Limits`].
        limit: &'static str,
    },
}
