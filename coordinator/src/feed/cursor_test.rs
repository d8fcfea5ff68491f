//! Tests of cursor.

use covey_config::Secret;

use super::*;

const VIEWER: UserId = UserId(1);

fn sealer() -> Sealer {
    Sealer::new(&Secret::new("a"))
}

fn ids(range: std::ops::Range<u64>) -> Vec<PostId> {
    range.map(PostId).collect()
}

#[test]
fn what_was_sealed_is_opened() {
    let cursor = Cursor::new(VIEWER).next(7, ids(1..36), 1000);
    assert_eq!(Cursor::open(&sealer(), &cursor.seal(&sealer()), VIEWER), Ok(cursor));
    assert_eq!(Cursor::open(&sealer(), "", VIEWER), Ok(Cursor::new(VIEWER)));
}

#[test]
fn any_change_is_an_error() {
    let text = Cursor::new(VIEWER).next(7, ids(1..4), 1000).seal(&sealer());
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("it is ASCII");
        assert!(Cursor::open(&sealer(), &changed, VIEWER).is_err(), "position {at}");
    }
    for cut in 1..text.len() {
        assert!(Cursor::open(&sealer(), &text[..cut], VIEWER).is_err(), "cut at {cut}");
    }
}

#[test]
fn neither_somebody_elses_nor_a_token_nor_garbage_is_a_cursor() {
    let sealer = sealer();
    let text = Cursor::new(VIEWER).next(7, ids(1..4), 1000).seal(&sealer);
    assert_eq!(Cursor::open(&sealer, &text, UserId(2)), Err(SealError::Forged));
    assert_eq!(
        Cursor::open(&Sealer::new(&Secret::new("b")), &text, VIEWER),
        Err(SealError::Forged)
    );
    assert_eq!(
        Cursor::open(&sealer, &sealer.seal("token", vec![1, 0]), VIEWER),
        Err(SealError::Forged)
    );
    assert_eq!(
        Cursor::open(&sealer, &sealer.seal("cursor", vec![9; 40]), VIEWER),
        Err(SealError::Unreadable)
    );
}

#[test]
fn beyond_its_bound_it_forgets_the_oldest() {
    let mut cursor = Cursor::new(VIEWER);
    for page in 0..40 {
        cursor = cursor.next(1, ids(page * 35..page * 35 + 35), 1000);
    }
    assert_eq!(cursor.served, ids(400..1400));
    assert!(cursor.seal(&sealer()).len() < 12_000);
    assert_eq!(cursor.next(1, ids(0..5), 0).served, []);
}

#[test]
fn the_largest_cursor_that_the_config_allows_can_be_opened() {
    let cursor = Cursor::new(VIEWER).next(7, ids(0..4000), 4000);
    assert_eq!(Cursor::open(&sealer(), &cursor.seal(&sealer()), VIEWER), Ok(cursor));
}
