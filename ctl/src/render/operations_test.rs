//! What a person sees of operations, line by line.

use covey_api::v1::Operation;

use super::*;

const NOW: u64 = 500_000;

fn operation(id: u64, parent: u64, title: &str, state: OperationState) -> OperationView {
    OperationView {
        id,
        parent,
        what: Some(Operation {
            what: None,
            title: title.into(),
        }),
        by: "ada".into(),
        started_ms: NOW - 120_000,
        state: state as i32,
        ended_ms: if state == OperationState::Running {
            0
        } else {
            NOW - 60_000
        },
        ..OperationView::default()
    }
}

fn reply(operations: Vec<OperationView>) -> DescribeClusterReply {
    DescribeClusterReply {
        at_ms: NOW,
        operations,
        ..DescribeClusterReply::default()
    }
}

/// A drain with three parts of which one failed, and an operation that is done.
fn drain() -> DescribeClusterReply {
    let mut drain = operation(17, 0, "drain node 3", OperationState::Running);
    (drain.done, drain.total, drain.eta_ms) = (3, 7, Some(240_000));
    drain.step = "moves 2 of 7 replicas away from node 3".into();
    drain.blocked_by = "nobody has room for shard 7".into();
    let mut moving = operation(20, 17, "move shard 2 from node 3 to node 5", OperationState::Running);
    (moving.done, moving.total, moving.bytes) = (120 << 20, 200 << 20, true);
    (moving.rate, moving.eta_ms) = (12 << 20, Some(7_000));
    moving.step = "node 5 gets the log, without a vote yet".into();
    let done = operation(18, 17, "move shard 1 from node 3 to node 4", OperationState::Done);
    let mut failed = operation(19, 17, "move shard 4 from node 3 to node 4", OperationState::Failed);
    failed.error = "a shard has at most 16 replicas".into();
    let other = operation(21, 0, "have node 2 lead the metadata", OperationState::Done);
    reply(vec![drain, done, failed, moving, other])
}

#[test]
fn the_block_shows_bars_what_is_waited_for_and_the_parts() {
    assert_eq!(
        last_look(&drain(), Style::plain()),
        "▸ drain node 3 · operation 17 · by ada · running for 2 min\n  \
           ██████████░░░░░░░░░░░░░░ 42 % · 3 of 7 replicas · about 4 min left\n  \
           moves 2 of 7 replicas away from node 3\n  \
           ! waits: nobody has room for shard 7\n    \
             ✓ move shard 1 from node 3 to node 4 · done in 60 s\n    \
             ✗ move shard 4 from node 3 to node 4 · failed after 60 s: a shard has at most 16 replicas\n    \
             ▸ move shard 2 from node 3 to node 5 · ███████░░░░░ 60 % · 120 MiB of 200 MiB · 12 MiB/s · about 7 s left\n      \
               node 5 gets the log, without a vote yet\n\
         ✓ have node 2 lead the metadata · done in 60 s\n"
    );
    assert_eq!(last_look(&reply(vec![]), Style::plain()), "no operation runs\n");
}

#[test]
fn a_block_stays_as_small_as_a_screen() {
    let mut all = vec![operation(1, 0, "drain node 3", OperationState::Running)];
    for id in 2..200 {
        let state = match id % 2 {
            0 => OperationState::Running,
            _ => OperationState::Done,
        };
        all.push(operation(id, 1, "move", state));
    }
    let lines = block(&reply(all), Style::plain());
    assert!(lines.len() < 24, "{lines:#?}");
    let has = |words: &str| lines.iter().any(|line| line.contains(words));
    assert!(has("… 93 more have ended") && has("… 87 more run"), "{lines:#?}");
}

#[test]
fn the_list_has_parts_below_their_operation() {
    assert_eq!(
        list(&drain(), Style::plain()),
        "ID  WHAT                                  BY   STATE    SINCE      DONE                NOW\n\
         17  drain node 3                          ada  running  2 min ago  3 of 7 replicas     waits: nobody has room for shard 7\n\
         18    move shard 1 from node 3 to node 4  ada  done     60 s ago\n\
         19    move shard 4 from node 3 to node 4  ada  failed   60 s ago                       a shard has at most 16 replicas\n\
         20    move shard 2 from node 3 to node 5  ada  running  2 min ago  120 MiB of 200 MiB  node 5 gets the log, without a vote yet\n\
         21  have node 2 lead the metadata         ada  done     60 s ago\n"
    );
    let ids: Vec<u64> = running(drain().operations).iter().map(|one| one.id).collect();
    assert_eq!(ids, [17, 18, 19, 20]);
    assert!(list(&reply(vec![]), Style::plain()).contains("covey operations --all"));
}

#[test]
fn one_line_says_it_all_where_there_is_no_terminal() {
    let reply = drain();
    let lines: Vec<String> = reply.operations.iter().map(|one| line(one, NOW)).collect();
    assert_eq!(
        lines[0],
        "operation 17 · drain node 3 · running for 2 min · 42 % · 3 of 7 replicas · about 4 min left · waits: nobody has room for shard 7"
    );
    assert_eq!(
        lines[1],
        "  operation 18 · move shard 1 from node 3 to node 4 · done in 60 s"
    );
    let mut back = reply.operations[0].clone();
    back.cancelled = true;
    assert!(line(&back, NOW).contains("going back for 2 min"));
}

#[test]
fn what_was_begun_and_what_would_be_is_told() {
    let planned = |titles: &[&str]| StartOperationReply {
        operation: 17,
        planned: titles
            .iter()
            .map(|title| Operation {
                what: None,
                title: (*title).into(),
            })
            .collect(),
        ..StartOperationReply::default()
    };
    assert_eq!(
        begun(&planned(&["drain node 3"])),
        "operation 17 began: drain node 3; `covey watch 17` shows how it comes along\n"
    );
    assert_eq!(
        rehearsed(&planned(&["move a", "move b"])),
        "it would begin 2 operations, as things are now:\n  move a\n  move b\n"
    );
    assert_eq!(rehearsed(&planned(&[])), "nothing would have to be done\n");
    assert!(goes_on(&drain()).contains("covey watch 17"));
    assert!(goes_on(&reply(vec![])).contains("`covey watch`"));
    assert!(cancelled(17).contains("operation 17 is being taken back"));
}
