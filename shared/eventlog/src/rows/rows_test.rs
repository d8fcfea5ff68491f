//! The columns are a contract with whoever reads the files.

use std::collections::BTreeSet;

use covey_shared::model::ActionKind;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;

use super::{ActionRow, Row, ServedRow, action_name};
use crate::table::schema_of;

/// Name and types of each column, as a reader sees them.
fn columns<R: Row>() -> Vec<String> {
    let schema = SchemaDescriptor::new(parse_message_type(&schema_of::<R>()).unwrap().into());
    let columns = schema.columns().iter().map(|column| {
        let logical = column
            .logical_type_ref()
            .map(|logical| format!(" {logical:?}"))
            .unwrap_or_default();
        let null = if column.max_def_level() > column.max_rep_level() {
            " null"
        } else {
            ""
        };
        format!("{} {}{logical}{null}", column.path().string(), column.physical_type())
    });
    columns.collect()
}

#[test]
fn the_columns_are_those_that_readers_know() {
    let all = [columns::<ServedRow>(), columns::<ActionRow>()].concat().join("\n");
    assert_eq!(all, include_str!("columns.txt").trim_end(), "\n{all}\n");
}

#[test]
fn the_documentation_has_every_column() {
    let doc = include_str!("../../../../docs/event-log.md");
    for column in columns::<ServedRow>().iter().chain(&columns::<ActionRow>()) {
        let name = column.split([' ', '.']).next().unwrap();
        assert!(
            doc.contains(&format!("| `{name}` |")),
            "docs/event-log.md has no row for {name}"
        );
    }
}

#[test]
fn every_kind_of_action_has_a_name_of_its_own() {
    let names: BTreeSet<_> = ActionKind::ALL.into_iter().map(action_name).collect();
    assert_eq!(names.len(), ActionKind::ALL.len());
}
