//! Tests of drop duplicates.

use super::DropDuplicates;
use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::testing::{core, keep_or, post, query, verdicts};

#[test]
fn first_of_each_post_stays_and_learns_of_the_other_channels() {
    let found = |channel, rank| FeedCandidate::found(core(2, 10), channel, rank);
    let mut posts = vec![
        found(Channel::InNetwork, 4),
        post(3, 11),
        found(Channel::OutOfNetwork, 2),
        found(Channel::Popular, 9),
    ];
    let said = verdicts(&DropDuplicates, &query(), &mut posts);
    assert_eq!(said, keep_or(&["", "", "duplicate", "duplicate"]));
    let channels: Vec<_> = posts[0].channels.iter().map(|hit| (hit.channel, hit.rank)).collect();
    let all = [
        (Channel::InNetwork, 4),
        (Channel::OutOfNetwork, 2),
        (Channel::Popular, 9),
    ];
    assert_eq!(channels, all);
}

#[test]
fn a_channel_counts_once() {
    let mut posts = vec![post(2, 10), post(2, 10)];
    verdicts(&DropDuplicates, &query(), &mut posts);
    assert_eq!(posts[0].channels.len(), 1);
}

#[test]
fn nothing_to_drop_is_fine() {
    assert_eq!(verdicts(&DropDuplicates, &query(), &mut []), []);
    assert_eq!(
        verdicts(&DropDuplicates, &query(), &mut [post(2, 1), post(2, 2)]),
        keep_or(&["", ""])
    );
}
