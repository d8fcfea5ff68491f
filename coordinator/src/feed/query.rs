//! What the pipeline knows about one request: what was asked, and what hydration adds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_env::Monotonic;
use covey_pipeline::RunContext;
use covey_shared::ids::{LogIndex, PostId, PostKey, UnixMillis, UserId};
use covey_shared::model::Language;
use covey_shared::session::SessionToken;
use covey_shared::wire::{SearchFilter, SeenBloom, ViewerState};
use tokio::sync::OnceCell;

use crate::cluster::ReadContext;
use crate::feed::following::Section;
use crate::feed::ledger::Ledger;
use crate::hydrators::user_action_sequence::SequenceEntry;
use crate::sources::lists::ListReads;

/// Longest list that a shard takes in one query.
pub(crate) const MAX_LIST: usize = 10_000;

/// Latest moment at which a read must be back, before the component that waits for it is cancelled: what came by then
/// can still be used.
const READ_MARGIN: Duration = Duration::from_millis(5);

/// The viewer's relations, ascending lists, and what the viewer does not want to read.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserFeatures {
    pub(crate) follows: Vec<UserId>,
    pub(crate) blocks: Vec<UserId>,
    pub(crate) mutes: Vec<UserId>,
    pub(crate) subscriptions: Vec<UserId>,
    /// That the viewer follows.
    pub(crate) topics: Vec<u32>,
    /// As written.
    pub(crate) muted_keywords: Vec<String>,
}

impl UserFeatures {
    pub(crate) fn follows(&self, user: UserId) -> bool {
        self.follows.binary_search(&user).is_ok()
    }

    pub(crate) fn blocks(&self, user: UserId) -> bool {
        self.blocks.binary_search(&user).is_ok()
    }

    pub(crate) fn mutes(&self, user: UserId) -> bool {
        self.mutes.binary_search(&user).is_ok()
    }

    pub(crate) fn subscribes(&self, user: UserId) -> bool {
        self.subscriptions.binary_search(&user).is_ok()
    }
}

/// What the viewer has seen and was served, as far as the cluster remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Impressions {
    pub(crate) seen: SeenBloom,
    /// Served within the suppression time.
    pub(crate) served: BTreeSet<PostId>,
}

/// One request in the pipeline.
#[derive(Clone, Debug)]
pub(crate) struct FeedQuery {
    pub(crate) viewer: UserId,
    /// Posts to look at, whichever channel would find them: for explanations.
    pub(crate) asked: Vec<PostKey>,
    /// Version of the settings that it is answered by.
    pub(crate) config: LogIndex,
    pub(crate) now: UnixMillis,
    /// Older posts are not shown; `None` = all ages.
    pub(crate) oldest: Option<UnixMillis>,
    /// Of the client; empty = not said.
    pub(crate) client_language: Language,
    /// Where the request comes from; zeros = not said.
    pub(crate) client_country: [u8; 2],
    pub(crate) in_network_only: bool,
    pub(crate) video_only: bool,
    /// Seen, says the client; newest first.
    pub(crate) seen_ids: Vec<PostId>,
    /// Served, says the client; newest first.
    pub(crate) served_ids: Vec<PostId>,
    /// The same lists for look-ups, and what the cursor remembers.
    pub(crate) known: KnownIds,
    /// Filters of what the client has shown.
    pub(crate) client_blooms: Vec<SeenBloom>,
    /// Served posts may be recorded.
    pub(crate) record: bool,
    /// It is for this part of the Following feed.
    pub(crate) following: Option<Section>,
    /// The page is the first of a session.
    pub(crate) first_page: bool,
    /// The candidates are the ranked reserve of an earlier page.
    pub(crate) resumed: bool,
    pub(crate) token: SessionToken,
    /// Collects what the reads of this request say about themselves.
    pub(crate) ledger: Arc<Ledger>,
    /// Set by the hydrator `Viewer`.
    pub(crate) state: Option<Arc<ViewerState>>,
    /// Set by the hydrator `UserFeatures`.
    pub(crate) features: Option<UserFeatures>,
    /// Set by the hydrator `UserActionSequence`; oldest first.
    pub(crate) sequence: Vec<SequenceEntry>,
    /// Set with the sequence: how often the viewer liked what an author wrote, less how often not.
    pub(crate) affinity: BTreeMap<UserId, i32>,
    /// Set by the hydrator `Impressions`.
    pub(crate) impressions: Impressions,
    /// Vectors of what the viewer liked last: read by the first source that wants them, for all.
    pub(crate) liked: Arc<OnceCell<BTreeMap<PostKey, Vec<f32>>>>,
    /// Lists that the shards keep: read by the first source that wants one, for all with the same time-out.
    pub(crate) lists: Arc<ListReads>,
}

