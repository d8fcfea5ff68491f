//! What tests of rules share.

use covey_config::{CapPer, RuleAction, RuleConfig, RuleMatch};
use covey_shared::ids::PostId;
use covey_shared::model::Topics;

use crate::feed::candidate::FeedCandidate;
use crate::feed::testing::post;

pub(crate) fn rule(name: &str, action: RuleAction, matches: RuleMatch) -> RuleConfig {
    RuleConfig {
        name: name.to_owned(),
        action,
        matches,
    }
}

pub(crate) fn pin(name: &str, slot: usize, matches: RuleMatch) -> RuleConfig {
    rule(name, RuleAction::Pin { slot }, matches)
}

pub(crate) fn inject(name: &str, slot: usize, matches: RuleMatch) -> RuleConfig {
    rule(name, RuleAction::Inject { slot }, matches)
}

pub(crate) fn cap(name: &str, per: CapPer, most: usize) -> RuleConfig {
    rule(name, RuleAction::Cap { per, most }, RuleMatch::default())
}

pub(crate) fn topic(topic: u32) -> RuleMatch {
    RuleMatch {
        topic: Some(topic),
        ..RuleMatch::default()
    }
}

pub(crate) fn id(post: u64) -> RuleMatch {
    RuleMatch {
        post: Some(PostId(post)),
        ..RuleMatch::default()
    }
}

/// A post by an author of its own about these topics.
pub(crate) fn about(id: u64, topics: &[u32]) -> FeedCandidate {
    let mut post = post(1000 + id, id);
    post.core.topics = Topics::of(topics).expect("at most four");
    post
}
