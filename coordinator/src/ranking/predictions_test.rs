//! Tests of predictions.

use super::*;

#[test]
fn there_are_nineteen_heads_in_the_order_of_the_models() {
    let names: Vec<String> = heads().map(|head| format!("{head:?}")).collect();
    let expected = "Favorite Reply Repost PhotoExpand Click ProfileClick Vqv Share ShareViaDm ShareViaCopyLink Dwell Quote \
                    QuotedClick FollowAuthor NotInterested BlockAuthor MuteAuthor Report DwellTime";
    assert_eq!(names.join(" "), expected);
}

#[test]
fn only_numbers_from_zero_to_one_are_predictions() {
    for good in [0.0, -0.0, 0.5, 1.0] {
        assert!(Predictions::new([good; HEADS]).is_some(), "{good}");
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.001, 1.001] {
        for head in 0..HEADS {
            let mut outputs = [0.5; HEADS];
            outputs[head] = bad;
            assert_eq!(Predictions::new(outputs), None, "{bad} at {head}");
        }
    }
}

#[test]
fn dwell_time_is_told_in_seconds() {
    let mut outputs = [0.25; HEADS];
    outputs[ActionKind::DwellTime.index()] = 0.5;
    let said: Vec<_> = Predictions::new(outputs).expect("between 0 and 1").values().collect();
    assert_eq!(said.len(), HEADS);
    assert_eq!(said[0], (ActionKind::Favorite, 0.25));
    assert_eq!(said[HEADS - 1], (ActionKind::DwellTime, 15.0));
}
