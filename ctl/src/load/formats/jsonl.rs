//! `jsonl`: one record a line, in the JSON of the public API (`docs/loaders.md`).

use std::path::Path;

use crate::load::files::{self, Lines, OpenError};
use crate::load::source::{Row, Source};
use crate::record::Record;

/// Opens a file of records; `-` is the standard input. Empty lines are skipped.
pub(crate) fn open(path: &Path) -> Result<Source, OpenError> {
    let input = files::open(path)?;
    let rows = Lines::new(input.reader).filter_map(|(line, text)| row(line, text));
    Ok(Source {
        rows: Box::new(rows),
        total: input.total,
    })
}

fn row(line: u64, text: Result<String, String>) -> Option<Row> {
    match text {
        Err(why) => Some(Row::bad(line, why)),
        Ok(text) if text.trim().is_empty() => None,
        Ok(text) => Some(match Record::from_json(&text) {
            Ok(record) => Row::record(line, record),
            // The parser counts lines from the start of its text, which is always this one.
            Err(error) => Row::bad(line, error.to_string().replace(" at line 1 column", " at column")),
        }),
    }
}
