//! One batch on its way: sent until every item is done or refused, with pauses that grow.

use std::time::{Duration, Instant};

use covey_api::v1::{ItemStatus, PutPostsRequest, PutUsersRequest, RecordActionsRequest, WriteReply};
use thiserror::Error;
use tonic::{Code, Status};

use super::group::Numbered;
use crate::client::Client;
use crate::world::dice::mix;

/// Time for one try.
const TRY: Duration = Duration::from_secs(10);

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A batch of one kind. `lines` runs parallel to the items.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    lines: Vec<u64>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Users(PutUsersRequest),
    Posts(PutPostsRequest),
    Actions(RecordActionsRequest),
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delivered {
    /// Items done, or already there in a newer version.
    pub(crate) done: u64,
    /// Line and reason of every item refused for ever.
    pub(crate) refused: Vec<(u64, String)>,
    /// Tries beyond the first.
    pub(crate) retries: u64,
}

/// Why loading stopped.
#[derive(Debug, Error)]
pub enum SendError {
    /// The cluster did not take a batch for too long.
    #[error("the cluster has not taken a batch for {waited_s} s: {last}")]
    GaveUp {
        /// Seconds since the first try.
        waited_s: u64,
        /// The last answer.
        last: String,
    },
    /// The request as a whole was refused.
    #[error("the coordinator refused a batch ({}): {}", .0.code(), .0.message())]
    Refused(Box<Status>),
}

fn split<T>(items: Vec<Numbered<T>>) -> (Vec<u64>, Vec<T>) {
    items.into_iter().map(|numbered| (numbered.line, numbered.item)).unzip()
}

impl Batch {
    pub(crate) fn users(items: Vec<Numbered<covey_api::v1::UserUpdate>>) -> Batch {
        let (lines, users) = split(items);
        let session_token = String::new();
        Batch {
            lines,
            body: Body::Users(PutUsersRequest { users, session_token }),
        }
    }

    pub(crate) fn posts(items: Vec<Numbered<covey_api::v1::Post>>) -> Batch {
        let (lines, posts) = split(items);
        let session_token = String::new();
        Batch {
            lines,
            body: Body::Posts(PutPostsRequest { posts, session_token }),
        }
    }

    /// Actions count once per (client, sequence, position).
    pub(crate) fn actions(items: Vec<Numbered<covey_api::v1::Action>>, client_id: u64, sequence: u64) -> Batch {
        let (lines, actions) = split(items);
        Batch {
            lines,
            body: Body::Actions(RecordActionsRequest {
                actions,
                client_id,
                sequence,
                session_token: String::new(),
            }),
        }
    }

    async fn call(&self, client: &Client) -> Result<WriteReply, Status> {
        let mut rpc = client.rpc();
        let reply = match self.body.clone() {
            Body::Users(request) => rpc.put_users(timed(request)).await,
            Body::Posts(request) => rpc.put_posts(timed(request)).await,
            Body::Actions(request) => rpc.record_actions(timed(request)).await,
        };
        reply.map(tonic::Response::into_inner)
    }

    /// Takes in a reply: what is done or refused leaves the batch. Actions stay whole, as their position is their identity.
    fn settle(&mut self, reply: &WriteReply, into: &mut Delivered) {
        let mut again = vec![true; self.lines.len()];
        let mut refused = Vec::new();
        for result in &reply.results {
            let Some(open) = again.get_mut(result.index as usize) else {
                continue;
            };
            match result.status() {
                ItemStatus::Ok | ItemStatus::Superseded => *open = false,
                ItemStatus::Invalid => {
                    *open = false;
                    refused.push((self.lines[result.index as usize], result.message.clone()));
                }
                ItemStatus::Unavailable | ItemStatus::Uncertain | ItemStatus::Unspecified => {}
            }
        }
        let whole = matches!(self.body, Body::Actions(_)) && again.contains(&true);
        if whole {
            return;
        }
        into.done += again.iter().filter(|open| !**open).count() as u64 - refused.len() as u64;
        into.refused.append(&mut refused);
        retain(&mut self.lines, &again);
        match &mut self.body {
            Body::Users(request) => retain(&mut request.users, &again),
            Body::Posts(request) => retain(&mut request.posts, &again),
            Body::Actions(request) => retain(&mut request.actions, &again),
        }
    }

    /// Sends until nothing is left.
    ///
    /// # Errors
    /// [`SendError::GaveUp`] when not one item was taken for `patience`; [`SendError::Refused`] at once when retrying cannot help.
    pub(crate) async fn deliver(mut self, client: &Client, patience: Duration) -> Result<Delivered, SendError> {
        let mut delivered = Delivered::default();
        let mut started = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !self.lines.is_empty() {
            let before = self.lines.len();
            let last = match self.call(client).await {
                Ok(reply) => {
                    self.settle(&reply, &mut delivered);
                    pause = pause.max(Duration::from_millis(reply.retry_after_ms.into()));
                    let open = reply
                        .results
                        .iter()
                        .find(|r| !r.message.is_empty() && r.status() != ItemStatus::Invalid);
                    open.map_or_else(String::new, |r| r.message.clone())
                }
                Err(status) if is_worth_a_retry(status.code()) => format!("{}: {}", status.code(), status.message()),
                Err(status) => return Err(SendError::Refused(Box::new(status))),
            };
            if self.lines.is_empty() {
                break;
            }
            if self.lines.len() < before {
                started = Instant::now();
                pause = FIRST_PAUSE;
            }
            if started.elapsed() > patience {
                let waited_s = started.elapsed().as_secs();
                return Err(SendError::GaveUp { waited_s, last });
            }
            delivered.retries += 1;
            tokio::time::sleep(jittered(pause, delivered.retries ^ self.lines[0])).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(delivered)
    }
}

fn timed<T>(body: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(body);
    request.set_timeout(TRY);
    request
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut flags = keep.iter();
    items.retain(|_| *flags.next().expect("one flag per item"));
}

/// Half to one and a half of the pause, so that batches do not come back in step.
fn jittered(pause: Duration, salt: u64) -> Duration {
    pause.mul_f64(0.5 + (mix(salt) >> 11) as f64 / (1u64 << 53) as f64)
}

/// Nothing was done, or it may have been and counts once: the same batch again is safe.
pub(crate) fn is_worth_a_retry(code: Code) -> bool {
    use Code::*;
    matches!(
        code,
        Unavailable | ResourceExhausted | DeadlineExceeded | Aborted | Cancelled | Unknown
    )
}

#[cfg(test)]
#[path = "send_test.rs"]
mod tests;
