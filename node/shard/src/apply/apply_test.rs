//! Tests of applying entries: what each kind of item does, and what a repeated one does not.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::members::ChangeKind;
use covey_shared::model::*;
use covey_shared::slots::{Slot, SlotRange};
use covey_shared::wire::AuthorsQuery;

use crate::fixture::*;
use crate::*;

const REJECTED: fn(RejectReason) -> ItemResult = ItemResult::Rejected;

fn delete(post: PostKey, version: u64) -> ShardCommand {
    ShardCommand::DeletePosts(vec![PostDelete {
        key: post,
        version: Version(version),
    }])
}

fn labels(post: PostKey, version: u64, labels: u32) -> ShardCommand {
    ShardCommand::SetLabels(vec![LabelUpdate {
        key: post,
        version: Version(version),
        labels,
    }])
}

fn follow(user: u64, version: u64, target: u64, on: bool) -> ShardCommand {
    let edges = vec![EdgeUpdate {
        kind: EdgeKind::Follow,
        target: UserId(target),
        on,
    }];
    let update = UserUpdate {
        user: UserId(user),
        version: Version(version),
        edges,
        ..UserUpdate::default()
    };
    ShardCommand::PutUsers(vec![update])
}

fn followers(replica: &Replica, user: u64) -> u32 {
    let query = AuthorsQuery {
        shards: vec![],
        authors: vec![UserId(user)],
    };
    replica.view().authors(&query).unwrap().value[0].followers
}

fn favorites(replica: &Replica, post: PostKey) -> u32 {
    replica.get(post).unwrap().counters.of(ActionKind::Favorite)
}

#[test]
fn the_higher_version_of_a_post_wins() {
    let mut replica = Replica::new();
    assert_eq!(replica.put(post(1, 10, 2)), ItemResult::Ok);
    assert_eq!(replica.put(post(1, 10, 2)), ItemResult::Ok);
    assert_eq!(replica.put(post(1, 10, 1)), ItemResult::Superseded);
    assert_eq!(replica.get(key(1, 10)).unwrap().post, post(1, 10, 2));
    assert_eq!(replica.put(post(1, 10, 3)), ItemResult::Ok);
    assert_eq!(replica.get(key(1, 10)).unwrap().post, post(1, 10, 3));
    assert_eq!(
        replica.get(key(0, 10)).unwrap().post,
        post(1, 10, 3),
        "found by its id alone"
    );
    assert_eq!(replica.store.stats().posts, 1);
}

#[test]
fn a_tombstone_kills_puts_up_to_its_version_before_and_after() {
    let mut replica = Replica::new();
    replica.put(post(1, 10, 2));
    assert_eq!(replica.apply(delete(key(1, 10), 1)), [ItemResult::Superseded]);
    assert_eq!(replica.apply(delete(key(1, 10), 3)), [ItemResult::Ok]);
    assert_eq!(replica.apply(delete(key(1, 10), 3)), [ItemResult::Ok]);
    assert_eq!(replica.get(key(1, 10)), None);
    assert_eq!(replica.put(post(1, 10, 3)), ItemResult::Superseded);
    assert_eq!(replica.put(post(1, 10, 4)), ItemResult::Ok);
    assert_eq!(
        replica.apply(delete(key(1, 11), 5)),
        [ItemResult::Ok],
        "a delete may come before its put"
    );
    assert_eq!(replica.put(post(1, 11, 5)), ItemResult::Superseded);
    assert_eq!(replica.store.stats().posts, 1);
}

#[test]
fn a_written_label_outlives_edits_and_deletes_and_may_come_first() {
    let mut replica = Replica::new();
    replica.apply(labels(key(1, 10), 5, labels::TAKEDOWN));
    replica.put(post(1, 10, 1));
    assert_eq!(replica.get(key(1, 10)).unwrap().post.labels, labels::TAKEDOWN);
    assert_eq!(replica.apply(labels(key(1, 10), 4, 0)), [ItemResult::Superseded]);
    replica.put(Post {
        labels: labels::NSFW,
        ..post(1, 10, 2)
    });
    assert_eq!(replica.get(key(1, 10)).unwrap().post.labels, labels::TAKEDOWN);
    replica.apply(delete(key(1, 10), 2));
    replica.put(post(1, 10, 3));
    assert_eq!(replica.get(key(1, 10)).unwrap().post.labels, labels::TAKEDOWN);
    replica.apply(labels(key(1, 10), 6, 0));
    assert_eq!(replica.get(key(1, 10)).unwrap().post.labels, 0);
}

