//! Which acknowledged posts are not there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{GetPostsReply, GetPostsRequest, GetStatus, PostKey};

use super::super::patient::in_time;
use crate::client::{Client, refused};

/// Keys of a request; at most `limits.batch_items`.
const BATCH: usize = 500;
/// A replica that answers may be behind: what is not there is asked for again for so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause before that.
const AGAIN: Duration = Duration::from_millis(500);
/// Time for one request.
const DEADLINE: Duration = Duration::from_secs(10);

/// Ids of those that every shard says do not exist.
pub(super) async fn of(client: &Client, mut wanted: Vec<PostKey>) -> Result<BTreeSet<u64>> {
    let mut asking = None;
    loop {
        let (mut missing, mut silent) = (Vec::new(), 0);
        for keys in wanted.chunks(BATCH) {
            silent += sort(&ask(client, keys).await?, keys, &mut missing);
        }
        // The first round may be long; patience is for what it has not found.
        let since: &mut Instant = asking.get_or_insert_with(Instant::now);
        let over = since.elapsed() >= PATIENCE;
        match (missing.is_empty(), over) {
            (true, _) => return Ok(BTreeSet::new()),
            (false, true) if silent > 0 => bail!("{silent} posts could not be looked for: their shard does not answer"),
            (false, true) => return Ok(missing.iter().map(|key| key.post_id).collect()),
            (false, false) => {}
        }
        wanted = missing;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn ask(client: &Client, keys: &[PostKey]) -> Result<GetPostsReply> {
    let request = GetPostsRequest {
        keys: keys.to_vec(),
        ..GetPostsRequest::default()
    };
    let request = in_time(request, DEADLINE);
    let reply = client.rpc().get_posts(request).await.map_err(refused("get"))?;
    Ok(reply.into_inner())
}

/// Adds what was not found to `missing`. How many of these nobody could look for.
fn sort(reply: &GetPostsReply, keys: &[PostKey], missing: &mut Vec<PostKey>) -> usize {
    let mut silent = 0;
    for (at, key) in keys.iter().enumerate() {
        match reply.results.get(at).map(|result| result.status()) {
            Some(GetStatus::Found) => continue,
            Some(GetStatus::NotFound) => {}
            _ => silent += 1,
        }
        missing.push(*key);
    }
    silent
}

#[cfg(test)]
#[path = "lost_test.rs"]
mod tests;
