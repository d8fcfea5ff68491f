//! What happens because of a reply, after it.

pub(crate) mod served_history;
