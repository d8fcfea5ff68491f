//! `covey events`: rows of the event log, read from its files.

use std::collections::BTreeMap;

use anyhow::Result;
use covey_env::Env;
use covey_eventlog::{Kind, Looked, look, partitions};

use super::{Context, Outcome};
use crate::args::{EventsArgs, OutputFormat};
use crate::render::text::{self, Style, table};

/// The columns that fit on a screen; JSON has all.
const SERVED: [&str; 8] = [
    "asked_at",
    "viewer",
    "slot",
    "post",
    "author",
    "channels",
    "score",
    "prediction_request_id",
];
const ACTIONS: [&str; 7] = [
    "acted_at",
    "viewer",
    "kind",
    "post",
    "author",
    "dwell_ms",
    "prediction_request_id",
];

/// Prints the first rows of one hour.
pub(super) fn run(context: &Context, args: &EventsArgs) -> Result<Outcome> {
    let kind = Kind::from(args.kind);
    let disk = Env::production(1)?.disk;
    let hours = partitions(&*disk, &args.dir, kind)?;
    let Some(hour) = args.hour.or(hours.last().copied()) else {
        context.remark(&format!("no sealed hour of {kind} in {} yet\n", args.dir.display()))?;
        return Ok(Outcome::NotGood);
    };
    let rows = look(&*disk, &args.dir, kind, hour, args.limit)?;
    if rows.is_empty() && args.limit > 0 {
        context.remark(&format!("no rows of {kind} in hour {hour} of {}\n", args.dir.display()))?;
        return Ok(Outcome::NotGood);
    }
    let shown = match context.format {
        OutputFormat::Json => json(&rows)?,
        OutputFormat::Human | OutputFormat::Plain => human(kind, &rows, context.style),
    };
    text::print(&shown)?;
    Ok(Outcome::Done)
}

fn json(rows: &[Looked]) -> Result<String> {
    let lines = rows.iter().map(|row| Ok(serde_json::to_string(row)? + "\n"));
    lines.collect()
}

fn human(kind: Kind, rows: &[Looked], style: Style) -> String {
    let columns: &[&str] = match kind {
        Kind::Served => &SERVED,
        Kind::Actions => &ACTIONS,
    };
    let row = |row: &Looked| {
        let mut cells: BTreeMap<&str, String> = row.cells().into_iter().collect();
        // A file of another release may lack one.
        columns
            .iter()
            .map(|name| cells.remove(name).unwrap_or_default())
            .collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
    table(columns, &rows, style)
}

#[cfg(test)]
#[path = "events_test.rs"]
mod tests;
