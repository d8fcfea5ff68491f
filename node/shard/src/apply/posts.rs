//! Puts, deletes and labels of posts.

use covey_ann::encode_row;
use covey_embeddings::RowMeta;
use covey_shared::command::{Effect, ItemResult, LabelUpdate, PostDelete, RejectReason};
use covey_shared::ids::UserId;
use covey_shared::model::{ActionKind, Post};
use covey_shared::slots::Slot;
use half::f16;

use super::{Change, Group, ItemOutcome};
use crate::error::ShardStoreError;
use crate::keys::Kind;
use crate::memory::PostColumns;
use crate::records::{PendingRow, PostState, StoredProfile};
use crate::row_tag::RowTag;

impl Group<'_> {
    /// An upsert: the higher version wins, an equal one is the same write again.
    pub(crate) fn put_post(&mut self, post: &Post) -> ItemOutcome {
        if let Some(refused) = self.refused(&[post.key.author.0, post.key.post.0], post.author()) {
            return Ok(refused);
        }
        let row = match self.check_post(post) {
            Ok(row) => row,
            Err(reason) => return Ok(ItemResult::Rejected(reason)),
        };
        let mut state = self.post_state(post.key)?;
        if state.deleted.is_some_and(|deleted| deleted >= post.version) {
            return Ok(ItemResult::Superseded);
        }
        match state.version {
            Some(there) if there == post.version => return Ok(ItemResult::Ok),
            Some(there) if there > post.version => return Ok(ItemResult::Superseded),
            _ => {}
        }
        // An edit, or a post that comes back after a delete, was counted before.
        let first = state.version.is_none() && state.deleted.is_none();
        // Only lists are by country, and replies are in none.
        if first && post.reply_to.is_none() {
            state.country = self.country_of(post.author())?;
        }
        state.version = Some(post.version);
        state.deleted = None;
        state.created_at = post.created_at;
        self.write_post_state(post.key, &state)?;
        self.expiry.push(post.created_at, post.key);
        let body = Post {
            vector: Default::default(),
            ..post.clone()
        };
        self.txn.write(self.keys.of_post(Kind::Post, post.key), &body)?;
        let columns = PostColumns::new(post, &state);
        let tag = RowTag::of(&columns);
        self.changes.push(Change::Put(Box::new(columns)));
        self.put_vector(post, tag, row)?;
        if first {
            self.count_references(post)?;
        }
        Ok(ItemResult::Ok)
    }

    fn country_of(&self, author: UserId) -> Result<[u8; 2], ShardStoreError> {
        let profile: Option<StoredProfile> = self.txn.read(&self.keys.of_user(Kind::Profile, author))?;
        Ok(profile.unwrap_or_default().profile.country)
    }

    fn put_vector(&mut self, post: &Post, tag: RowTag, row: Option<Vec<f16>>) -> Result<(), ShardStoreError> {
        let key = self.keys.of_post(Kind::PendingRow, post.key);
        let Some(row) = row else {
            self.txn.delete(key);
            self.changes.push(Change::NoVector(post.key));
            return Ok(());
        };
        let pending = PendingRow {
            model_epoch: self.content.model_epoch,
            version: post.version,
            tag: tag.0,
            vector: post.vector.clone(),
        };
        self.txn.write(key, &pending)?;
        let meta = RowMeta {
            post: post.key.post,
            author: post.key.author,
            version: post.version,
            tag: tag.0,
            slot: Slot::of(post.key.author),
        };
        self.changes.push(Change::Vector(meta, row));
        Ok(())
    }

    /// A reply, repost or quote is an action on the post that it refers to.
    fn count_references(&mut self, post: &Post) -> Result<(), ShardStoreError> {
        let references = [
            (post.reply_to, ActionKind::Reply),
            (post.repost_of, ActionKind::Repost),
            (post.quote_of, ActionKind::Quote),
        ];
        for (reference, kind) in references {
            let Some(reference) = reference else { continue };
            let effect = Effect::CountAction {
                key: reference.key,
                kind: kind.index() as u8,
                at: self.past(post.created_at),
            };
            self.emit(post.author(), effect)?;
        }
        Ok(())
    }

    /// Why the post can never be accepted, or else its row.
    fn check_post(&self, post: &Post) -> Result<Option<Vec<f16>>, RejectReason> {
        let limits = &self.options.limits;
        let references = [post.reply_to, post.repost_of, post.quote_of];
        if references
            .iter()
            .flatten()
            .any(|r| r.key.author.0 == 0 || r.key.post.0 == 0)
        {
            return Err(RejectReason::ZeroId);
        }
        if post.text.len() > limits.text_bytes
            || post.media.len() > limits.media
            || post.media.iter().any(|m| m.url.len() > limits.media_url_bytes)
        {
            return Err(RejectReason::TooLarge);
        }
        if post.text.is_empty() && post.media.is_empty() && post.repost_of.is_none() {
            return Err(RejectReason::Empty);
        }
        // Judged by what was trimmed, not by log time: one leader with a clock far ahead must not refuse all posts.
        if post.created_at < self.applied.trimmed_before {
            return Err(RejectReason::Expired);
        }
        if post.vector.0.is_empty() {
            return Ok(None);
        }
        if post.vector.0.len() != self.content.dim * 2 {
            return Err(RejectReason::WrongDimension);
        }
        let row = encode_row(self.content.metric, self.content.dim, &post.vector.to_f32());
        row.map(Some).map_err(|_| RejectReason::BadVector)
    }

    /// A versioned tombstone: puts up to its version are dead.
    pub(crate) fn delete_post(&mut self, delete: &PostDelete) -> ItemOutcome {
        let key = delete.key;
        if let Some(refused) = self.refused(&[key.author.0, key.post.0], key.author) {
            return Ok(refused);
        }
        let state = self.post_state(key)?;
        if state.deleted == Some(delete.version) {
            return Ok(ItemResult::Ok);
        }
        let newer = |there: Option<_>| there.is_some_and(|there| there > delete.version);
        if newer(state.deleted) || newer(state.version) {
            return Ok(ItemResult::Superseded);
        }
        let touched = self.applied.log_time;
        let tombstone = PostState {
            deleted: Some(delete.version),
            labels: state.labels,
            touched,
            country: state.country,
            ..PostState::default()
        };
        self.write_post_state(key, &tombstone)?;
        self.expiry.push(touched, key);
        self.txn.delete(self.keys.of_post(Kind::Post, key));
        self.txn.delete(self.keys.of_post(Kind::PendingRow, key));
        self.changes.push(Change::Deleted(key));
        Ok(ItemResult::Ok)
    }

    /// Labels have versions of their own, and stand above what a later edit of the post says.
    pub(crate) fn set_labels(&mut self, update: &LabelUpdate) -> ItemOutcome {
        let key = update.key;
        if let Some(refused) = self.refused(&[key.author.0, key.post.0], key.author) {
            return Ok(refused);
        }
        let mut state = self.post_state(key)?;
        match state.labels {
            Some((there, _)) if there == update.version => return Ok(ItemResult::Ok),
            Some((there, _)) if there > update.version => return Ok(ItemResult::Superseded),
            _ => {}
        }
        state.labels = Some((update.version, update.labels));
        state.touched = self.applied.log_time;
        self.write_post_state(key, &state)?;
        if state.version.is_none() {
            self.expiry.push(state.touched, key);
        }
        self.changes.push(Change::Labels(key, update.labels));
        Ok(ItemResult::Ok)
    }
}
