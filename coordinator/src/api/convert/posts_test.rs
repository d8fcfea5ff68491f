//! Rules about what a post is about.

use super::*;

#[test]
fn topics_are_at_most_four_different_numbers() {
    assert_eq!(topics(&[9, 4, 9]), Ok(Topics([4, 9, 0, 0])));
    let zero = topics(&[4, 0]).unwrap_err();
    assert_eq!(zero.to_string(), "a number in topics is 0 or missing");
    let many = topics(&[1, 2, 3, 4, 5]).unwrap_err();
    assert_eq!(many.to_string(), "topics has 5 entries, the limit is 4");
}
