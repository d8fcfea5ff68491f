//! Everything kept about one viewer.

use covey_shared::ids::{PostId, UserId};
use covey_shared::slots::Slot;
use covey_shared::wire::{ViewerAction, ViewerQuery, ViewerState};

use super::{Read, ShardView};
use crate::bloom;
use crate::error::ShardStoreError;
use crate::keys::{EDGE_KINDS, Kind, PREFIX, number, prefix_end};
use crate::records::{StoredEdge, StoredKeywords, StoredProfile, UserState};

/// Most actions that are returned.
const MAX_ACTIONS: u32 = 4096;

impl ShardView {
    /// The viewer's lists, keywords, newest actions (oldest first), served posts (ascending, each once) and impressions.
    /// A viewer of whom nothing is kept gets an empty state, not an error.
    ///
    /// # Errors
    /// A viewer of another shard; a failed store.
    pub fn viewer(&self, query: &ViewerQuery) -> Result<Read<ViewerState>, ShardStoreError> {
        let viewer = query.viewer;
        if !self.slots().contains(Slot::of(viewer)) {
            return Err(ShardStoreError::StaleEpoch { current: self.epoch() });
        }
        let keys = &self.db.keys;
        let user: UserState = self.db.read(&keys.of_user(Kind::User, viewer))?.unwrap_or_default();
        let profile: Option<StoredProfile> = self.db.read(&keys.of_user(Kind::Profile, viewer))?;
        let muted: Option<StoredKeywords> = self.db.read(&keys.of_user(Kind::Keywords, viewer))?;
        let [follows, blocks, mutes, subscriptions, topics] = self.edges(viewer)?;
        let state = ViewerState {
            known: user.known,
            profile: profile.unwrap_or_default().profile,
            follows,
            blocks,
            mutes,
            subscriptions,
            topics: topics
                .into_iter()
                .filter_map(|topic| u32::try_from(topic.0).ok())
                .collect(),
            muted_keywords: muted.unwrap_or_default().keywords,
            actions: self.actions(viewer, query.max_actions.min(MAX_ACTIONS))?,
            served: self.served(query)?,
            seen: bloom::load(&self.db, &self.options.impressions, viewer)?,
        };
        let lists = [&state.follows, &state.blocks, &state.mutes, &state.subscriptions];
        let lists = lists.map(|list| list.len()).iter().sum::<usize>() + state.topics.len();
        let visited = lists + state.actions.len() + state.served.len();
        Ok(Read::complete(state, visited as u64))
    }

    /// Targets of the edges that are on, of each kind in the order of [`EdgeKind::ALL`].
    ///
    /// [`EdgeKind::ALL`]: covey_shared::model::EdgeKind::ALL
    fn edges(&self, user: UserId) -> Result<[Vec<UserId>; EDGE_KINDS], ShardStoreError> {
        let prefix = self.db.keys.of_user(Kind::Edge, user);
        let mut targets = [const { Vec::new() }; EDGE_KINDS];
        self.db.scan(&prefix, &prefix_end(&prefix), |key, value| {
            let edge: StoredEdge = self.db.decode(key, value)?;
            let of_kind = key.get(PREFIX + 8).and_then(|kind| targets.get_mut(usize::from(*kind)));
            if let (Some(targets), true) = (of_kind, edge.on) {
                targets.push(UserId(number(key, 9)));
            }
            Ok(true)
        })?;
        Ok(targets)
    }

    /// The newest `most`, oldest first.
    fn actions(&self, viewer: UserId, most: u32) -> Result<Vec<ViewerAction>, ShardStoreError> {
        let mut actions: Vec<ViewerAction> = Vec::new();
        if most == 0 {
            return Ok(actions);
        }
        let prefix = self.db.keys.of_user(Kind::Action, viewer);
        self.db.scan(&prefix, &prefix_end(&prefix), |key, value| {
            actions.push(self.db.decode(key, value)?);
            Ok(true)
        })?;
        // They come in as clients send them; a stable sort keeps that order within one moment.
        actions.sort_by_key(|action| action.at);
        actions.drain(..actions.len().saturating_sub(most as usize));
        Ok(actions)
    }

    fn served(&self, query: &ViewerQuery) -> Result<Vec<PostId>, ShardStoreError> {
        let keys = &self.db.keys;
        let start = keys.of_user_number(Kind::Served, query.viewer, query.served_since.0);
        let mut served = std::collections::BTreeSet::new();
        self.db.scan(
            &start,
            &prefix_end(&keys.of_user(Kind::Served, query.viewer)),
            |key, value| {
                served.extend(self.db.decode::<Vec<PostId>>(key, value)?);
                Ok(true)
            },
        )?;
        Ok(served.into_iter().collect())
    }
}
