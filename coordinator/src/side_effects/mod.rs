//! What happens because of a reply, after it.

pub(crate) mod event_log;
pub(crate) mod served_history;
