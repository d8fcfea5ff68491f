//! What is known about the viewer (query hydrators) and about the candidates (hydrators). One per file.

pub(crate) mod author;
pub(crate) mod impressions;
pub(crate) mod in_network;
pub(crate) mod retweet_source;
pub(crate) mod user_action_sequence;
pub(crate) mod user_features;
pub(crate) mod verdicts;
pub(crate) mod video_duration;
pub(crate) mod viewer;