#[test]
fn bad_posts_are_rejected_and_the_rest_of_the_batch_stands() {
    let mut replica = Replica::new();
    let bad_vector = F16Vector::from_f32(&[f32::NAN; DIM]);
    let results = replica.apply(ShardCommand::PutPosts(vec![
        post(0, 1, 1),
        Post {
            vector: F16Vector::from_f32(&[1.0; 3]),
            ..post(1, 2, 1)
        },
        Post {
            vector: bad_vector,
            ..post(1, 3, 1)
        },
        Post {
            vector: F16Vector::from_f32(&[0.0; DIM]),
            ..post(1, 4, 1)
        },
        Post {
            text: String::new(),
            ..post(1, 5, 1)
        },
        Post {
            text: "x".repeat(20_000),
            ..post(1, 6, 1)
        },
        Post {
            reply_to: reference(0, 1, RefHint::default()),
            ..post(1, 7, 1)
        },
        post(1, 8, 1),
    ]));
    let wanted = [
        REJECTED(RejectReason::ZeroId),
        REJECTED(RejectReason::WrongDimension),
        REJECTED(RejectReason::BadVector),
        REJECTED(RejectReason::BadVector),
        REJECTED(RejectReason::Empty),
        REJECTED(RejectReason::TooLarge),
        REJECTED(RejectReason::ZeroId),
        ItemResult::Ok,
    ];
    assert_eq!(results, wanted);
    assert_eq!(replica.store.stats().posts, 1);
}

#[test]
fn items_of_another_shard_are_stale_and_change_nothing() {
    let mut replica = Replica::with(options(1, HALF));
    let (inside, outside) = (user_in_half(0, true), user_in_half(0, false));
    let results = replica.apply(ShardCommand::PutPosts(vec![post(outside, 1, 1), post(inside, 2, 1)]));
    assert_eq!(results, [ItemResult::StaleEpoch, ItemResult::Ok]);
    assert_eq!(replica.get(key(0, 1)), None);
    assert!(replica.view().viewer(&viewer_query(outside)).is_err());
}

#[test]
fn replies_reposts_and_quotes_count_on_the_other_post_once() {
    let mut replica = Replica::new();
    replica.put(post(1, 10, 1));
    let to = reference(1, 10, RefHint::default());
    for version in 1..=2 {
        replica.put(Post {
            reply_to: to,
            ..post(2, 20, version)
        });
        replica.put(Post {
            repost_of: to,
            ..post(3, 30, version)
        });
        replica.put(Post {
            quote_of: to,
            ..post(4, 40, version)
        });
    }
    replica.apply(ShardCommand::RecordActions(vec![action(
        2,
        1,
        ActionKind::Reply,
        key(1, 10),
    )]));
    let counters = replica.get(key(1, 10)).unwrap().counters;
    let of = [ActionKind::Reply, ActionKind::Repost, ActionKind::Quote].map(|kind| counters.of(kind));
    assert_eq!(of, [1, 1, 1]);
    assert_eq!(replica.store.stats().outbox, 0, "the other post is here: no outbox");
}

#[test]
fn a_reply_that_comes_before_its_parent_is_counted() {
    let mut replica = Replica::new();
    replica.put(Post {
        reply_to: reference(1, 10, RefHint::default()),
        ..post(2, 20, 1)
    });
    replica.put(post(1, 10, 1));
    assert_eq!(replica.get(key(1, 10)).unwrap().counters.of(ActionKind::Reply), 1);
}

