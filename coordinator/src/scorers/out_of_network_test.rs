//! Tests of out of network.

use covey_pipeline::Score;

use super::OutOfNetwork;
use crate::feed::testing::{post, scored};

#[test]
fn only_what_is_known_to_be_out_of_network_is_lowered() {
    let posts = [Some(true), Some(false), None].map(|in_network| {
        let mut post = post(2, 1);
        post.in_network = in_network;
        post.diversified = Score::new(2.0).expect("a number");
        post
    });
    let after = scored(OutOfNetwork { factor: 0.75 }, posts.to_vec());
    let values: Vec<f64> = after.iter().map(|post| post.score.value()).collect();
    assert_eq!(values, [2.0, 1.5, 2.0]);
}
