//! Conditions of a query, checked next to the data: the same ones on rows of vectors and on columns.

use covey_embeddings::RowMeta;
use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId};
use covey_shared::model::Language;
use covey_shared::wire::{InvalidRequest, SearchFilter};

use super::{MAX_LIST, ShardView};
use crate::error::ShardStoreError;
use crate::memory::PostColumns;
use crate::row_tag::RowTag;

/// A filter whose lists are sorted.
pub(super) struct Filter<'a> {
    view: &'a ShardView,
    wanted: &'a SearchFilter,
    authors: Vec<UserId>,
    not_authors: Vec<UserId>,
    not_posts: Vec<PostId>,
    from: UnixMillis,
}

/// What the fixed-width conditions look at.
struct Facts {
    key: PostKey,
    created_at: UnixMillis,
    language: Language,
    has_video: bool,
    is_reply: bool,
}

impl<'a> Filter<'a> {
    /// # Errors
    /// A list longer than 10 000.
    pub(super) fn new(view: &'a ShardView, wanted: &'a SearchFilter) -> Result<Self, ShardStoreError> {
        if wanted
            .authors
            .len()
            .max(wanted.not_authors.len())
            .max(wanted.not_posts.len())
            > MAX_LIST
        {
            return Err(ShardStoreError::Invalid(InvalidRequest::TooLarge));
        }
        Ok(Filter {
            view,
            wanted,
            authors: sorted(&wanted.authors),
            not_authors: sorted(&wanted.not_authors),
            not_posts: sorted(&wanted.not_posts),
            from: wanted.created_from.unwrap_or_default().max(view.trimmed_before()),
        })
    }

    /// No post from before passes.
    pub(super) fn from(&self) -> UnixMillis {
        self.from
    }

    /// Whether the post of a vector passes.
    pub(super) fn row(&self, meta: &RowMeta) -> bool {
        let tag = RowTag(meta.tag);
        let key = PostKey {
            author: meta.author,
            post: meta.post,
        };
        let facts = Facts {
            key,
            created_at: tag.created_at(),
            language: tag.language(),
            has_video: tag.has_video(),
            is_reply: tag.is_reply(),
        };
        self.passes(&facts) && (self.wanted.without_labels == 0 || self.labels_pass(key))
    }

    /// Whether a post passes.
    pub(super) fn columns(&self, columns: &PostColumns) -> bool {
        let facts = Facts {
            key: columns.key,
            created_at: columns.created_at,
            language: columns.language,
            has_video: columns.video_ms > 0,
            is_reply: columns.is_reply,
        };
        columns.labels & self.wanted.without_labels == 0 && self.passes(&facts)
    }

    fn labels_pass(&self, key: PostKey) -> bool {
        self.view.memory.labels(key) & self.wanted.without_labels == 0
    }

    fn passes(&self, facts: &Facts) -> bool {
        let wanted = self.wanted;
        facts.created_at >= self.from
            && wanted.created_before.is_none_or(|before| facts.created_at < before)
            && wanted.language.is_none_or(|language| facts.language == language)
            && wanted.video.is_none_or(|video| facts.has_video == video)
            && !(wanted.no_replies && facts.is_reply)
            && (self.authors.is_empty() || self.authors.binary_search(&facts.key.author).is_ok())
            && self.not_authors.binary_search(&facts.key.author).is_err()
            && self.not_posts.binary_search(&facts.key.post).is_err()
            && wanted
                .not_seen
                .as_ref()
                .is_none_or(|seen| !seen.contains(facts.key.post))
    }
}

fn sorted<T: Ord + Copy>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list
}
