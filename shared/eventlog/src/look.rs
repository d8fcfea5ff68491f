//! Looking into sealed files, whatever their columns: for people.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use covey_env::Disk;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, List, Row};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use thiserror::Error;

use crate::files::{Kind, hour_of, is_parquet, partition};
use crate::hour::{Hour, moment};

/// A larger file is not one of ours.
const MAX_FILE: u64 = 1 << 30;

/// Why a directory or file could not be read.
#[derive(Debug, Error)]
pub enum LookError {
    /// The disk.
    #[error("{} cannot be read", path.display())]
    Disk {
        /// What was read.
        path: PathBuf,
        /// What the disk says.
        source: io::Error,
    },
    /// The file is no whole Parquet file.
    #[error("{} is damaged", path.display())]
    Parquet {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: ParquetError,
    },
}

/// A row of a sealed file, with the columns that the file has. Serializes as a map in their order; moments are milliseconds since
/// 1970.
#[derive(Debug)]
pub struct Looked(Row);

/// The hours of which there are sealed files, ascending; none in the first hour of a log.
///
/// # Errors
/// The directory cannot be read.
pub fn partitions(disk: &dyn Disk, root: &Path, kind: Kind) -> Result<Vec<Hour>, LookError> {
    let (dir, mut hours) = (root.join(kind.as_str()), Vec::new());
    // Its folder comes with the first file. A directory of the log that is not there is a mistake.
    if !disk.exists(&dir).map_err(on(&dir))? && disk.exists(root).map_err(on(root))? {
        return Ok(hours);
    }
    for partition in entries(disk, &dir)? {
        let Some(hour) = hour_of(&partition) else { continue };
        // A folder is there before its first file, and goes after its last one.
        let files = unless_gone(entries(disk, &partition))?.unwrap_or_default();
        if files.iter().any(|path| is_parquet(path)) {
            hours.push(hour);
        }
    }
    Ok(hours)
}

/// The first `limit` rows of an hour, file by file as they were begun. What the log deletes meanwhile is passed over; an hour that is
/// not there has no rows.
///
/// # Errors
/// See [`LookError`].
pub fn look(disk: &dyn Disk, root: &Path, kind: Kind, hour: Hour, limit: usize) -> Result<Vec<Looked>, LookError> {
    let files = unless_gone(entries(disk, &partition(root, kind, hour)))?;
    first_of(disk, files.unwrap_or_default(), limit)
}

/// The first `limit` rows of those files of a list that are there.
fn first_of(disk: &dyn Disk, files: Vec<PathBuf>, limit: usize) -> Result<Vec<Looked>, LookError> {
    let mut rows = Vec::new();
    for path in files.into_iter().filter(|path| is_parquet(path)) {
        if rows.len() >= limit {
            break;
        }
        let content = disk.read_file(&path, MAX_FILE).map_err(on(&path));
        let Some(content) = unless_gone(content)? else { continue };
        let found = first(content, limit - rows.len());
        rows.extend(found.map_err(|source| LookError::Parquet { path, source })?);
    }
    Ok(rows)
}

/// `None` for what is not there: between a look at a directory and at what is in it, the oldest files may go.
fn unless_gone<T>(read: Result<T, LookError>) -> Result<Option<T>, LookError> {
    match read {
        Err(LookError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

fn on(path: &Path) -> impl FnOnce(io::Error) -> LookError + '_ {
    |source| LookError::Disk {
        path: path.to_owned(),
        source,
    }
}

fn entries(disk: &dyn Disk, dir: &Path) -> Result<Vec<PathBuf>, LookError> {
    let entries = disk.list(dir).map_err(on(dir))?;
    Ok(entries.into_iter().map(|entry| entry.path).collect())
}

/// The first `limit` rows of a file.
pub(crate) fn first(content: Vec<u8>, limit: usize) -> Result<Vec<Looked>, ParquetError> {
    let reader = SerializedFileReader::new(Bytes::from(content))?;
    reader
        .get_row_iter(None)?
        .take(limit)
        .map(|row| row.map(Looked))
        .collect()
}

impl Looked {
    /// Names and values as text, in the order of the columns.
    pub fn cells(&self) -> Vec<(&str, String)> {
        let columns = self.0.get_column_iter();
        columns.map(|(name, field)| (name.as_str(), show(field))).collect()
    }
}

/// Nothing is an empty text; of a list the first value of each element, which is its name.
fn show(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Group(row) => row
            .get_column_iter()
            .next()
            .map(|(_, field)| show(field))
            .unwrap_or_default(),
        Field::ListInternal(list) => list.elements().iter().map(show).collect::<Vec<_>>().join(" "),
        Field::TimestampMillis(value) => moment(value.cast_unsigned()),
        Field::Float(value) => format!("{value:.4}"),
        Field::Double(value) => format!("{value:.4}"),
        other => other.to_string(),
    }
}

struct Value<'a>(&'a Field);
struct Elements<'a>(&'a List);
struct Fields<'a>(&'a Row);

impl Serialize for Looked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields(&self.0).serialize(serializer)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, field) in self.0.get_column_iter() {
            map.serialize_entry(name, &Value(field))?;
        }
        map.end()
    }
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for element in self.0.elements() {
            list.serialize_element(&Value(element))?;
        }
        list.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Field::Null => serializer.serialize_none(),
            Field::Bool(value) => serializer.serialize_bool(*value),
            Field::Int(value) => serializer.serialize_i32(*value),
            Field::Long(value) | Field::TimestampMillis(value) => serializer.serialize_i64(*value),
            Field::UInt(value) => serializer.serialize_u32(*value),
            Field::ULong(value) => serializer.serialize_u64(*value),
            Field::Float(value) => serializer.serialize_f32(*value),
            Field::Double(value) => serializer.serialize_f64(*value),
            Field::Str(value) => serializer.serialize_str(value),
            Field::Group(row) => Fields(row).serialize(serializer),
            Field::ListInternal(list) => Elements(list).serialize(serializer),
            other => serializer.collect_str(other),
        }
    }
}

#[cfg(test)]
#[path = "look_test.rs"]
mod tests;
