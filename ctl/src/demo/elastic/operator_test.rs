//! Which operations are begun.

use covey_api::v1::NodeView;

use super::*;

fn shard(id: u64, leader: u64, voters: &[u64]) -> ShardView {
    ShardView {
        shard: id,
        // The metadata owns no slots.
        slot_end: if id == 0 { 0 } else { 100 },
        leader,
        voters: voters.to_vec(),
        ..ShardView::default()
    }
}

fn view(shards: Vec<ShardView>) -> DescribeClusterReply {
    let node = |node| NodeView {
        node,
        ..NodeView::default()
    };
    DescribeClusterReply {
        nodes: (1..=4).map(node).collect(),
        shards,
        ..DescribeClusterReply::default()
    }
}

#[test]
fn the_node_that_leads_most_is_the_first_of_equals_and_the_metadata_does_not_count() {
    let all = [1, 2, 3];
    let state = view(vec![
        shard(0, 1, &all),
        shard(1, 3, &all),
        shard(2, 2, &all),
        shard(3, 0, &all),
    ]);
    assert_eq!(busiest(&state), Some((2, vec![2])));
    let state = view(vec![shard(1, 3, &all), shard(2, 2, &all), shard(3, 3, &all)]);
    assert_eq!(busiest(&state), Some((3, vec![1, 3])));
    assert_eq!(busiest(&view(Vec::new())), None);
}

#[test]
fn the_leader_of_the_first_shard_moves_to_a_node_without_a_replica() {
    let state = view(vec![shard(0, 1, &[1, 2, 3]), shard(1, 4, &[1, 3, 4])]);
    let wanted = MoveReplica {
        shard: 1,
        from_node: 4,
        to_node: 2,
    };
    assert_eq!(one_move(&state), Some(wanted));
    assert_eq!(one_move(&view(vec![shard(1, 1, &[1, 2, 3, 4])])), None);
}

#[test]
fn replicas_are_counted_without_those_of_the_metadata() {
    let state = view(vec![
        shard(0, 1, &[1, 2, 3]),
        shard(1, 4, &[1, 3, 4]),
        shard(2, 4, &[1, 2, 4]),
    ]);
    assert_eq!([1, 2, 5].map(|node| replicas_on(&state, node)), [2, 1, 0]);
}

#[test]
fn an_operation_that_did_not_end_as_wanted_is_an_error() {
    let mut one = OperationView {
        id: 7,
        started_ms: 1_000,
        ended_ms: 6_000,
        state: OperationState::Done.into(),
        ..OperationView::default()
    };
    assert_eq!(ended(&one, Vec::new()).unwrap().after_ms, 5_000);
    one.state = OperationState::Failed.into();
    one.error = "no room".to_owned();
    let error = ended(&one, Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "operation 7 ended as Failed: no room");
}
