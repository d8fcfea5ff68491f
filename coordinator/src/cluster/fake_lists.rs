//! Lists of posts as the shards of tests rank them.

use covey_shared::model::Post;
use covey_shared::score::Ranked;
use covey_shared::wire::{Candidate, RankedBy, RankedPost};

use crate::feed::testing::core;

/// The first `most` of these posts.
pub(crate) fn listed(by: RankedBy, most: u32, posts: impl Iterator<Item = Post>) -> Vec<RankedPost> {
    let mut list: Vec<RankedPost> = posts.map(|post| ranked(by, &post)).collect();
    list.sort_by_key(RankedPost::place);
    list.truncate(most as usize);
    list
}

pub(crate) fn ranked(by: RankedBy, post: &Post) -> RankedPost {
    let rank = match by {
        RankedBy::Popularity | RankedBy::Activity => post.vector.to_f32()[0] as i64,
        RankedBy::Newest => post.created_at.0 as i64,
    };
    RankedPost {
        rank,
        post: Candidate {
            created_at: post.created_at,
            ..core(post.key.author.0, post.key.post.0)
        },
    }
}
