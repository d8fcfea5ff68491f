//! Users, their edges, and labels of posts.

use covey_api::v1;
use covey_shared::command::LabelUpdate;
use covey_shared::ids::{UnixMillis, UserId, Version};
use covey_shared::model::{EdgeKind, EdgeUpdate, Profile, UserUpdate};

use crate::api::convert::posts::{key, label_bits, language};
use crate::api::convert::{ItemFault, Limits};

/// Longest handle.
const SCREEN_NAME: usize = 64;

/// A change of a user; version 0 = now.
pub(crate) fn user_update(message: v1::UserUpdate, now: UnixMillis, limits: &Limits) -> Result<UserUpdate, ItemFault> {
    if message.user_id == 0 {
        return Err(ItemFault::ZeroId { field: "user_id" });
    }
    let most = limits.config.follows;
    if message.edges.len() > most {
        return Err(ItemFault::TooMany {
            field: "edges",
            found: message.edges.len(),
            limit: most,
        });
    }
    let user = UserId(message.user_id);
    let version = if message.version == 0 { now.0 } else { message.version };
    let edges = message.edges.iter().map(|e| edge(e, user));
    Ok(UserUpdate {
        user,
        version: Version(version),
        edges: edges.collect::<Result<_, _>>()?,
        profile: message.profile.map(profile).transpose()?,
        muted_keywords: message.muted_keywords.map(|m| keywords(m.words, limits)).transpose()?,
    })
}

fn edge(message: &v1::EdgeUpdate, user: UserId) -> Result<EdgeUpdate, ItemFault> {
    let kind = match message.kind() {
        v1::EdgeKind::Follow => EdgeKind::Follow,
        v1::EdgeKind::Block => EdgeKind::Block,
        v1::EdgeKind::Mute => EdgeKind::Mute,
        v1::EdgeKind::Subscribe => EdgeKind::Subscribe,
        v1::EdgeKind::FollowTopic => EdgeKind::Topic,
        v1::EdgeKind::Unspecified => {
            return Err(ItemFault::UnknownValue {
                field: "edges.kind",
                value: message.kind,
            });
        }
    };
    let target = UserId(message.target_id);
    if target == UserId(0) {
        return Err(ItemFault::ZeroId {
            field: "edges.target_id",
        });
    }
    match kind {
        EdgeKind::Topic if u32::try_from(target.0).is_err() => return Err(ItemFault::Topic(target.0)),
        EdgeKind::Topic => {}
        _ if target == user => return Err(ItemFault::SelfEdge),
        _ => {}
    }
    Ok(EdgeUpdate {
        kind,
        target,
        on: !message.remove,
    })
}

fn profile(message: v1::Profile) -> Result<Profile, ItemFault> {
    if message.screen_name.len() > SCREEN_NAME {
        return Err(ItemFault::TooLong {
            field: "screen_name",
            found: message.screen_name.len(),
            limit: SCREEN_NAME,
        });
    }
    Ok(Profile {
        language: language("profile.language", &message.language)?,
        country: country(&message.country).ok_or_else(|| ItemFault::NotACode {
            field: "profile.country",
            value: message.country.chars().take(16).collect(),
        })?,
        screen_name: message.screen_name,
        created_at: UnixMillis(message.created_at_ms),
    })
}

/// Two letters in upper case; empty = zeros.
pub(super) fn country(code: &str) -> Option<[u8; 2]> {
    match code.as_bytes() {
        [] => Some([0; 2]),
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Some([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
        }
        _ => None,
    }
}

fn keywords(words: Vec<String>, limits: &Limits) -> Result<Vec<String>, ItemFault> {
    let (most, longest) = (limits.config.muted_keywords, limits.config.keyword.as_usize());
    if words.len() > most {
        return Err(ItemFault::TooMany {
            field: "muted_keywords",
            found: words.len(),
            limit: most,
        });
    }
    match words.iter().map(String::len).find(|len| *len > longest) {
        Some(found) => Err(ItemFault::TooLong {
            field: "muted_keywords",
            found,
            limit: longest,
        }),
        None => Ok(words),
    }
}

/// New labels of a post; version 0 = now.
pub(crate) fn label_update(message: &v1::LabelUpdate, now: UnixMillis) -> Result<LabelUpdate, ItemFault> {
    let version = if message.version == 0 { now.0 } else { message.version };
    Ok(LabelUpdate {
        key: key(message.author_id, message.post_id)?,
        version: Version(version),
        labels: label_bits(&message.labels)?,
    })
}
