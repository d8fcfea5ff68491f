//! What a process begins with, and whom it finds.

use super::*;

fn place(node: u64, listen: &str) -> NodePlace {
    NodePlace {
        node: NodeId(node),
        listen: listen.to_owned(),
        zone: String::new(),
    }
}

fn configured() -> Directory {
    Directory::new(LogIndex(0), [place(2, "file:2"), place(1, "file:1")])
}

#[test]
fn nodes_are_found_by_id() {
    let directory = configured();
    assert_eq!(directory.get(NodeId(2)), Some(&place(2, "file:2")));
    assert_eq!(directory.get(NodeId(3)), None);
}

#[test]
fn who_knows_nothing_begins_with_the_configuration() {
    assert_eq!(Directory::default().at(&configured()), configured());
}

#[test]
fn a_node_that_was_removed_or_has_yet_to_join_is_left_out_and_new_addresses_count() {
    let stored = Directory::new(LogIndex(9), [place(2, "old:2"), place(4, "old:4")]);
    let expected = Directory::new(LogIndex(9), [place(2, "file:2"), place(4, "old:4")]);
    assert_eq!(stored.at(&configured()), expected);
}
