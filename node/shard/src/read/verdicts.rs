//! What the owner of a post says about it: the last word before it is shown.

use std::collections::BTreeMap;

use covey_shared::ids::{PostKey, UserId};
use covey_shared::model::EdgeKind;
use covey_shared::wire::{InvalidRequest, Verdict, VerdictQuery};

use super::{MAX_KEYS, Read, ShardView};
use crate::error::ShardStoreError;
use crate::keys::Kind;
use crate::records::{StoredEdge, StoredProfile};

/// What is asked of an author once per query.
#[derive(Clone)]
struct AuthorFacts {
    blocks_viewer: bool,
    screen_name: String,
}

impl ShardView {
    /// One verdict per key of this shard, in the order of the keys. A key without an author gets one only if the post is
    /// here.
    ///
    /// # Errors
    /// More than 4096 keys; a failed store.
    pub fn verdicts(&self, query: &VerdictQuery) -> Result<Read<Vec<Verdict>>, ShardStoreError> {
        if query.keys.len() > MAX_KEYS {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let mut authors = BTreeMap::new();
        let mut verdicts = Vec::with_capacity(query.keys.len());
        for key in self.own_keys(&query.keys) {
            let facts = match authors.get(&key.author) {
                Some(facts) => AuthorFacts::clone(facts),
                None => {
                    let facts = self.author_facts(key.author, query.viewer)?;
                    authors.insert(key.author, facts.clone());
                    facts
                }
            };
            verdicts.push(self.verdict(key, facts, query.with_posts)?);
        }
        let visited = verdicts.len() as u64;
        Ok(Read::complete(verdicts, visited))
    }

    fn verdict(&self, key: PostKey, facts: AuthorFacts, with_post: bool) -> Result<Verdict, ShardStoreError> {
        let row = self.columns(key);
        let post = if with_post && row.is_some() {
            self.post(key)?
        } else {
            None
        };
        Ok(Verdict {
            key,
            // Deleted between the two looks: it does not exist.
            exists: row.is_some() && (post.is_some() || !with_post),
            labels: row.map_or(0, |row| row.labels),
            author_blocks_viewer: facts.blocks_viewer,
            post: post.map(|view| view.post),
            screen_name: facts.screen_name,
        })
    }

    fn author_facts(&self, author: UserId, viewer: UserId) -> Result<AuthorFacts, ShardStoreError> {
        let keys = &self.db.keys;
        let edge: Option<StoredEdge> = self.db.read(&keys.edge(author, EdgeKind::Block, viewer))?;
        Ok(AuthorFacts {
            blocks_viewer: edge.is_some_and(|edge| edge.on),
            screen_name: self.screen_name(author)?,
        })
    }

    pub(super) fn screen_name(&self, user: UserId) -> Result<String, ShardStoreError> {
        let profile: Option<StoredProfile> = self.db.read(&self.db.keys.of_user(Kind::Profile, user))?;
        Ok(profile.map(|stored| stored.profile.screen_name).unwrap_or_default())
    }
}
