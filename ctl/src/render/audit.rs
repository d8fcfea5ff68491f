//! The audit log: who asked for what, and what came of it.

use covey_api::v1::{AuditLine, DescribeClusterReply};

use super::text::{Style, age, table};

/// A row per line, oldest first.
pub(crate) fn human(reply: &DescribeClusterReply, style: Style) -> String {
    let row = |line: &AuditLine| {
        let outcome = match (line.operation, line.error.as_str()) {
            (0, "") => "done".to_owned(),
            (id, "") => format!("operation {id}"),
            (_, why) => format!("refused: {why}"),
        };
        vec![
            line.number.to_string(),
            age(line.at_ms, reply.at_ms),
            line.by.clone(),
            line.what.clone(),
            outcome,
        ]
    };
    let rows: Vec<Vec<String>> = reply.audit.iter().map(row).collect();
    match rows.is_empty() {
        true => "nobody has asked for anything yet\n".to_owned(),
        false => table(&["LINE", "WHEN", "BY", "WHAT", "OUTCOME"], &rows, style),
    }
}

#[cfg(test)]
#[path = "audit_test.rs"]
mod tests;
