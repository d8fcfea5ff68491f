//! Members that have copies, lie, are damaged too, or are away.

use covey_shared::wire::ShardError;
use futures::FutureExt;
use parking_lot::Mutex;

use super::*;

/// What the members of this number give; others do not answer.
#[derive(Clone, Copy)]
enum Gives {
    Sound,
    Wrong,
    Nothing,
    TooFew,
    /// Only for even posts.
    Half,
}

fn rows(count: u64) -> Vec<DamagedRow> {
    let row = |post| DamagedRow {
        post: PostId(post),
        folder: 3,
        row: post as u32,
    };
    (0..count).map(row).collect()
}

/// Heals and says what each member was asked for, by number of posts.
async fn healed(count: u64, members: &[(u64, Gives)]) -> (Healed, Vec<(u64, usize)>) {
    let asked = Mutex::new(Vec::new());
    let ask = |node: NodeId, posts: Vec<PostId>| {
        asked.lock().push((node.0, posts.len()));
        let copy = |value| Some(F16Vector::from_f32(&[value]));
        let give = |gives: Gives, post: &PostId| match gives {
            Gives::Sound => copy(1.0),
            Gives::Wrong => copy(9.0),
            Gives::Half if post.0.is_multiple_of(2) => copy(1.0),
            Gives::Half | Gives::Nothing | Gives::TooFew => None,
        };
        let answer = match members.iter().find(|(id, _)| *id == node.0) {
            Some((_, Gives::TooFew)) => Ok(vec![None]),
            Some((_, gives)) => Ok(posts.iter().map(|post| give(*gives, post)).collect()),
            None => Err(AskError::Refused(ShardError::Store)),
        };
        async { answer }.boxed()
    };
    let put = |offered: Vec<(DamagedRow, F16Vector)>| {
        let outcome = |(_, copy): &(DamagedRow, F16Vector)| match copy.to_f32()[0] {
            1.0 => Repaired::Done,
            _ => Repaired::DoesNotMatch,
        };
        let outcomes = offered.iter().map(outcome).collect();
        async { Some(outcomes) }.boxed()
    };
    let healed = heal(rows(count), &[1, 2, 3].map(NodeId), &ask, &put).await;
    (healed, asked.into_inner())
}

#[tokio::test]
async fn the_first_member_with_sound_copies_is_enough() {
    let (outcome, asked) = healed(5, &[(1, Gives::Sound), (2, Gives::Sound)]).await;
    assert_eq!((outcome.repaired, outcome.left.len()), (5, 0));
    assert_eq!(asked, [(1, 5)]);
}

#[tokio::test]
async fn the_next_member_is_asked_for_what_is_missing_only() {
    let (outcome, asked) = healed(5, &[(1, Gives::Half), (2, Gives::Wrong), (3, Gives::Sound)]).await;
    assert_eq!((outcome.repaired, outcome.left.len()), (5, 0));
    assert_eq!(asked, [(1, 5), (2, 2), (3, 2)]);
}

#[tokio::test]
async fn many_rows_are_asked_for_in_parts_and_a_silent_member_only_once() {
    let count = MAX_VECTORS as u64 * 2 + 1;
    let (outcome, asked) = healed(count, &[(1, Gives::TooFew), (3, Gives::Sound)]).await;
    assert_eq!((outcome.repaired, outcome.left.len()), (count, 0));
    assert_eq!(asked, [(1, 256), (2, 256), (3, 256), (3, 256), (3, 1)]);
}

#[tokio::test]
async fn what_nobody_has_is_left() {
    let (outcome, _) = healed(4, &[(1, Gives::Nothing), (2, Gives::Wrong), (3, Gives::Half)]).await;
    assert_eq!(outcome.repaired, 2);
    assert_eq!(outcome.left, [rows(4)[1], rows(4)[3]]);
}

#[tokio::test]
async fn nothing_is_lost_of_sight_when_the_node_stops() {
    let ask = |_: NodeId, posts: Vec<PostId>| async move { Ok(vec![Some(F16Vector::default()); posts.len()]) }.boxed();
    let put = |_| async { None }.boxed();
    let outcome = heal(rows(3), &[NodeId(1)], &ask, &put).await;
    assert_eq!((outcome.repaired, outcome.left), (0, rows(3)));
}
