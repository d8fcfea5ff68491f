//! Slow answers do not slow down the questions.

use std::sync::Arc;

use tokio::sync::{Barrier, watch};

use super::*;

fn pace(requests: u32) -> Pace {
    Pace {
        per_s: requests * 20,
        time: Duration::from_millis(50),
        ..Pace::default()
    }
}

#[tokio::test]
async fn requests_are_made_when_due_although_no_answer_has_come() {
    // No answer comes before the last question.
    let all = Arc::new(Barrier::new(40));
    let slow = |number: u64, _| {
        let all = all.clone();
        async move {
            all.wait().await;
            number.is_multiple_of(2).then_some(number)
        }
    };
    let (mut answers, mut missing) = (Vec::new(), 0);
    let count = |answer| match answer {
        Some(number) => answers.push(number),
        None => missing += 1,
    };
    assert_eq!(paced(pace(40), slow, count).await.unwrap(), 40);
    answers.sort_unstable();
    assert_eq!((answers, missing), ((0..40).step_by(2).collect(), 20));
}

#[tokio::test]
async fn nothing_more_is_asked_once_it_is_told_to_stop() {
    let pace = pace(40);
    let stop = pace.stop.clone();
    let fifth = move |number: u64, _| {
        if number == 4 {
            stop.store(true, Ordering::Relaxed);
        }
        async move { Some(number) }
    };
    let mut answers = Vec::new();
    assert_eq!(paced(pace, fifth, |answer| answers.extend(answer)).await.unwrap(), 5);
    answers.sort_unstable();
    assert_eq!(answers, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn what_is_too_many_at_once_is_not_asked_but_counted() {
    const TOO_MANY: usize = 8;
    // Answers come once as many questions as are too many were counted.
    let (refused, answer_now) = watch::channel(0);
    let slow = |_, _| {
        let mut answer_now = answer_now.clone();
        async move { answer_now.wait_for(|refused| *refused == TOO_MANY).await.ok().map(drop) }
    };
    let mut answered = 0;
    let count = |answer: Option<()>| match answer {
        Some(()) => answered += 1,
        None => refused.send_modify(|refused| *refused += 1),
    };
    let total = MAX_OPEN + TOO_MANY;
    assert_eq!(paced(pace(total as u32), slow, count).await.unwrap(), total as u64);
    assert_eq!((answered, *refused.borrow()), (MAX_OPEN, TOO_MANY));
}

#[tokio::test(start_paused = true)]
async fn requests_are_made_when_they_are_due_and_not_before() {
    let began = tokio::time::Instant::now();
    let ask = |number: u64, _| {
        let at = began.elapsed();
        async move { Some((number, at)) }
    };
    let mut asked = Vec::new();
    let pace = Pace {
        per_s: 10,
        time: Duration::from_secs(60),
        ..Pace::default()
    };
    assert_eq!(paced(pace, ask, |answer| asked.extend(answer)).await.unwrap(), 600);
    for (number, at) in asked {
        // The clock of the runtime counts whole milliseconds.
        let due = Duration::from_millis(number * 100);
        assert!(at + Duration::from_millis(2) >= due, "{number} at {at:?}");
    }
}
