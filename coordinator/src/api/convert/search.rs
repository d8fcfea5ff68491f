//! Searches.

use covey_api::v1;
use covey_shared::ids::{PostKey, UnixMillis, UserId};
use covey_shared::model::{Language, labels};
use covey_shared::wire::SearchFilter;

use crate::api::convert::posts::read_key;
use crate::api::convert::{Limits, RequestFault, within};
use crate::cluster::SearchAsk;

/// Hits of a search that names no number.
const DEFAULT_K: usize = 10;
/// Authors in a filter.
const FILTER_AUTHORS: usize = 10_000;
/// The space of post contents.
const CONTENT: &str = "content";

/// What neighbours are wanted of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SearchFor {
    /// A vector.
    Vector(Vec<f32>),
    /// A post, whose vector has to be read first.
    Post(PostKey),
}

/// The search, without its vector.
pub(crate) fn search(message: v1::SearchRequest, limits: &Limits) -> Result<(SearchFor, SearchAsk), RequestFault> {
    let wanted = match (&message.post, message.vector.is_empty(), message.text.is_empty()) {
        (Some(key), true, true) => {
            SearchFor::Post(read_key(key).map_err(|_| RequestFault::Missing { field: "post.post_id" })?)
        }
        (None, false, true) => SearchFor::Vector(limits.vectors.checked(message.vector)?),
        (None, true, false) => SearchFor::Vector(text_vector(&message.text, limits)?),
        _ => return Err(RequestFault::NotOneQuery),
    };
    let recall = message.recall_target;
    if recall != 0.0 && !(0.5..=1.0).contains(&recall) {
        return Err(RequestFault::OutOfRange {
            field: "recall_target",
            value: recall.into(),
            range: "0.5 to 1, or 0 for the configured one",
        });
    }
    let k = if message.k == 0 { DEFAULT_K } else { message.k as usize };
    within("k", k, limits.config.search_k)?;
    let ask = SearchAsk {
        space: CONTENT.into(),
        vectors: Vec::new(),
        k,
        exact: message.exact,
        recall_target: recall,
        filter: filter(message.filter.unwrap_or_default())?,
    };
    Ok((wanted, ask))
}

fn text_vector(text: &str, limits: &Limits) -> Result<Vec<f32>, RequestFault> {
    let most = limits.config.text.as_usize();
    if text.len() > most {
        return Err(RequestFault::TooLong {
            field: "text",
            found: text.len(),
            limit: most,
        });
    }
    limits.vectors.of_text(text).ok_or(RequestFault::NoWords)
}

fn filter(message: v1::SearchFilter) -> Result<SearchFilter, RequestFault> {
    within("filter.authors", message.authors.len(), FILTER_AUTHORS)?;
    within("filter.not_authors", message.not_authors.len(), FILTER_AUTHORS)?;
    let language = Language::parse(&message.language).ok_or_else(|| RequestFault::NotACode {
        field: "filter.language",
        value: message.language.chars().take(16).collect(),
    })?;
    let users = |ids: Vec<u64>| {
        let mut users: Vec<UserId> = ids.into_iter().map(UserId).collect();
        users.sort_unstable();
        users.dedup();
        users
    };
    let at = |ms: u64| (ms != 0).then_some(UnixMillis(ms));
    Ok(SearchFilter {
        authors: users(message.authors),
        not_authors: users(message.not_authors),
        created_from: at(message.created_from_ms),
        created_before: at(message.created_before_ms),
        language: (language != Language::default()).then_some(language),
        video: message.video,
        // A post that was taken down is found by nobody.
        without_labels: labels::TAKEDOWN,
        ..SearchFilter::default()
    })
}
