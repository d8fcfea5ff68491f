//! The Following feed: all that the viewer and the followed users wrote, back in time. Its pages are places in that list,
//! so that whatever is written or deleted between two pages, nothing is shown twice and nothing is left out. What a shard had
//! that did not answer for a page is not in that session's pages, but that never looks like the end of the list, and who
//! looks for new posts is told them again.

use std::sync::Arc;

use bincode::{Decode, Encode};
use covey_config::Config;
use covey_pipeline::{Components, RowFilter, Score, Selector, Verdict};
use covey_shared::codec;
use covey_shared::ids::{UnixMillis, UserId};
use covey_shared::wire::Place;

use crate::feed::candidate::FeedCandidate;
use crate::feed::lasting::Lasting;
use crate::feed::pipeline;
use crate::feed::query::FeedQuery;
use crate::feed::request::FeedRequest;
use crate::feed::service::FeedOutcome;
use crate::seal::{SealError, Sealer};
use crate::sources::following::Following;

/// Version of the encoding of a session.
const VERSION: u16 = 1;
/// A cursor of the other feed is none of this one.
const PURPOSE: &str = "following";
/// Posts that are read for each that is wanted: some may not be shown.
const SPARE: usize = 2;

/// Which part of the list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    /// The beginning.
    Newest,
    /// This place and what stands behind it.
    From(Place),
    /// What came since.
    Since(Read),
}

/// What a session has read: one stretch of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Read {
    /// The newest moment, and the highest id of it. Ids grow: of what is written in that moment later, it is known by its id.
    pub(crate) top: Place,
    /// Where the next page begins.
    pub(crate) next: Place,
}

impl Read {
    /// It stands before all that the session has read, or was written since.
    pub(crate) fn is_new(&self, place: Place) -> bool {
        let top = self.top;
        let later = place.created_at > top.created_at || (place.created_at == top.created_at && place.post > top.post);
        later && place < self.next
    }
}

/// A part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) span: Span,
    /// Posts that are read.
    pub(crate) most: usize,
}

/// How far a viewer has read; sealed, the cursor of the Following feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Session {
    viewer: UserId,
    /// Another list than that with all posts.
    video_only: bool,
    read: Read,
}

impl Session {
    /// The session behind a text; `None` for the empty text, which begins one.
    ///
    /// # Errors
    /// It was changed, or handed out to somebody else, by another cluster or for another feed.
    pub(crate) fn open(sealer: &Sealer, text: &str, viewer: UserId) -> Result<Option<Session>, SealError> {
        if text.is_empty() {
            return Ok(None);
        }
        let bytes = sealer.open(PURPOSE, text)?;
        let session: Session = codec::decode_versioned(VERSION, &bytes).map_err(|_| SealError::Unreadable)?;
        if session.viewer == viewer {
            Ok(Some(session))
        } else {
            Err(SealError::Forged)
        }
    }

    /// The text that the client gets.
    pub(crate) fn seal(&self, sealer: &Sealer) -> String {
        let bytes = codec::encode_versioned(VERSION, self).expect("a session has a few dozen bytes");
        sealer.seal(PURPOSE, bytes)
    }
}

/// The part for a page: the next one, or what came since. Who wants only videos now, or all posts, begins anew.
pub(crate) fn section(session: Option<&Session>, request: &FeedRequest) -> Section {
    let span = match session.filter(|session| session.video_only == request.video_only) {
        None => Span::Newest,
        Some(session) if request.is_bottom_request => Span::From(session.read.next),
        Some(session) => Span::Since(session.read),
    };
    Section {
        span,
        most: most(request.limit),
    }
}

/// Posts that are read for a page of `limit`.
pub(crate) fn most(limit: usize) -> usize {
    SPARE * limit
}

