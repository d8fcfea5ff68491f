//! Who is up, who leads and what is newest, from what nodes say and when.

use covey_shared::ids::{LogIndex, ReplicaId, Term};
use covey_shared::layout::FIRST_EPOCH;
use covey_shared::members::Members;
use covey_shared::slots::SlotRange;
use covey_shared::wire::MemberProgress;

use super::*;

const SHARD: ShardId = ShardId(7);

fn at(seconds: u64) -> Monotonic {
    Monotonic::default().plus(Duration::from_secs(seconds))
}

fn report(node: u64, term: u64, conf_ver: u64, leads: bool) -> NodeReports {
    let replica = ReplicaId::new(0, SHARD, NodeId(node));
    let mut descriptor = ShardDescriptor {
        shard: SHARD,
        slots: SlotRange::ALL,
        epoch: FIRST_EPOCH,
        members: Members::of([replica]),
    };
    descriptor.epoch.conf_ver = conf_ver;
    let progress = MemberProgress {
        replica,
        matched: LogIndex(1),
        heard: true,
        fit: true,
    };
    NodeReports {
        directory: LogIndex(0),
        shards: vec![ShardReport {
            replica,
            descriptor,
            leader: None,
            term: Term(term),
            last: LogIndex(1),
            applied: LogIndex(1),
            members: leads.then_some(progress).into_iter().collect(),
        }],
        rebuilds: Vec::new(),
    }
}

#[test]
fn a_node_is_away_once_it_was_silent_for_long_even_if_it_never_answered() {
    let sightings = Sightings::default();
    sightings.begin(at(0));
    let look = |seconds| {
        let glimpse = sightings.glimpse([NodeId(1)].into_iter(), at(seconds));
        (glimpse.up.contains(&NodeId(1)), glimpse.silent.get(&NodeId(1)).copied())
    };
    assert_eq!(look(4), (false, None), "nobody knows yet");
    assert_eq!(look(6), (false, Some(6_000)));
    sightings.alive(NodeId(1), at(6));
    assert_eq!(look(10), (true, None));
    assert_eq!(look(11), (false, Some(5_000)));
    assert_eq!(sightings.heard(NodeId(1), at(7)), Some(Duration::from_secs(1)));
}

#[test]
fn of_two_who_say_that_they_lead_the_one_of_the_higher_term_counts() {
    let sightings = Sightings::default();
    sightings.saw(NodeId(1), at(0), report(1, 5, 1, true));
    sightings.saw(NodeId(2), at(0), report(2, 4, 1, true));
    sightings.saw(NodeId(3), at(0), report(3, 9, 1, false));
    let leaders = |seconds| sightings.glimpse(std::iter::empty(), at(seconds)).reports;
    assert_eq!(leaders(1)[&SHARD].replica.node(), NodeId(1));
    assert!(leaders(9).is_empty(), "what was said long ago counts no more");
}

#[test]
fn the_newest_members_count_whoever_names_them() {
    let sightings = Sightings::default();
    sightings.saw(NodeId(1), at(0), report(1, 5, 3, true));
    sightings.saw(NodeId(2), at(0), report(2, 5, 4, false));
    assert_eq!(sightings.newest()[&SHARD].epoch.conf_ver, 4);
    sightings.forget();
    assert!(sightings.newest().is_empty());
}

#[test]
fn progress_of_what_has_ended_is_forgotten() {
    let sightings = Sightings::default();
    let progress = OperationProgress {
        done: 3,
        ..OperationProgress::default()
    };
    sightings.note(OperationId(1), progress.clone());
    sightings.note(OperationId(2), progress.clone());
    sightings.keep(&BTreeSet::from([OperationId(2)]));
    assert_eq!(sightings.progress(OperationId(1)), OperationProgress::default());
    assert_eq!(sightings.progress(OperationId(2)), progress);
}
