//! What is learned of moves, and what is told of the next ones.

use super::*;

const ONE: OperationId = OperationId(1);
const TWO: OperationId = OperationId(2);

/// A move that begins at `from` and spends so long in each phase, up to its end.
fn run(pace: &mut Pace, id: OperationId, from: u64, took: &[(Phase, u64)]) -> u64 {
    let mut now = from;
    for (phase, ms) in took {
        pace.saw(id, *phase, now);
        pace.saw(id, *phase, now + ms / 2);
        now += ms;
    }
    pace.done(id, now);
    now
}

const TOOK: [(Phase, u64); 7] = [
    (Phase::Join, 300),
    (Phase::Fetch, 2_000),
    (Phase::Install, 900),
    (Phase::CatchUp, 1_100),
    (Phase::HandOver, 700),
    (Phase::Leave, 400),
    (Phase::CleanUp, 600),
];

fn guess(from: Phase) -> u64 {
    PHASES
        .iter()
        .filter(|(phase, _)| *phase >= from)
        .map(|(_, ms)| ms)
        .sum()
}

#[test]
fn the_first_move_goes_by_a_guess_and_by_the_bytes_of_its_fetch() {
    let mut pace = Pace::default();
    assert_eq!(pace.left(ONE, None, 0), None, "it was not seen");
    pace.saw(ONE, Phase::Join, 0);
    assert_eq!(pace.left(ONE, None, 0), Some(guess(Phase::Join)));
    assert_eq!(
        pace.left(ONE, Some(9), 100),
        Some(guess(Phase::Join) - 100),
        "it does not fetch yet"
    );
    pace.saw(ONE, Phase::Fetch, 300);
    assert_eq!(pace.left(ONE, Some(30_000), 400), Some(30_000 + guess(Phase::Install)));
}

#[test]
fn the_next_one_takes_as_long() {
    let mut pace = Pace::default();
    let end = run(&mut pace, ONE, 1_000, &TOOK);
    assert_eq!(pace.usual_ms(), Some(6_000));
    pace.saw(TWO, Phase::Join, end);
    assert_eq!(pace.left(TWO, None, end), Some(6_000));
    pace.saw(TWO, Phase::CatchUp, end + 500);
    assert_eq!(pace.left(TWO, None, end + 600), Some(1_000 + 700 + 400 + 600));
    assert_eq!(
        pace.left(TWO, None, end + 500 + 4_000),
        Some(1_000 + 700 + 400 + 600),
        "a quarter of what it has taken"
    );
}

#[test]
fn new_times_count_more_than_old_ones() {
    let mut pace = Pace::default();
    run(&mut pace, ONE, 0, &TOOK);
    let slow = TOOK.map(|(phase, ms)| (phase, ms * 4));
    run(&mut pace, TWO, 0, &slow);
    assert_eq!(pace.usual_ms(), Some((2 * 6_000 + 24_000) / 3));
    for id in 3..30 {
        run(&mut pace, OperationId(id), 0, &slow);
    }
    let usual = pace.usual_ms().unwrap();
    assert!((23_900..=24_000).contains(&usual), "{usual}");
}

#[test]
fn what_passed_unseen_takes_no_time() {
    let mut pace = Pace::default();
    let quick = [(Phase::Join, 300), (Phase::CatchUp, 100), (Phase::CleanUp, 200)];
    run(&mut pace, ONE, 0, &quick);
    pace.saw(TWO, Phase::Join, 0);
    assert_eq!(pace.left(TWO, None, 0), Some(600));
}

#[test]
fn what_was_not_seen_from_its_begin_teaches_only_what_was() {
    let mut pace = Pace::default();
    run(&mut pace, ONE, 0, &TOOK[3..]);
    assert_eq!(pace.usual_ms(), None);
    assert_eq!(
        pace.usual(Phase::CatchUp),
        guess(Phase::CatchUp) - guess(Phase::HandOver)
    );
    assert_eq!(pace.usual(Phase::HandOver), 700);
    // One that is taken back.
    pace.saw(TWO, Phase::Join, 0);
    pace.saw(TWO, Phase::CatchUp, 10);
    pace.saw(TWO, Phase::Join, 99_000);
    pace.done(TWO, 100_000);
    assert_eq!((pace.usual_ms(), pace.usual(Phase::CatchUp)), (None, 800));
    pace.saw(TWO, Phase::Join, 0);
    pace.lost(TWO);
    run(&mut pace, TWO, 50_000, &TOOK[4..]);
    assert_eq!(pace.usual_ms(), None, "it was held up");
    pace.saw(TWO, Phase::Join, 0);
    pace.keep(&BTreeSet::from([ONE]));
    assert_eq!(pace.left(TWO, None, 0), None);
}

#[test]
fn several_go_on_side_by_side_but_one_to_each_node() {
    let each = 1_000 - BETWEEN_MS;
    let nodes = |ids: &[u64]| ids.iter().copied().map(NodeId).collect::<Vec<_>>();
    for (running, waiting, at_once, expected) in [
        (vec![], vec![], 2, 0),
        (vec![(NodeId(1), 300)], vec![], 2, 300),
        (vec![], nodes(&[1, 2]), 2, 1_000),
        (vec![], nodes(&[1, 1]), 2, 2_000),
        (vec![], nodes(&[1, 2, 3]), 2, 2_000),
        (vec![(NodeId(1), 300)], nodes(&[2, 3]), 2, 1_300),
        (vec![(NodeId(1), 300)], nodes(&[1, 1]), 9, 2_300),
        (vec![(NodeId(1), 300), (NodeId(2), 900)], nodes(&[3]), 1, 1_300),
        (vec![], nodes(&[1, 2]), 0, 2_000),
    ] {
        assert_eq!(
            until_all(&running, &waiting, each, at_once),
            expected,
            "{running:?} {waiting:?}"
        );
    }
}
