//! What the leader of the metadata says is never older than what was acknowledged, or said, before it was asked.

use covey_shared::ids::LogIndex;
use covey_shared::metadata::ClusterView;

use crate::history::History;

/// Checks an answer against what was known when its question was asked.
pub(crate) fn metadata_goes_on(history: &mut History, asked: LogIndex, view: &ClusterView) {
    if view.applied < asked {
        let broken = format!("the metadata is shown as of {:?}, after {asked:?}", view.applied);
        history.violations.push(broken);
    }
    history.metadata = history.metadata.max(view.applied);
}
