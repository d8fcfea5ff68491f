//! `covey feed`.

use std::time::Instant;

use anyhow::Result;
use covey_api::v1::GetFeedRequest;

use super::{Context, Outcome, now_ms};
use crate::args::FeedArgs;
use crate::client::refused;
use crate::render::{cards, explain};

pub(super) async fn run(context: &Context, args: FeedArgs) -> Result<Outcome> {
    let request = GetFeedRequest {
        viewer_id: args.viewer,
        limit: args.limit,
        explain: args.explain,
        in_network_only: args.in_network_only,
        strong: args.strong,
        video_only: args.video_only,
        kind: FeedArgs::kind(args.following) as i32,
        is_bottom_request: !args.cursor.is_empty() && !args.new,
        cursor: args.cursor,
        deadline_ms: args.deadline.map_or(0, |deadline| deadline.as_millis() as u32),
        ..GetFeedRequest::default()
    };
    let client = context.connect().await?;
    let started = Instant::now();
    let reply = client
        .rpc()
        .get_feed(request)
        .await
        .map_err(refused("feed"))?
        .into_inner();
    let took_ms = started.elapsed().as_secs_f64() * 1000.0;
    context.show(&reply, || {
        let mut out = cards::feed(&reply, args.viewer, took_ms, now_ms(), context.style);
        if args.explain {
            out.push('\n');
            out.push_str(&explain::stages(&reply.stages, context.style));
        }
        if !reply.cursor.is_empty() {
            let kind = if args.following { " --following" } else { "" };
            let next = format!("covey feed --viewer {}{kind} --cursor {}", args.viewer, reply.cursor);
            out.push_str(
                &context
                    .style
                    .dim(&format!("next page: {next}\nwhat is new: the same with --new\n")),
            );
        }
        out
    })?;
    Ok(Outcome::Done)
}
