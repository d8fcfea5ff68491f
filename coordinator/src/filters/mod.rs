//! What is not shown, before scoring. One rule per file; their order is in `feed/pipeline.rs`.

pub(crate) mod age;
pub(crate) mod author_socialgraph;
pub(crate) mod content_duplicate;
pub(crate) mod core_data;
pub(crate) mod drop_duplicates;
pub(crate) mod ineligible_subscription;
pub(crate) mod l1_cut;
pub(crate) mod labels;
pub(crate) mod muted_keyword;
pub(crate) mod previously_seen;
pub(crate) mod previously_served;
pub(crate) mod retweet_dedup;
pub(crate) mod self_post;

/// The example of the guide, which must compile and pass its test.
#[cfg(test)]
#[path = "../../../docs/examples/long_video.rs"]
mod long_video;
#[cfg(test)]
#[path = "guide_test.rs"]
mod tests;
