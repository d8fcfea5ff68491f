//! What timelines count of themselves.

use covey_shared::ids::PostKey;

use super::*;

fn row(author: u64, post: u64) -> PostColumns {
    let post = covey_shared::model::Post {
        key: PostKey {
            author: UserId(author),
            post: PostId(post),
        },
        ..Default::default()
    };
    PostColumns::new(&post, &Default::default())
}

fn counted(timelines: &Timelines) -> u64 {
    let of = |authors: &Authors| authors.allocation_size() + authors.values().map(Author::bytes).sum::<usize>();
    timelines.stripes.iter().map(|stripe| of(&stripe.lock())).sum::<usize>() as u64
}

#[test]
fn bytes_are_those_of_lists_and_tables_whatever_came_and_went() {
    let timelines = Timelines::new();
    assert_eq!(timelines.bytes(), 0);
    for post in 1..=60_000 {
        timelines.insert(&row(post % 3000, post), Ordinal(post as u32));
        timelines.set_followers(UserId(post), i64::from(post % 2 == 0));
    }
    let full = timelines.bytes();
    assert_eq!(full, counted(&timelines));
    assert!(full > 60_000 * size_of::<Entry>() as u64, "{full}");
    for post in 1..=60_000 {
        timelines.remove(&row(post % 3000, post), Ordinal(post as u32));
        timelines.set_followers(UserId(post), 0);
    }
    assert_eq!(timelines.bytes(), counted(&timelines));
    assert!(timelines.bytes() < full / 4, "{} of {full}", timelines.bytes());
}
