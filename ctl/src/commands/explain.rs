//! `covey explain`.

use anyhow::Result;
use covey_api::v1::{ExplainRequest, GetFeedRequest};

use super::{Context, Outcome};
use crate::args::ExplainArgs;
use crate::client::refused;
use crate::render::explain;

pub(super) async fn run(context: &Context, args: ExplainArgs) -> Result<Outcome> {
    let feed = GetFeedRequest {
        viewer_id: args.viewer,
        ..GetFeedRequest::default()
    };
    let request = ExplainRequest {
        feed: Some(feed),
        posts: args.posts,
    };
    let client = context.connect().await?;
    let reply = client
        .rpc()
        .explain(request)
        .await
        .map_err(refused("explain"))?
        .into_inner();
    context.show(&reply, || explain::report(&reply, context.style))?;
    Ok(Outcome::Done)
}
