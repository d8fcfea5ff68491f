//! `covey builds pause` and `covey builds resume`.

use std::time::Duration;

use anyhow::Result;
use covey_api::v1::{BuildsReply, PauseBuildsRequest, ResumeBuildsRequest};

use super::{Context, Outcome};
use crate::client::refused;
use crate::render::builds;

pub(super) async fn pause(context: &Context, nodes: Vec<u64>, pause: Duration) -> Result<Outcome> {
    let client = context.connect().await?;
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let request = PauseBuildsRequest { nodes, pause_ms };
    let reply = client.rpc().pause_builds(request).await;
    show(context, &reply.map_err(refused("builds pause"))?.into_inner())
}

pub(super) async fn resume(context: &Context, nodes: Vec<u64>) -> Result<Outcome> {
    let client = context.connect().await?;
    let reply = client.rpc().resume_builds(ResumeBuildsRequest { nodes }).await;
    show(context, &reply.map_err(refused("builds resume"))?.into_inner())
}

fn show(context: &Context, reply: &BuildsReply) -> Result<Outcome> {
    context.show(reply, || builds::answer(reply, context.style))?;
    Ok(Outcome::good(reply.nodes.iter().all(|node| node.error.is_empty())))
}
