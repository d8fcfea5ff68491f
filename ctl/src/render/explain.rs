//! Why a post is in a feed, or why not.

use std::fmt::Write as _;

use covey_api::v1::{ExplainReply, FeedPost, PostExplanation, StageReport, Visibility};

use super::answer;
use super::cards::{channel, key};
use super::text::{Style, table};

/// The why-line of a card: channels with ranks, then each score step that changed something.
pub(crate) fn why(explanation: &PostExplanation, post: &FeedPost) -> String {
    let mut parts: Vec<String> = explanation
        .channels
        .iter()
        .map(|hit| format!("{} (#{})", channel(hit.channel()), hit.rank))
        .collect();
    if explanation.channels.is_empty() {
        parts.extend(post.served_type().map(|found| channel(found).to_owned()));
    }
    if post.last_scored_at_ms != 0 {
        parts.push(format!("first score {:.3}", explanation.l1_score));
    }
    for step in explanation.score_steps.iter().filter(|step| step.before != step.after) {
        let note = if step.note.is_empty() {
            String::new()
        } else {
            format!(" ({})", step.note)
        };
        parts.push(format!("{} {:.4}{note}", step.scorer, step.after));
    }
    parts.join(" · ")
}

/// Everything known about each asked post.
pub(crate) fn report(reply: &ExplainReply, style: Style) -> String {
    let mut out = String::new();
    for explanation in &reply.explanations {
        out.push_str(&one(explanation, style));
        out.push('\n');
    }
    out.push_str(&stages(&reply.stages, style));
    if let Some(answer) = &reply.answer {
        out.push('\n');
        out.push_str(&answer::honesty(answer, style));
        out.push_str(&answer::timings(answer, style));
    }
    out
}

fn one(explanation: &PostExplanation, style: Style) -> String {
    let name = explanation
        .post
        .map_or_else(|| "post".to_owned(), |post| key(post.author_id, post.post_id));
    let verdict = match explanation.position {
        0 => style.bad("not served"),
        place => style.good(&format!("served at place {place}")),
    };
    let mut out = format!("{} · {verdict}\n", style.name(&name));
    let mut line = |text: String| writeln!(out, "    {text}").expect("writing to a string");
    for hit in &explanation.channels {
        line(format!(
            "found: {}, rank {}, {:.4}",
            channel(hit.channel()),
            hit.rank,
            hit.score
        ));
    }
    if !explanation.not_retrieved.is_empty() {
        line(format!(
            "not found: {}",
            explanation.not_retrieved.replace("; ", "\n      ")
        ));
    } else if let Some(removed) = &explanation.removed {
        line(format!("removed by {}: {}", removed.filter, removed.reason));
    } else if explanation.rules.iter().any(|rule| rule.held_back) {
        line("removed by nothing: a rule keeps it off this page, and it may come on a later one".to_owned());
    } else if explanation.position == 0 {
        line("removed by nothing: others stand before it, and the page ends there".to_owned());
    }
    if explanation.l1_score != 0.0 {
        line(format!("first score {:.4}", explanation.l1_score));
    }
    for prediction in &explanation.predictions {
        let action = prediction
            .kind()
            .as_str_name()
            .trim_start_matches("ACTION_KIND_")
            .to_lowercase();
        line(format!("predicted {action} {:.4}", prediction.value));
    }
    for step in &explanation.score_steps {
        line(
            format!("{}: {:.4} → {:.4} {}", step.scorer, step.before, step.after, step.note)
                .trim_end()
                .to_owned(),
        );
    }
    for rule in &explanation.rules {
        line(format!("rule {}: {}", rule.rule, rule.effect));
    }
    let ranks: Vec<String> = explanation
        .ranks
        .iter()
        .map(|rank| format!("{} #{}", rank.stage, rank.rank))
        .collect();
    if !ranks.is_empty() {
        line(format!("ranks: {}", ranks.join(" → ")));
    }
    match explanation.visibility() {
        Visibility::Unspecified | Visibility::Allow => {}
        verdict => {
            let verdict = verdict.as_str_name().trim_start_matches("VISIBILITY_").to_lowercase();
            line(format!("visibility: {verdict} ({})", explanation.visibility_reason));
        }
    }
    out
}

/// The funnel: what each component did.
pub(crate) fn stages(stages: &[StageReport], style: Style) -> String {
    let row = |report: &StageReport| {
        let touched = report.rules.iter().map(|(rule, count)| format!("rule {rule} {count}"));
        let removed = report.removed.iter().map(|(reason, count)| format!("{reason} {count}"));
        let removed: Vec<String> = removed.chain(touched).collect();
        let note = match (report.skipped.as_str(), report.error.as_str()) {
            ("", "") => removed.join(", "),
            ("", error) => format!("failed: {error}"),
            (reason, _) => format!("skipped: {reason}"),
        };
        vec![
            report.stage.clone(),
            report.component.clone(),
            report.candidates_in.to_string(),
            report.candidates_out.to_string(),
            format!("{:.2}", report.time_ms),
            format!("{:.2}", report.shard_work_ms),
            format!("{:.1}", report.wire_bytes as f64 / 1024.0),
            note,
        ]
    };
    let rows: Vec<Vec<String>> = stages.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    table(
        &[
            "STAGE",
            "COMPONENT",
            "IN",
            "OUT",
            "MS",
            "SHARD MS",
            "KIB",
            "REMOVED, RULES",
        ],
        &rows,
        style,
    )
}
