//! `covey status`.

use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::{StatusReply, StatusRequest};

use super::{Context, Outcome};
use crate::args::{OutputFormat, StatusArgs};
use crate::client::{Client, ClientError, refused};
use crate::progress::Spinner;
use crate::render::{memory, status};

/// Time between two looks while waiting.
const AGAIN: Duration = Duration::from_millis(300);

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Outcome> {
    let reply = match args.wait {
        None => fetch(&context.connect().await?).await?,
        Some(wait) => wait_for(context, wait).await?,
    };
    context.show(&reply, || match context.format {
        OutputFormat::Plain => status::plain(&reply),
        _ if args.memory => memory::memory(&reply, context.style),
        _ if args.start => memory::starts(&reply, context.style),
        _ => status::human(&reply, context.style),
    })?;
    Ok(Outcome::good(reply.healthy))
}

/// The state as one coordinator sees it.
pub(crate) async fn fetch(client: &Client) -> Result<StatusReply, ClientError> {
    let reply = client.rpc().status(StatusRequest {}).await.map_err(refused("status"))?;
    Ok(reply.into_inner())
}

/// Looks until the cluster is healthy or the time is over; then the last state, or the last error.
async fn wait_for(context: &Context, wait: Duration) -> Result<StatusReply> {
    let started = Instant::now();
    let spinner = Spinner::start("waiting for a healthy cluster");
    loop {
        let looked = match Client::connect(&context.server).await {
            Ok(client) => fetch(&client).await,
            Err(error) => Err(error),
        };
        let over = started.elapsed() >= wait;
        match looked {
            Ok(reply) if reply.healthy || over => {
                spinner.done(started.elapsed());
                return Ok(reply);
            }
            Ok(reply) => spinner.note(reply.problems.first().map_or("", String::as_str)),
            Err(error) if over || !error.is_temporary() => return Err(error.into()),
            Err(error) => spinner.note(&error.to_string()),
        }
        tokio::time::sleep(AGAIN).await;
    }
}
