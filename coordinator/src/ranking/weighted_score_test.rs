//! Tests of the weighted score.

use covey_config::{Config, WeightsConfig};
use proptest::prelude::*;

use super::*;
use crate::feed::fake_ranker::outputs;

fn weighted(change: impl FnOnce(&mut FeedConfig)) -> WeightedScore {
    let mut feed = Config::default().feed;
    change(&mut feed);
    WeightedScore::new(&feed, |_| true)
}

fn score(weighted: &WeightedScore, said: &[(ActionKind, f32)]) -> f64 {
    let predictions = Predictions::new(outputs(said)).expect("between 0 and 1");
    weighted.of(&predictions, None)
}

#[track_caller]
fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-8, "{a} is not {b}");
}

/// All weights 0 but those that are changed.
fn only(change: impl FnOnce(&mut WeightsConfig)) -> WeightedScore {
    weighted(|feed| {
        let weights = &mut feed.weights;
        for weight in discrete(weights) {
            *weight = 0.0;
        }
        weights.dwell_time = 0.0;
        change(weights);
    })
}

fn discrete(w: &mut WeightsConfig) -> [&mut f64; 18] {
    [
        &mut w.favorite,
        &mut w.reply,
        &mut w.retweet,
        &mut w.photo_expand,
        &mut w.click,
        &mut w.profile_click,
        &mut w.vqv,
        &mut w.share,
        &mut w.share_via_dm,
        &mut w.share_via_copy_link,
        &mut w.dwell,
        &mut w.quote,
        &mut w.quoted_click,
        &mut w.follow_author,
        &mut w.not_interested,
        &mut w.block_author,
        &mut w.mute_author,
        &mut w.report,
    ]
}

#[test]
fn the_constants_are_computed_from_the_weights() {
    let defaults = weighted(|_| {});
    close(defaults.negative, 367.2);
    close(defaults.total, 410.25);
    // Dwell time is no discrete head.
    close(weighted(|feed| feed.weights.dwell_time = 9.0).total, 410.25);
    close(weighted(|feed| feed.weights.report = 0.0).negative, 133.2);
}

/// The examples of docs/feed-semantics.md.
#[test]
fn the_worked_examples_are_right() {
    use ActionKind::*;
    let defaults = weighted(|_| {});
    let liked = [(Favorite, 0.2), (Reply, 0.02), (Click, 0.3), (DwellTime, 0.2)];
    close(score(&defaults, &liked), 0.345);
    close(score(&defaults, &[]), 0.001);
    close(score(&defaults, &[(Favorite, 0.1), (Report, 0.001)]), 0.000_894_615);
    let unwanted = [NotInterested, BlockAuthor, MuteAuthor, Report].map(|head| (head, 1.0));
    close(score(&defaults, &unwanted), 0.0);
}

#[test]
fn what_is_below_zero_lies_below_the_offset() {
    use ActionKind::*;
    // N = 4, W = 6, o = 0.5
    let mut small = only(|w| (w.favorite, w.report) = (2.0, -4.0));
    small.offset = 0.5;
    close(score(&small, &[(Favorite, 1.0)]), 2.5);
    close(score(&small, &[]), 0.5);
    close(score(&small, &[(Favorite, 1.0), (Report, 0.5)]), 0.5);
    close(score(&small, &[(Report, 0.25)]), (-1.0 + 4.0) / 6.0 * 0.5);
    close(score(&small, &[(Report, 1.0)]), 0.0);
}

#[test]
fn without_weights_there_is_no_offset() {
    let nothing = only(|_| {});
    assert_eq!((nothing.total, nothing.negative), (0.0, 0.0));
    assert_eq!(score(&nothing, &[(ActionKind::Favorite, 1.0)]), 0.0);
    let dwell = only(|w| w.dwell_time = 2.0);
    close(score(&dwell, &[(ActionKind::DwellTime, 0.5)]), 30.0);
    assert_eq!(nothing.offset(-1.0), 0.0);
}

#[test]
fn dwell_time_counts_by_the_second() {
    let defaults = weighted(|_| {});
    close(score(&defaults, &[(ActionKind::DwellTime, 1.0)]), 0.004 * 30.0 + 0.001);
    close(score(&defaults, &[(ActionKind::DwellTime, 0.1)]), 0.004 * 3.0 + 0.001);
}

#[test]
fn a_video_counts_if_it_is_longer_than_the_least() {
    let defaults = weighted(|_| {});
    let watched = Predictions::new(outputs(&[(ActionKind::Vqv, 1.0)])).expect("between 0 and 1");
    let of = |length| defaults.of(&watched, length);
    close(of(None), 0.001);
    close(of(Some(0)), 0.001);
    close(of(Some(10_000)), 0.001);
    close(of(Some(10_001)), 0.051);
}

#[test]
fn a_head_that_is_not_calibrated_weighs_nothing_in_the_sums_either() {
    let feed = Config::default().feed;
    let without = WeightedScore::new(&feed, |head| head != ActionKind::Report && head != ActionKind::Reply);
    close(without.negative, 133.2);
    close(without.total, 410.25 - 234.0 - 5.0);
    close(
        score(&without, &[(ActionKind::Report, 1.0), (ActionKind::Reply, 1.0)]),
        0.001,
    );
    close(WeightedScore::new(&feed, |_| false).total, 0.0);
}

fn any_weights() -> impl Strategy<Value = WeightedScore> {
    let weight = prop_oneof![Just(0.0), -1000.0..=1000.0, -0.01..=0.01];
    let weights = (prop::collection::vec(weight, 18), 0.0..=1000.0, 0.0..=1.0);
    weights.prop_map(|(values, dwell_time, offset)| {
        weighted(|feed| {
            for (weight, value) in discrete(&mut feed.weights).into_iter().zip(values) {
                *weight = value;
            }
            (feed.weights.dwell_time, feed.score_offset) = (dwell_time, offset);
        })
    })
}

fn any_predictions() -> impl Strategy<Value = Predictions> {
    let output = prop_oneof![Just(0.0_f32), Just(1.0), 0.0..=1.0_f32];
    let outputs = prop::collection::vec(output, HEADS);
    outputs.prop_map(|list| {
        let outputs = list.try_into().expect("as many as there are heads");
        Predictions::new(outputs).expect("between 0 and 1")
    })
}

proptest! {
    #[test]
    fn scores_are_never_negative_and_in_the_order_of_the_sums(
        weighted in any_weights(),
        (one, other) in (any_predictions(), any_predictions()),
        video in prop::option::of(0_u32..20_000),
    ) {
        let [a, b] = [&one, &other].map(|said| (weighted.sum(said, video), weighted.of(said, video)));
        prop_assert!(a.1 >= 0.0 && a.1.is_finite(), "{a:?}");
        let (low, high) = if a.0 <= b.0 { (a, b) } else { (b, a) };
        prop_assert!(low.1 <= high.1, "{low:?} {high:?} {weighted:?}");
        // Without an offset all sums below zero are one.
        let apart = high.0 - low.0 > 1e-6 && weighted.offset > 1e-3;
        prop_assert!(!apart || weighted.total == 0.0 || low.1 < high.1, "{low:?} {high:?} {weighted:?}");
    }
}
