//! A frame is owed a confirmation only if the receiver is sure to give one.

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

fn at(ms: u64) -> Monotonic {
    Monotonic(Duration::from_millis(ms))
}

fn left_ms(owed: &Owed, now: u64) -> Option<u128> {
    owed.left(at(now), LIMIT).map(|left| left.as_millis())
}

#[test]
fn the_first_frame_is_owed_one_and_later_ones_do_not_prolong_it() {
    let mut owed = Owed::default();
    assert_eq!(left_ms(&owed, 0), None, "nothing was sent");
    owed.sent(at(1_000));
    owed.sent(at(3_000));
    assert_eq!(left_ms(&owed, 3_000), Some(3_000));
    assert_eq!(left_ms(&owed, 9_000), Some(0));
    owed.confirmed(at(9_000));
    assert_eq!(left_ms(&owed, 60_000), None);
}

#[test]
fn a_frame_soon_after_a_confirmation_may_stay_without_one_for_ever() {
    let mut owed = Owed::default();
    owed.confirmed(at(1_000));
    owed.sent(at(1_399));
    assert_eq!(left_ms(&owed, 60_000), None);
    owed.sent(at(60_000));
    assert_eq!(left_ms(&owed, 60_000), Some(5_000));
}

#[test]
fn whatever_the_pauses_and_the_way_a_live_receiver_never_owes_for_long() {
    // Frames and confirmations take up to 50 ms each; the receiver's clock is 1 % slower.
    for pause in (1..900).step_by(7) {
        let (mut owed, mut confirmed, mut on_their_way) = (Owed::default(), None::<u64>, Vec::<u64>::new());
        for frame in 0..200 {
            let sent = frame * pause;
            on_their_way.retain(|arrives| {
                if *arrives <= sent {
                    owed.confirmed(at(*arrives));
                }
                *arrives > sent
            });
            owed.sent(at(sent));
            let arrived = (sent + 3 + frame % 48) * 99 / 100;
            if confirmed.is_none_or(|last| arrived.saturating_sub(last) >= CONFIRM_EVERY.as_millis() as u64) {
                confirmed = Some(arrived);
                on_their_way.push(sent + 3 + frame % 48 + 50);
            }
            let left = left_ms(&owed, sent).unwrap_or(5_000);
            assert!(left > 3_000, "{pause} ms: frame {frame} is owed for {left} ms more");
        }
    }
}
