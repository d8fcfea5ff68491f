//! Nearest neighbours in the content space.

use covey_embeddings::{Found, SearchRequest};
use covey_shared::score::{Hit, merge_top_k};
use covey_shared::wire::{InvalidRequest, SearchQuery};

use super::filter::Filter;
use super::{Read, ShardView};
use crate::error::ShardStoreError;

/// Most hits of one shard.
const MAX_K: usize = 1000;
/// Most vectors of one query.
const MAX_VECTORS: usize = 8;

impl ShardView {
    /// The nearest posts to any of the query's vectors, best first, one hit per post. Posts without a vector are not found;
    /// reposts are found through their original.
    ///
    /// # Errors
    /// A query for another space or epoch, with a bad vector, or beyond a limit; a failed index.
    pub fn search(&self, query: &SearchQuery, cancelled: &dyn Fn() -> bool) -> Result<Read<Vec<Hit>>, ShardStoreError> {
        self.check_search(query)?;
        let filter = Filter::new(self, &query.filter)?;
        let keep = |meta: &_| filter.row(meta);
        let k = query.k as usize;
        let request = SearchRequest {
            k,
            exact: query.exact,
            recall_target: (query.recall_target > 0.0).then_some(f64::from(query.recall_target)),
            kk: None,
            keep: Some(&keep),
            slots: Some(self.slots()),
            cancelled,
        };
        let view = self.reader.view();
        let mut read = Read::<Vec<Hit>>::default();
        for vector in &query.vectors {
            let outcome = view.search(vector, &request).map_err(ShardStoreError::Search)?;
            read.visited += outcome.rows_scanned;
            read.partial |= outcome.partial;
            read.damaged = read.damaged.max(outcome.damaged);
            read.value.extend(outcome.hits.iter().map(Found::hit));
        }
        read.value = merge_top_k(read.value, k);
        Ok(read)
    }

    fn check_search(&self, query: &SearchQuery) -> Result<(), ShardStoreError> {
        let invalid = if query.space != self.content.name {
            InvalidRequest::UnknownSpace
        } else if query.model_epoch != self.content.model_epoch {
            InvalidRequest::WrongModelEpoch
        } else if query.vectors.iter().any(|v| v.len() != self.content.dim) {
            InvalidRequest::WrongDimension
        } else if query
            .vectors
            .iter()
            .any(|v| v.iter().any(|x| !x.is_finite()) || v.iter().all(|x| *x == 0.0))
        {
            InvalidRequest::BadVector
        } else if !(1..=MAX_K).contains(&(query.k as usize)) || !(1..=MAX_VECTORS).contains(&query.vectors.len()) {
            InvalidRequest::TooLarge
        } else {
            return Ok(());
        };
        Err(ShardStoreError::Invalid(invalid))
    }
}
