//! What is known of the cluster's nodes outlives the process, and only grows newer.

use super::*;
use covey_shared::ids::ClusterId;

fn place(node: u64, listen: &str) -> NodePlace {
    NodePlace {
        node: NodeId(node),
        listen: listen.to_owned(),
        zone: "z".to_owned(),
    }
}

fn directory(version: u64, places: &[(u64, &str)]) -> Directory {
    Directory::new(
        LogIndex(version),
        places.iter().map(|(node, listen)| place(*node, listen)),
    )
}

struct Bed {
    dir: tempfile::TempDir,
    env: Env,
}

impl Bed {
    fn new() -> Bed {
        Bed {
            dir: tempfile::tempdir().expect("a directory"),
            env: Env::production(1).expect("threads"),
        }
    }

    fn open(&self, configured: &Directory) -> Arc<Nodes> {
        Nodes::open(&self.env, self.dir.path(), configured)
    }

    /// Learns it, and waits for the disk.
    fn learn(&self, nodes: &Arc<Nodes>, directory: Directory) {
        nodes.learn(directory);
        // Who stores it holds it.
        while Arc::strong_count(&nodes.kept) > 1 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_newest_list_counts_and_outlives_the_process() {
    let (bed, configured) = (Bed::new(), directory(0, &[(1, "a:1"), (2, "b:2")]));
    let nodes = bed.open(&configured);
    assert_eq!(*nodes.now(), configured);
    let newer = directory(7, &[(1, "a:1"), (4, "d:4")]);
    bed.learn(&nodes, newer.clone());
    bed.learn(&nodes, directory(6, &[(9, "x:9")]));
    bed.learn(&nodes, directory(7, &[(9, "x:9")]));
    assert_eq!(*nodes.now(), newer);
    assert_eq!(
        *bed.open(&configured).now(),
        newer,
        "node 2 was removed, node 4 has joined"
    );
}

#[test]
fn a_node_is_looked_for_where_the_configuration_moved_it_until_the_cluster_says_something_newer() {
    let (bed, configured) = (Bed::new(), directory(0, &[(1, "a:1"), (2, "b:2"), (3, "c:3")]));
    bed.learn(
        &bed.open(&configured),
        directory(7, &[(1, "a:1"), (2, "b:2"), (3, "far:3")]),
    );
    let same = bed.open(&configured);
    assert_eq!(
        same.now().get(NodeId(3)),
        Some(&place(3, "far:3")),
        "an old file is no news"
    );
    let moved = directory(0, &[(1, "new:1"), (2, "new:2"), (3, "c:3")]);
    let nodes = bed.open(&moved);
    let all = |one, two| directory(7, &[(1, one), (2, two), (3, "far:3")]);
    assert_eq!(*nodes.now(), all("new:1", "new:2"));
    // Node 1 has said where it is, node 2 has yet to.
    bed.learn(&nodes, directory(8, &[(1, "new:1"), (2, "b:2"), (3, "far:3")]));
    assert_eq!(nodes.now().get(NodeId(2)), Some(&place(2, "new:2")));
    assert_eq!(
        bed.open(&moved).now().get(NodeId(2)),
        Some(&place(2, "new:2")),
        "over a restart, too"
    );
    bed.learn(&nodes, directory(9, &[(1, "new:1"), (2, "other:2"), (3, "far:3")]));
    assert_eq!(nodes.now().get(NodeId(2)), Some(&place(2, "other:2")));
}

#[test]
fn the_file_has_fixed_bytes() {
    let known = Known {
        cluster: directory(7, &[(4, "d:4")]),
        configured: directory(0, &[]),
        moved: vec![place(1, "a")],
    };
    let bytes = crate::checked_file::to_bytes(FORM.version, &known).expect("two nodes");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let golden = [
        "0100",
        // What the cluster says: version, one node with id, address, zone.
        "0700000000000000",
        "0100000000000000 0400000000000000",
        "0300000000000000 643a34",
        "0100000000000000 7a",
        // What the configuration said: nothing.
        "0000000000000000 0000000000000000",
        // Who was moved by it since.
        "0100000000000000 0100000000000000",
        "0100000000000000 61",
        "0100000000000000 7a",
    ];
    assert_eq!(hex[..hex.len() - 8], golden.concat().replace(' ', ""), "and a checksum");
}

#[test]
fn a_damaged_list_is_left_out_and_told_again() {
    let (bed, configured) = (Bed::new(), directory(0, &[(1, "a:1")]));
    bed.learn(&bed.open(&configured), directory(7, &[(4, "d:4")]));
    let path = bed.dir.path().join(FORM.name);
    let mut bytes = bed.env.disk.read_file(&path, FORM.max).expect("it is there");
    bytes[9] ^= 1;
    bed.env.disk.replace_file(&path, &bytes).expect("it rots");
    let nodes = bed.open(&configured);
    assert_eq!(*nodes.now(), configured);
    bed.learn(&nodes, directory(7, &[(4, "d:4")]));
    assert_eq!(*bed.open(&configured).now(), directory(7, &[(4, "d:4")]));
}

#[test]
fn who_watches_sees_each_change_once() {
    let nodes = Bed::new().open(&directory(0, &[(1, "a:1")]));
    let mut watch = nodes.watch();
    assert!(!watch.has_changed().expect("open"));
    nodes.learn(directory(3, &[(1, "a:1"), (2, "b:2")]));
    assert_eq!(watch.borrow_and_update().nodes.len(), 2);
    nodes.learn(directory(3, &[(1, "a:1")]));
    assert!(!watch.has_changed().expect("open"), "no news");
}

#[test]
fn there_is_a_way_to_each_node_at_its_newest_address() {
    let nodes = Bed::new().open(&directory(0, &[(1, "a:1"), (2, "b:2")]));
    let clients = Clients::new(nodes.clone(), ClientOptions::new(ClusterId(1), NodeId(1)));
    let address = |node| clients.get(NodeId(node)).map(|client| client.peer().address.clone());
    assert_eq!(address(2).as_deref(), Some("b:2"));
    assert_eq!(address(4), None);
    nodes.learn(directory(3, &[(1, "a:1"), (2, "moved:2"), (4, "d:4")]));
    assert_eq!(address(2).as_deref(), Some("moved:2"));
    assert_eq!(address(4).as_deref(), Some("d:4"));
    nodes.learn(directory(4, &[(1, "a:1"), (4, "d:4")]));
    assert_eq!(address(2), None);
    assert_eq!(clients.ids(), [NodeId(1), NodeId(4)]);
}
