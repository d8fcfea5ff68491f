//! Actions of viewers.

use covey_api::v1;
use covey_shared::ids::{ActionId, UnixMillis, UserId};
use covey_shared::model::{Action, ActionKind};

use crate::api::convert::posts::key;
use crate::api::convert::{ItemFault, time};

/// Largest surface.
const SURFACES: u32 = 15;

/// An action; `id` is its identity.
pub(crate) fn action(message: &v1::Action, id: ActionId, now: UnixMillis) -> Result<Action, ItemFault> {
    if message.viewer_id == 0 {
        return Err(ItemFault::ZeroId { field: "viewer_id" });
    }
    let kind = kind(message.kind).ok_or(ItemFault::UnknownValue {
        field: "kind",
        value: message.kind,
    })?;
    if (kind == ActionKind::DwellTime) != (message.dwell_ms > 0) {
        return Err(ItemFault::Dwell);
    }
    if message.surface > SURFACES {
        return Err(ItemFault::Surface(message.surface));
    }
    Ok(Action {
        viewer: UserId(message.viewer_id),
        id,
        kind,
        post: key(message.author_id, message.post_id)?,
        at: time("at_ms", message.at_ms, now)?,
        dwell_ms: message.dwell_ms,
        surface: message.surface as u8,
        prediction_request_id: message.prediction_request_id,
    })
}

/// The API numbers the kinds from 1, in our order.
fn kind(number: i32) -> Option<ActionKind> {
    let index = usize::try_from(number).ok()?.checked_sub(1)?;
    ActionKind::ALL.get(index).copied()
}

/// Name of a kind in the counters of a post.
pub(crate) fn counter_name(kind: ActionKind) -> String {
    let known = v1::ActionKind::try_from(kind.index() as i32 + 1).unwrap_or_default();
    known
        .as_str_name()
        .trim_start_matches("ACTION_KIND_")
        .to_ascii_lowercase()
}
