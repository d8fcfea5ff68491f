//! Lists: what is in them, in which order, and how much of them one may ask for.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::score::Ranked;
use covey_shared::wire::*;

use crate::fixture::*;
use crate::{ShardOptions, ShardStoreError};

fn lists(replica: &Replica, query: &ListsQuery) -> Vec<Vec<u64>> {
    let read = replica.view().lists(query, &|| false).unwrap();
    let ids = |list: &Vec<RankedPost>| list.iter().map(|ranked| ranked.post.key.post.0).collect();
    read.value.iter().map(ids).collect()
}

/// The best `posts` by one rank, as of the moment of the log.
fn list(replica: &Replica, by: RankedBy, posts: u32) -> Vec<u64> {
    lists(replica, &lists_query(&[(by, posts)], replica.log_time)).remove(0)
}

fn like(replica: &mut Replica, viewer: u64, sequence: u64, post: PostKey) {
    let mut action = action(viewer, sequence, ActionKind::Favorite, post);
    action.at = UnixMillis(replica.log_time);
    replica.apply(ShardCommand::RecordActions(vec![action]));
}

#[test]
fn one_read_brings_the_posts_with_most_decayed_engagement_and_the_newest() {
    let mut replica = Replica::new();
    for n in 1..=5 {
        replica.put(Post {
            created_at: UnixMillis(START + n),
            ..post(n, n, 1)
        });
    }
    for viewer in 1..=3 {
        like(&mut replica, viewer, 1, key(2, 2));
    }
    // Two half-lives later one like weighs more than three then.
    replica.log_time += 7_200_000;
    like(&mut replica, 1, 2, key(4, 4));
    let query = lists_query(
        &[(RankedBy::Popularity, 3), (RankedBy::Newest, 0), (RankedBy::Newest, 3)],
        replica.log_time,
    );
    // Three have no engagement, and of the second list nothing is wanted.
    assert_eq!(lists(&replica, &query), [vec![4, 2], vec![], vec![5, 4, 3]]);
    let read = replica.view().lists(&query, &|| false).unwrap().value;
    let score = |ranked: &RankedPost| ranked.post.source_score.get();
    assert!((score(&read[0][0]) - 1.0).abs() < 0.01 && (score(&read[0][1]) - 0.75).abs() < 0.01);
    assert_eq!(score(&read[2][0]), 0.0);
    assert_eq!(read[0][0].post.engagement.engaged, 1);
    assert!(read.iter().all(|list| list.is_sorted_by_key(RankedPost::place)));
    replica.apply(ShardCommand::DeletePosts(vec![PostDelete {
        key: key(4, 4),
        version: Version(1),
    }]));
    assert_eq!(list(&replica, RankedBy::Popularity, 1), [2]);
}

#[test]
fn ranks_of_shards_compare_by_what_the_sums_are_now_whatever_the_half_lives() {
    let rank = |hours: u64, likes: u64, talk: u64| {
        let half_life = std::time::Duration::from_secs(3600 * hours);
        let mut replica = Replica::with(ShardOptions {
            popular_half_life: half_life,
            active_half_life: half_life,
            ..options(1, covey_shared::slots::SlotRange::ALL)
        });
        let start = replica.log_time;
        replica.put(post(1, 1, 1));
        (1..=likes).for_each(|viewer| like(&mut replica, viewer, 1, key(1, 1)));
        (1..=talk).for_each(|id| answer(&mut replica, 100 + id, 1, ActionKind::Quote));
        let lists = lists_query(
            &[(RankedBy::Popularity, 1), (RankedBy::Activity, 1)],
            start + 14_400_000,
        );
        let read = replica.view().lists(&lists, &|| false).unwrap().value;
        for RankedPost { rank, post } in read.iter().flatten() {
            let log = f64::from(post.source_score.get()).log2() * 65_536.0;
            assert!((*rank as f64 - log).abs() < 3.0, "{rank} is log2 of the sum, {log}");
        }
        [read[0][0].rank, read[1][0].rank]
    };
    // Four hours later half of the one like is there, but of the three an eighth each, or less.
    let (slow, fast) = (rank(4, 1, 1), rank(1, 3, 3));
    assert!(slow[0] > fast[0] && slow[1] > fast[1], "{slow:?} {fast:?}");
    let (slow, fast) = (rank(4, 1, 1), rank(3, 3, 3));
    assert!(slow[0] < fast[0] && slow[1] < fast[1], "{slow:?} {fast:?}");
}

