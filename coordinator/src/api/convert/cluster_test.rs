//! What the leader of the metadata sees becomes one message, and one operation of it on demand.

use covey_config::Config;
use covey_shared::ids::{LogIndex, ShardId, Term, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{NodePlace, NodeRecord, OperationProgress, OperationRecord, Start};
use covey_shared::wire::{MemberProgress, ShardReport};

use covey_shared::settings::Settings;

use super::*;

const NOW: UnixMillis = UnixMillis(100_000);

fn node(id: u64, drained: bool, away_since: Option<u64>) -> NodeView {
    NodeView {
        record: NodeRecord {
            place: NodePlace {
                node: NodeId(id),
                listen: format!("host-{id}:7100"),
                zone: "a".into(),
            },
            drained,
            away_since: away_since.map(UnixMillis),
        },
        heard_ms: Some(0),
        replicas: 2,
        leads: 1,
        repair_in_ms: None,
    }
}

fn running(id: u64, what: Operation, parent: Option<u64>) -> OperationView {
    OperationView {
        record: OperationRecord {
            id: OperationId(id),
            what,
            by: "ada".into(),
            parent: parent.map(OperationId),
            started: UnixMillis(90_000),
            deadline: UnixMillis(190_000),
            cancelled: false,
            ended: None,
        },
        progress: OperationProgress::default(),
    }
}

fn ended(id: u64, ending: Ending) -> OperationView {
    let mut one = running(id, Operation::Repair { node: NodeId(9) }, None);
    one.record.ended = Some((UnixMillis(95_000), ending));
    one
}

fn view(nodes: Vec<NodeView>, operations: Vec<OperationView>) -> ClusterView {
    ClusterView {
        applied: LogIndex(7),
        at: NOW,
        nodes,
        shards: Vec::new(),
        operations,
        audit: Vec::new(),
        settings: Settings::default(),
    }
}

#[test]
fn the_state_of_a_node_follows_from_what_runs() {
    let (drain, maintenance) = (
        Operation::Drain { node: NodeId(3) },
        Operation::Maintenance {
            node: NodeId(5),
            until: UnixMillis(200_000),
        },
    );
    let nodes = vec![
        node(1, false, None),
        node(2, false, Some(40_000)),
        node(3, true, None),
        node(4, true, Some(40_000)),
        node(5, false, Some(40_000)),
    ];
    let mut view = view(nodes, vec![running(1, drain, None), running(2, maintenance, None)]);
    let states = |view: &ClusterView| -> Vec<v1::NodeState> {
        let reply = described(view, None, String::new()).unwrap();
        reply.nodes.iter().map(v1::NodeView::state).collect()
    };
    use v1::NodeState::{Away, Drained, Draining, Maintenance, Up};
    assert_eq!(states(&view), [Up, Away, Draining, Drained, Maintenance]);
    let reply = described(&view, None, String::new()).unwrap();
    let away: Vec<u64> = reply.nodes.iter().map(|node| node.away_ms).collect();
    assert_eq!(away, [0, 60_000, 0, 60_000, 60_000]);
    view.operations
        .iter_mut()
        .for_each(|one| one.record.ended = Some((NOW, Ending::Done)));
    assert_eq!(states(&view), [Up, Away, Drained, Drained, Away]);
}

#[test]
fn each_end_of_an_operation_is_told() {
    let ends = vec![
        running(1, Operation::Repair { node: NodeId(9) }, None),
        ended(2, Ending::Done),
        ended(3, Ending::Cancelled),
        ended(4, Ending::Failed("no room".into())),
    ];
    let reply = described(&view(Vec::new(), ends), None, "t".into()).unwrap();
    let told: Vec<_> = reply
        .operations
        .iter()
        .map(|one| (one.state(), one.ended_ms, one.error.as_str()))
        .collect();
    use v1::OperationState::{Cancelled, Done, Failed, Running};
    assert_eq!(
        told,
        [
            (Running, 0, ""),
            (Done, 95_000, ""),
            (Cancelled, 95_000, ""),
            (Failed, 95_000, "no room")
        ]
    );
    assert_eq!((reply.applied, reply.at_ms, reply.trace_id.as_str()), (7, 100_000, "t"));
}

#[test]
fn one_operation_comes_with_what_it_began_and_nothing_else() {
    let step = |shard| Operation::Move {
        shard: ShardId(shard),
        from: NodeId(3),
        to: NodeId(4),
    };
    let operations = vec![
        running(1, Operation::Drain { node: NodeId(3) }, None),
        running(2, step(1), Some(1)),
        running(3, Operation::Repair { node: NodeId(9) }, None),
    ];
    let view = view(vec![node(1, false, None)], operations);
    let reply = described(&view, Some(OperationId(1)), String::new()).unwrap();
    let ids: Vec<u64> = reply.operations.iter().map(|one| one.id).collect();
    assert_eq!((ids, reply.nodes.len()), (vec![1, 2], 0));
    let unknown = described(&view, Some(OperationId(99)), String::new());
    assert_eq!(unknown, Err(OperationFault::UnknownOperation(OperationId(99))));
}

#[test]
fn a_shard_shows_its_members_as_its_leader_sees_them() {
    let mut descriptor = ShardDescriptor::founding(&Config::default().layout().metadata);
    descriptor.change(&descriptor.add_learner(NodeId(4))).unwrap();
    let members = descriptor.members.all().into_iter().map(|replica| MemberProgress {
        replica,
        matched: LogIndex(if replica.node() == NodeId(4) { 3 } else { 10 }),
        heard: replica.node() != NodeId(2),
        fit: true,
    });
    let report = ShardReport {
        replica: descriptor.members.voters[2],
        leader: Some(descriptor.members.voters[2]),
        term: Term(2),
        last: LogIndex(10),
        applied: LogIndex(10),
        members: members.collect(),
        descriptor: descriptor.clone(),
    };
    let report = Some(report);
    let mut view = view(Vec::new(), Vec::new());
    view.shards.push(ShardView { descriptor, report });
    let shard = described(&view, None, String::new()).unwrap().shards.remove(0);
    assert_eq!((shard.shard, shard.leader, shard.conf_ver), (0, 3, 2));
    assert_eq!((shard.voters, shard.learners), (vec![1, 2, 3], vec![4]));
    let members: Vec<_> = shard.members.iter().map(|m| (m.node, m.heard, m.behind)).collect();
    assert_eq!(members, [(1, true, 0), (2, false, 0), (3, true, 0), (4, true, 7)]);
    view.shards[0].report = None;
    let shard = described(&view, None, String::new()).unwrap().shards.remove(0);
    assert_eq!((shard.leader, shard.members.len()), (0, 0));
}

#[test]
fn a_line_of_the_audit_log_says_what_was_asked_for_and_what_came_of_it() {
    let line = |change, outcome| {
        audit_line(&AuditRecord {
            number: 4,
            at: NOW,
            by: "ada".into(),
            change,
            outcome,
        })
    };
    let begun = line(
        MetadataChange::Start(Start {
            what: Operation::Drain { node: NodeId(3) },
            by: "ada".into(),
            parent: None,
            limit_ms: 1,
        }),
        Ok(Some(OperationId(17))),
    );
    assert_eq!(
        (begun.what.as_str(), begun.operation, begun.error.as_str()),
        ("drain node 3", 17, "")
    );
    let (node, by) = (NodeId(3), "ada".to_owned());
    let refused = line(
        MetadataChange::Undrain { node, by },
        Err(OperationFault::NotDrained(node)),
    );
    assert_eq!(
        (refused.operation, refused.error.as_str()),
        (0, "node 3 is not drained")
    );
    let too_many = v1::DescribeClusterRequest {
        audit: 1001,
        ..Default::default()
    };
    assert!(audit_lines(&too_many).is_err());
}
