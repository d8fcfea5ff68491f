//! Which posts a rule is about.

use covey_config::{ChannelName, RuleMatch};

use crate::feed::candidate::{Channel, FeedCandidate};

/// All that the rule names holds. A repost is its original, but by both authors; what is not known matches nothing.
pub(crate) fn is_match(wanted: &RuleMatch, post: &FeedCandidate) -> bool {
    let shown = post.ranked_as();
    let keys = [post.core.key, post.core.repost_of];
    wanted.post.is_none_or(|id| keys.iter().any(|key| key.post == id))
        && wanted
            .author
            .is_none_or(|user| keys.iter().any(|key| key.author == user))
        && wanted.channel.is_none_or(|name| post.hit(channel(name)).is_some())
        && wanted.language.is_none_or(|language| shown.language == language)
        && wanted
            .topic
            .is_none_or(|number| shown.topics.iter().any(|topic| topic == number))
        && wanted
            .label
            .is_none_or(|label| (post.core.labels | shown.labels) & label.bit() != 0)
        && wanted.in_network.is_none_or(|is| post.in_network == Some(is))
        && wanted.video.is_none_or(|is| (shown.video_ms > 0) == is)
}

fn channel(name: ChannelName) -> Channel {
    match name {
        ChannelName::InNetwork => Channel::InNetwork,
        ChannelName::OutOfNetwork => Channel::OutOfNetwork,
        ChannelName::SimilarToRecent => Channel::SimilarToRecent,
        ChannelName::Popular => Channel::Popular,
        ChannelName::New => Channel::New,
        ChannelName::Active => Channel::Active,
        ChannelName::Subscribed => Channel::Subscribed,
        ChannelName::Topics => Channel::Topics,
        ChannelName::Local => Channel::Local,
    }
}

#[cfg(test)]
#[path = "matching_test.rs"]
mod tests;
