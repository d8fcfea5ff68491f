//! Tests of texts.

use covey_shared::command::{PostDelete, ShardCommand};
use covey_shared::ids::Version;
use covey_shared::model::Post;
use covey_shared::wire::{InvalidRequest, TextQuery};

use crate::error::ShardStoreError;
use crate::fixture::{Replica, key, post};

fn query(posts: &[u64], phrases: &[&str]) -> TextQuery {
    TextQuery {
        shards: vec![],
        keys: posts.iter().map(|id| key(1, *id)).collect(),
        phrases: phrases.iter().map(ToString::to_string).collect(),
    }
}

fn replica() -> Replica {
    let mut replica = Replica::new();
    for (id, text) in [(10, "Breaking: NEWS"), (11, "nothing new"), (12, "breaking news")] {
        replica.put(Post {
            text: text.into(),
            ..post(1, id, 1)
        });
    }
    let gone = PostDelete {
        key: key(1, 12),
        version: Version(2),
    };
    replica.apply(ShardCommand::DeletePosts(vec![gone]));
    replica
}

#[test]
fn every_key_is_answered_with_the_phrase_that_its_text_holds() {
    let replica = replica();
    let asked = query(&[12, 11, 10, 99], &["else", "breaking news"]);
    let read = replica.view().match_texts(&asked, &|| false).unwrap();
    let found: Vec<_> = read.value.iter().map(|m| (m.key.post.0, m.phrase)).collect();
    // What was deleted, or never was, holds nothing.
    assert_eq!(found, [(12, None), (11, None), (10, Some(1)), (99, None)]);
    assert_eq!((read.visited, read.partial), (4, false));
}

#[test]
fn a_deadline_ends_it_and_long_lists_are_refused() {
    let replica = replica();
    let read = replica.view().match_texts(&query(&[10], &["a"]), &|| true).unwrap();
    assert!(read.partial && read.value.is_empty());
    let long: Vec<u64> = (1..=10_001).collect();
    let refused = replica.view().match_texts(&query(&long, &["a"]), &|| false);
    assert!(matches!(
        refused,
        Err(ShardStoreError::Invalid(InvalidRequest::TooLarge))
    ));
}
