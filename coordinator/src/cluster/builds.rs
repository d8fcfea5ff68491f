//! Pauses of the builds of vector indexes, on all nodes at once.

use std::time::Duration;

use covey_env::Monotonic;
use covey_shared::ids::NodeId;
use covey_shared::wire::{BuildsStatus, ReplyBody, RequestBody};
use futures::future::join_all;

use crate::cluster::Cluster;
use crate::cluster::port::CallError;

/// What one node says.
#[derive(Debug)]
pub(crate) struct NodeBuilds {
    pub(crate) node: NodeId,
    pub(crate) builds: Result<BuildsStatus, CallError>,
}

impl Cluster {
    /// Pauses the builds of `nodes`, of all if none is named, from now; zero ends a pause.
    pub(crate) async fn pause_builds(&self, nodes: &[NodeId], pause: Duration, deadline: Monotonic) -> Vec<NodeBuilds> {
        let links = self.roster.load();
        let asked = links
            .all()
            .map(|(node, _)| node)
            .filter(|node| nodes.is_empty() || nodes.contains(node));
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut answers: Vec<_> = join_all(asked.map(|node| self.pause_builds_of(node, pause_ms, deadline))).await;
        answers.sort_unstable_by_key(|answer| answer.node);
        answers
    }

    /// Whether there is this node.
    pub(crate) fn has_node(&self, node: NodeId) -> bool {
        self.roster.load().get(node).is_some()
    }

    async fn pause_builds_of(&self, node: NodeId, pause_ms: u64, deadline: Monotonic) -> NodeBuilds {
        let left = deadline.left(self.now());
        let builds = match self.admin(node, RequestBody::PauseBuilds { pause_ms }, left).await {
            Ok(ReplyBody::PauseBuilds(builds)) => Ok(builds),
            Ok(_) => Err(CallError::WrongReply),
            Err(error) => Err(error),
        };
        NodeBuilds { node, builds }
    }
}
