//! Reads by key: what the owners of posts and users know of them.

use covey_shared::ids::{PostKey, UserId};
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::wire::{
    AuthorInfo, AuthorsQuery, Candidate, CandidatesQuery, GetPostsQuery, PostView, ReplyBody, RequestBody, ShardRead,
    TextMatch, TextQuery, Verdict, VerdictQuery,
};

use crate::cluster::Cluster;
use crate::cluster::reads::{ReadError, VerdictAsk, opener};
use crate::cluster::report::{Gathered, ReadContext};

impl Cluster {
    /// What the owners of `ask.keys` say about them, by key. A post without a verdict must not be shown.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn verdicts(&self, ask: VerdictAsk, context: &ReadContext) -> Result<Gathered<Vec<Verdict>>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            let ranges = self.ranges(&shards);
            RequestBody::Verdicts(VerdictQuery {
                shards,
                viewer: ask.viewer,
                keys: owned(&ask.keys, &ranges, |key| key.author),
                with_posts: ask.with_posts,
            })
        };
        let shards = self.shards_of(ask.keys.iter().map(|key| key.author));
        let slot = |v: &Verdict| Slot::of(v.key.author);
        let found = self.rows(shards, &body, opener!(Verdicts), slot, context).await?;
        Ok(found.map(|mut verdicts| {
            verdicts.sort_by_key(|v| v.key);
            verdicts
        }))
    }

    /// Which of some posts hold one of `phrases`, by key. A post without an answer may.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn match_texts(
        &self,
        keys: &[PostKey],
        phrases: &[String],
        context: &ReadContext,
    ) -> Result<Gathered<Vec<TextMatch>>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            let ranges = self.ranges(&shards);
            RequestBody::MatchTexts(TextQuery {
                shards,
                keys: owned(keys, &ranges, |key| key.author),
                phrases: phrases.to_vec(),
            })
        };
        let shards = self.shards_of(keys.iter().map(|key| key.author));
        let slot = |found: &TextMatch| Slot::of(found.key.author);
        let found = self.rows(shards, &body, opener!(MatchTexts), slot, context).await?;
        Ok(found.map(|mut texts| {
            texts.sort_by_key(|found| found.key);
            texts
        }))
    }

    /// Names and follower counts, by user. Users whom nobody knows are left out.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn authors(
        &self,
        authors: &[UserId],
        context: &ReadContext,
    ) -> Result<Gathered<Vec<AuthorInfo>>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            let ranges = self.ranges(&shards);
            RequestBody::Authors(AuthorsQuery {
                shards,
                authors: owned(authors, &ranges, |author| *author),
            })
        };
        let shards = self.shards_of(authors.iter().copied());
        let slot = |a: &AuthorInfo| Slot::of(a.user);
        let found = self.rows(shards, &body, opener!(Authors), slot, context).await?;
        Ok(found.map(|mut authors| {
            authors.sort_by_key(|a| a.user);
            authors
        }))
    }

    /// Fixed-width fields of posts, by key, scored 0. What is missing does not exist, as far as the report says that its
    /// slot answered.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn candidates(
        &self,
        keys: &[PostKey],
        context: &ReadContext,
    ) -> Result<Gathered<Vec<Candidate>>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            let ranges = self.ranges(&shards);
            RequestBody::Candidates(CandidatesQuery {
                shards,
                keys: owned(keys, &ranges, |key| key.author),
            })
        };
        let shards = self.shards_of(keys.iter().map(|key| key.author));
        let slot = |c: &Candidate| Slot::of(c.key.author);
        let found = self.rows(shards, &body, opener!(Candidates), slot, context).await?;
        Ok(found.map(|mut posts| {
            posts.sort_by_key(|post| post.key);
            posts
        }))
    }

    /// Posts by key, by key. With an author of 0 all shards are asked. What is missing does not exist, as far as the
    /// report says that its slot answered.
    ///
    /// # Errors
    /// No shard answered.
    pub async fn get_posts(
        &self,
        keys: &[PostKey],
        with_vectors: bool,
        context: &ReadContext,
    ) -> Result<Gathered<Vec<PostView>>, ReadError> {
        let body = |shards: Vec<ShardRead>| {
            let ranges = self.ranges(&shards);
            let here = |key: &&PostKey| key.author == UserId(0) || ranges.contains_slot(Slot::of(key.author));
            let keys = keys.iter().filter(here).copied().collect();
            RequestBody::GetPosts(GetPostsQuery {
                shards,
                keys,
                with_vectors,
            })
        };
        let shards = self.shards_of_posts(keys);
        let slot = |view: &PostView| Slot::of(view.post.author());
        let found = self.rows(shards, &body, opener!(GetPosts), slot, context).await?;
        Ok(found.map(|mut views| {
            views.sort_by_key(|view| view.post.key);
            views
        }))
    }

    pub(super) fn ranges(&self, shards: &[ShardRead]) -> Vec<SlotRange> {
        let map = self.map.load();
        shards.iter().filter_map(|read| map.slots(read.shard)).collect()
    }
}

trait Ranges {
    fn contains_slot(&self, slot: Slot) -> bool;
}

impl Ranges for Vec<SlotRange> {
    fn contains_slot(&self, slot: Slot) -> bool {
        self.iter().any(|range| range.contains(slot))
    }
}

pub(super) fn owned<T: Clone>(items: &[T], ranges: &Vec<SlotRange>, user: impl Fn(&T) -> UserId) -> Vec<T> {
    let here = |item: &&T| ranges.contains_slot(Slot::of(user(item)));
    items.iter().filter(here).cloned().collect()
}