/// Ids that the client sends, for look-ups.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownIds {
    pub(crate) seen: BTreeSet<PostId>,
    pub(crate) served: BTreeSet<PostId>,
    pub(crate) cursor: BTreeSet<PostId>,
}

impl FeedQuery {
    /// The viewer follows nobody, neither users nor topics, subscribes to nobody and has done nothing but see posts: the feed can only
    /// be what is popular, new and talked about, here or everywhere. The Following feed reads no actions, so there they do not count.
    pub(crate) fn no_history(&self) -> bool {
        let chosen = |f: &UserFeatures| !(f.follows.is_empty() && f.subscriptions.is_empty() && f.topics.is_empty());
        !self.features.as_ref().is_some_and(chosen) && self.sequence.is_empty()
    }

    /// Posts of strangers may be looked for near what the viewer liked.
    pub(crate) fn wants_what_is_near_likes(&self) -> bool {
        !self.in_network_only && self.sequence.iter().any(SequenceEntry::is_positive)
    }

    pub(crate) fn is_in_network(&self, author: UserId) -> Option<bool> {
        if author == self.viewer {
            return Some(true);
        }
        self.features.as_ref().map(|features| features.follows(author))
    }

    /// What the client says, or else the viewer's profile; `None` = not known.
    pub(crate) fn language(&self) -> Option<Language> {
        let profile = self.state.as_ref().map(|state| state.profile.language);
        let said = [Some(self.client_language), profile];
        said.into_iter()
            .flatten()
            .find(|language| *language != Language::default())
    }

    /// What the client says, or else the viewer's profile; `None` = not known.
    pub(crate) fn country(&self) -> Option<[u8; 2]> {
        let profile = self.state.as_ref().map(|state| state.profile.country);
        let said = [Some(self.client_country), profile];
        said.into_iter().flatten().find(|country| *country != [0; 2])
    }

    /// The viewer may read what the author writes for subscribers; `None` = not known.
    pub(crate) fn may_read(&self, author: UserId) -> Option<bool> {
        if author == self.viewer {
            return Some(true);
        }
        self.features.as_ref().map(|features| features.subscribes(author))
    }

    /// Conditions for a read that ends with the component.
    pub(crate) fn read_context(&self, run: &RunContext) -> ReadContext {
        self.read_within(run, Duration::MAX)
    }

    /// The same with at most `most` of the component's time.
    pub(crate) fn read_within(&self, run: &RunContext, most: Duration) -> ReadContext {
        let left = run.time_left();
        let margin = READ_MARGIN.min(left / 10);
        let deadline = run.now().saturating_add((left - margin).min(most));
        ReadContext::query(Monotonic(deadline), self.token.clone())
    }

    /// Ids that no source needs to return, newest first; what is over the limit of a shard is left out, and said so.
    pub(crate) fn exclude(&self, components: &[&'static str]) -> Vec<PostId> {
        let all = [&self.seen_ids, &self.served_ids].into_iter().flatten().copied();
        let mut ids: Vec<PostId> = self.known.cursor.iter().copied().chain(all).collect();
        self.ledger.cut(components, "exclude_list_cut", &mut ids, MAX_LIST);
        ids
    }

    /// Conditions that are checked next to the data instead of after it, for a read of these components.
    pub(crate) fn pushed_down(&self, components: &[&'static str]) -> SearchFilter {
        let mut not_authors = vec![self.viewer];
        if let Some(features) = &self.features {
            not_authors.extend(&features.blocks);
            not_authors.extend(&features.mutes);
        }
        self.ledger
            .cut(components, "blocked_list_cut", &mut not_authors, MAX_LIST);
        SearchFilter {
            not_authors,
            not_posts: self.exclude(components),
            created_from: self.oldest,
            video: self.video_only.then_some(true),
            without_labels: covey_shared::model::labels::TAKEDOWN,
            not_seen: (self.impressions.seen.hashes > 0).then(|| self.impressions.seen.clone()),
            // Out of its conversation a stranger's reply says little.
            no_replies: true,
            ..SearchFilter::default()
        }
    }
}
