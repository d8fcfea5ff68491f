//! Who is up, who leads and what is newest, from what nodes say and when.

use covey_metadata::Phase;
use covey_shared::ids::{LogIndex, Term};
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
        settings: LogIndex(0),
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
        let glimpse = sightings.glimpse([NodeId(1)].into_iter(), &BTreeMap::new(), at(seconds));
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
    let leaders = |seconds| {
        sightings
            .glimpse(std::iter::empty(), &BTreeMap::new(), at(seconds))
            .reports
    };
    assert_eq!(leaders(1)[&SHARD].replica.node(), NodeId(1));
    assert!(leaders(9).is_empty(), "what was said long ago counts no more");
}

#[test]
fn who_was_left_behind_by_a_recovery_leads_nothing_and_is_found() {
    let sightings = Sightings::default();
    sightings.saw(NodeId(1), at(0), report(1, 5, 1001, true));
    sightings.saw(NodeId(2), at(0), report(2, 9, 3, true));
    let known = BTreeMap::from([(SHARD, sightings.newest()[&SHARD].clone())]);
    let leaders = sightings.glimpse(std::iter::empty(), &known, at(1)).reports;
    assert_eq!(leaders[&SHARD].replica.node(), NodeId(1));
    assert_eq!(sightings.strangers(&known), [ReplicaId::new(0, SHARD, NodeId(2))]);
    assert_eq!(sightings.strangers(&BTreeMap::new()), []);
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

#[test]
fn the_time_left_of_a_move_goes_by_those_before_it() {
    let sightings = Sightings::default();
    let step = |id, now: u64, phase, fetch_ms, ending| {
        let stepped = Stepped {
            progress: OperationProgress {
                eta_ms: fetch_ms,
                ..OperationProgress::default()
            },
            phase,
            ending,
            report: None,
            offered: false,
        };
        sightings.stepped(OperationId(id), at(now), &stepped);
        sightings.progress(OperationId(id)).eta_ms
    };
    let phases = [
        Phase::Join,
        Phase::Fetch,
        Phase::Install,
        Phase::CatchUp,
        Phase::HandOver,
        Phase::Leave,
    ];
    for (second, phase) in (0..).zip(phases) {
        step(1, second, Some(phase), None, None);
    }
    step(1, 6, Some(Phase::CleanUp), None, None);
    step(1, 7, Some(Phase::CleanUp), None, Some(Ending::Done));
    let forecast = || sightings.glimpse(std::iter::empty(), &BTreeMap::new(), at(9)).forecast;
    assert_eq!(forecast().usual_ms, Some(7_000));
    assert_eq!(step(2, 10, Some(Phase::Join), None, None), Some(7_000));
    assert_eq!(step(2, 11, Some(Phase::Fetch), Some(3_000), None), Some(8_000));
    assert_eq!(forecast().left_ms[&OperationId(2)], 8_000);
    assert_eq!(step(2, 12, None, None, None), None, "it is held up");
    sightings.keep(&BTreeSet::new());
    assert_eq!(forecast().left_ms, BTreeMap::new());
}