/// Author 9 writes post `id` about post `on`, now.
fn answer(replica: &mut Replica, id: u64, on: u64, kind: ActionKind) {
    let of = |wanted| reference(on, on, RefHint::default()).filter(|_| kind == wanted);
    replica.put(Post {
        created_at: UnixMillis(replica.log_time),
        reply_to: of(ActionKind::Reply),
        repost_of: of(ActionKind::Repost),
        quote_of: of(ActionKind::Quote),
        ..post(9, id, 1)
    });
}

#[test]
fn posts_that_are_talked_about_come_by_decayed_replies_and_quotes_whatever_else_is_done_with_them() {
    let mut replica = Replica::new();
    for n in 1..=4 {
        replica.put(post(n, n, 1));
    }
    (1..=9).for_each(|viewer| like(&mut replica, viewer, 1, key(1, 1)));
    (101..=103).for_each(|id| answer(&mut replica, id, 2, ActionKind::Reply));
    // Two half-lives later one quote weighs more than three replies then.
    replica.log_time += 3_600_000;
    answer(&mut replica, 104, 3, ActionKind::Quote);
    answer(&mut replica, 105, 4, ActionKind::Repost);
    assert_eq!(list(&replica, RankedBy::Activity, 9), [3, 2]);
    assert_eq!(list(&replica, RankedBy::Popularity, 1), [1]);
    let query = lists_query(&[(RankedBy::Activity, 2)], replica.log_time);
    let read = replica.view().lists(&query, &|| false).unwrap().value;
    let scores: Vec<f32> = read[0].iter().map(|ranked| ranked.post.source_score.get()).collect();
    assert!(
        (scores[0] - 1.0).abs() < 0.01 && (scores[1] - 0.75).abs() < 0.01,
        "{scores:?}"
    );
    answer(&mut replica, 106, 2, ActionKind::Reply);
    assert_eq!(
        list(&replica, RankedBy::Activity, 1),
        [2],
        "it moves as it is talked about"
    );
}

#[test]
fn what_authors_write_about_their_own_posts_is_counted_but_is_no_talk() {
    let mut replica = Replica::new();
    replica.put(post(9, 9, 1));
    answer(&mut replica, 101, 9, ActionKind::Reply);
    answer(&mut replica, 102, 9, ActionKind::Quote);
    let counted = |kind: ActionKind| replica.get(key(9, 9)).unwrap().counters.by_kind[kind.index()];
    assert_eq!((counted(ActionKind::Reply), counted(ActionKind::Quote)), (1, 1));
    assert!(list(&replica, RankedBy::Activity, 9).is_empty());
    replica.put(Post {
        reply_to: reference(9, 9, RefHint::default()),
        ..post(8, 103, 1)
    });
    assert_eq!(list(&replica, RankedBy::Activity, 9), [9]);
}

#[test]
fn a_read_that_is_stopped_says_so_and_has_what_it_had() {
    let mut replica = Replica::new();
    let posts = (1..=600).map(|n| post(n, n, 1)).collect();
    replica.apply(ShardCommand::PutPosts(posts));
    let query = lists_query(&[(RankedBy::Newest, 1000), (RankedBy::Newest, 10)], replica.log_time);
    let read = |pages| {
        let left = std::cell::Cell::new(pages);
        let stop = || left.replace(left.get() - 1) == 1;
        let read = replica.view().lists(&query, &stop).unwrap();
        (read.value.iter().map(Vec::len).collect::<Vec<_>>(), read.partial)
    };
    assert_eq!(read(1), (vec![256, 0], true));
    assert_eq!(read(2), (vec![512, 0], true));
    assert_eq!(read(9), (vec![600, 10], false));
}

