//! The honest answer in a line or two: how complete, how fresh, what was left out, where the time went.

use covey_api::v1::Answer;

use super::text::Style;

/// "complete answer · 12 ms stale · map 1 · trace …", or what is missing.
pub(crate) fn honesty(answer: &Answer, style: Style) -> String {
    let whole = answer.coverage >= 1.0 && answer.missing_shards.is_empty();
    let mut parts = vec![match whole {
        true => style.good("complete answer"),
        false => style.bad(&format!(
            "incomplete answer: {:.1} % of the slots",
            answer.coverage * 100.0
        )),
    }];
    if !answer.missing_shards.is_empty() {
        let shards: Vec<String> = answer.missing_shards.iter().map(u64::to_string).collect();
        parts.push(format!("no answer from shard {}", shards.join(", ")));
    }
    parts.push(match answer.staleness_ms {
        // No majority confirms what the replica has, so newer writes may exist.
        u32::MAX => style.bad("of unknown age"),
        age => format!("at most {age} ms stale"),
    });
    parts.push(format!("map {}", answer.map_version));
    parts.push(match answer.model_version {
        0 => "no model".to_owned(),
        version => format!("model {version}"),
    });
    if answer.config_version > 0 {
        parts.push(format!("settings {}", answer.config_version));
    }
    if !answer.trace_id.is_empty() {
        parts.push(format!("trace {}", answer.trace_id));
    }
    let mut out = parts.join(" · ") + "\n";
    for degraded in &answer.degraded {
        let line = format!("degraded: {}: {}", degraded.component, degraded.reason);
        out.push_str(&(style.bad(&line) + "\n"));
    }
    out
}

/// "stages: sources 6.1 ms · ranking 2.0 ms …", the longest first.
pub(crate) fn timings(answer: &Answer, style: Style) -> String {
    let mut stages: Vec<(&String, &f64)> = answer.timings_ms.iter().collect();
    stages.sort_by(|a, b| b.1.total_cmp(a.1));
    let list: Vec<String> = stages.iter().map(|(stage, ms)| format!("{stage} {ms:.1} ms")).collect();
    if list.is_empty() {
        return String::new();
    }
    style.dim(&format!("time: {}", list.join(" · "))) + "\n"
}

#[cfg(test)]
#[path = "answer_test.rs"]
mod tests;
