//! What the texts of posts say, looked at next to them.

use covey_shared::ids::PostKey;
use covey_shared::text::Phrases;
use covey_shared::wire::{InvalidRequest, TextMatch, TextQuery};

use super::{MAX_LIST, Read, ShardView};
use crate::error::ShardStoreError;

impl ShardView {
    /// One answer per key of this shard, in the order of the keys; fewer when it is cancelled. A post that does not exist holds nothing.
    ///
    /// # Errors
    /// More than 10 000 keys or phrases; a failed store.
    pub fn match_texts(
        &self,
        query: &TextQuery,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Read<Vec<TextMatch>>, ShardStoreError> {
        if query.keys.len().max(query.phrases.len()) > MAX_LIST {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        let phrases = Phrases::new(&query.phrases);
        let keys = self.own_keys(&query.keys);
        let mut read = Read::<Vec<TextMatch>>::default();
        for key in keys {
            // Some texts are long.
            if cancelled() {
                read.partial = true;
                break;
            }
            read.value.push(self.match_text(key, &phrases)?);
        }
        read.visited = read.value.len() as u64;
        Ok(read)
    }

    fn match_text(&self, key: PostKey, phrases: &Phrases) -> Result<TextMatch, ShardStoreError> {
        let found = self.post(key)?.and_then(|view| phrases.find_in(&view.post.text));
        Ok(TextMatch {
            key,
            phrase: found.and_then(|which| u32::try_from(which).ok()),
        })
    }
}

#[cfg(test)]
#[path = "texts_test.rs"]
mod tests;
