//! A replica without a past is new only if nobody has one.

use super::*;

const ME: ReplicaId = ReplicaId(7);

fn standing(term: u64, last: u64, leads: bool) -> Option<Standing> {
    Some(Standing {
        term: Term(term),
        last: LogIndex(last),
        leads,
    })
}

fn others(standings: [Option<Standing>; 2]) -> Vec<(NodeId, Option<Standing>)> {
    [NodeId(2), NodeId(3)].into_iter().zip(standings).collect()
}

#[test]
fn nothing_is_decided_before_every_other_member_has_answered() {
    let fresh = Some(Standing::default());
    assert_eq!(judge(ME, &others([fresh, None])), Answers::Silent(vec![NodeId(3)]));
    assert_eq!(
        judge(ME, &others([standing(4, 90, true), None])),
        Answers::Silent(vec![NodeId(3)])
    );
}

#[test]
fn a_group_in_which_nobody_has_an_entry_is_new_and_terms_of_earlier_campaigns_are_not_voted_in_again() {
    let fresh = Some(Standing::default());
    assert_eq!(judge(ME, &others([fresh, fresh])), Answers::New(HardState::default()));
    assert_eq!(judge(ME, &[]), Answers::New(HardState::default()));
    let campaigned = HardState {
        term: 3,
        vote: ME.0,
        commit: 0,
    };
    assert_eq!(
        judge(ME, &others([fresh, standing(3, 0, false)])),
        Answers::New(campaigned)
    );
}

#[test]
fn the_bar_covers_every_term_and_entry_that_anybody_knows_of() {
    let known = judge(ME, &others([standing(4, 90, true), standing(6, 70, false)]));
    let bar = Bar {
        term: Term(6),
        last: LogIndex(90),
    };
    assert_eq!(known, Answers::Known(bar));
    let later = Bar {
        term: Term(7),
        last: LogIndex(80),
    };
    let lower = Bar {
        term: Term(6),
        last: LogIndex(80),
    };
    assert_eq!(bar.lower(later), lower, "entries above it were never committed");
}

#[test]
fn it_fetches_from_the_leader_of_the_latest_term() {
    assert_eq!(leader(&others([standing(4, 90, false), None])), None);
    let two = others([standing(4, 90, true), standing(6, 70, true)]);
    assert_eq!(
        leader(&two),
        Some(NodeId(3)),
        "the other one does not know yet that it is deposed"
    );
}

#[test]
fn it_votes_in_no_term_in_which_it_may_have_voted() {
    let bar = Bar {
        term: Term(6),
        last: LogIndex(90),
    };
    let begins = |leader_term| {
        let state = bar.hard_state(ME, ReplicaId(8), Term(leader_term), LogIndex(95));
        (state.term, state.vote, state.commit)
    };
    assert_eq!(begins(5), (6, ME.0, 95));
    assert_eq!(begins(6), (6, 8, 95));
    assert_eq!(begins(7), (7, 8, 95));
}

#[test]
fn a_stored_bar_has_fixed_bytes() {
    let bar = Bar {
        term: Term(6),
        last: LogIndex(90),
    };
    let bytes = crate::checked_file::to_bytes(1, &bar).expect("two numbers");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "010006000000000000005a00000000000000fb3289af");
}
