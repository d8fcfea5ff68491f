//! The figures add up.

use super::*;

fn fate(post: u64, found: bool, whole: bool) -> Fate {
    Fate {
        post,
        found,
        whole,
        write_ms: post as f64,
        search_ms: 2.0 * post as f64,
    }
}

#[test]
fn a_post_that_is_not_found_is_counted_and_named() {
    let fates = [fate(1, true, true), fate(2, false, true), fate(3, true, false)];
    let figures = Figures::of(&fates);
    assert_eq!((figures.posts, figures.found, figures.incomplete), (3, 2, 1));
    assert_eq!((figures.write_p50_ms, figures.search_p99_ms), (2.0, 6.0));
    assert_eq!(figures.lost, [2]);
    let text = figures.human();
    assert!(
        text.starts_with("2 of 3 posts found") && text.contains("not found: [2]"),
        "{text}"
    );
}

#[test]
fn a_flood_of_lost_posts_is_named_in_part() {
    let fates: Vec<Fate> = (0..100).map(|post| fate(post, false, true)).collect();
    assert_eq!(Figures::of(&fates).lost.len(), NAMED);
}
