//! In-network reads against a naive reading of the rules.

use std::collections::BTreeMap;

use covey_shared::command::{ItemResult, ShardCommand};
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::wire::{InNetworkQuery, Place};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::fixture::*;
use crate::random_log::{USERS, random_post};

/// The in-network rules of docs/feed.md, over all posts, without any of the structures.
fn naive(posts: &BTreeMap<PostKey, Post>, deleted: &[PostKey], query: &InNetworkQuery) -> Vec<PostKey> {
    let limits = options(1, HALF).in_network;
    let mut found = Vec::new();
    for author in &query.authors {
        let lists: &[(u8, usize)] = match query.video_only {
            true => &[(2, limits.originals_per_author)],
            false => &[(0, limits.originals_per_author), (1, limits.secondary_per_author)],
        };
        for (list, most) in lists {
            let mut mine: Vec<&Post> = posts
                .values()
                .filter(|p| p.author() == *author && in_list(p, *list))
                .collect();
            mine.retain(|p| p.created_at >= query.created_from && !query.exclude.contains(&p.key.post));
            let before = |p: &Post, start: Place| {
                (std::cmp::Reverse(p.created_at), p.key.post) < (std::cmp::Reverse(start.created_at), start.post)
            };
            mine.retain(|p| query.start.is_none_or(|start| !before(p, start)));
            mine.sort_by_key(|p| (std::cmp::Reverse(p.created_at), p.key.post));
            if !query.complete {
                mine.truncate(limits.scan_per_author);
                mine.retain(|p| passes(p, deleted, query));
                mine.truncate(*most);
            }
            found.extend(mine);
        }
    }
    found.sort_by_key(|p| (std::cmp::Reverse(p.created_at), p.key.post));
    found.truncate(query.max_results as usize);
    found.into_iter().map(|p| p.key).collect()
}

fn in_list(post: &Post, list: u8) -> bool {
    let video = match (&post.reply_to, &post.repost_of) {
        (Some(_), _) => false,
        (None, Some(source)) => source.hint.known && source.hint.in_reply_to.is_none() && source.hint.has_video,
        (None, None) => post.video_ms().is_some(),
    };
    match list {
        0 => post.is_original(),
        1 => !post.is_original(),
        _ => video,
    }
}

fn passes(post: &Post, deleted: &[PostKey], query: &InNetworkQuery) -> bool {
    if let Some(source) = post.repost_of
        && (source.key.author == query.viewer || deleted.contains(&source.key))
    {
        return false;
    }
    let Some(parent) = post.reply_to else { return true };
    let original = parent.hint.in_reply_to.is_none() && !parent.hint.is_repost;
    let start = parent.hint.in_reply_to.is_some() && parent.hint.in_reply_to == post.conversation;
    parent.hint.known && (original || (start && query.followed.contains(&parent.key.author)))
}

fn random_query(rng: &mut SmallRng) -> InNetworkQuery {
    let mut query = in_network_query(rng.random_range(1..=USERS), 1..=USERS);
    query.authors.retain(|_| rng.random_bool(0.6));
    query.exclude = (0..rng.random_range(0..30))
        .map(|_| PostId(rng.random_range(1..150)))
        .collect();
    query.video_only = rng.random_bool(0.3);
    query.max_results = if rng.random_bool(0.3) {
        rng.random_range(0..20)
    } else {
        1000
    };
    if rng.random_bool(0.3) {
        query.followed.retain(|_| rng.random_bool(0.5));
    }
    if rng.random_bool(0.3) {
        query.created_from = UnixMillis(START + rng.random_range(0..400_000));
    }
    query.complete = rng.random_bool(0.5);
    if rng.random_bool(0.5) {
        query.start = Some(Place {
            created_at: UnixMillis(START + 1000 * rng.random_range(0..400)),
            post: PostId(rng.random_range(1..150)),
        });
    }
    query
}

