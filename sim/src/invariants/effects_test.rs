//! The invariants about effects and about the metadata find what they are there for.

use std::collections::BTreeMap;

use covey_shared::ids::{LogIndex, NodeId, UnixMillis, UserId};
use covey_shared::metadata::ClusterView;

use covey_shared::settings::Settings;

use super::*;
use crate::history::History;

#[test]
fn a_count_that_is_not_that_of_the_edges_is_found() {
    let broken = |count: u32| {
        let mut history = History::default();
        for (follower, on) in [(1, true), (2, true), (3, false)] {
            history.follows.insert((UserId(follower), UserId(9)), on);
        }
        history.follows.insert((UserId(1), UserId(8)), true);
        let found = BTreeMap::from([(UserId(8), 1), (UserId(9), count)]);
        effects_once(&mut history, NodeId(1), &found);
        history.violations.len()
    };
    assert_eq!([1, 2, 3].map(broken), [1, 0, 1]);
}

#[test]
fn metadata_that_is_older_than_what_was_known_is_found() {
    let view = |applied| ClusterView {
        applied: LogIndex(applied),
        at: UnixMillis(0),
        nodes: Vec::new(),
        shards: Vec::new(),
        operations: Vec::new(),
        audit: Vec::new(),
        settings: Settings::default(),
    };
    let mut history = History::default();
    metadata_goes_on(&mut history, LogIndex(0), &view(7));
    assert_eq!((history.violations.len(), history.metadata), (0, LogIndex(7)));
    // It was asked before the other answer came.
    metadata_goes_on(&mut history, LogIndex(0), &view(6));
    assert_eq!(history.violations.len(), 0);
    metadata_goes_on(&mut history, LogIndex(7), &view(6));
    assert_eq!(history.violations.len(), 1);
}
