//! Operations: in a list, as lines while they go on, and what came of them.

use std::fmt::Write as _;

use covey_api::v1::{DescribeClusterReply, OperationState, OperationView, StartOperationReply};

use super::text::{Style, bytes, span, table};

/// Cells of a bar, and of that of a part.
const BAR: usize = 24;
const PART_BAR: usize = 12;
/// Parts that are shown at once: those that run, and those that ended last.
const RUNNING_PARTS: usize = 12;
const ENDED_PARTS: usize = 6;

/// What a dry run found.
pub(crate) fn rehearsed(reply: &StartOperationReply) -> String {
    if reply.planned.is_empty() {
        return "nothing would have to be done\n".to_owned();
    }
    let mut out = format!("it would begin {}, as things are now:\n", number(reply.planned.len()));
    for one in &reply.planned {
        writeln!(out, "  {}", one.title).expect("writing to a string");
    }
    out
}

fn number(operations: usize) -> String {
    match operations {
        1 => "1 operation".to_owned(),
        more => format!("{more} operations"),
    }
}

/// It has begun.
pub(crate) fn begun(reply: &StartOperationReply) -> String {
    let id = reply.operation;
    let title = reply.planned.first().map_or("", |one| one.title.as_str());
    format!("operation {id} began: {title}; `covey watch {id}` shows how it comes along\n")
}

/// It is being taken back.
pub(crate) fn cancelled(id: u64) -> String {
    format!("operation {id} is being taken back as far as that is possible; `covey watch {id}` shows how that goes\n")
}

/// For who stops watching.
pub(crate) fn goes_on(reply: &DescribeClusterReply) -> String {
    let running = reply
        .operations
        .iter()
        .find(|one| one.parent == 0 && one.state() == OperationState::Running);
    match running {
        Some(one) => format!("operation {0} goes on; `covey watch {0}` shows it again", one.id),
        None => "what was begun goes on; `covey watch` shows it again".to_owned(),
    }
}

/// Those that run, with all their parts.
pub(crate) fn running(operations: Vec<OperationView>) -> Vec<OperationView> {
    let runs = |one: &OperationView| one.state() == OperationState::Running;
    let ids: Vec<u64> = operations.iter().filter(|one| runs(one)).map(|one| one.id).collect();
    let wanted = |one: &OperationView| ids.contains(&one.id) || ids.contains(&one.parent);
    operations.into_iter().filter(wanted).collect()
}

/// A row per operation, its parts below it.
pub(crate) fn list(reply: &DescribeClusterReply, style: Style) -> String {
    if reply.operations.is_empty() {
        return "no operation runs; `covey operations --all` shows those that have ended\n".to_owned();
    }
    let row = |(one, indent): (&OperationView, &str)| {
        vec![
            one.id.to_string(),
            format!("{indent}{}", title(one)),
            one.by.clone(),
            state(one).to_owned(),
            age(one, reply.at_ms),
            amount(one),
            now(one),
        ]
    };
    let mut rows = Vec::new();
    for top in tops(&reply.operations) {
        rows.push(row((top, "")));
        rows.extend(parts(&reply.operations, top.id).map(|part| row((part, "  "))));
    }
    let header = ["ID", "WHAT", "BY", "STATE", "SINCE", "DONE", "NOW"];
    table(&header, &rows, style)
}

/// The lines of a block that is redrawn: each operation with its bar, what it is at and its parts.
pub(crate) fn block(reply: &DescribeClusterReply, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for top in tops(&reply.operations) {
        lines.push(head(top, reply.at_ms, style));
        if top.state() == OperationState::Running {
            if let Some(bar) = bar(top, BAR) {
                lines.push(format!("  {} {}", style.good(&bar), figures(top)));
            }
            lines.extend(said(top, "  ", style));
        }
        parts_of(reply, top.id, style, &mut lines);
    }
    if lines.is_empty() {
        lines.push("no operation runs".to_owned());
    }
    lines
}

/// The block as it stays on the screen.
pub(crate) fn last_look(reply: &DescribeClusterReply, style: Style) -> String {
    block(reply, style).join("\n") + "\n"
}

/// One operation in one line.
pub(crate) fn line(one: &OperationView, at_ms: u64) -> String {
    let indent = if one.parent == 0 { "" } else { "  " };
    let mut out = format!(
        "{indent}operation {} · {} · {}",
        one.id,
        title(one),
        outcome(one, at_ms)
    );
    if one.state() == OperationState::Running {
        let now = now(one);
        for more in [figures(one), now].iter().filter(|text| !text.is_empty()) {
            out.push_str(" · ");
            out.push_str(more);
        }
    }
    out
}

/// Operations that are a part of none that is shown.
fn tops(operations: &[OperationView]) -> impl Iterator<Item = &OperationView> {
    let shown = |id: u64| operations.iter().any(|one| one.id == id);
    operations
        .iter()
        .filter(move |one| one.parent == 0 || !shown(one.parent))
}

fn parts(operations: &[OperationView], parent: u64) -> impl Iterator<Item = &OperationView> {
    operations.iter().filter(move |one| one.parent == parent)
}

