//! Who, what, and what came of it.

use super::*;

#[test]
fn a_line_ends_with_the_operation_or_with_why_there_is_none() {
    let line = |number, what: &str, operation, error: &str| AuditLine {
        number,
        at_ms: 40_000,
        by: "ada".into(),
        what: what.into(),
        operation,
        error: error.into(),
    };
    let reply = DescribeClusterReply {
        at_ms: 100_000,
        audit: vec![
            line(7, "drain node 3", 17, ""),
            line(8, "undrain node 2", 0, "node 2 is not drained"),
            line(9, "undrain node 3", 0, ""),
        ],
        ..DescribeClusterReply::default()
    };
    assert_eq!(
        human(&reply, Style::plain()),
        "LINE  WHEN      BY   WHAT            OUTCOME\n\
         7     60 s ago  ada  drain node 3    operation 17\n\
         8     60 s ago  ada  undrain node 2  refused: node 2 is not drained\n\
         9     60 s ago  ada  undrain node 3  done\n"
    );
    assert!(human(&DescribeClusterReply::default(), Style::plain()).contains("nobody"));
}