#[test]
fn a_client_clock_that_runs_ahead_wins_nothing() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    replica.put(post(2, 2, 1));
    let mut ahead = action(3, 1, ActionKind::Click, key(1, 1));
    ahead.at = UnixMillis(u64::MAX);
    replica.apply(ShardCommand::RecordActions(vec![ahead]));
    like(&mut replica, 3, 2, key(2, 2));
    assert_eq!(list(&replica, RankedBy::Popularity, 2), [2, 1]);
}

/// The posts of authors of a country: all have engagement.
fn listed_in(replica: &Replica, country: &[u8; 2]) -> Vec<u64> {
    let mut query = lists_query(&[(RankedBy::Newest, 9), (RankedBy::Popularity, 9)], replica.log_time);
    for list in &mut query.lists {
        list.group = ListGroup::Country(*country);
    }
    let [newest, popular]: [_; 2] = lists(replica, &query).try_into().expect("two lists");
    assert_eq!(newest, popular);
    newest
}

fn lives_in(replica: &mut Replica, user: u64, version: u64, country: &[u8; 2]) {
    let update = UserUpdate {
        user: UserId(user),
        version: Version(version),
        profile: Some(Profile {
            country: *country,
            ..Profile::default()
        }),
        ..UserUpdate::default()
    };
    assert_eq!(replica.apply(ShardCommand::PutUsers(vec![update])), [ItemResult::Ok]);
}

#[test]
fn a_post_belongs_to_the_country_in_which_its_author_lived_when_it_was_written() {
    let mut replica = Replica::new();
    replica.put(post(1, 10, 1));
    lives_in(&mut replica, 1, 1, b"AT");
    replica.put(post(1, 11, 1));
    lives_in(&mut replica, 1, 2, b"BR");
    replica.put(post(1, 12, 1));
    // An edit moves nothing, and brings no country to a post that had none.
    replica.put(post(1, 10, 2));
    replica.put(post(1, 11, 2));
    for id in 10..=12 {
        like(&mut replica, 5, id, key(1, id));
    }
    for _ in 0..2 {
        assert_eq!(listed_in(&replica, b"AT"), [11]);
        assert_eq!(listed_in(&replica, b"BR"), [12]);
        replica = replica.reopen().0;
    }
    replica.apply(ShardCommand::DeletePosts(vec![PostDelete {
        key: key(1, 11),
        version: Version(3),
    }]));
    assert!(listed_in(&replica, b"AT").is_empty());
    // What is written again after a delete was written first where it was.
    replica.put(post(1, 11, 4));
    like(&mut replica, 5, 13, key(1, 11));
    assert_eq!(listed_in(&replica, b"AT"), [11]);
}

/// 2050 posts about topic 7, of which its list holds 2048, by 40 authors.
fn full_topic() -> Replica {
    let mut replica = Replica::new();
    put_about_7(&mut replica, 1..=2050, START);
    replica
}

fn put_about_7(replica: &mut Replica, ids: std::ops::RangeInclusive<u64>, from: u64) {
    let posts = ids.map(|id| Post {
        created_at: UnixMillis(from + id),
        topics: Topics([7, 0, 0, 0]),
        ..post(id % 40 + 1, id, 1)
    });
    replica.apply(ShardCommand::PutPosts(posts.collect()));
}

/// The newest 100 about topic 7.
fn newest_about_7(replica: &Replica) -> ListsQuery {
    let mut query = lists_query(&[(RankedBy::Newest, 100)], replica.log_time);
    query.lists[0].group = ListGroup::Topic(7);
    query
}

#[test]
fn a_list_that_does_not_hold_all_says_so_where_it_ends() {
    let replica = full_topic();
    let partial = |group, not_authors: u64| {
        let mut query = newest_about_7(&replica);
        query.lists[0].group = group;
        query.filter.not_authors = (1..=not_authors).map(UserId).collect();
        replica.view().lists(&query, &|| false).unwrap().partial
    };
    assert!(!partial(ListGroup::Topic(7), 0), "there are enough");
    assert!(partial(ListGroup::Topic(7), 39), "two have fallen off the end");
    assert!(!partial(ListGroup::All, 39), "this one holds all");
}

