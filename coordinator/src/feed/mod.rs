//! The feed. The seam between the API and the pipeline is in this file; everything behind [`FeedService::feed`] is the
//! pipeline's.
//!
//! - The API has checked the request: ids are not 0, lists are within `[limits]`, `limit` is between 1 and
//!   `limits.feed_posts` (the default filled in), the session token is open. The cursor is still sealed: it is the
//!   pipeline's, opened with [`Deps::sealer`] and purpose `"cursor"`.
//! - The pipeline fills every field of the reply but `answer.trace_id`, which the API sets. It reads through
//!   [`Deps::cluster`] with a [`crate::cluster::ReadContext`] made from the token and the deadline, merges the
//!   [`crate::cluster::ReadReport`]s of its reads ([`crate::cluster::ReadReport::absorb`]) into one answer block, and
//!   writes what it served through [`Deps::ingest`] ([`crate::ingest::Ingest::record_served`]), unless
//!   [`FeedRequest::dry_run`] is set.
//! - With [`FeedRequest::explain`] it adds an explanation of every served post, then of every post in
//!   [`FeedRequest::explain_posts`], in that order, also of those that were served; the `Explain` call is a dry run of which
//!   the API returns the latter.

#[cfg(test)]
mod broken;
pub(crate) mod candidate;
mod cursor;
mod explain;
#[cfg(test)]
pub(crate) mod fake_ranker;
#[cfg(test)]
pub(crate) mod fake_shards;
mod feed_actor;
pub(crate) mod following;
mod lasting;
pub(crate) mod ledger;
mod not_found;
mod pipeline;
mod probe;
pub(crate) mod query;
#[cfg(test)]
mod random_world;
mod reply;
mod request;
mod reserve;
mod run;
mod runtime;
mod service;
mod serving;
pub(crate) mod shards;
#[cfg(test)]
pub(crate) mod testing;

pub use crate::hydrators::user_action_sequence::SequenceEntry;
pub use crate::ranking::predictions::Outputs;
pub use crate::ranking::ranker::{RankRequest, Ranker};
pub(crate) use feed_actor::FeedWorkers;
pub(crate) use probe::MOST as MOST_EXPLAINED;
pub use request::{FeedKind, FeedRequest, Geo};
pub use service::{Deps, FeedError, FeedService};
