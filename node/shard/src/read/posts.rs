//! Posts by key.

use covey_shared::ids::PostKey;
use covey_shared::model::{F16Vector, Post};
use covey_shared::wire::{GetPostsQuery, InvalidRequest, PostView};

use super::{MAX_LIST, Read, ShardView};
use crate::error::ShardStoreError;

impl ShardView {
    /// The posts among the keys that are here, in the order of the keys; what is missing does not exist. Labels are those
    /// of the last label write, if there was one.
    ///
    /// # Errors
    /// More than 10 000 keys; a failed store.
    pub fn get_posts(&self, query: &GetPostsQuery) -> Result<Read<Vec<PostView>>, ShardStoreError> {
        if query.keys.len() > MAX_LIST {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let keys = self.own_keys(&query.keys);
        let visited = keys.len() as u64;
        let mut posts = Vec::new();
        for key in keys {
            let Some(mut view) = self.post(key)? else { continue };
            if query.with_vectors {
                view.post.vector = self.vector(key);
            }
            posts.push(view);
        }
        Ok(Read::complete(posts, visited))
    }

    /// A live post, without its vector.
    pub(super) fn post(&self, key: PostKey) -> Result<Option<PostView>, ShardStoreError> {
        let Some(columns) = self.columns(key) else {
            return Ok(None);
        };
        let post = self.db.post(key)?;
        Ok(post.map(|post| PostView {
            post: Post {
                labels: columns.labels,
                ..post
            },
            counters: columns.counters,
        }))
    }

    /// The post's vector as it was stored; empty without one.
    pub(super) fn vector(&self, key: PostKey) -> F16Vector {
        let row = self
            .reader
            .vector(key.post)
            .filter(|(meta, _)| meta.author == key.author);
        let bytes = |(_, row): (_, Vec<half::f16>)| {
            row.iter()
                .take(self.content.dim)
                .flat_map(|x| x.to_le_bytes())
                .collect()
        };
        F16Vector(row.map(bytes).unwrap_or_default())
    }
}
