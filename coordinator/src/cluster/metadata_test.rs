//! The leader of the metadata is found and asked, whoever was thought to lead, and no change is made twice in vain.

use covey_shared::ids::{NodeId, UnixMillis};
use covey_shared::metadata::Start;

use super::*;
use crate::cluster::testing::{Mood, World, cluster};

fn soon(cluster: &Cluster) -> Monotonic {
    cluster.now().plus(Duration::from_secs(4))
}

fn start(node: u64) -> MetadataChange {
    MetadataChange::Start(Start {
        what: Operation::Drain { node: NodeId(node) },
        by: "ada".into(),
        parent: None,
        limit_ms: 1000,
    })
}

fn lead(world: &World, node: u64) {
    world.leaders.lock().insert(ShardId::METADATA, NodeId(node));
}

/// The first change of a cluster.
fn first() -> Changed {
    Changed {
        operation: OperationId(1),
        index: LogIndex(1),
    }
}

#[actix::test]
async fn the_leader_is_found_by_hints_and_remembered() {
    let (cluster, world) = cluster();
    lead(&world, 3);
    let begun = cluster.change(&start(2), soon(&cluster)).await.unwrap();
    assert_eq!(begun, Ok(first()));
    let asked: Vec<u64> = world.calls.lock().iter().map(|(node, _)| node.0).collect();
    assert_eq!(asked, [1, 3]);
    world.calls.lock().clear();
    let view = cluster.describe(5, soon(&cluster)).await.unwrap();
    assert_eq!((view.applied.0, view.at), (1, UnixMillis(1)));
    assert_eq!(world.calls.lock().len(), 1, "who leads was remembered");
}

#[actix::test]
async fn a_node_that_is_silent_is_passed_over_while_there_is_time() {
    let (cluster, world) = cluster();
    world.set(1, Mood::Hangs);
    lead(&world, 2);
    let began = cluster.now();
    cluster.describe(0, soon(&cluster)).await.unwrap();
    assert!(cluster.now().since(began) < Duration::from_secs(3));
}

#[actix::test]
async fn without_a_leader_the_deadline_ends_the_search() {
    let (cluster, world) = cluster();
    (1..=3).for_each(|node| world.set(node, Mood::Down));
    let short = || cluster.now().plus(Duration::from_millis(400));
    let error = cluster.describe(0, short()).await.unwrap_err();
    assert!(matches!(error, MetadataError::NoLeader(_)), "{error}");
    assert!(error.to_string().contains("reads and writes go on"));
    let error = cluster.change(&start(2), short()).await.unwrap_err();
    assert!(!matches!(error, MetadataError::Invalid(_)), "{error}");
}

#[actix::test]
async fn a_change_whose_reply_is_lost_is_sent_again_and_else_not_known() {
    let (cluster, world) = cluster();
    (1..=3).for_each(|node| world.set(node, Mood::LosesReplies));
    let short = cluster.now().plus(Duration::from_millis(400));
    let error = cluster.change(&start(2), short).await.unwrap_err();
    assert!(matches!(error, MetadataError::Uncertain(_)), "{error}");
    assert!(world.changes.lock().contains(&start(2)), "it was done");
}

#[actix::test]
async fn a_newer_epoch_is_taken_from_who_knows_it() {
    let (cluster, world) = cluster();
    let newer = ShardEpoch {
        range_ver: 1,
        conf_ver: 4,
    };
    *world.metadata_epoch.lock() = Some(newer);
    cluster.change(&start(2), soon(&cluster)).await.unwrap().unwrap();
    let calls = world.calls.lock();
    let epochs: Vec<u64> = calls
        .iter()
        .filter_map(|(_, body)| match body {
            RequestBody::Write { epoch, .. } => Some(epoch.conf_ver),
            _ => None,
        })
        .collect();
    assert_eq!(epochs, [1, 4]);
}

#[actix::test]
async fn refusals_are_passed_on_and_rehearsals_change_nothing() {
    let (cluster, world) = cluster();
    let what = Operation::Repair { node: NodeId(2) };
    let planned = cluster.rehearse(what, soon(&cluster)).await.unwrap();
    assert_eq!(planned, Ok(vec![what]));
    *world.fault.lock() = Some(OperationFault::NotAway(NodeId(2)));
    let fault = Err(OperationFault::NotAway(NodeId(2)));
    assert_eq!(cluster.rehearse(what, soon(&cluster)).await.unwrap(), fault);
    assert_eq!(
        cluster.change(&start(2), soon(&cluster)).await.unwrap(),
        fault.map(|_: Vec<_>| first())
    );
    assert!(world.changes.lock().is_empty());
}

#[actix::test]
async fn a_change_waits_until_the_cluster_is_known_or_the_deadline_is_near() {
    let (cluster, world) = cluster();
    *world.fault.lock() = Some(OperationFault::NotYetKnown);
    let early = Ok(Err(OperationFault::NotYetKnown));
    let drain = start(2);
    let short = cluster.change(&drain, cluster.now().plus(SETTLING)).await;
    assert_eq!(short.map_err(|error| error.to_string()), early);
    let known = async {
        tokio::time::sleep(SETTLING / 2).await;
        *world.fault.lock() = None;
    };
    let (begun, ()) = tokio::join!(cluster.change(&drain, soon(&cluster)), known);
    assert_eq!(begun.unwrap(), Ok(first()));
}

#[test]
fn a_retry_is_not_refused_for_what_the_first_try_did() {
    let (node, by) = (NodeId(3), String::new());
    let undrain = MetadataChange::Undrain { node, by: by.clone() };
    let not = || Err(OperationFault::NotDrained(node));
    assert_eq!(settled(&undrain, true, not()), Ok(OperationId(0)));
    assert_eq!(settled(&undrain, false, not()), not());
    let operation = OperationId(7);
    let cancel = MetadataChange::Cancel { operation, by };
    let ended = || Err(OperationFault::Ended(operation));
    assert_eq!(settled(&cancel, true, ended()), Ok(operation));
    assert_eq!(settled(&cancel, false, ended()), ended());
    assert_eq!(settled(&cancel, true, not()), not(), "another reason stands");
}
