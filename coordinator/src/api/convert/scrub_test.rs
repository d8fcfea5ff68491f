//! Only damage that stays is a problem.

use covey_shared::ids::ShardId;

use super::*;

#[test]
fn healed_damage_is_shown_and_what_nobody_has_is_a_problem() {
    let healed = ScrubStatus {
        shard: ShardId(7),
        running: true,
        passes: 2,
        damaged: 5,
        repaired: 5,
        ..ScrubStatus::default()
    };
    assert_eq!(problem(NodeId(2), &healed), None);
    let shown = figures(&healed);
    assert_eq!((shown.shard, shown.passes, shown.damaged, shown.repaired), (7, 2, 5, 5));
    let damaged = ScrubStatus {
        unrepaired: 3,
        ..healed
    };
    let words = problem(NodeId(2), &damaged).unwrap();
    assert!(
        words.starts_with("shard 7 on node 2 has 3 damaged vectors that no other"),
        "{words}"
    );
}
