//! Whole and broken traces.

use std::collections::BTreeMap;

use super::*;

fn span(id: u8, parent: u8) -> ReceivedSpan {
    ReceivedSpan {
        trace_id: [7; 16],
        span_id: [id; 8],
        parent: (parent != 0).then_some([parent; 8]),
        service: "test".into(),
        instance: "1".into(),
        name: format!("span {id}"),
        start_unix_ns: u64::from(id),
        end_unix_ns: 100,
        attributes: BTreeMap::new(),
        failed: false,
    }
}

#[test]
fn one_root_with_all_spans_below_it_is_a_tree() {
    let spans = [span(3, 2), span(1, 0), span(2, 1)];
    assert_eq!(check_tree(&spans, None).unwrap().name, "span 1");
}

#[test]
fn a_parent_that_only_the_client_has_may_be_the_roots() {
    let spans = [span(1, 9), span(2, 1)];
    assert_eq!(check_tree(&spans, Some([9; 8])).unwrap().name, "span 1");
    assert!(matches!(check_tree(&spans, None), Err(TreeError::Orphan { .. })));
}

#[test]
fn broken_trees_are_named() {
    assert_eq!(check_tree(&[], None), Err(TreeError::Empty));
    let two = check_tree(&[span(1, 0), span(2, 0)], None).unwrap_err();
    assert_eq!(two.to_string(), "the trace has 2 roots: span 1, span 2");
    let orphan = check_tree(&[span(1, 0), span(2, 5)], None).unwrap_err();
    assert_eq!(orphan.to_string(), "the parent of test/span 2 did not arrive");
    let twice = check_tree(&[span(1, 0), span(1, 0)], None).unwrap_err();
    assert!(matches!(twice, TreeError::DuplicateId { .. }));
    let cycle = check_tree(&[span(1, 0), span(2, 3), span(3, 2)], None).unwrap_err();
    assert_eq!(cycle, TreeError::Cycle { unreached: 2 });
    let mut other = span(2, 1);
    other.trace_id = [8; 16];
    assert!(matches!(
        check_tree(&[span(1, 0), other], None),
        Err(TreeError::OtherTrace { .. })
    ));
}
