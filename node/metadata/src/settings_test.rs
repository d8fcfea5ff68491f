//! What operators set is kept as a whole, and only on what they have looked at.

use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, UnixMillis};
use covey_shared::metadata::{MetadataChange, OperationFault};
use covey_shared::settings::SettingChanges;

use crate::state::{Effect, Metadata};

fn set(state: &mut Metadata, at: u64, on: u64, changes: &[(&str, Option<&str>)]) -> Effect {
    let changes: SettingChanges = changes
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned)))
        .collect();
    let change = MetadataChange::Set {
        on: LogIndex(on),
        changes,
        by: "ann".to_owned(),
    };
    state.apply(LogIndex(at), UnixMillis(1000), &change)
}

fn done(effect: &Effect) -> bool {
    matches!(effect.result, ItemResult::Operation(Ok(_)))
}

#[test]
fn settings_change_as_a_whole_and_are_audited() {
    let mut state = Metadata::default();
    let first = set(&mut state, 7, 0, &[("a", Some("1")), ("b", Some("2"))]);
    assert!(done(&first));
    assert_eq!(
        first.audit.map(|line| (line.by, line.number)),
        Some(("ann".to_owned(), 0))
    );
    assert!(done(&set(&mut state, 9, 7, &[("a", None), ("c", Some("3"))])));
    assert_eq!(state.settings.version, LogIndex(9));
    let values: Vec<_> = state
        .settings
        .values
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(values, ["b=2", "c=3"]);
}

#[test]
fn a_change_that_was_decided_on_something_older_changes_nothing() {
    let mut state = Metadata::default();
    assert!(done(&set(&mut state, 7, 0, &[("a", Some("1"))])));
    let before = state.clone();
    let late = set(&mut state, 8, 0, &[("a", Some("2"))]);
    assert_eq!(
        late.result,
        ItemResult::Operation(Err(OperationFault::SettingsChanged(LogIndex(7))))
    );
    assert_eq!(late.audit, None);
    assert_eq!(state, before);
}

#[test]
fn what_is_out_of_bounds_changes_nothing() {
    let mut state = Metadata::default();
    let long = "v".repeat(1025);
    for (key, value) in [("", "1"), ("a\n", "1"), ("a", ""), ("a", &*long)] {
        let refused = set(&mut state, 7, 0, &[("fine", Some("1")), (key, Some(value))]);
        assert!(
            matches!(refused.result, ItemResult::Operation(Err(OperationFault::Invalid(_)))),
            "{key:?}"
        );
    }
    assert_eq!(state, Metadata::default());
}
