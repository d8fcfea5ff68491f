//! What a run did, component by component: one report feeds spans, metrics, the honest answer and `explain`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::RequestId;

/// The stages of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// 1: on the query as it came.
    QueryHydrator,
    /// 1b: on the query as stage 1 left it.
    DependentQueryHydrator,
    /// 2
    Source,
    /// 3
    Hydrator,
    /// 4
    Filter,
    /// 5
    Scorer,
    /// 6
    Selector,
    /// 7, and the rounds of backfill
    PostHydrator,
    /// 8, and the rounds of backfill
    PostFilter,
    /// 8c, and the rounds of backfill
    Arranger,
    /// 10
    SideEffect,
}

impl Stage {
    /// The name used in spans, metrics and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueryHydrator => "query_hydrator",
            Self::DependentQueryHydrator => "dependent_query_hydrator",
            Self::Source => "source",
            Self::Hydrator => "hydrator",
            Self::Filter => "filter",
            Self::Scorer => "scorer",
            Self::Selector => "selector",
            Self::PostHydrator => "post_hydrator",
            Self::PostFilter => "post_filter",
            Self::Arranger => "arranger",
            Self::SideEffect => "side_effect",
        }
    }

    /// Whether components of this stage work on candidates, and have nothing to do without any.
    pub(crate) fn needs_candidates(self) -> bool {
        match self {
            Self::QueryHydrator | Self::DependentQueryHydrator | Self::Source | Self::SideEffect => false,
            Self::Hydrator
            | Self::Filter
            | Self::Scorer
            | Self::Selector
            | Self::PostHydrator
            | Self::PostFilter
            | Self::Arranger => true,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a component ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It answered. (Rows may still have failed: [`ComponentReport::rows_failed`].) A side effect was spawned.
    Ok,
    /// Its `enable` said no.
    Disabled,
    /// It was not called, for this reason.
    Skipped(&'static str),
    /// It was cancelled when its time was up.
    TimedOut,
    /// It failed.
    Failed {
        /// Short and static, for metrics and clients.
        reason: &'static str,
        /// The whole chain of causes, for operators; cut at 300 characters.
        detail: String,
    },
}

impl Status {
    /// The name used in spans and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Disabled => "disabled",
            Self::Skipped(_) => "skipped",
            Self::TimedOut => "timed_out",
            Self::Failed { .. } => "failed",
        }
    }
}

/// One call of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentReport {
    /// Stage of the component.
    pub stage: Stage,
    /// Round of backfill; 0 is the run proper.
    pub round: u32,
    /// Name of the component.
    pub component: &'static str,
    /// How it ended.
    pub status: Status,
    /// Candidates given to it.
    pub input: usize,
    /// Candidates that a source found or a filter kept, rows that a hydrator or scorer answered, the slate of the
    /// selector, the page of the arranger.
    pub output: usize,
    /// Candidates removed because of it, by reason.
    pub removed: BTreeMap<&'static str, usize>,
    /// Rows without a value, or candidates without a verdict, in an answer that was otherwise good.
    pub rows_failed: usize,
    /// Time from call to answer, in microseconds on the wire.
    #[serde(rename = "took_us", serialize_with = "micros")]
    pub took: Duration,
}

/// One pass through one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageReport {
    /// The stage.
    pub stage: Stage,
    /// Round of backfill; 0 is the run proper.
    pub round: u32,
    /// Candidates before.
    pub input: usize,
    /// Candidates after.
    pub output: usize,
    /// Time of the whole stage, in microseconds on the wire.
    #[serde(rename = "took_us", serialize_with = "micros")]
    pub took: Duration,
}

/// A component without which, or without a part of which, this answer was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Degraded {
    /// Stage of the component.
    pub stage: Stage,
    /// Name of the component.
    pub component: &'static str,
    /// Why; `partial` when only some rows failed.
    pub reason: &'static str,
}

/// Everything that a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The request.
    pub request_id: RequestId,
    /// One entry per pass through a stage, in the order of the run.
    pub stages: Vec<StageReport>,
    /// One entry per component and round, in list order.
    pub components: Vec<ComponentReport>,
    /// What failed, each once.
    pub degraded: Vec<Degraded>,
    /// Rounds of backfill that were begun.
    pub backfill_rounds: u32,
    /// Side effects of this run that were dropped because too many were under way.
    pub side_effects_dropped: usize,
    /// Time from start to end of the run, in microseconds on the wire.
    #[serde(rename = "took_us", serialize_with = "micros")]
    pub took: Duration,
}

impl Report {
    pub(crate) fn new(request_id: RequestId) -> Self {
        Self {
            request_id,
            stages: Vec::new(),
            components: Vec::new(),
            degraded: Vec::new(),
            backfill_rounds: 0,
            side_effects_dropped: 0,
            took: Duration::ZERO,
        }
    }

    /// Adds an entry and, if it did not go well, names the component as degraded.
    pub(crate) fn push(&mut self, entry: ComponentReport) {
        let reason = match &entry.status {
            Status::Failed { reason, .. } => Some(*reason),
            Status::TimedOut => Some("timed_out"),
            Status::Ok if entry.rows_failed > 0 => Some("partial"),
            Status::Ok | Status::Disabled | Status::Skipped(_) => None,
        };
        if let Some(reason) = reason {
            let degraded = Degraded {
                stage: entry.stage,
                component: entry.component,
                reason,
            };
            if !self.degraded.contains(&degraded) {
                self.degraded.push(degraded);
            }
        }
        self.components.push(entry);
    }

    /// All entries of a component, one per round; empty if its stage was not reached.
    pub fn of<'a>(&'a self, component: &'a str) -> impl Iterator<Item = &'a ComponentReport> {
        self.components.iter().filter(move |entry| entry.component == component)
    }
}

fn micros<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_micros()).unwrap_or(u64::MAX))
}
