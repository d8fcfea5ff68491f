//! Lists over several nodes are those of one big shard, and all of them come in the same calls.

use std::time::Duration;

use covey_shared::ids::{PostId, PostKey, ShardId, UserId};
use covey_shared::model::{F16Vector, Post};
use covey_shared::score::Ranked;
use covey_shared::session::SessionToken;
use covey_shared::slots::Slot;
use covey_shared::wire::ListsQuery;

use super::*;
use crate::cluster::limit;
use covey_shared::wire::{ListGroup, RankedBy};

use crate::cluster::InNetworkAsk;
use crate::cluster::fake_lists::ranked;
use crate::cluster::testing::{Mood, World, cluster};

const BOTH: [RankedBy; 2] = [RankedBy::Popularity, RankedBy::Newest];

fn context(cluster: &Cluster) -> ReadContext {
    ReadContext::query(cluster.now().plus(Duration::from_secs(20)), SessionToken::default())
}

fn post(author: u64, id: u64) -> Post {
    Post {
        key: PostKey {
            author: UserId(author),
            post: PostId(id),
        },
        created_at: UnixMillis(id * 7 % 101),
        vector: F16Vector::from_f32(&[(id % 13) as f32]),
        ..Post::default()
    }
}

fn fill(world: &World, posts: impl IntoIterator<Item = Post>) -> Vec<Post> {
    let posts: Vec<Post> = posts.into_iter().collect();
    world
        .posts
        .lock()
        .extend(posts.iter().map(|post| (post.key, post.clone())));
    posts
}

fn ask(popular: usize, newest: usize) -> ListsAsk {
    ListsAsk {
        lists: BOTH
            .into_iter()
            .zip([popular, newest])
            .map(|(by, posts)| ListAsk {
                by,
                group: ListGroup::All,
                posts: limit(posts),
            })
            .collect(),
        ..ListsAsk::default()
    }
}

fn one_big_shard(posts: &[Post], by: RankedBy, k: usize) -> Vec<Candidate> {
    let mut list: Vec<RankedPost> = posts.iter().map(|post| ranked(by, post)).collect();
    list.sort_by_key(RankedPost::place);
    list.into_iter().take(k).map(|ranked| ranked.post).collect()
}

/// What the nodes were asked so far, call by call.
fn asked(world: &World) -> Vec<ListsQuery> {
    let calls = std::mem::take(&mut *world.calls.lock());
    let query = |(_, body)| match body {
        RequestBody::Lists(query) => query,
        other => panic!("{other:?}"),
    };
    calls.into_iter().map(query).collect()
}

#[actix::test]
async fn lists_are_those_of_one_big_shard() {
    let (cluster, world) = cluster();
    let posts = fill(&world, (1..=400).map(|id| post(id % 130 + 1, id)));
    for (popular, newest) in [(1, 10), (100, 0), (400, 30), (1000, 1000), (0, 7)] {
        let found = cluster.lists(ask(popular, newest), &context(&cluster)).await.unwrap();
        let wanted = [(BOTH[0], popular), (BOTH[1], newest)].map(|(by, k)| one_big_shard(&posts, by, k));
        assert_eq!(found.value, wanted, "{popular} popular, {newest} new");
        assert_eq!((found.report.coverage(), found.report.partial), (1.0, false));
    }
}

#[actix::test]
async fn newest_posts_of_followed_authors_are_those_of_one_big_shard() {
    let (cluster, world) = cluster();
    // One wrote a third of all: of that shard more has to be asked.
    let author = |id| if id % 3 == 0 { 7 } else { id % 50 + 1 };
    let posts = fill(&world, (1..=600).map(|id| post(author(id), id)));
    for (k, rounds) in [(0, 1), (1, 1), (20, 2), (300, 2), (2000, 1)] {
        world.calls.lock().clear();
        let ask = InNetworkAsk {
            authors: (1..=30).map(UserId).collect(),
            max_results: k,
            ..InNetworkAsk::default()
        };
        let found = cluster.in_network(ask, &context(&cluster)).await.unwrap();
        let followed: Vec<Post> = posts.iter().filter(|post| post.author().0 <= 30).cloned().collect();
        assert_eq!(found.value, one_big_shard(&followed, RankedBy::Newest, k), "{k}");
        assert!(!found.report.partial && found.report.coverage() == 1.0);
        let asked = |(_, body): &(_, RequestBody)| match body {
            RequestBody::InNetwork(query) => Some(query.max_results),
            _ => None,
        };
        let asked: std::collections::BTreeSet<u32> = world.calls.lock().iter().filter_map(asked).collect();
        assert!(
            asked.len() == rounds && asked.iter().all(|most| *most as usize <= k),
            "{k}: {asked:?}"
        );
    }
}

