//! The verdict needs work beside the searches, and the counters are those of all replicas.

use covey_api::v1::{NodeStatus, ReplicaStatus};

use super::*;

fn searches(asked: u64, failed: u64, incomplete: u64) -> Searches {
    let mut searches = Searches::default();
    (searches.asked, searches.failed, searches.incomplete) = (asked, failed, incomplete);
    searches
}

fn figures(seals: u64, merges: u64, p99_ratio: f64) -> Figures {
    Figures {
        nodes: 3,
        shards: 8,
        posts: [10, 20],
        searches_per_s: 5,
        seconds: 6,
        quiet: searches(10, 0, 0),
        busy: searches(10, 0, 0),
        quiet_again: searches(10, 0, 0),
        writes: Writes {
            posts: 95,
            failed: 5,
            ..Writes::default()
        },
        upkeep: Upkeep {
            seals,
            merges,
            segments: 9,
        },
        p99_ratio,
        p99_ratio_again: 1.5,
    }
}

#[test]
fn a_run_is_good_if_the_tail_hardly_grew_while_something_was_built() {
    assert_eq!(figures(1, 1, 2.0).outcome(), Outcome::Done);
    for (seals, merges, ratio) in [(0, 1, 1.0), (1, 0, 1.0), (1, 1, 2.1)] {
        assert_eq!(figures(seals, merges, ratio).outcome(), Outcome::NotGood);
    }
    let text = figures(3, 2, 1.234).human();
    assert!(
        text.contains("3 seals and 2 merges") && text.contains("/ quiet: 1.23"),
        "{text}"
    );
}

#[test]
fn a_run_in_which_a_search_had_no_whole_answer_is_not_good() {
    for bad in [searches(0, 0, 0), searches(10, 1, 0), searches(10, 0, 1)] {
        for phase in 0..3 {
            let mut figures = figures(1, 1, 1.0);
            *[&mut figures.quiet, &mut figures.busy, &mut figures.quiet_again][phase] = bad.clone();
            assert_eq!(figures.outcome(), Outcome::NotGood, "{bad:?} in phase {phase}");
        }
    }
}

#[test]
fn a_run_beside_which_little_was_written_is_not_good() {
    for (posts, failed) in [(0, 0), (94, 6), (0, 100)] {
        let mut figures = figures(1, 1, 1.0);
        (figures.writes.posts, figures.writes.failed) = (posts, failed);
        assert_eq!(figures.outcome(), Outcome::NotGood, "{posts} written, {failed} not");
    }
}

#[test]
fn the_work_of_all_replicas_is_added_up() {
    let space = |seals, merges, segments| SpaceStatus {
        seals,
        merges,
        segments,
        ..SpaceStatus::default()
    };
    let replica = |space| ReplicaStatus {
        spaces: vec![space],
        ..ReplicaStatus::default()
    };
    let node = |replicas| NodeStatus {
        replicas,
        ..NodeStatus::default()
    };
    let status = StatusReply {
        nodes: vec![
            node(vec![replica(space(1, 2, 3)), replica(space(10, 20, 30))]),
            node(vec![replica(space(100, 200, 300))]),
        ],
        ..StatusReply::default()
    };
    let wanted = Upkeep {
        seals: 111,
        merges: 222,
        segments: 333,
    };
    assert_eq!(upkeep(&status), wanted);
}

#[test]
fn new_posts_have_ids_that_no_world_has() {
    assert!(first_new_post() > 4_000_000_000);
}