#[test]
fn what_has_fallen_off_a_list_is_missed_only_by_who_wants_posts_as_old() {
    let replica = full_topic();
    let read = |from: u64| {
        let mut query = newest_about_7(&replica);
        query.filter.created_from = Some(UnixMillis(START + from));
        query.filter.not_authors = (1..=39).map(UserId).collect();
        let read = replica.view().lists(&query, &|| false).unwrap();
        (read.value[0].len(), read.partial, read.visited)
    };
    assert_eq!(read(2), (51, true, 2048));
    assert_eq!(read(3), (51, false, 2048));
    let mut query = newest_about_7(&replica);
    query.filter.created_from = Some(UnixMillis(START + 2041));
    let recent = replica.view().lists(&query, &|| false).unwrap();
    assert_eq!((recent.value[0].len(), recent.partial, recent.visited), (10, false, 10));
}

#[test]
fn a_list_by_engagement_lacks_nothing_once_all_that_fell_off_is_too_old() {
    let mut replica = full_topic();
    for id in 1..=2050 {
        like(&mut replica, 5000, id, key(id % 40 + 1, id));
    }
    let mut query = newest_about_7(&replica);
    (query.lists[0].by, query.lists[0].posts) = (RankedBy::Popularity, 1000);
    query.filter.not_authors = (1..=39).map(UserId).collect();
    let mut partial = |from: u64| {
        query.filter.created_from = Some(UnixMillis(START + from));
        replica.view().lists(&query, &|| false).unwrap().partial
    };
    assert!(
        partial(2050),
        "which two have fallen off is not known any more, only that they are no later than the latest"
    );
    assert!(!partial(2051));
}

#[test]
fn a_list_that_lost_its_kept_posts_says_that_the_fallen_ones_are_missing() {
    let mut replica = full_topic();
    let delete = |replica: &mut Replica, ids: std::ops::RangeInclusive<u64>| {
        let delete = |id| PostDelete {
            key: key(id % 40 + 1, id),
            version: Version(2),
        };
        replica.apply(ShardCommand::DeletePosts(ids.map(delete).collect()));
    };
    let read = |replica: &Replica| {
        let read = replica.view().lists(&newest_about_7(replica), &|| false).unwrap();
        let ids = read.value[0].iter().map(|ranked| ranked.post.key.post.0);
        (ids.collect::<Vec<_>>(), read.partial)
    };
    delete(&mut replica, 5..=2050);
    assert_eq!(read(&replica), (vec![4, 3], true));
    delete(&mut replica, 3..=4);
    assert_eq!(read(&replica), (vec![], true));
    // Older ones than those that have fallen: not the next best, though there are as many as are wanted.
    put_about_7(&mut replica, 3000..=3099, START - 3099);
    assert_eq!(read(&replica), ((3000..=3099).rev().collect(), true));
    put_about_7(&mut replica, 4001..=4100, START);
    assert_eq!(read(&replica), ((4001..=4100).rev().collect(), false));
    let (reopened, _) = replica.reopen();
    assert!(
        !reopened
            .view()
            .lists(&newest_about_7(&reopened), &|| false)
            .unwrap()
            .partial
    );
}

#[test]
fn a_query_for_too_much_of_lists_is_refused() {
    let replica = Replica::new();
    let refused = |lists: &[(RankedBy, u32)]| {
        let read = replica.view().lists(&lists_query(lists, START), &|| false);
        matches!(read, Err(ShardStoreError::Invalid(InvalidRequest::TooLarge)))
    };
    let most = (RankedBy::Newest, 1000);
    assert!(!refused(&[most; MAX_LISTS]));
    assert!(refused(&[most; MAX_LISTS + 1]) && refused(&[most, (RankedBy::Newest, 1001)]));
}
