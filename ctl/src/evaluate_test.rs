//! A tiny history with known answers.

use std::fs;

use super::*;

/// 1 follows 2 and 3 (two retweets of each). Later 1 retweets 9, whom 2 repeated, and 4 retweets 2.
const EVENTS: &str = "1 2 1000000 RT\n1 2 1000010 RT\n1 3 1000020 RT\n1 3 1000030 RT\n\
    2 9 1000040 RT\n5 3 1000050 RT\n3 7 1000060 MT\n3 7 1000070 MT\n\
    1 1 1000100 RT\n1 9 1000110 RT\n1 3 1000120 RT\n4 2 1000130 RT\n";

fn read(events: &str, min_followed: usize) -> Result<History, OpenError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("higgs.txt");
    fs::write(&path, events).unwrap();
    let args = HiggsArgs {
        path,
        before: 1_000_100,
        k: 35,
        min_followed,
    };
    History::read(&args)
}

fn history(min_followed: usize) -> History {
    read(EVENTS, min_followed).unwrap()
}

#[test]
fn a_damaged_file_is_refused_rather_than_measured_against() {
    for (more, why) in [
        ("4 2 10001", "line 13: 4 fields expected"),
        ("4 2 5 RT", "line 13: time 5 after 1000130"),
    ] {
        let refused = read(&format!("{EVENTS}{more}\n"), 2).err().unwrap().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn viewers_follow_enough_and_retweet_somebody_else_later() {
    let viewer = Viewer {
        id: 1,
        followed: vec![2, 3],
        next: 9,
    };
    assert_eq!(history(2).viewers, [viewer]);
    assert!(history(3).viewers.is_empty());
}

#[test]
fn a_repost_by_the_followed_counts_for_the_author_it_shows() {
    let history = history(1);
    let hits = |k| history.hits(|viewer| history.newest(viewer, k));
    // The two mentions by 3 are newer than 2's repost of 9.
    assert_eq!((hits(2), hits(3)), (vec![false], vec![true]));
}

#[test]
fn popularity_puts_what_was_repeated_most_first() {
    let history = history(1);
    let viewer = &history.viewers[0];
    let first = history.popular(viewer, 1)[0];
    // Three reposts of the post made up for 3; those of 2 and 9 have fewer.
    assert_eq!((first.author, history.reposts[&first.source.0]), (3, 3));
    assert_eq!(history.popular_anywhere(viewer, 1)[0].post, first.post);
}

#[test]
fn the_error_is_that_of_a_share() {
    let rate = rate("x", &[true, false, false, false], &[false, true, false, false]);
    assert_eq!((rate.hits, rate.feed_only, rate.this_only), (1, 1, 1));
    assert!((rate.standard_error - (0.25f64 * 0.75 / 4.0).sqrt()).abs() < 1e-12);
}

#[test]
fn viewers_whose_posts_all_fit_are_left_out_of_the_second_group() {
    let groups = |k| {
        let history = history(1);
        let feeds = vec![true; history.viewers.len()];
        history.groups(k, feeds)
    };
    let viewers = |k| groups(k).iter().map(|group| group.viewers).collect::<Vec<_>>();
    assert_eq!(viewers(1), [1, 1]);
    assert_eq!(viewers(100), [1, 0]);
    let rate = &groups(1)[1].rates[4];
    assert_eq!((rate.hits, rate.feed_only, rate.this_only), (1, 0, 0));
}
