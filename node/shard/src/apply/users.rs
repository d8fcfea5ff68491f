//! Profiles, edges and muted keywords. Each part is an upsert by version of its own.

use std::collections::BTreeMap;

use covey_shared::command::{Effect, ItemResult, RejectReason};
use covey_shared::ids::UserId;
use covey_shared::model::{EdgeKind, EdgeUpdate, UserUpdate};

use super::{Group, ItemOutcome};
use crate::error::ShardStoreError;
use crate::keys::{EDGE_KINDS, Kind, edge_index};
use crate::records::{StoredEdge, StoredKeywords, StoredProfile, UserState};

/// Longest handle, in bytes.
const MAX_SCREEN_NAME: usize = 256;

/// An edge that changes: kind, target, on, whether it was on before.
type EdgeChange = (EdgeKind, UserId, bool, bool);

impl Group<'_> {
    pub(crate) fn put_user(&mut self, update: &UserUpdate) -> ItemOutcome {
        if let Some(refused) = self.refused(&[update.user.0], update.user) {
            return Ok(refused);
        }
        if let Some(reason) = self.check_user(update) {
            return Ok(ItemResult::Rejected(reason));
        }
        let mut state = self.user_state(update.user)?;
        let (edges, superseded_edges) = self.newer_edges(update)?;
        if self.beyond_limits(&state, &edges) {
            return Ok(ItemResult::Rejected(RejectReason::TooLarge));
        }
        let parts = usize::from(update.profile.is_some()) + usize::from(update.muted_keywords.is_some());
        let superseded = superseded_edges + self.put_profile(update)? + self.put_keywords(update)?;
        self.know(&mut state);
        for (kind, _, on, was_on) in &edges {
            let count = &mut state.edges[edge_index(*kind)];
            *count = count.saturating_add_signed(i32::from(*on) - i32::from(*was_on));
        }
        self.write_user_state(update.user, &state)?;
        for (kind, target, on, was_on) in edges {
            let stored = StoredEdge {
                version: update.version,
                on,
            };
            self.txn.write(self.keys.edge(update.user, kind, target), &stored)?;
            if kind == EdgeKind::Follow && on != was_on {
                let delta = if on { 1 } else { -1 };
                self.emit(update.user, Effect::CountFollower { user: target, delta })?;
            }
        }
        let all = parts + update.edges.len();
        Ok(if all > 0 && superseded == all {
            ItemResult::Superseded
        } else {
            ItemResult::Ok
        })
    }

    fn check_user(&self, update: &UserUpdate) -> Option<RejectReason> {
        let limits = &self.options.limits;
        if update.edges.iter().any(|e| e.target.0 == 0) {
            return Some(RejectReason::ZeroId);
        }
        let is_topic = |e: &&EdgeUpdate| e.kind == EdgeKind::Topic;
        if update.edges.iter().any(|e| !is_topic(&e) && e.target == update.user) {
            return Some(RejectReason::SelfEdge);
        }
        let mut topics = update.edges.iter().filter(is_topic);
        if topics.any(|e| u32::try_from(e.target.0).is_err()) {
            return Some(RejectReason::TooLarge);
        }
        let keywords = update.muted_keywords.as_deref().unwrap_or_default();
        let name = update.profile.as_ref().map_or(0, |p| p.screen_name.len());
        let too_large = keywords.len() > limits.keywords
            || keywords.iter().any(|k| k.len() > limits.keyword_bytes)
            || name > MAX_SCREEN_NAME;
        too_large.then_some(RejectReason::TooLarge)
    }

    /// The edges of the update that are newer than what is stored, and how many are older. Of two updates of one edge the
    /// first counts: they have one version.
    fn newer_edges(&self, update: &UserUpdate) -> Result<(Vec<EdgeChange>, usize), ShardStoreError> {
        let mut wanted = BTreeMap::new();
        for edge in &update.edges {
            wanted.entry((edge.kind, edge.target)).or_insert(edge.on);
        }
        let (mut newer, mut superseded) = (Vec::new(), 0);
        for ((kind, target), on) in wanted {
            let there: Option<StoredEdge> = self.txn.read(&self.keys.edge(update.user, kind, target))?;
            match there {
                Some(there) if there.version > update.version => superseded += 1,
                Some(there) if there.version == update.version => {}
                there => newer.push((kind, target, on, there.is_some_and(|there| there.on))),
            }
        }
        Ok((newer, superseded))
    }

    fn beyond_limits(&self, state: &UserState, edges: &[EdgeChange]) -> bool {
        let limits = &self.options.limits;
        let mut after = state.edges.map(i64::from);
        for (kind, _, on, was_on) in edges {
            after[edge_index(*kind)] += i64::from(*on) - i64::from(*was_on);
        }
        let most = [
            limits.follows,
            limits.blocks,
            limits.blocks,
            limits.follows,
            limits.topics,
        ];
        // A list that a lowered limit left too long may still shrink.
        (0..EDGE_KINDS).any(|kind| after[kind] > i64::from(most[kind]) && after[kind] > i64::from(state.edges[kind]))
    }

    /// 1 if there is a newer profile, else 0.
    fn put_profile(&mut self, update: &UserUpdate) -> Result<usize, ShardStoreError> {
        let Some(profile) = &update.profile else { return Ok(0) };
        let key = self.keys.of_user(Kind::Profile, update.user);
        match self.txn.read::<StoredProfile>(&key)? {
            Some(there) if there.version > update.version => return Ok(1),
            Some(there) if there.version == update.version => {}
            _ => self.txn.write(
                key,
                &StoredProfile {
                    version: update.version,
                    profile: profile.clone(),
                },
            )?,
        }
        Ok(0)
    }

    /// 1 if there is a newer list, else 0.
    fn put_keywords(&mut self, update: &UserUpdate) -> Result<usize, ShardStoreError> {
        let Some(keywords) = &update.muted_keywords else {
            return Ok(0);
        };
        let key = self.keys.of_user(Kind::Keywords, update.user);
        match self.txn.read::<StoredKeywords>(&key)? {
            Some(there) if there.version > update.version => return Ok(1),
            Some(there) if there.version == update.version => {}
            _ => self.txn.write(
                key,
                &StoredKeywords {
                    version: update.version,
                    keywords: keywords.clone(),
                },
            )?,
        }
        Ok(0)
    }
}
