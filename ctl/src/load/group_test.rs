//! Cutting rows into groups.

use covey_api::v1::PostKey;

use super::*;

fn post(id: u64, reply_to: Option<u64>) -> Row {
    let key = |post_id| PostKey { author_id: 1, post_id };
    let post = Post {
        post_id: id,
        author_id: 1,
        text: "x".into(),
        reply_to: reply_to.map(key),
        created_at_ms: 1_000 * id,
        ..Post::default()
    };
    Row::record(id, Record::Post(post))
}

fn action(line: u64) -> Row {
    Row::record(line, Record::Action(Action::default()))
}

fn cuts(rows: Vec<Row>, from: u64, batch: usize) -> Vec<(u64, u64)> {
    Groups::new(rows.into_iter(), from, batch, 0)
        .map(|g| (g.first, g.end))
        .collect()
}

#[test]
fn a_group_is_full_at_the_batch_size_of_one_kind() {
    let rows: Vec<Row> = (1..=7).map(|i| post(i, None)).collect();
    assert_eq!(cuts(rows, 0, 3), [(0, 3), (3, 6), (6, 7)]);
    let mixed = (1..=4).flat_map(|i| [post(i, None), action(100 + i)]).collect();
    assert_eq!(cuts(mixed, 0, 4), [(0, 7), (7, 8)]);
}

#[test]
fn posts_that_refer_to_their_own_group_go_in_later_waves() {
    let rows = vec![
        post(1, None),
        post(2, None),
        post(3, Some(1)),
        post(4, Some(99)),
        post(5, Some(3)),
        post(6, Some(2)),
    ];
    let group = Groups::new(rows.into_iter(), 0, 100, 0).next().unwrap();
    let waves = Group::waves(group.posts);
    let ids = |wave: &Vec<Numbered<Post>>| wave.iter().map(|p| p.item.post_id).collect::<Vec<_>>();
    assert_eq!(
        waves.iter().map(ids).collect::<Vec<_>>(),
        [vec![1, 2, 4], vec![3, 6], vec![5]]
    );
}

#[test]
fn a_resumed_input_is_cut_at_the_same_places() {
    let rows = || {
        (1..=20)
            .map(|i| post(i, (i % 3 == 0).then_some(i - 1)))
            .collect::<Vec<_>>()
    };
    let whole = cuts(rows(), 0, 4);
    for start in 1..whole.len() {
        assert_eq!(cuts(rows(), whole[start].0, 4), whole[start..]);
    }
}

#[test]
fn bad_rows_are_carried_along_and_bounded() {
    let rows: Vec<Row> = (1..=5).map(|i| Row::bad(i, "no")).collect();
    let groups: Vec<Group> = Groups::new(rows.into_iter(), 0, 2, 0).collect();
    assert_eq!(groups.iter().map(|g| g.bad.len()).collect::<Vec<_>>(), [2, 2, 1]);
}

#[test]
fn large_records_fill_a_group_by_their_bytes() {
    let rows = (1..=10).map(|i| {
        let Row {
            content: Content::Record(mut record),
            line,
        } = post(i, None)
        else {
            unreachable!()
        };
        if let Record::Post(post) = record.as_mut() {
            post.text = "x".repeat(200 << 10);
        }
        Row {
            line,
            content: Content::Record(record),
        }
    });
    assert!(Groups::new(rows, 0, 500, 0).all(|g| g.posts.len() <= 3));
}

#[test]
fn times_are_shifted() {
    let mut groups = Groups::new(vec![post(5, None)].into_iter(), 0, 10, -2_000);
    assert_eq!(groups.next().unwrap().posts[0].item.created_at_ms, 3_000);
}
