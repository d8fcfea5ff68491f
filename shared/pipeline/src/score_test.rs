//! The order of scores.

use proptest::prelude::*;

use super::Score;

#[test]
fn nan_is_no_score_and_the_zeroes_are_equal() {
    assert_eq!(Score::new(f64::NAN), None);
    assert_eq!(Score::fallback(f64::NAN), None);
    assert_eq!(Score::new(0.0), Score::new(-0.0));
}

#[test]
fn a_factor_keeps_the_scale() {
    let fallback = Score::fallback(4.0).expect("no NaN").times(0.75);
    assert_eq!(fallback, Score::fallback(3.0).expect("no NaN"));
    assert!(!fallback.is_scored());
    assert_eq!(Score::UNSCORED.times(0.0), Score::UNSCORED);
    assert_eq!(Score::new(0.0).expect("no NaN").times(f64::INFINITY), Score::UNSCORED);
}

proptest! {
    #[test]
    fn every_scored_candidate_ranks_above_every_fallback(a in any::<f64>(), b in any::<f64>()) {
        if let (Some(scored), Some(fallback)) = (Score::new(a), Score::fallback(b)) {
            prop_assert!(scored > fallback);
            prop_assert!(fallback > Score::UNSCORED);
        }
    }

    #[test]
    fn scores_order_like_their_numbers(a in -1e9..1e9f64, b in -1e9..1e9f64) {
        prop_assert_eq!(Score::new(a).cmp(&Score::new(b)), a.partial_cmp(&b).expect("no NaN"));
    }
}
