//! The filter word of a row has fixed bits: it is kept in files.

use super::*;
use crate::records::PostState;
use crate::records::tests::post;

fn tag(change: impl FnOnce(&mut PostColumns)) -> RowTag {
    let mut columns = PostColumns::new(&post(), &PostState::default());
    change(&mut columns);
    RowTag::of(&columns)
}

#[test]
fn a_tag_has_these_bits_and_they_are_read_back() {
    let whole = tag(|_| {});
    assert_eq!(whole.0, 0x0d95_b800_0000_0004);
    assert_eq!(whole.created_at(), UnixMillis(4));
    assert_eq!(whole.language(), Language(*b"en"));
    assert!(whole.has_video() && whole.is_reply());
    let bare = tag(|columns| (columns.video_ms, columns.is_reply, columns.language) = (0, false, Language::default()));
    assert_eq!(bare.0, 4);
    assert!(!bare.has_video() && !bare.is_reply());
}

#[test]
fn a_post_has_the_tag_of_its_columns() {
    let bare = Post {
        media: Vec::new(),
        reply_to: None,
        ..post()
    };
    for post in [post(), bare] {
        let columns = PostColumns::new(&post, &PostState::default());
        assert_eq!(RowTag::of_post(&post), RowTag::of(&columns));
    }
}

#[test]
fn a_time_too_late_for_its_bits_does_not_reach_into_the_others() {
    let late = tag(|columns| columns.created_at = UnixMillis(u64::MAX));
    assert_eq!(late.0, 0x0d95_bbff_ffff_ffff);
    assert_eq!(late.created_at(), UnixMillis(MAX_TIME));
    assert_eq!(late.language(), Language(*b"en"));
}
