//! May a selected post be shown to this viewer, and how? The policy, the filter that applies it, and the rule that
//! shows one post per conversation.

pub(crate) mod dedup_conversation;
pub(crate) mod policy;
pub(crate) mod visibility_filter;

pub use policy::Ruling;
