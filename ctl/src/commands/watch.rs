//! `covey watch`, and what `--watch` does: follows operations until they have ended.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Result;
use covey_api::v1::DescribeClusterReply;
use tonic::{Code, Status};

use super::cluster::describe;
use super::following::Following;
use super::{Context, Outcome};
use crate::args::{OutputFormat, WatchArgs};
use crate::client::{Client, denied};
use crate::progress::Live;
use crate::render::operations;
use crate::render::text::{self, Style, span};

/// Time between two looks.
const AGAIN: Duration = Duration::from_millis(500);
/// A new leader of the metadata may not have applied for so long what the one before it has answered.
const UNSEEN: Duration = Duration::from_secs(10);

/// What to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that run.
    All,
    /// One that somebody has begun.
    One(u64),
    /// One that this command has begun.
    Begun(u64),
}

impl Wanted {
    fn operation(self) -> Option<u64> {
        match self {
            Wanted::All => None,
            Wanted::One(id) | Wanted::Begun(id) => Some(id),
        }
    }
}

pub(super) async fn run(context: &Context, args: &WatchArgs) -> Result<Outcome> {
    let client = context.connect().await?;
    let wanted = args.operation.map_or(Wanted::All, Wanted::One);
    follow(context, &client, wanted, args.timeout).await
}

/// Shows the operations until they have ended, the time is over, or somebody interrupts.
pub(super) async fn follow(
    context: &Context,
    client: &Client,
    wanted: Wanted,
    timeout: Option<Duration>,
) -> Result<Outcome> {
    let look = async |operation| describe(client, operation, 0).await;
    look_on(Screen::of(context), wanted, timeout, look).await
}

async fn look_on(
    mut screen: Screen,
    wanted: Wanted,
    timeout: Option<Duration>,
    look: impl AsyncFn(u64) -> Result<DescribeClusterReply, Status>,
) -> Result<Outcome> {
    let mut following = Following::of(wanted.operation());
    let (began, mut answered) = (Instant::now(), Instant::now());
    let mut known = matches!(wanted, Wanted::Begun(_));
    let mut last = DescribeClusterReply::default();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        let looked = tokio::select! {
            looked = look(wanted.operation().unwrap_or(0)) => looked,
            _ = &mut interrupted => return screen.end(&last, Outcome::Interrupted),
        };
        match looked {
            Ok(mut reply) => {
                (answered, known) = (Instant::now(), true);
                following.keep(&mut reply);
                let news = following.news(&reply);
                screen.show(&reply, &news)?;
                let ended = following.ended(&reply);
                last = reply;
                if let Some(good) = ended {
                    return screen.end(&last, Outcome::good(good));
                }
            }
            Err(status) if may_pass(&status) || (known && is_unseen(&status, answered)) => {
                screen.silent(&last, &status, answered.elapsed());
            }
            Err(status) => {
                screen.clear();
                return Err(denied("watch")(status).into());
            }
        }
        if timeout.is_some_and(|timeout| began.elapsed() >= timeout) {
            return screen.end(&last, Outcome::StillRunning);
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            _ = &mut interrupted => return screen.end(&last, Outcome::Interrupted),
        }
    }
}

/// A coordinator is restarted, or the metadata has no leader for a while.
fn may_pass(status: &Status) -> bool {
    crate::load::is_worth_a_retry(status.code())
}

fn is_unseen(status: &Status, answered: Instant) -> bool {
    status.code() == Code::NotFound && answered.elapsed() < UNSEEN
}

/// Where it is shown: a block that is redrawn, lines, or JSON.
struct Screen {
    style: Style,
    /// For the block, which is on another stream.
    live_style: Style,
    json: bool,
    live: Option<Live>,
    silent: bool,
}

impl Screen {
    fn of(context: &Context) -> Screen {
        let json = context.format == OutputFormat::Json;
        let live = (!json && std::io::stderr().is_terminal()).then(Live::start);
        Screen {
            style: context.style,
            live_style: Style::of_stderr(),
            json,
            live,
            silent: false,
        }
    }

    fn show(&mut self, reply: &DescribeClusterReply, news: &[String]) -> Result<()> {
        if let Some(live) = &self.live {
            live.show(&operations::block(reply, self.live_style));
            return Ok(());
        }
        if std::mem::take(&mut self.silent) {
            eprintln!("  it answers again");
        }
        if news.is_empty() {
            return Ok(());
        }
        if self.json {
            text::print(&(serde_json::to_string(reply)? + "\n"))?;
        } else {
            news.iter().for_each(|line| eprintln!("  {line}"));
        }
        Ok(())
    }

    /// Nobody answers: what was last seen stays, with a word about that.
    fn silent(&mut self, last: &DescribeClusterReply, status: &Status, since: Duration) {
        let line = format!(
            "no answer for {}, the operation goes on without: {}",
            span(since.as_millis() as u64),
            status.message()
        );
        if let Some(live) = &self.live {
            let mut block = operations::block(last, self.live_style);
            block.push(self.live_style.bad(&format!("  {line}")));
            live.show(&block);
        } else if !std::mem::replace(&mut self.silent, true) {
            eprintln!("  {line}");
        }
    }

    fn clear(&self) {
        if let Some(live) = &self.live {
            live.clear();
        }
    }

    /// Leaves on the screen what was last seen.
    fn end(&self, last: &DescribeClusterReply, outcome: Outcome) -> Result<Outcome> {
        self.clear();
        // Without a look there is nothing to leave.
        if !self.json && last.at_ms > 0 {
            text::print(&operations::last_look(last, self.style))?;
        }
        if matches!(outcome, Outcome::StillRunning | Outcome::Interrupted) {
            eprintln!("{}", operations::goes_on(last));
        }
        Ok(outcome)
    }
}

#[cfg(test)]
#[path = "watch_test.rs"]
mod tests;
