//! What waits is told to end.

use super::*;

#[tokio::test(start_paused = true)]
async fn no_wait_outlasts_the_end() {
    let scrubs = Scrubs::new();
    assert_eq!(scrubs.unless_closed(async { 7 }).await, Some(7));
    let waiting = scrubs.unless_closed(std::future::pending::<()>());
    let pausing = scrubs.pause(Duration::from_secs(3600));
    let closing = async { scrubs.close() };
    let all = async { futures::join!(waiting, pausing, closing) };
    let ended = tokio::time::timeout(Duration::from_millis(1), all).await;
    assert_eq!(ended, Ok((None, (), ())));
    assert!(scrubs.is_closed());
    assert_eq!(scrubs.unless_closed(std::future::pending::<()>()).await, None);
}

#[test]
fn the_status_says_how_long_ago_a_pass_ended() {
    let scrubs = Scrubs::new();
    scrubs.keep(&BTreeSet::from([ShardId(1), ShardId(2)]));
    let at = |seconds| Monotonic(Duration::from_secs(seconds));
    scrubs.show(ShardId(2), |status| status.running = true);
    assert!(scrubs.status(at(1))[1].running);
    scrubs.passed(ShardId(2), at(10));
    let status = scrubs.status(at(12));
    assert_eq!((status[0].passes, status[1].passes), (0, 1));
    assert_eq!((status[1].running, status[1].ended_ms), (false, 2_000));
}

#[test]
fn a_replica_that_is_gone_is_not_shown_and_comes_back_as_a_new_one() {
    let scrubs = Scrubs::new();
    let shown = || {
        scrubs
            .status(Monotonic::default())
            .iter()
            .map(|s| (s.shard.0, s.rows))
            .collect::<Vec<_>>()
    };
    scrubs.keep(&BTreeSet::from([ShardId(1), ShardId(2)]));
    for shard in [1, 2, 3] {
        scrubs.show(ShardId(shard), |status| status.rows = 7);
    }
    assert_eq!(shown(), [(1, 7), (2, 7)]);
    scrubs.keep(&BTreeSet::from([ShardId(1)]));
    scrubs.show(ShardId(2), |status| status.rows = 8);
    assert_eq!(shown(), [(1, 7)]);
    scrubs.keep(&BTreeSet::from([ShardId(1), ShardId(2)]));
    assert_eq!(shown(), [(1, 7), (2, 0)]);
}
