//! Feed requests.

use covey_api::v1;
use covey_shared::ids::{PostId, UserId};
use covey_shared::model::Language;
use covey_shared::session::SessionToken;
use covey_shared::wire::SeenBloom;

use crate::api::convert::posts::key;
use crate::api::convert::users::country;
use crate::api::convert::{Limits, RequestFault, within};
use crate::feed::{FeedKind, FeedRequest, Geo, MOST_EXPLAINED};

const BLOOMS: usize = 8;
const BLOOM_WORDS: usize = 65_536;
const BLOOM_HASHES: u32 = 32;
const OVERRIDES: usize = 100;
/// Bytes of a device, of an experiment, of an arm.
const NAME: usize = 64;
const DAY_MINUTES: u32 = 1440;

/// A checked request; `token` is the opened session token.
pub(crate) fn feed_request(
    message: v1::GetFeedRequest,
    token: SessionToken,
    limits: &Limits,
) -> Result<FeedRequest, RequestFault> {
    if message.viewer_id == 0 {
        return Err(RequestFault::Missing { field: "viewer_id" });
    }
    let limit = if message.limit == 0 {
        limits.result_size
    } else {
        message.limit as usize
    };
    within("limit", limit, limits.config.feed_posts)?;
    within("experiment_overrides", message.experiment_overrides.len(), OVERRIDES)?;
    let overrides = message.experiment_overrides.iter();
    for name in overrides
        .flat_map(|(experiment, arm)| [experiment, arm])
        .chain([&message.device])
    {
        if name.len() > NAME {
            return Err(RequestFault::TooLong {
                field: "device or experiment_overrides",
                found: name.len(),
                limit: NAME,
            });
        }
    }
    within("explain_posts", message.explain_posts.len(), MOST_EXPLAINED)?;
    let explain_posts = message.explain_posts.iter().map(|k| key(k.author_id, k.post_id));
    Ok(FeedRequest {
        viewer: UserId(message.viewer_id),
        kind: kind(message.kind)?,
        client_app_id: message.client_app_id,
        country: country(&message.country_code).ok_or_else(|| not_a_code("country_code", &message.country_code))?,
        language: Language::parse(&message.language_code)
            .ok_or_else(|| not_a_code("language_code", &message.language_code))?,
        local_minutes: message.local_time.map(local_minutes).transpose()?,
        geo: message.geo.as_ref().map(geo).transpose()?,
        seen: ids("seen_ids", &message.seen_ids, limits),
        served: ids("served_ids", &message.served_ids, limits),
        blooms: blooms(message.bloom_filter_entries)?,
        in_network_only: message.in_network_only,
        is_bottom_request: message.is_bottom_request,
        limit,
        token,
        explain: message.explain,
        explain_posts: explain_posts
            .collect::<Result<_, _>>()
            .map_err(|_| RequestFault::Missing {
                field: "explain_posts: post_id and author_id",
            })?,
        video_only: message.video_only,
        cursor: message.cursor,
        device: message.device,
        experiment_overrides: message.experiment_overrides,
        dry_run: false,
    })
}

fn kind(number: i32) -> Result<FeedKind, RequestFault> {
    match v1::FeedKind::try_from(number) {
        Ok(v1::FeedKind::Unspecified | v1::FeedKind::ForYou) => Ok(FeedKind::ForYou),
        Ok(v1::FeedKind::Following) => Ok(FeedKind::Following),
        Err(_) => Err(RequestFault::OutOfRange {
            field: "kind",
            value: number.into(),
            range: "0 to 2",
        }),
    }
}

fn not_a_code(field: &'static str, value: &str) -> RequestFault {
    RequestFault::NotACode {
        field,
        value: value.chars().take(16).collect(),
    }
}

/// The newest ids, up to the limit: a client that remembers more must not lose its feed over it.
fn ids(field: &'static str, list: &[u64], limits: &Limits) -> Vec<PostId> {
    let most = limits.config.exclude_ids;
    if list.len() > most {
        tracing::warn!(field, found = list.len(), limit = most, "the list is cut");
    }
    list.iter().take(most).map(|id| PostId(*id)).collect()
}

fn local_minutes(minutes: u32) -> Result<u16, RequestFault> {
    let valid = u16::try_from(minutes).ok().filter(|_| minutes < DAY_MINUTES);
    valid.ok_or(RequestFault::OutOfRange {
        field: "local_time",
        value: minutes.into(),
        range: "0 to 1439 minutes",
    })
}

fn geo(message: &v1::Geo) -> Result<Geo, RequestFault> {
    let checked = |field, value: f64, most: f64, range| {
        let fault = RequestFault::OutOfRange { field, value, range };
        (value.abs() <= most).then_some(value).ok_or(fault)
    };
    Ok(Geo {
        latitude: checked("geo.latitude", message.latitude, 90.0, "-90 to 90")?,
        longitude: checked("geo.longitude", message.longitude, 180.0, "-180 to 180")?,
    })
}

fn blooms(entries: Vec<v1::BloomFilterEntry>) -> Result<Vec<SeenBloom>, RequestFault> {
    within("bloom_filter_entries", entries.len(), BLOOMS)?;
    let one = |entry: v1::BloomFilterEntry| {
        within("bloom_filter_entries.words", entry.words.len(), BLOOM_WORDS)?;
        if !(1..=BLOOM_HASHES).contains(&entry.hashes) {
            return Err(RequestFault::OutOfRange {
                field: "bloom_filter_entries.hashes",
                value: entry.hashes.into(),
                range: "1 to 32",
            });
        }
        Ok(SeenBloom {
            generations: vec![entry.words],
            hashes: entry.hashes as u8,
        })
    };
    entries.into_iter().map(one).collect()
}

#[cfg(test)]
#[path = "feed_test.rs"]
mod tests;
