//! Tests of the effort for a recall.

use super::*;

fn effort(value: u32, candidates: u32, recall: f32) -> Effort {
    Effort {
        value,
        candidates,
        recall,
    }
}

fn measured() -> Vec<Effort> {
    vec![effort(8, 40, 0.80), effort(16, 40, 0.92), effort(32, 80, 0.98)]
}

#[test]
fn effort_lies_between_the_measured_ones() {
    let halfway = effort_for(&measured(), 0.95 - RECALL_MARGIN).unwrap();
    assert!((halfway.value - 24.0).abs() < 1e-3, "{halfway:?}: with the margin");
    assert!((halfway.candidates - 60.0).abs() < 1e-3, "{halfway:?}");
    let least = Wanted {
        value: 8.0,
        candidates: 40.0,
    };
    assert_eq!(effort_for(&measured(), 0.5), Some(least));
    assert_eq!(effort_for(&[], 0.9), None);
}

#[test]
fn what_none_reaches_does_not_cost_the_greatest_effort_for_nothing() {
    let flat = [effort(8, 40, 0.90), effort(16, 80, 0.949), effort(512, 80, 0.95)];
    let wanted = effort_for(&flat, 0.999).unwrap();
    assert!(wanted.value < 17.0, "{wanted:?}");
}

#[test]
fn more_recall_never_takes_less_effort() {
    let values: Vec<f64> = (0..100)
        .map(|i| effort_for(&measured(), f64::from(i) / 100.0).unwrap().value)
        .collect();
    assert!(values.is_sorted(), "{values:?}");
}

#[test]
fn only_efforts_that_pay_are_kept() {
    let all = vec![
        (5.0, effort(8, 80, 0.90)),
        (9.0, effort(16, 40, 0.90)),
        (1.0, effort(4, 40, 0.70)),
        (3.0, effort(8, 40, 0.65)),
        (10.0, effort(16, 80, 0.95)),
        (5.0, effort(4, 160, 0.91)),
    ];
    assert_eq!(
        worthwhile(all),
        [effort(4, 40, 0.70), effort(4, 160, 0.91), effort(16, 80, 0.95)]
    );
}

#[test]
fn deeper_hits_take_more_and_few_take_no_less() {
    let ten = Wanted {
        value: 100.0,
        candidates: 100.0,
    };
    let (hundred, one) = (ten.deeper(10.0), ten.deeper(0.1));
    assert!(hundred.value > 200.0 && hundred.candidates > 200.0, "{hundred:?}");
    assert!(
        (50.0..=100.0).contains(&one.value) && one.candidates == 100.0,
        "{one:?}"
    );
    assert_eq!(ten.deeper(1.0), ten);
}
