//! What is written and taken away again in one round.

use covey_api::v1::{Post, PostKey};

/// How a post goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// By a label.
    Takedown,
    /// By a label, while followed users show it: by a repost, a quote, or an answer.
    TakedownReposted,
    TakedownQuoted,
    TakedownAnswered,
    /// By its deletion.
    Delete,
    /// By its deletion, while a followed user shows it by a repost.
    DeleteReposted,
}

/// One after another. Takedowns of posts that stand for themselves are most.
const TURNS: [Kind; 10] = [
    Kind::Takedown,
    Kind::TakedownReposted,
    Kind::Delete,
    Kind::Takedown,
    Kind::TakedownQuoted,
    Kind::Takedown,
    Kind::DeleteReposted,
    Kind::Takedown,
    Kind::TakedownAnswered,
    Kind::Delete,
];

impl Kind {
    pub(super) const ALL: [Kind; 6] = [
        Kind::Takedown,
        Kind::TakedownReposted,
        Kind::TakedownQuoted,
        Kind::TakedownAnswered,
        Kind::Delete,
        Kind::DeleteReposted,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Takedown => "takedown",
            Kind::TakedownReposted => "takedown_reposted",
            Kind::TakedownQuoted => "takedown_quoted",
            Kind::TakedownAnswered => "takedown_answered",
            Kind::Delete => "delete",
            Kind::DeleteReposted => "delete_reposted",
        }
    }

    pub(super) fn of_try(number: u64) -> Kind {
        TURNS[(number % TURNS.len() as u64) as usize]
    }

    pub(super) fn deletes(self) -> bool {
        matches!(self, Kind::Delete | Kind::DeleteReposted)
    }
}

/// A followed user, and a stranger whose posts lie on another shard if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) followed: u64,
    pub(super) stranger: u64,
}

/// One try: posts to write, one of which is taken away.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// What is taken away, and written first.
    pub(super) target: Post,
    /// What shows the target; it is written behind it.
    pub(super) by: Option<Post>,
}

impl Plan {
    /// The try of this number, with posts from `first` on, which take two ids.
    pub(super) fn new(number: u64, first: u64, pair: Pair, text: &str) -> Plan {
        let kind = Kind::of_try(number);
        let alone = matches!(kind, Kind::Takedown | Kind::Delete);
        let target = Post {
            post_id: first,
            author_id: if alone { pair.followed } else { pair.stranger },
            text: format!("{text} ({number})"),
            ..Post::default()
        };
        let key = PostKey {
            post_id: target.post_id,
            author_id: target.author_id,
        };
        let by = Post {
            post_id: first + 1,
            author_id: pair.followed,
            text: format!("what about this? ({number})"),
            ..Post::default()
        };
        let by = match kind {
            Kind::Takedown | Kind::Delete => None,
            Kind::TakedownReposted | Kind::DeleteReposted => Some(Post {
                repost_of: Some(key),
                text: String::new(),
                ..by
            }),
            Kind::TakedownQuoted => Some(Post {
                quote_of: Some(key),
                ..by
            }),
            Kind::TakedownAnswered => Some(Post {
                reply_to: Some(key),
                ..by
            }),
        };
        Plan { kind, target, by }
    }

    /// Posts whose being shown shows the try.
    pub(super) fn ids(&self) -> Vec<u64> {
        let by = self.by.iter().map(|post| post.post_id);
        std::iter::once(self.target.post_id).chain(by).collect()
    }
}

#[cfg(test)]
#[path = "tries_test.rs"]
mod tests;
