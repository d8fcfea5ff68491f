//! Names and follower counts.

use covey_shared::slots::Slot;
use covey_shared::wire::{AuthorInfo, AuthorsQuery, InvalidRequest};

use super::{MAX_KEYS, Read, ShardView};
use crate::error::ShardStoreError;

impl ShardView {
    /// One entry per author of this shard, in the order of the query.
    ///
    /// # Errors
    /// More than 4096 authors; a failed store.
    pub fn authors(&self, query: &AuthorsQuery) -> Result<Read<Vec<AuthorInfo>>, ShardStoreError> {
        if query.authors.len() > MAX_KEYS {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let slots = self.slots();
        let own = query
            .authors
            .iter()
            .copied()
            .filter(|author| slots.contains(Slot::of(*author)));
        let infos = own.map(|user| {
            let followers = self.memory.timelines.followers(user);
            Ok(AuthorInfo {
                user,
                screen_name: self.screen_name(user)?,
                followers,
            })
        });
        let infos = infos.collect::<Result<Vec<_>, ShardStoreError>>()?;
        let visited = infos.len() as u64;
        Ok(Read::complete(infos, visited))
    }
}
