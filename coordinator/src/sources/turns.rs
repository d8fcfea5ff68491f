//! Lists that are merged in turns, where their scores do not compare or none is to crowd out the others.

use std::collections::BTreeSet;

use covey_shared::ids::PostId;

/// The first of each list, then the second of each, and so on; every post once, where it comes first.
pub(super) fn once_in_turns<T>(lists: &[Vec<T>], post: impl Fn(&T) -> PostId) -> impl Iterator<Item = &T> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let turns = (0..longest).flat_map(|turn| lists.iter().filter_map(move |list| list.get(turn)));
    let mut seen = BTreeSet::new();
    turns.filter(move |row| seen.insert(post(row)))
}
