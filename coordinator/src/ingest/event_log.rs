//! What of the writes goes into the event log: actions that were accepted, and what feeds showed.

use std::sync::Arc;

use covey_env::Clock;
use covey_eventlog::{ActionRow, Batch, EventLog, ServedRow};
use covey_shared::ids::UnixMillis;
use covey_shared::model::Action;

use crate::ingest::item::{Outcome, WriteItem};

/// The event log, and when something was recorded.
#[derive(Clone)]
pub(super) struct Events {
    pub(super) log: EventLog,
    pub(super) clock: Arc<dyn Clock>,
}

/// The actions among items, each with its position. Copies, made before it is known what becomes of them: the items go to the actor.
/// A row holds no text, so a copy is cheap.
pub(super) fn actions(items: &[WriteItem]) -> Vec<(usize, ActionRow)> {
    let found = items.iter().enumerate().filter_map(|(at, item)| match item {
        WriteItem::Action(action) => Some((at, row(action))),
        _ => None,
    });
    found.collect()
}

impl Events {
    /// Those that a shard has taken. Of the others the client hears, and may send them again.
    pub(super) fn accepted(&self, actions: Vec<(usize, ActionRow)>, outcomes: &[Outcome]) {
        let recorded_at = UnixMillis(self.clock.unix_ms());
        let accepted = actions
            .into_iter()
            .filter(|(at, _)| matches!(outcomes.get(*at), Some(Ok(_))));
        let rows = accepted.map(|(_, row)| ActionRow { recorded_at, ..row });
        self.log.record(Batch::Actions(rows.collect()));
    }

    pub(super) fn served(&self, rows: Vec<ServedRow>) {
        self.log.record(Batch::Served(rows));
    }
}

fn row(action: &Action) -> ActionRow {
    ActionRow {
        acted_at: action.at,
        recorded_at: UnixMillis(0),
        viewer: action.viewer,
        kind: action.kind,
        post: action.post.post,
        author: action.post.author,
        dwell_ms: action.dwell_ms,
        surface: action.surface.into(),
        prediction_request_id: action.prediction_request_id,
        client: action.id.client,
        sequence: action.id.sequence,
        item: action.id.item,
    }
}

#[cfg(test)]
#[path = "event_log_test.rs"]
mod tests;
