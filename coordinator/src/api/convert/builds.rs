//! Pauses of the builds of vector indexes, as messages.

use std::time::Duration;

use covey_api::v1;
use covey_shared::wire::{BuildsStatus, MAX_BUILD_PAUSE_MS};

use super::RequestFault;
use crate::cluster::NodeBuilds;

/// Length of a pause that says nothing of it.
const DEFAULT: Duration = Duration::from_secs(3600);

/// How long to pause.
pub(crate) fn pause(request: &v1::PauseBuildsRequest) -> Result<Duration, RequestFault> {
    match request.pause_ms {
        0 => Ok(DEFAULT),
        found @ ..=MAX_BUILD_PAUSE_MS => Ok(Duration::from_millis(found)),
        found => Err(RequestFault::PauseTooLong {
            found,
            limit: MAX_BUILD_PAUSE_MS,
        }),
    }
}

/// The reply to `PauseBuilds` and `ResumeBuilds`.
pub(crate) fn builds(answers: &[NodeBuilds], trace_id: String) -> v1::BuildsReply {
    let node = |answer: &NodeBuilds| v1::NodeBuilds {
        node: answer.node.0,
        builds: answer.builds.as_ref().ok().map(figures),
        error: answer
            .builds
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default(),
    };
    v1::BuildsReply {
        nodes: answers.iter().map(node).collect(),
        trace_id,
    }
}

/// For scripts.
pub(super) fn figures(status: &BuildsStatus) -> v1::BuildsStatus {
    v1::BuildsStatus {
        pause_left_ms: status.pause_left_ms,
        waiting_indexes: status.waiting_indexes,
        waiting_merges: status.waiting_merges,
    }
}

#[cfg(test)]
#[path = "builds_test.rs"]
mod tests;