#[actix::test]
async fn a_list_says_that_it_is_cut_if_a_shard_holds_more_than_it_may_be_asked_for() {
    let (cluster, world) = cluster();
    let posts = fill(&world, (1..=1300).map(|id| post(1, id)));
    for (wanted, partial) in [(1000, false), (1200, true)] {
        let found = cluster.lists(ask(0, wanted), &context(&cluster)).await.unwrap();
        assert_eq!(found.value[1], one_big_shard(&posts, BOTH[1], 1000));
        assert_eq!(
            (found.report.coverage(), found.report.partial),
            (1.0, partial),
            "{wanted} of one author"
        );
    }
}

#[actix::test]
async fn each_list_is_asked_of_its_group_in_every_round() {
    let (cluster, world) = cluster();
    fill(&world, (1..=300).map(|id| post(7, id)));
    let mut ask = ask(200, 10);
    let groups = [ListGroup::Topic(5), ListGroup::Country(*b"AT")];
    ask.lists
        .iter_mut()
        .zip(groups)
        .for_each(|(list, group)| list.group = group);
    cluster.lists(ask, &context(&cluster)).await.unwrap();
    let calls = asked(&world);
    assert!(
        calls.iter().any(|query| query.lists[0].posts == 200),
        "one shard has them all"
    );
    let asked = |query: &ListsQuery| query.lists.iter().map(|list| list.group).collect::<Vec<_>>();
    assert!(calls.iter().all(|query| asked(query) == groups), "{calls:?}");
}

#[actix::test]
async fn an_answer_that_lacks_a_list_is_partial() {
    let (cluster, world) = cluster();
    let posts = fill(&world, (1..=100).map(|id| post(id, id)));
    (1..=3).for_each(|node| world.set(node, Mood::Forgets));
    let found = cluster.lists(ask(10, 10), &context(&cluster)).await.unwrap();
    assert_eq!(found.value, [one_big_shard(&posts, BOTH[0], 10), vec![]]);
    assert_eq!((found.report.coverage(), found.report.partial), (1.0, true));
}

#[actix::test]
async fn only_shards_that_may_have_more_of_a_list_are_asked_again_and_only_for_it() {
    let (cluster, world) = cluster();
    let slots = cluster.map.load().slots(ShardId(3)).unwrap();
    let (there, elsewhere): (Vec<u64>, Vec<u64>) = (1..=300).partition(|user| slots.contains(Slot::of(UserId(*user))));
    // Everything new is on one shard; what is popular is spread over the others.
    let fresh = there.iter().cycle().take(200).enumerate().map(|(i, user)| Post {
        created_at: UnixMillis(1_000_000),
        vector: F16Vector::from_f32(&[0.0]),
        ..post(*user, 1000 + i as u64)
    });
    let old = elsewhere
        .iter()
        .cycle()
        .take(200)
        .enumerate()
        .map(|(i, user)| post(*user, i as u64));
    let posts = fill(&world, old.chain(fresh));
    let found = cluster.lists(ask(10, 80), &context(&cluster)).await.unwrap();
    let wanted = [(BOTH[0], 10), (BOTH[1], 80)].map(|(by, k)| one_big_shard(&posts, by, k));
    assert_eq!(found.value, wanted);
    let calls = asked(&world);
    let (second, first): (Vec<_>, Vec<_>) = calls.into_iter().partition(|query| query.lists[1].posts == 80);
    let in_first: Vec<_> = first
        .iter()
        .map(|query| (query.lists[0].posts, query.lists[1].posts))
        .collect();
    assert!(
        first.len() <= 3 && in_first.iter().all(|asked| *asked == (6, 23)),
        "{in_first:?}"
    );
    assert_eq!(second.len(), 1, "one shard lives on one node");
    assert_eq!((second[0].shards[0].shard, second[0].shards.len()), (ShardId(3), 1));
    assert_eq!(second[0].lists[0].posts, 0, "the other list was exact");
}
