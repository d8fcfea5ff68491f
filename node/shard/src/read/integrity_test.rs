//! A row that rots on one replica is healed by another one.

use covey_embeddings::{Repaired, Step};
use covey_env::OpenMode;
use covey_shared::ids::PostId;

use super::*;
use crate::ShardStore;
use crate::fixture::{Replica, post, search_query, vector};

const POSTS: u64 = 300;

/// A replica with one sealed folder of 256 vectors.
fn replica() -> Replica {
    let mut replica = Replica::new();
    (1..=POSTS).for_each(|number| _ = replica.put(post(number % 9 + 1, number, 1)));
    settle(&replica.store);
    replica.store.checkpoint().unwrap();
    replica.kv.store.persist().unwrap();
    replica
}

fn settle(store: &ShardStore) -> Vec<Step> {
    let maintainer = store.maintainer();
    let steps = std::iter::from_fn(|| Some(maintainer.step().unwrap()).filter(|step| *step != Step::Idle));
    steps.collect()
}

fn damaged(view: &ShardView) -> Vec<DamagedRow> {
    let mut scrub = view.scrub();
    while scrub.step().is_some() {}
    scrub.report().damaged.clone()
}

#[test]
fn the_rows_of_a_peer_heal_a_replica() {
    let (mut rotten, peer) = (replica(), replica());
    let path = rotten.folder().join("000000/rows.emb");
    let file = rotten.env.disk.open(&path, OpenMode::ReadWrite).unwrap();
    for row in [3, 200] {
        file.write_at(&[0x11; 8], 4096 + row * 64).unwrap();
    }
    let query = search_query(vector(7), 1000, Default::default());
    let all = |replica: &Replica| replica.view().search(&query, &|| false).unwrap().value;
    assert_eq!((all(&rotten).len(), rotten.view().damaged_rows()), (298, 2));
    let rows = damaged(&rotten.view());
    let posts: Vec<PostId> = rows.iter().map(|row| row.post).collect();
    assert_eq!(posts, [PostId(4), PostId(201)]);
    let copies = peer.view().rows_of(&posts).unwrap().value;
    for (row, copy) in rows.iter().zip(&copies) {
        let wrong = copies.iter().flatten().find(|other| Some(*other) != copy.as_ref());
        assert_eq!(rotten.store.repair(row, wrong.unwrap()), Repaired::DoesNotMatch);
        assert_eq!(rotten.store.repair(row, copy.as_ref().unwrap()), Repaired::Done);
    }
    assert_eq!(all(&rotten), all(&peer));
    let hash = |replica: &Replica| replica.view().logical_hash(&|| false).unwrap();
    assert_eq!(hash(&rotten), hash(&peer));
    rotten.view().rewrite(&rows);
    assert_eq!(settle(&rotten.store), [Step::Merged { segments: 1, rows: 254 }]);
    let (rotten, _) = rotten.reopen();
    assert_eq!((damaged(&rotten.view()), all(&rotten)), (vec![], all(&peer)));
}

#[test]
fn a_peer_gives_what_it_has_in_order_and_no_more_than_agreed() {
    let peer = replica();
    let rows = peer
        .view()
        .rows_of(&[PostId(2), PostId(9999), PostId(1)])
        .unwrap()
        .value;
    assert!(rows[0].is_some() && rows[1].is_none() && rows[2].is_some() && rows[0] != rows[2]);
    assert_eq!(rows[0].as_ref().unwrap().dim(), 32, "whole rows, padding included");
    let refused = peer.view().rows_of(&vec![PostId(1); MAX_VECTORS + 1]);
    assert!(matches!(
        refused,
        Err(ShardStoreError::Invalid(InvalidRequest::TooLarge))
    ));
}
