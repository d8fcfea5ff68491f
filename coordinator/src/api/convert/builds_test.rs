//! How long pauses may be.

use super::*;

fn pause_of(pause_ms: u64) -> Result<Duration, RequestFault> {
    let nodes = Vec::new();
    pause(&v1::PauseBuildsRequest { nodes, pause_ms })
}

#[test]
fn a_pause_is_an_hour_unless_it_says_otherwise_and_at_most_a_day() {
    assert_eq!(pause_of(0).unwrap(), Duration::from_secs(3600));
    assert_eq!(pause_of(1).unwrap(), Duration::from_millis(1));
    assert_eq!(pause_of(86_400_000).unwrap(), Duration::from_secs(86_400));
    let refused = pause_of(86_400_001).unwrap_err().to_string();
    assert!(refused.contains("86400000 (a day)"), "{refused}");
}
