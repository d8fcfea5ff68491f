//! Tests of the post columns.

use super::*;
use crate::heat::Heat;

fn heats(mass: f64, at: u64) -> Heats {
    let heat = |mass, at| Heat {
        mass,
        at: UnixMillis(at),
    };
    Heats {
        engagement: heat(mass, at),
        talk: heat(mass + 1.0, at + 1),
    }
}

fn columns(post: u64) -> PostColumns {
    let key = |n: u64| PostKey {
        author: UserId(n),
        post: PostId(n + 1),
    };
    let by_kind = std::array::from_fn(|i| i as u32 * 1000 + post as u32);
    PostColumns {
        key: PostKey {
            author: UserId(7),
            post: PostId(post),
        },
        version: Version(3),
        created_at: UnixMillis(1_700_000_000_123),
        reply_to: key(10),
        repost_of: key(20),
        quote_of: key(30),
        conversation: PostId(99),
        labels: u32::MAX,
        video_ms: u32::MAX - 1,
        language: Language(*b"en"),
        country: *b"ZY",
        flags: CandidateFlags::HAS_CONTENT | CandidateFlags::HAS_PHOTO,
        hint: RefHint {
            known: true,
            in_reply_to: Some(PostId(0)),
            is_repost: true,
            has_video: true,
        },
        is_reply: true,
        is_repost: true,
        heats: heats(1.25, 5),
        counters: Counters { by_kind },
        simhash: u64::MAX - post,
        topics: Topics([1, u32::MAX, 3, u32::MAX - 1]),
    }
}

#[test]
fn every_field_comes_back() {
    let all = Columns::new();
    for post in 0..3000 {
        assert_eq!(all.append(&columns(post)), Ordinal(post as u32));
    }
    let table = all.table();
    for post in 0..3000 {
        let row = table.live(Ordinal(post as u32)).unwrap();
        assert_eq!((row.load(), row.tag()), (columns(post), RowTag::of(&columns(post))));
    }
    assert_eq!(all.live(), 3000);
    assert!(table.live(Ordinal(5000)).is_none());
}

#[test]
fn labels_and_counts_change_in_place_and_alone() {
    let all = Columns::new();
    let ordinal = all.append(&columns(1));
    let mut wanted = columns(1);
    wanted.labels = 2;
    wanted.counters.by_kind[19] = 5;
    wanted.heats = heats(7.5, 8);
    all.set_labels(ordinal, 2);
    all.set_counts(ordinal, &wanted.counters, wanted.heats);
    assert_eq!(all.table().live(ordinal).unwrap().load(), wanted);
}

#[test]
fn a_full_chunk_of_dead_rows_is_dropped() {
    let all = Columns::new();
    for post in 0..CHUNK_ROWS as u64 + 1 {
        all.append(&columns(post));
    }
    let before = all.bytes();
    for row in 0..=CHUNK_ROWS as u32 {
        all.kill(Ordinal(row));
        all.kill(Ordinal(row));
    }
    assert_eq!(all.live(), 0);
    assert_eq!(all.bytes(), before / 2, "the chunk that is being filled stays");
    assert!(all.table().live(Ordinal(0)).is_none());
    let next = all.append(&columns(9));
    assert_eq!(all.table().live(next).unwrap().load(), columns(9));
}

#[test]
fn the_tag_of_a_row_is_that_of_its_columns() {
    let all = Columns::new();
    for (video_ms, is_reply, is_repost) in [(0, false, false), (1, false, true), (0, true, true), (9, true, false)] {
        let columns = PostColumns {
            video_ms,
            is_reply,
            is_repost,
            ..columns(1)
        };
        let ordinal = all.append(&columns);
        assert_eq!(all.table().live(ordinal).unwrap().tag(), RowTag::of(&columns));
    }
}
