//! Tests of the reads: search, verdicts, what holds for all.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::wire::*;

use crate::fixture::*;

fn hits(replica: &Replica, filter: SearchFilter) -> Vec<u64> {
    let read = replica
        .view()
        .search(&search_query(vector(10_001), 100, filter), &|| false)
        .unwrap();
    read.value.iter().map(|hit| hit.key.post.0).collect()
}

/// Posts 10 to 17, each different from 10 in one thing.
fn different_posts() -> Replica {
    let mut replica = Replica::new();
    let video = Media {
        kind: MediaKind::Video,
        url: "v".into(),
        duration_ms: 9,
    };
    replica.put(post(1, 10, 1));
    replica.put(Post {
        created_at: UnixMillis(START + 500),
        ..post(1, 11, 1)
    });
    replica.put(Post {
        language: Language(*b"de"),
        ..post(1, 12, 1)
    });
    replica.put(Post {
        media: vec![video],
        ..post(1, 13, 1)
    });
    replica.put(Post {
        labels: labels::NSFW,
        ..post(1, 14, 1)
    });
    replica.put(post(2, 15, 1));
    replica.put(Post {
        reply_to: reference(1, 10, RefHint::default()),
        ..post(1, 16, 1)
    });
    replica.put(Post {
        vector: F16Vector::default(),
        ..post(1, 17, 1)
    });
    replica
}

#[test]
fn the_nearest_post_comes_first_and_posts_without_a_vector_never() {
    let replica = different_posts();
    let found = hits(&replica, SearchFilter::default());
    assert_eq!(found[0], 10);
    assert_eq!(found.len(), 7);
    assert!(!found.contains(&17));
}

/// Each condition, and which of the different posts pass it.
fn conditions(not_seen: SeenBloom) -> Vec<(SearchFilter, &'static [u64])> {
    fn filter(change: impl FnOnce(&mut SearchFilter)) -> SearchFilter {
        let mut filter = SearchFilter::default();
        change(&mut filter);
        filter
    }
    vec![
        (filter(|f| f.created_from = Some(UnixMillis(START + 1))), &[11]),
        (
            filter(|f| f.created_before = Some(UnixMillis(START + 1))),
            &[10, 12, 13, 14, 15, 16],
        ),
        (filter(|f| f.language = Some(Language(*b"de"))), &[12]),
        (filter(|f| f.video = Some(true)), &[13]),
        (
            filter(|f| f.without_labels = labels::NSFW | labels::SPAM),
            &[10, 12, 13, 15, 16],
        ),
        (filter(|f| f.authors = vec![UserId(2)]), &[15]),
        (filter(|f| f.not_authors = vec![UserId(1)]), &[15]),
        (
            filter(|f| f.not_posts = vec![PostId(10), PostId(16)]),
            &[11, 12, 13, 14, 15],
        ),
        (filter(|f| f.no_replies = true), &[10, 11, 12, 13, 14, 15]),
        (filter(|f| f.not_seen = Some(not_seen)), &[10, 11, 13, 14, 15, 16]),
    ]
}

#[test]
fn every_condition_is_checked_next_to_the_data() {
    let mut replica = different_posts();
    let seen = action(5, 1, ActionKind::Impression, key(1, 12));
    replica.apply(ShardCommand::RecordActions(vec![seen]));
    let (key, version) = (key(1, 11), Version(1));
    let labels = labels::SPAM;
    replica.apply(ShardCommand::SetLabels(vec![LabelUpdate { key, version, labels }]));
    for (filter, wanted) in conditions(replica.viewer(5).seen) {
        let mut found = hits(&replica, filter.clone());
        found.sort_unstable();
        assert_eq!(found, wanted, "search with {filter:?}");
        let mut query = lists_query(&[(RankedBy::Newest, 100)], START);
        query.filter = filter.clone();
        let newest = replica.view().lists(&query, &|| false).unwrap().value.remove(0);
        let mut found: Vec<u64> = newest.iter().map(|ranked| ranked.post.key.post.0).collect();
        found.retain(|post| *post != 17);
        found.sort_unstable();
        // No list has the reply.
        let wanted: Vec<u64> = wanted.iter().copied().filter(|post| *post != 16).collect();
        assert_eq!(found, wanted, "newest with {filter:?}");
    }
}

#[test]
fn a_label_that_is_taken_back_hides_nothing() {
    let mut replica = different_posts();
    let set = LabelUpdate {
        key: key(1, 14),
        version: Version(1),
        labels: 0,
    };
    replica.apply(ShardCommand::SetLabels(vec![set]));
    assert_eq!(
        hits(
            &replica,
            SearchFilter {
                without_labels: labels::NSFW,
                ..SearchFilter::default()
            }
        )
        .len(),
        7
    );
}

#[test]
fn an_edited_or_deleted_post_is_found_by_its_new_vector_or_not_at_all() {
    let mut replica = different_posts();
    replica.put(post(1, 10, 2));
    replica.apply(ShardCommand::DeletePosts(vec![PostDelete {
        key: key(1, 11),
        version: Version(1),
    }]));
    let found = hits(&replica, SearchFilter::default());
    assert_eq!(found.len(), 6);
    assert_eq!(found.iter().filter(|post| **post == 10).count(), 1);
    let read = replica
        .view()
        .search(&search_query(vector(10_002), 1, SearchFilter::default()), &|| false)
        .unwrap();
    assert_eq!(read.value[0].key, key(1, 10));
}