/// The session after a page; `None` = there is nothing to go on from.
pub(crate) fn advance(session: Option<Session>, section: Section, outcome: &FeedOutcome) -> Option<Session> {
    let read = outcome.candidates();
    let mut places: Vec<Place> = read.map(|(post, _)| Place::of(&post.core)).collect();
    let is_all = places.len() < section.most;
    let is_whole = outcome.query.ledger.account().report.is_whole();
    if let Span::Since(read) = section.span {
        places.retain(|place| read.is_new(*place));
    }
    let (Some(first), Some(last)) = (places.iter().min(), places.iter().max()) else {
        // The end of the list; but what comes later may still be asked for.
        return session.filter(|_| !matches!(section.span, Span::From(_)) || !is_whole);
    };
    // What nobody has looked at yet is the next page's.
    let unread = outcome.reserve.first().map(|post| Place::of(&post.core));
    let next = unread.unwrap_or(last.next());
    let newest_of = |moment: UnixMillis| places.iter().filter(move |place| place.created_at == moment).max();
    let top = *newest_of(first.created_at).unwrap_or(first);
    let read = match (section.span, session) {
        // What is missing may be new; it is asked for again.
        (Span::Since(_), _) if !is_whole => return session,
        // All that is new was read: the session goes on where it was. Else there is more of it, which comes first.
        (Span::Since(read), _) if unread.is_none() && is_all => Read { top, ..read },
        // The newest moment may go on behind the page before.
        (Span::From(_), Some(Session { read, .. })) => {
            let further = newest_of(read.top.created_at).copied();
            let top = read.top.max(further.unwrap_or(read.top));
            Read { top, next }
        }
        _ => Read { top, next },
    };
    let FeedQuery { viewer, video_only, .. } = *outcome.query;
    Some(Session {
        viewer,
        video_only,
        read,
    })
}

/// Filter: of what came since only that.
struct AlreadyRead;

impl RowFilter<FeedQuery, FeedCandidate> for AlreadyRead {
    fn judge(&self, query: &FeedQuery, post: &FeedCandidate) -> Verdict {
        let is_old = query.following.is_some_and(|section| match section.span {
            Span::Since(read) => !read.is_new(Place::of(&post.core)),
            Span::Newest | Span::From(_) => false,
        });
        Verdict::remove_if(is_old, "already_read")
    }
}

/// Keeps the order of its source.
pub(crate) struct Chronological {
    pub(crate) size: usize,
}

impl Selector<FeedQuery, FeedCandidate> for Chronological {
    fn enable(&self, _: &FeedQuery) -> bool {
        false
    }

    fn score(&self, post: &FeedCandidate) -> Score {
        post.score
    }

    fn size(&self) -> usize {
        self.size
    }
}

/// What the two feeds have in common, by name: rules about what may be shown. What the other ones say is a matter of taste.
pub(crate) const KEPT: [&str; 7] = [
    "UserFeatures",
    "CoreData",
    "IneligibleSubscription",
    "MutedKeyword",
    "AuthorSocialgraph",
    "Labels",
    "Visibility",
];

/// Everything that a request for the Following feed runs through.
pub(crate) fn components(lasting: &Lasting, config: &Config) -> Components<FeedQuery, FeedCandidate> {
    let Components {
        query_hydrators,
        mut dependent_query_hydrators,
        sources: _,
        hydrators,
        mut filters,
        scorers: _,
        selector: _,
        post_hydrators,
        mut post_filters,
        arranger: _,
        side_effects,
    } = pipeline::components(lasting, config);
    dependent_query_hydrators.retain(|part| KEPT.contains(&part.name()));
    filters.retain(|part| KEPT.contains(&part.name()));
    filters.insert(0, Box::new(AlreadyRead));
    post_filters.retain(|part| KEPT.contains(&part.name()));
    let source = Following {
        shards: Arc::clone(&lasting.shards),
        timeout: config.feed.in_network.timeout,
    };
    Components {
        query_hydrators,
        dependent_query_hydrators,
        sources: vec![Box::new(source)],
        hydrators,
        filters,
        scorers: Vec::new(),
        selector: Box::new(Chronological {
            size: config.feed.top_k,
        }),
        post_hydrators,
        post_filters,
        arranger: None,
        side_effects,
    }
}

#[cfg(test)]
#[path = "following_test.rs"]
mod tests;
