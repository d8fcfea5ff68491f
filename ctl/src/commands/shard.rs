//! `covey shard check`.

use std::time::Duration;

use anyhow::Result;
use covey_api::v1::CheckShardsRequest;

use super::{Context, Outcome, status};
use crate::args::ShardCheckArgs;
use crate::client::refused;
use crate::progress::Spinner;
use crate::render::shard;

/// Time that the coordinator's answer needs to come back.
const WAY: Duration = Duration::from_secs(5);

pub(super) async fn check(context: &Context, args: ShardCheckArgs) -> Result<Outcome> {
    let client = context.connect().await?;
    let mut request = tonic::Request::new(CheckShardsRequest {
        shards: args.shards,
        deadline_ms: u32::try_from(args.deadline.as_millis()).unwrap_or(u32::MAX),
    });
    request.set_timeout(args.deadline + WAY);
    let spinner = Spinner::start("the replicas hash what they hold");
    let started = std::time::Instant::now();
    let checked = client.rpc().check_shards(request).await;
    spinner.done(started.elapsed());
    let reply = checked.map_err(refused("shard check"))?.into_inner();
    // Without it the check says what it is asked for.
    let status = status::fetch(&client).await.unwrap_or_default();
    context.show(&reply, || shard::checked(&reply, &status, context.style))?;
    Ok(Outcome::good(reply.equal))
}
