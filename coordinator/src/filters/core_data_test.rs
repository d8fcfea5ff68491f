//! Tests of core data.

use covey_shared::wire::CandidateFlags;

use super::CoreData;
use crate::feed::candidate::Repeated;
use crate::feed::testing::{keep_or, key, post, query, repost, verdicts};

#[test]
fn author_and_content_must_be_there() {
    let mut empty = post(2, 3);
    empty.core.flags = CandidateFlags(CandidateFlags::SMALL_AUTHOR);
    let mut posts = vec![post(2, 1), post(0, 2), empty];
    assert_eq!(
        verdicts(&CoreData, &query(), &mut posts),
        keep_or(&["", "no_author", "no_content"])
    );
}

#[test]
fn a_repost_needs_no_content_of_its_own_but_what_it_repeats() {
    let mut gone = repost(2, 2, key(3, 10));
    gone.source = Repeated::Gone;
    let mut posts = vec![repost(2, 1, key(3, 9)), gone];
    assert_eq!(verdicts(&CoreData, &query(), &mut posts), keep_or(&["", "source_gone"]));
}