fn parts_of(reply: &DescribeClusterReply, parent: u64, style: Style, lines: &mut Vec<String>) {
    let all = || parts(&reply.operations, parent);
    let running = |one: &&OperationView| one.state() == OperationState::Running;
    let mut ended: Vec<&OperationView> = all().filter(|one| !running(one)).collect();
    ended.sort_by_key(|one| (one.ended_ms, one.id));
    let earlier = ended.len().saturating_sub(ENDED_PARTS);
    if earlier > 0 {
        lines.push(style.dim(&format!("    … {earlier} more have ended")));
    }
    lines.extend(
        ended[earlier..]
            .iter()
            .map(|part| format!("    {}", head(part, reply.at_ms, style))),
    );
    for part in all().filter(running).take(RUNNING_PARTS) {
        let bar = bar(part, PART_BAR).map(|bar| format!(" · {} {}", style.good(&bar), figures(part)));
        lines.push(format!(
            "    {}{}",
            head(part, reply.at_ms, style),
            bar.unwrap_or_default()
        ));
        lines.extend(said(part, "      ", style));
    }
    let hidden = all().filter(running).count().saturating_sub(RUNNING_PARTS);
    if hidden > 0 {
        lines.push(style.dim(&format!("    … {hidden} more run")));
    }
}

/// Mark, title, and how far it is.
fn head(one: &OperationView, at_ms: u64, style: Style) -> String {
    let outcome = outcome(one, at_ms);
    let (mark, title) = (style.bold("▸"), title(one));
    match one.state() {
        OperationState::Done => format!("{} {title} · {}", style.good("✓"), style.good(&outcome)),
        OperationState::Cancelled | OperationState::Failed => {
            format!("{} {title} · {}", style.bad("✗"), style.bad(&outcome))
        }
        _ if one.parent != 0 => format!("{mark} {title}"),
        _ => format!(
            "{mark} {} · operation {} · by {} · {outcome}",
            style.bold(title),
            one.id,
            one.by
        ),
    }
}

/// What it is at, and what it waits for.
fn said(one: &OperationView, indent: &str, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    if !one.step.is_empty() {
        lines.push(format!("{indent}{}", style.dim(&one.step)));
    }
    if !one.blocked_by.is_empty() {
        lines.push(format!(
            "{indent}{}",
            style.bad(&format!("! waits: {}", one.blocked_by))
        ));
    }
    lines
}

fn title(one: &OperationView) -> &str {
    one.what.as_ref().map_or("", |what| what.title.as_str())
}

fn state(one: &OperationView) -> &'static str {
    match one.state() {
        OperationState::Running if one.cancelled => "going back",
        OperationState::Running | OperationState::Unspecified => "running",
        OperationState::Done => "done",
        OperationState::Cancelled => "cancelled",
        OperationState::Failed => "failed",
    }
}

/// The state, with how long it took or takes, and why it failed.
fn outcome(one: &OperationView, at_ms: u64) -> String {
    let end = if one.ended_ms == 0 { at_ms } else { one.ended_ms };
    let took = span(end.saturating_sub(one.started_ms));
    match one.state() {
        OperationState::Done => format!("done in {took}"),
        OperationState::Cancelled => format!("cancelled after {took}"),
        OperationState::Failed => format!("failed after {took}: {}", one.error),
        _ => format!("{} for {took}", state(one)),
    }
}

fn age(one: &OperationView, at_ms: u64) -> String {
    super::text::age(
        if one.ended_ms == 0 {
            one.started_ms
        } else {
            one.ended_ms
        },
        at_ms,
    )
}

/// What a row says of the moment: what it waits for before what it does.
fn now(one: &OperationView) -> String {
    match (one.state(), one.blocked_by.as_str()) {
        (OperationState::Failed, _) => one.error.clone(),
        (OperationState::Running, "") => one.step.clone(),
        (OperationState::Running, blocked) => format!("waits: {blocked}"),
        _ => String::new(),
    }
}

fn bar(one: &OperationView, cells: usize) -> Option<String> {
    let share = one.done.min(one.total) as f64 / one.total as f64;
    let full = (share * cells as f64).round() as usize;
    (one.total > 0).then(|| "█".repeat(full) + &"░".repeat(cells - full))
}

/// "120 of 200 MiB".
fn amount(one: &OperationView) -> String {
    match (one.total, one.bytes) {
        (0, _) => String::new(),
        (total, true) => format!("{} of {}", bytes(one.done), bytes(total)),
        (total, false) => format!("{} of {total} replicas", one.done),
    }
}

/// Share, amount, rate and time left, as far as they are known.
fn figures(one: &OperationView) -> String {
    let mut figures = Vec::new();
    if let Some(share) = one.done.min(one.total).saturating_mul(100).checked_div(one.total) {
        figures.extend([format!("{share} %"), amount(one)]);
    }
    if one.rate > 0 {
        figures.push(format!("{}/s", bytes(one.rate)));
    }
    if let Some(left) = one.eta_ms {
        figures.push(format!("about {} left", span(left)));
    }
    figures.join(" · ")
}

#[cfg(test)]
#[path = "operations_test.rs"]
mod tests;
