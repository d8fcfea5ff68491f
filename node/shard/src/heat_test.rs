//! Tests of time-decayed engagement.

use super::*;

const HOUR: u64 = 3_600_000;
const HALF_LIFE: u64 = 6 * HOUR;
const LIKE: f64 = ENGAGEMENT[ActionKind::Favorite as usize];

fn at(hours: u64) -> UnixMillis {
    UnixMillis(1_700_000_000_000 + hours * HOUR)
}

#[test]
fn a_like_counts_half_after_the_half_life() {
    let mut heat = Heat::default();
    heat.add(LIKE, at(0), HALF_LIFE);
    assert_eq!(heat.value(at(0), HALF_LIFE), 1.0);
    assert_eq!(heat.value(at(6), HALF_LIFE), 0.5);
    assert!((heat.value(at(3), HALF_LIFE) - 0.5_f64.sqrt()).abs() < 1e-15);
}

#[test]
fn late_and_early_actions_give_the_same_engagement() {
    let (mut forward, mut backward) = (Heat::default(), Heat::default());
    for hour in 0..20 {
        forward.add(LIKE, at(hour), HALF_LIFE);
        backward.add(LIKE, at(19 - hour), HALF_LIFE);
    }
    assert!((forward.mass - backward.mass).abs() < 1e-12);
    assert_eq!(forward.at, backward.at);
}

#[test]
fn the_rank_orders_as_the_value_does_at_any_time() {
    let mut heats = Vec::new();
    for n in 1..40_u64 {
        let mut heat = Heat::default();
        for i in 0..n {
            heat.add(LIKE, at(i * 7 % 50 + n % 13), HALF_LIFE);
        }
        heats.push(heat);
    }
    for a in &heats {
        for b in &heats {
            let (x, y) = (a.value(at(100), HALF_LIFE), b.value(at(100), HALF_LIFE));
            if x > y * 1.0001 {
                assert!(a.rank(HALF_LIFE) > b.rank(HALF_LIFE), "{x} {y}");
            }
        }
    }
}

#[test]
fn rejection_sinks_a_post_but_not_below_nothing() {
    let mut heat = Heat::default();
    heat.add(LIKE, at(0), HALF_LIFE);
    heat.add(ENGAGEMENT[ActionKind::Report.index()], at(0), HALF_LIFE);
    assert_eq!(heat.mass, 0.0);
    assert_eq!(heat.rank(HALF_LIFE), None);
}

#[test]
fn talk_is_replies_and_quotes_and_decays_at_its_own_pace() {
    let half_lives = HalfLives {
        engagement: HALF_LIFE,
        talk: HOUR,
    };
    let mut heats = Heats::default();
    for kind in ActionKind::ALL {
        heats.add(kind.index(), false, at(0), half_lives);
    }
    assert_eq!(heats.talk.mass, 2.0);
    heats.add(ActionKind::Favorite.index(), false, at(1), half_lives);
    heats.add(ActionKind::Reply.index(), false, at(1), half_lives);
    assert_eq!(heats.talk.value(at(1), HOUR), 2.0);
    heats.add(ActionKind::Reply.index(), true, at(1), half_lives);
    assert_eq!(heats.talk.value(at(1), HOUR), 2.0, "of the author");
    assert_eq!(heats.engagement.at, at(1));
}

#[test]
fn the_fixed_point_logarithm_is_right_to_its_last_bit() {
    for x in [1.0_f64, 2.0, 0.5, 3.0, 1e-6, 1e9, 1.999_999, 5.5] {
        assert!(
            (log2_fixed(x) as f64 / 65_536.0 - x.log2()).abs() < 1.01 / 65_536.0,
            "{x}"
        );
    }
}