#[test]
fn effects_travel_through_the_outbox_and_arrive_exactly_once() {
    let mut source = Replica::with(options(1, HALF));
    let mut target = Replica::with(options(
        1,
        SlotRange {
            start: 8192,
            end: 16_384,
        },
    ));
    let (here, there) = (user_in_half(0, true), user_in_half(0, false));
    target.put(post(there, 10, 1));
    let like = |sequence| action(here, sequence, ActionKind::Favorite, key(there, 10));
    source.apply(ShardCommand::RecordActions(vec![like(1), like(2)]));
    source.apply(follow(here, 1, there, true));
    let sent = source.view().outbox(None, 10).unwrap();
    assert_eq!(sent.iter().map(|item| item.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(source.store.stats().outbox, 3);
    for _ in 0..2 {
        assert_eq!(
            target.apply(ShardCommand::ApplyEffects(sent[..2].to_vec())),
            [ItemResult::Ok, ItemResult::Ok]
        );
        assert_eq!(target.apply(ShardCommand::ApplyEffects(sent.clone())).len(), 3);
    }
    assert_eq!(favorites(&target, key(there, 10)), 2);
    assert_eq!(followers(&target, there), 1);
    let slot = Slot::of(UserId(here));
    source.apply(ShardCommand::TrimOutbox(vec![OutboxMark {
        source: slot,
        sequence: 2,
    }]));
    assert_eq!(source.view().outbox(None, 10).unwrap(), sent[2..]);
    assert_eq!(source.view().outbox(Some((slot, 3)), 10).unwrap(), []);
    assert_eq!(source.store.stats().outbox, 1);
    source.apply(follow(here, 2, there, false));
    assert_eq!(source.view().outbox(None, 10).unwrap().last().unwrap().sequence, 4);
}

#[test]
fn a_trim_hides_at_once_removes_in_steps_and_never_goes_back() {
    let mut replica = Replica::new();
    for n in 1..=12 {
        replica.put(Post {
            created_at: UnixMillis(START + n * 1000),
            ..post(1, n, 1)
        });
    }
    replica.log_time += 1_000_000;
    replica.apply(ShardCommand::TrimBefore(UnixMillis(START + 10_500)));
    let visible = |replica: &Replica| {
        (1..=12)
            .filter(|n| replica.get(key(1, *n)).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(visible(&replica), [11, 12]);
    assert_eq!(replica.store.stats().posts, 7, "five records a step");
    let hits = replica
        .view()
        .search(&search_query(vector(3001), 20, Default::default()), &|| false)
        .unwrap();
    assert_eq!(hits.value.len(), 2);
    assert_eq!(
        replica
            .view()
            .in_network(&in_network_query(9, [1]), &|| false)
            .unwrap()
            .value
            .len(),
        2
    );
    replica.apply(ShardCommand::TrimBefore(UnixMillis(0)));
    replica.apply(ShardCommand::TrimBefore(UnixMillis(0)));
    assert_eq!(replica.store.stats().posts, 2);
    assert_eq!(visible(&replica), [11, 12]);
    let old = Post {
        created_at: UnixMillis(START + 1000),
        ..post(1, 50, 1)
    };
    assert_eq!(replica.put(old), REJECTED(RejectReason::Expired));
}

#[test]
fn a_trim_that_found_too_much_says_so_until_all_is_gone() {
    let mut replica = Replica::new();
    for n in 1..=12 {
        replica.put(Post {
            created_at: UnixMillis(START + n),
            ..post(1, n, 1)
        });
    }
    replica.log_time += 1_000_000;
    let mut left = Vec::new();
    for _ in 0..4 {
        replica.apply(ShardCommand::TrimBefore(UnixMillis(START + 100)));
        left.push((replica.store.stats().posts, replica.view().trim_behind()));
    }
    assert_eq!(left, [(7, true), (2, true), (0, false), (0, false)]);
}

#[test]
fn entries_are_applied_in_order_without_gaps_and_once() {
    let mut replica = Replica::new();
    let put = |index| entry(index, START, ShardCommand::PutPosts(vec![post(1, index, 1)]));
    assert_eq!(replica.store.apply(&[put(1), put(2)]).unwrap().len(), 2);
    assert_eq!(
        replica.store.apply(&[put(2), put(3)]).unwrap(),
        [vec![], vec![ItemResult::Ok]]
    );
    assert!(matches!(
        replica.store.apply(&[put(5)]),
        Err(ShardStoreError::Gap { .. })
    ));
}

#[test]
fn a_change_of_members_is_applied_with_the_entries_around_it_and_kept() {
    let mut replica = Replica::new();
    let put = |index| entry(index, START, ShardCommand::PutPosts(vec![post(1, index, 1)]));
    let new = ReplicaId::new(2, ShardId(7), NodeId(4));
    let replace = ChangeKind::Replace {
        promote: vec![new],
        demote: vec![founder(1)],
    };
    let add = members_entry(2, 1, ChangeKind::AddLearner(new));
    let results = replica
        .store
        .apply(&[put(1), add, members_entry(3, 2, replace), put(4)]);
    let put = vec![ItemResult::Ok];
    assert_eq!(results.unwrap(), [put.clone(), vec![], vec![], put]);
    let (replica, report) = replica.reopen();
    assert_eq!(report.posts, 2);
    let applied = replica.store.applied();
    assert_eq!((applied.index, applied.epoch.conf_ver), (LogIndex(4), 3));
    assert_eq!(applied.members.voters, [founder(2), founder(3), new]);
    assert_eq!(applied.members.outgoing, [1, 2, 3].map(founder));
    assert_eq!(applied.members.learners_next, [founder(1)]);
    assert_eq!(applied.epoch.range_ver, 1);
    assert_eq!(applied.slots, SlotRange::ALL);
}

#[test]
fn a_change_that_was_made_for_other_members_changes_nothing_but_the_index() {
    let mut replica = Replica::new();
    let new = ReplicaId::new(2, ShardId(7), NodeId(4));
    let add = ChangeKind::AddLearner(new);
    replica.store.apply(&[members_entry(1, 1, add.clone())]).unwrap();
    let before = replica.store.applied().clone();
    // Again, for a version that is still to come, and what cannot be done.
    let refused = [
        members_entry(2, 1, add),
        members_entry(3, 3, ChangeKind::Remove(new)),
        members_entry(4, 2, ChangeKind::Remove(founder(1))),
        members_entry(5, 2, ChangeKind::LeaveJoint),
    ];
    assert_eq!(replica.store.apply(&refused).unwrap(), [const { Vec::new() }; 4]);
    let after = Applied {
        index: LogIndex(5),
        ..before
    };
    assert_eq!(replica.store.applied(), &after);
    let (replica, _) = replica.reopen();
    assert_eq!(replica.store.applied(), &after);
}

#[test]
fn who_the_members_are_has_no_part_in_the_hash() {
    let mut replica = Replica::new();
    replica.put(post(1, 1, 1));
    let hash = |replica: &Replica| replica.view().logical_hash(&|| false).unwrap().unwrap().1;
    let before = hash(&replica);
    let add = ChangeKind::AddLearner(ReplicaId::new(2, ShardId(7), NodeId(4)));
    replica.store.apply(&[members_entry(2, 1, add)]).unwrap();
    assert_eq!(hash(&replica), before);
}
