//! Tests of reserve.

use covey_config::Config;
use covey_shared::wire;

use super::*;
use crate::feed::candidate::{Channel, ChannelHit};
use crate::feed::testing::post;

const TTL: Duration = Duration::from_secs(180);
const ASKED: Asked = Asked {
    viewer: UserId(1),
    in_network_only: false,
    video_only: false,
    language: Language(*b"en"),
    country: *b"AT",
    config: LogIndex(7),
};

fn posts(count: u64) -> Vec<FeedCandidate> {
    (1..=count).map(|id| post(2, id)).collect()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_reserve_can_be_taken_twice_until_its_time_is_up() {
    let mut reserves = Reserves::new(10, TTL);
    reserves.put(5, ASKED, &posts(3), at(0));
    assert_eq!(reserves.get(5, ASKED, at(1)).map(|kept| kept.len()), Some(3));
    assert_eq!(reserves.get(5, ASKED, at(179)).map(|kept| kept.len()), Some(3));
    assert!(reserves.get(5, ASKED, at(180)).is_none());
}

#[test]
fn another_question_or_viewer_does_not_get_it() {
    let mut reserves = Reserves::new(10, TTL);
    reserves.put(5, ASKED, &posts(3), at(0));
    assert!(reserves.get(6, ASKED, at(0)).is_none());
    assert!(
        reserves
            .get(
                5,
                Asked {
                    viewer: UserId(2),
                    ..ASKED
                },
                at(0)
            )
            .is_none()
    );
    assert!(
        reserves
            .get(
                5,
                Asked {
                    video_only: true,
                    ..ASKED
                },
                at(0)
            )
            .is_none()
    );
    let abroad = Asked {
        country: *b"BR",
        ..ASKED
    };
    assert!(reserves.get(5, abroad, at(0)).is_none());
}

#[test]
fn sessions_and_posts_are_bounded() {
    let mut reserves = Reserves::new(2, TTL);
    for key in 1..=3 {
        reserves.put(key, ASKED, &posts(300), at(key));
    }
    assert!(reserves.get(1, ASKED, at(3)).is_none());
    assert_eq!(reserves.get(3, ASKED, at(3)).map(|kept| kept.len()), Some(MAX_POSTS));
    let mut none = Reserves::new(0, TTL);
    none.put(1, ASKED, &posts(3), at(0));
    assert!(none.get(1, ASKED, at(0)).is_none());
}

#[test]
fn the_sessions_of_the_default_take_at_most_1_5_gb() {
    // A post at rest, a hit of every channel, and the post that it repeats. Most have one hit and repeat nothing.
    let post = size_of::<FeedCandidate>() + Channel::ALL.len() * size_of::<ChannelHit>() + size_of::<wire::Candidate>();
    let sessions = Config::default().coordinator.reserve_sessions;
    let bytes = sessions * MAX_POSTS * post;
    assert!(bytes <= 1_500_000_000, "{bytes}");
}
