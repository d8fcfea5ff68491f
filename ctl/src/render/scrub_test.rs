//! Quiet unless something happens.

use super::*;

fn scrub() -> ScrubStatus {
    ScrubStatus {
        shard: 3,
        passes: 1,
        ended_ms: 180_000,
        rows: 12_345,
        ..ScrubStatus::default()
    }
}

fn reply(scrub: ScrubStatus) -> StatusReply {
    StatusReply {
        nodes: vec![NodeStatus {
            node: 2,
            scrubs: vec![scrub],
            ..NodeStatus::default()
        }],
        ..StatusReply::default()
    }
}

#[test]
fn a_pass_that_found_nothing_is_no_line_of_the_status() {
    let reply = reply(scrub());
    assert_eq!(lines(&reply), Vec::<String>::new());
    assert_eq!(
        of_replica(&reply, 3, 2),
        format!("{} ago, {} rows", span(180_000), count(12_345))
    );
    assert_eq!(
        (of_replica(&reply, 4, 2), of_replica(&reply, 3, 1)),
        (String::new(), String::new())
    );
}

#[test]
fn passes_under_way_and_damage_are_shown() {
    let running = ScrubStatus {
        running: true,
        bytes: 1 << 20,
        total_bytes: 4 << 20,
        ..scrub()
    };
    let shown = lines(&reply(running)).concat();
    assert!(shown.starts_with("scrub of shard 3 on node 2: 1"), "{shown}");
    let damaged = ScrubStatus {
        damaged: 4,
        repaired: 3,
        unrepaired: 1,
        files: 2,
        ..scrub()
    };
    let shown = lines(&reply(damaged)).concat();
    for words in ["4 damaged vectors", "3 made good", "1 still damaged", "2 damaged files"] {
        assert!(shown.contains(words), "{shown}");
    }
    assert_eq!(all(&ScrubStatus::default()), "not yet");
}