#[test]
fn pages_of_all_posts_are_the_whole_list_without_repeats() {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut replica = Replica::new();
    let mut posts = BTreeMap::new();
    for turn in 0..500 {
        // Many share a moment; one author has more than a scan.
        let mut post = random_post(&mut rng, START + turn / 10 * 1000);
        // Ids up to the greatest.
        let id = if turn % 50 == 7 { u64::MAX - turn / 50 } else { turn + 1 };
        post.key = key(if turn % 3 == 0 { 1 } else { turn % 4 + 1 }, id);
        if replica.put(post.clone()) == ItemResult::Ok {
            posts.insert(post.key, post);
        }
    }
    let all = InNetworkQuery {
        complete: true,
        ..in_network_query(9, 1..=USERS)
    };
    let wanted = naive(&posts, &[], &all);
    assert!(wanted.len() > 400, "{}", wanted.len());
    for size in [1, 7, 64] {
        let mut start = None;
        let mut found: Vec<PostKey> = Vec::new();
        loop {
            let page = InNetworkQuery {
                start,
                max_results: size,
                ..all.clone()
            };
            let read = replica.view().in_network(&page, &|| false).unwrap().value;
            let Some(last) = read.last() else { break };
            start = Some(Place::of(last).next());
            found.extend(read.iter().map(|post| post.key));
        }
        assert_eq!(found, wanted, "pages of {size}");
    }
}

#[test]
fn in_network_reads_follow_the_rules_whatever_was_written() {
    for seed in 0..6 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut replica = Replica::new();
        let (mut posts, mut deleted) = (BTreeMap::<PostKey, Post>::new(), Vec::new());
        for turn in 0..400 {
            let mut post = random_post(&mut rng, START + turn * 1000);
            // Few authors, so that the limits per author are reached.
            post.key.author = UserId(post.key.post.0 % 4 + 1);
            if rng.random_bool(0.1) {
                let delete = covey_shared::command::PostDelete {
                    key: post.key,
                    version: Version(9),
                };
                replica.apply(ShardCommand::DeletePosts(vec![delete]));
                posts.remove(&post.key);
                deleted.push(post.key);
            } else if replica.put(post.clone()) == ItemResult::Ok
                && posts.get(&post.key).is_none_or(|old| old.version < post.version)
            {
                posts.insert(post.key, post);
            }
        }
        for turn in 0..60 {
            let query = random_query(&mut rng);
            let read = replica.view().in_network(&query, &|| false).unwrap();
            let keys: Vec<PostKey> = read.value.iter().map(|c| c.key).collect();
            assert_eq!(keys, naive(&posts, &deleted, &query), "seed {seed}, query {turn}");
            assert!(!read.partial);
        }
    }
}

#[test]
fn deleted_and_excluded_posts_do_not_use_up_the_scan() {
    let mut replica = Replica::new();
    for n in 1..=100 {
        replica.put(Post {
            created_at: UnixMillis(START + n * 10),
            ..post(1, n, 1)
        });
    }
    let delete = |n| covey_shared::command::PostDelete {
        key: key(1, n),
        version: Version(1),
    };
    replica.apply(ShardCommand::DeletePosts((50..=100).map(delete).collect()));
    let mut query = in_network_query(9, [1]);
    query.exclude = (20..50).map(PostId).collect();
    let posts = replica.view().in_network(&query, &|| false).unwrap().value;
    assert_eq!(
        posts.iter().map(|c| c.key.post.0).collect::<Vec<_>>(),
        [19, 18, 17, 16, 15]
    );
}

#[test]
fn a_read_that_is_cancelled_returns_what_it_has() {
    let mut replica = Replica::new();
    for author in 1..=64 {
        replica.put(post(author, author, 1));
    }
    let asked = std::cell::Cell::new(0);
    let cancelled = || asked.replace(asked.get() + 1) == 2;
    let read = replica
        .view()
        .in_network(&in_network_query(99, 1..=64), &cancelled)
        .unwrap();
    assert!(read.partial);
    assert_eq!(read.value.len(), 32);
}

#[test]
fn posts_of_the_same_moment_are_all_kept() {
    let mut replica = Replica::new();
    for n in 1..=5 {
        replica.put(post(1, n, 1));
    }
    let posts = replica
        .view()
        .in_network(&in_network_query(9, [1]), &|| false)
        .unwrap()
        .value;
    assert_eq!(posts.iter().map(|c| c.key.post.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}