#[test]
fn an_answer_says_that_rows_are_damaged() {
    let mut replica = Replica::new();
    for id in 1..=300 {
        replica.put(post(1, id, 1));
    }
    let maintainer = replica.store.maintainer();
    assert_eq!(maintainer.step().unwrap(), covey_embeddings::Step::Sealed { rows: 256 });
    let query = search_query(vector(1), 100, SearchFilter::default());
    assert_eq!(replica.view().search(&query, &|| false).unwrap().damaged, 0);
    let rows = replica.folder().join("000000/rows.emb");
    let rows = replica.env.disk.open(&rows, covey_env::OpenMode::ReadWrite).unwrap();
    rows.set_len(4096).unwrap();
    let read = replica.view().search(&query, &|| false).unwrap();
    assert!(read.damaged > 0 && !read.partial);
    let lost = |hit: &covey_shared::score::Hit| hit.key.post.0 <= 256;
    assert_eq!(
        read.value.iter().filter(|hit| !lost(hit)).count(),
        44,
        "the tail is whole"
    );
    assert!(!read.value.iter().any(lost), "no row of zeros is served");
}

#[test]
fn queries_that_do_not_fit_are_refused_by_name() {
    let replica = Replica::new();
    let refused = |change: fn(&mut SearchQuery)| {
        let mut query = search_query(vector(1), 10, SearchFilter::default());
        change(&mut query);
        replica.view().search(&query, &|| false).unwrap_err().to_wire()
    };
    let invalid = ShardError::Invalid;
    assert_eq!(
        refused(|q| q.space = "tower".into()),
        invalid(InvalidRequest::UnknownSpace)
    );
    assert_eq!(
        refused(|q| q.model_epoch = ModelEpoch(3)),
        invalid(InvalidRequest::WrongModelEpoch)
    );
    assert_eq!(
        refused(|q| q.vectors[0].truncate(3)),
        invalid(InvalidRequest::WrongDimension)
    );
    assert_eq!(
        refused(|q| q.vectors[0][1] = f32::NAN),
        invalid(InvalidRequest::BadVector)
    );
    assert_eq!(refused(|q| q.k = 1001), invalid(InvalidRequest::TooLarge));
    assert_eq!(
        refused(|q| q.filter.authors = vec![UserId(1); 10_001]),
        invalid(InvalidRequest::TooLarge)
    );
}

#[test]
fn small_authors_are_flagged_until_enough_follow_them() {
    let mut replica = Replica::new();
    replica.put(post(1, 10, 1));
    let is_small = |replica: &Replica| {
        let found = replica
            .view()
            .in_network(&in_network_query(9, [1]), &|| false)
            .unwrap()
            .value;
        found[0]
            .flags
            .has(CandidateFlags::SMALL_AUTHOR | CandidateFlags::HAS_CONTENT)
    };
    assert!(is_small(&replica));
    for user in 2..=4 {
        let edges = vec![EdgeUpdate {
            kind: EdgeKind::Follow,
            target: UserId(1),
            on: true,
        }];
        let update = UserUpdate {
            user: UserId(user),
            version: Version(1),
            edges,
            ..UserUpdate::default()
        };
        replica.apply(ShardCommand::PutUsers(vec![update]));
    }
    assert!(!is_small(&replica));
}

#[test]
fn a_verdict_names_labels_blocks_and_what_does_not_exist() {
    let mut replica = different_posts();
    let edges = vec![EdgeUpdate {
        kind: EdgeKind::Block,
        target: UserId(9),
        on: true,
    }];
    let profile = Some(Profile {
        screen_name: "ada".into(),
        ..Profile::default()
    });
    let update = UserUpdate {
        user: UserId(1),
        version: Version(1),
        profile,
        edges,
        muted_keywords: None,
    };
    replica.apply(ShardCommand::PutUsers(vec![update]));
    let keys = vec![key(1, 14), key(2, 15), key(1, 99), key(0, 10), key(0, 98)];
    let query = VerdictQuery {
        shards: vec![],
        viewer: UserId(9),
        keys,
        with_posts: true,
    };
    let verdicts = replica.view().verdicts(&query).unwrap().value;
    let facts: Vec<_> = verdicts
        .iter()
        .map(|v| (v.key.post.0, v.exists, v.labels, v.author_blocks_viewer))
        .collect();
    let wanted = [
        (14, true, labels::NSFW, true),
        (15, true, 0, false),
        (99, false, 0, true),
        (10, true, 0, true),
    ];
    assert_eq!(facts, wanted, "an unknown id without an author gets no verdict");
    assert_eq!(verdicts[0].screen_name, "ada");
    assert_eq!(verdicts[1].post.as_ref().unwrap().text, "post 15 v1");
}

#[test]
fn candidates_by_key_are_those_that_live_in_the_order_of_the_keys() {
    let mut replica = different_posts();
    let delete = PostDelete {
        key: key(1, 11),
        version: Version(1),
    };
    replica.apply(ShardCommand::DeletePosts(vec![delete]));
    let keys = vec![key(2, 15), key(1, 11), key(1, 99), key(0, 13), key(1, 17)];
    let query = CandidatesQuery { shards: vec![], keys };
    let found = replica.view().candidates(&query).unwrap().value;
    assert_eq!(found.iter().map(|c| c.key.post.0).collect::<Vec<_>>(), [15, 13, 17]);
    assert_eq!(found[1].video_ms, 9);
}

#[test]
fn an_unknown_viewer_gets_an_empty_state() {
    let replica = Replica::new();
    assert_eq!(replica.viewer(77), ViewerState::default());
}
