//! The common currency of generator and loaders: one user, post or action in the form of the public API.

use covey_api::v1::{Action, Post, UserUpdate};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One thing to write to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A user with its edges.
    User(UserUpdate),
    /// A post.
    Post(Post),
    /// What a viewer did.
    Action(Action),
}

/// A line that is no record.
#[derive(Debug, Error)]
pub enum RecordError {
    /// No JSON, or JSON of another shape.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Neither or more than one of the three.
    #[error("exactly one of \"user\", \"post\" and \"action\" is expected")]
    NotOne,
}

/// One line of `jsonl`: an object with one of the three fields.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserUpdate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Post>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
}

impl Record {
    /// Reads one line of `jsonl`.
    pub fn from_json(line: &str) -> Result<Record, RecordError> {
        let line: Line = serde_json::from_str(line)?;
        match (line.user, line.post, line.action) {
            (Some(user), None, None) => Ok(Record::User(user)),
            (None, Some(post), None) => Ok(Record::Post(post)),
            (None, None, Some(action)) => Ok(Record::Action(action)),
            _ => Err(RecordError::NotOne),
        }
    }

    /// Writes one line of `jsonl`, without the line feed.
    pub fn to_json(&self) -> String {
        let mut line = Line::default();
        match self.clone() {
            Record::User(user) => line.user = Some(user),
            Record::Post(post) => line.post = Some(post),
            Record::Action(action) => line.action = Some(action),
        }
        serde_json::to_string(&line).expect("the messages of the API always have a JSON form")
    }

    /// When it happened, in milliseconds since the Unix epoch; `None` for users and where the time is left to the server.
    pub fn time_ms(&self) -> Option<u64> {
        let time = match self {
            Record::User(_) => 0,
            Record::Post(post) => post.created_at_ms,
            Record::Action(action) => action.at_ms,
        };
        (time > 0).then_some(time)
    }

    /// Moves it in time. A version made from the creation time moves along; one that the file gives stays.
    pub fn shift(&mut self, by_ms: i64) {
        let moved = |time: &mut u64| {
            if *time > 0 {
                *time = time.saturating_add_signed(by_ms);
            }
        };
        match self {
            Record::User(user) => {
                if let Some(profile) = &mut user.profile {
                    moved(&mut profile.created_at_ms);
                }
            }
            Record::Post(post) => moved(&mut post.created_at_ms),
            Record::Action(action) => moved(&mut action.at_ms),
        }
    }
}

#[cfg(test)]
#[path = "record_test.rs"]
mod tests;
