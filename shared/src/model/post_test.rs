//! Tests of posts.

use super::*;

#[test]
fn topics_are_few_different_ones_in_order() {
    assert_eq!(Topics::of(&[9, 4, 9]), Some(Topics([4, 9, 0, 0])));
    assert_eq!(Topics::of(&[]), Some(Topics::default()));
    assert_eq!(Topics::of(&[1, u32::MAX, 3, 2]), Some(Topics([1, 2, 3, u32::MAX])));
    assert_eq!(Topics::of(&[1, 2, 3, 4, 5]), None);
    assert_eq!(Topics::of(&[1, 0]), None);
    let all: Vec<u32> = Topics([4, 9, 0, 0]).iter().collect();
    assert_eq!(all, [4, 9]);
}
