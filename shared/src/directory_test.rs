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
