//! Messages of the API into records and back. All validation is here: a bad item gets an error of its own, a bad request
//! is refused as a whole.

mod actions;
mod answer;
mod builds;
mod check;
mod cluster;
mod disk;
mod faults;
mod feed;
mod operations;
mod posts;
mod rebuild;
mod scrub;
mod search;
mod settings;
mod status;
mod users;

use covey_config::Config;
use covey_shared::ids::UnixMillis;

pub(crate) use actions::{action, counter_name};
pub(crate) use answer::{answer, item_results};
pub(crate) use builds::{builds, pause};
pub(crate) use check::checked;
pub(crate) use cluster::{audit_lines, described};
pub(crate) use faults::{ItemFault, RequestFault};
pub(crate) use feed::feed_request;
pub(crate) use operations::{cancel, operation, remove, start, undrain};
pub(crate) use posts::{post, post_delete, post_message, read_key};
pub(crate) use search::{SearchFor, search};
pub(crate) use settings::{Wanted, setting_changes, settings, wanted_settings};
pub(crate) use status::{Facts, status};
pub(crate) use users::{label_update, user_update};

use crate::ingest::Vectors;

/// Limits on what callers send.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) config: covey_config::LimitsConfig,
    pub(crate) result_size: usize,
    pub(crate) vectors: Vectors,
}

impl Limits {
    pub(crate) fn new(config: &Config) -> Limits {
        Limits {
            config: config.limits.clone(),
            result_size: config.feed.result_size,
            vectors: Vectors::new(config),
        }
    }

    /// Refuses a batch with too many items.
    pub(crate) fn batch(&self, items: usize) -> Result<(), RequestFault> {
        within("items", items, self.config.batch_items)
    }
}

/// Refuses a list that is longer than its limit.
pub(crate) fn within(field: &'static str, found: usize, limit: usize) -> Result<(), RequestFault> {
    if found > limit {
        return Err(RequestFault::TooMany { field, found, limit });
    }
    Ok(())
}

/// `ms`, or now when the caller left it out. A time far in the future is a mistake: such a post would lead every list of
/// new posts until then.
fn time(field: &'static str, ms: u64, now: UnixMillis) -> Result<UnixMillis, ItemFault> {
    const DAY: u64 = 86_400_000;
    match ms {
        0 => Ok(now),
        ms if ms > now.0.saturating_add(DAY) => Err(ItemFault::Future { field }),
        ms => Ok(UnixMillis(ms)),
    }
}

#[cfg(test)]
#[path = "convert_test.rs"]
mod tests;
