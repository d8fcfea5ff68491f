//! `covey load`.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Context, Outcome, now_ms, world};
use crate::args::{LoadArgs, LoadFlags, LoadInput};
use crate::load::{self, Format, FvecsOptions, HiggsOptions, LoadOptions, Report};
use crate::render::text::{self, count, span};

pub(super) async fn run(context: &Context, args: LoadArgs) -> Result<Outcome> {
    let format = format(args.input)?;
    let flags = args.options;
    let options = LoadOptions {
        batch: flags.batch.into(),
        concurrency: flags.concurrency.into(),
        patience: flags.patience,
        state: state(&flags, &format),
        rebase_to_ms: flags.rebase_time.then(now_ms),
        limit: flags.limit,
        show_bad: flags.show_bad,
    };
    let client = context.connect().await?;
    let report = load::load(client, &format, &options).await?;
    text::print(&summary(&report))?;
    Ok(Outcome::Done)
}

fn format(input: LoadInput) -> Result<Format> {
    Ok(match input {
        LoadInput::World { size } => Format::World(world::build(&size)?),
        LoadInput::Jsonl { path } => Format::Jsonl(path),
        LoadInput::Hackernews { path, own_history } => Format::HackerNews { path, own_history },
        LoadInput::Higgs { path, before, dim } => Format::Higgs {
            path,
            options: HiggsOptions { dim, before },
        },
        LoadInput::Fvecs {
            path,
            words,
            dim,
            authors,
        } => Format::Fvecs {
            path,
            options: FvecsOptions {
                words,
                dim,
                authors,
                now_ms: now_ms(),
            },
        },
    })
}

/// Where the checkpoint goes: as told, else beside the input if one can write there.
fn state(flags: &LoadFlags, format: &Format) -> Option<PathBuf> {
    if flags.no_state {
        return None;
    }
    if flags.state.is_some() {
        return flags.state.clone();
    }
    let mut beside = format.file()?.to_owned().into_os_string();
    beside.push(".covey-state");
    let beside = PathBuf::from(beside);
    if beside.exists() || can_create(&beside) {
        return Some(beside);
    }
    eprintln!(
        "note: {} cannot be written, so this load keeps no checkpoint; name a place with --state FILE",
        beside.display()
    );
    None
}

fn can_create(path: &Path) -> bool {
    let created = OpenOptions::new().write(true).create_new(true).open(path);
    created.is_ok() && std::fs::remove_file(path).is_ok()
}

/// What was loaded, and what was not.
pub(crate) fn summary(report: &Report) -> String {
    let mut out = format!(
        "{} posts, {} users, {} actions in {:.1} s; {:.0} posts/s",
        count(report.posts),
        count(report.users),
        count(report.actions),
        report.elapsed.as_secs_f64(),
        report.posts_per_s(),
    );
    if report.resumed_at > 0 {
        out.push_str(&format!("; went on after row {}", count(report.resumed_at)));
    }
    if report.retries > 0 {
        out.push_str(&format!("; {} batches sent again", count(report.retries)));
    }
    out.push('\n');
    if report.shift_ms != 0 {
        let direction = if report.shift_ms > 0 { "later" } else { "earlier" };
        let distance = report.shift_ms.unsigned_abs();
        out.push_str(&format!(
            "all times are {} ({distance} ms) {direction} than in the input\n",
            span(distance)
        ));
    }
    if report.bad > 0 {
        out.push_str(&format!("{} rows were not loaded:\n", count(report.bad)));
        for (line, why) in &report.first_bad {
            out.push_str(&format!("  line {line}: {why}\n"));
        }
        let more = report.bad.saturating_sub(report.first_bad.len() as u64);
        if more > 0 {
            out.push_str(&format!("  and {} more (--show-bad)\n", count(more)));
        }
    }
    out
}

#[cfg(test)]
#[path = "load_test.rs"]
mod tests;
