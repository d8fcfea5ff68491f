//! Rows as a Parquet file and back, in memory. The schema of a [`Row`] says the types, its columns say where the values are.

use std::sync::Arc;

use bytes::Bytes;
use covey_shared::ids::{PostId, UnixMillis, UserId};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnDescriptor;
use thiserror::Error;

use crate::files::Kind;
use crate::rows::Row;

/// Rows of one row group: what a reader of one column holds at a time.
const GROUP_ROWS: usize = 1 << 16;

/// Why rows and a file did not become each other.
#[derive(Debug, Error)]
pub enum TableError {
    /// The file is damaged, or a value cannot be written.
    #[error("the Parquet file cannot be processed")]
    Parquet(#[from] ParquetError),
    /// The file has other columns.
    #[error("the file has not the columns of {kind}: another release wrote it")]
    Columns {
        /// What was expected.
        kind: Kind,
    },
}

/// Values of one type: where those of a row come from, and where they go. A row has exactly one in a required column, one or none
/// in an optional one, any number in a list.
pub struct Access<R, T> {
    get: fn(&R, &mut Vec<T>),
    set: fn(&mut R, &[T]),
}

/// A column of a table.
pub enum Column<R> {
    /// Truth.
    Bool(Access<R, bool>),
    /// 32 bits.
    Int(Access<R, i32>),
    /// 64 bits.
    Long(Access<R, i64>),
    /// Single precision.
    Float(Access<R, f32>),
    /// Double precision.
    Double(Access<R, f64>),
    /// UTF-8.
    Text(Access<R, ByteArray>),
}

impl<R> Column<R> {
    pub(crate) fn new<T: Cell>(get: fn(&R, &mut Vec<T>), set: fn(&mut R, &[T])) -> Column<R> {
        T::column(Access { get, set })
    }
}

/// What Parquet stores.
pub(crate) trait Cell: Sized {
    fn column<R>(access: Access<R, Self>) -> Column<R>;
}

/// A value that is one cell.
pub(crate) trait Scalar: Default {
    type Cell: Cell;
    fn cell(&self) -> Self::Cell;
    fn of(cell: &Self::Cell) -> Self;
}

/// The value of a field: one cell, or perhaps none.
pub(crate) trait Field {
    type Cell: Cell;
    fn put(&self, out: &mut Vec<Self::Cell>);
    fn take(cells: &[Self::Cell]) -> Self;
}

impl<T: Scalar> Field for T {
    type Cell = T::Cell;

    fn put(&self, out: &mut Vec<T::Cell>) {
        out.push(self.cell());
    }

    fn take(cells: &[T::Cell]) -> T {
        cells.first().map(T::of).unwrap_or_default()
    }
}

impl<T: Scalar> Field for Option<T> {
    type Cell = T::Cell;

    fn put(&self, out: &mut Vec<T::Cell>) {
        out.extend(self.as_ref().map(T::cell));
    }

    fn take(cells: &[T::Cell]) -> Option<T> {
        cells.first().map(T::of)
    }
}

/// The column of a field.
macro_rules! column {
    ($field:ident) => {
        $crate::table::Column::new(
            |row: &Self, out| $crate::table::Field::put(&row.$field, out),
            |row: &mut Self, cells| row.$field = $crate::table::Field::take(cells),
        )
    };
}
pub(crate) use column;

macro_rules! cells {
    ($($Type:ty => $Column:ident),*) => {
        $(impl Cell for $Type {
            fn column<R>(access: Access<R, $Type>) -> Column<R> {
                Column::$Column(access)
            }
        })*
    };
}
cells!(bool => Bool, i32 => Int, i64 => Long, f32 => Float, f64 => Double, ByteArray => Text);

macro_rules! scalars {
    ($($Type:ty => $Cell:ty, |$value:ident| $cell:expr, |$read:ident| $of:expr;)*) => {
        $(impl Scalar for $Type {
            type Cell = $Cell;
            fn cell(&self) -> $Cell {
                let $value = self;
                $cell
            }
            fn of($read: &$Cell) -> $Type {
                $of
            }
        })*
    };
}
scalars! {
    bool => bool, |value| *value, |cell| *cell;
    i32 => i32, |value| *value, |cell| *cell;
    u32 => i32, |value| value.cast_signed(), |cell| cell.cast_unsigned();
    u64 => i64, |value| value.cast_signed(), |cell| cell.cast_unsigned();
    f32 => f32, |value| *value, |cell| *cell;
    f64 => f64, |value| *value, |cell| *cell;
    String => ByteArray, |value| ByteArray::from(value.as_str()), |cell| text(cell);
    UnixMillis => i64, |value| value.0.cell(), |cell| UnixMillis(u64::of(cell));
    UserId => i64, |value| value.0.cell(), |cell| UserId(u64::of(cell));
    PostId => i64, |value| value.0.cell(), |cell| PostId(u64::of(cell));
}

/// The text of a cell.
pub(crate) fn text(cell: &ByteArray) -> String {
    String::from_utf8_lossy(cell.data()).into_owned()
}

/// Writes a table, row group by row group.
pub(crate) struct Encoder<R> {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column<R>>,
    rows: Vec<R>,
    written: u64,
}

impl<R: Row> Encoder<R> {
    pub(crate) fn new() -> Result<Encoder<R>, TableError> {
        let schema = Arc::new(parse_message_type(R::SCHEMA)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("covey".to_owned())
            .build();
        Ok(Encoder {
            file: SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?,
            columns: R::columns(),
            rows: Vec::new(),
            written: 0,
        })
    }

    pub(crate) fn push(&mut self, rows: Vec<R>) -> Result<(), TableError> {
        self.rows.extend(rows);
        if self.rows.len() >= GROUP_ROWS {
            self.end_group()
        } else {
            Ok(())
        }
    }

    fn end_group(&mut self) -> Result<(), TableError> {
        let mut group = self.file.next_row_group()?;
        let mut columns = self.columns.iter();
        while let Some(mut writer) = group.next_column()? {
            let column = columns.next().ok_or(TableError::Columns { kind: R::KIND })?;
            match column {
                Column::Bool(access) => write::<R, BoolType>(&mut writer, &self.rows, access)?,
                Column::Int(access) => write::<R, Int32Type>(&mut writer, &self.rows, access)?,
                Column::Long(access) => write::<R, Int64Type>(&mut writer, &self.rows, access)?,
                Column::Float(access) => write::<R, FloatType>(&mut writer, &self.rows, access)?,
                Column::Double(access) => write::<R, DoubleType>(&mut writer, &self.rows, access)?,
                Column::Text(access) => write::<R, ByteArrayType>(&mut writer, &self.rows, access)?,
            }
            writer.close()?;
        }
        group.close()?;
        self.written += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
    }

    /// The file, and how many rows it has.
    pub(crate) fn finish(mut self) -> Result<(Vec<u8>, u64), TableError> {
        if !self.rows.is_empty() {
            self.end_group()?;
        }
        Ok((self.file.into_inner()?, self.written))
    }
}

/// Levels of our schemas are 0 and 1: whether there is a value, and whether it continues the list of its row.
fn write<R, T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    rows: &[R],
    access: &Access<R, T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut there, mut continues) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let before = values.len();
        (access.get)(row, &mut values);
        let found = values.len() - before;
        // Nothing is a level too.
        for i in 0..found.max(1) {
            there.push(i16::from(found > 0));
            continues.push(i16::from(i > 0));
        }
    }
    let writer = writer.typed::<T>();
    let column = writer.get_descriptor().clone();
    let there = (column.max_def_level() > 0).then_some(there.as_slice());
    let continues = (column.max_rep_level() > 0).then_some(continues.as_slice());
    writer.write_batch(&values, there, continues).map(drop)
}

/// The rows of a file that this crate has sealed. A file may have further columns at the end: a newer release wrote it.
///
/// # Errors
/// See [`TableError`].
pub fn read<R: Row>(file: impl Into<Bytes>) -> Result<Vec<R>, TableError> {
    let reader = SerializedFileReader::new(file.into())?;
    let wanted = parse_message_type(R::SCHEMA)?;
    let found = reader.metadata().file_metadata().schema();
    let known = wanted.get_fields().iter().zip(found.get_fields());
    if found.get_fields().len() < wanted.get_fields().len() || known.into_iter().any(|(a, b)| a != b) {
        return Err(TableError::Columns { kind: R::KIND });
    }
    let mut rows = Vec::new();
    for group in 0..reader.num_row_groups() {
        read_group(&*reader.get_row_group(group)?, &mut rows)?;
    }
    Ok(rows)
}

fn read_group<R: Row>(group: &dyn RowGroupReader, rows: &mut Vec<R>) -> Result<(), TableError> {
    let first = rows.len();
    let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    rows.extend(std::iter::repeat_with(R::default).take(count));
    let rows = &mut rows[first..];
    for (i, column) in R::columns().iter().enumerate() {
        let descriptor = group.metadata().column(i).column_descr_ptr();
        let reader = group.get_column_reader(i)?;
        match column {
            Column::Bool(access) => fill::<R, BoolType>(reader, &descriptor, rows, access)?,
            Column::Int(access) => fill::<R, Int32Type>(reader, &descriptor, rows, access)?,
            Column::Long(access) => fill::<R, Int64Type>(reader, &descriptor, rows, access)?,
            Column::Float(access) => fill::<R, FloatType>(reader, &descriptor, rows, access)?,
            Column::Double(access) => fill::<R, DoubleType>(reader, &descriptor, rows, access)?,
            Column::Text(access) => fill::<R, ByteArrayType>(reader, &descriptor, rows, access)?,
        }
    }
    Ok(())
}

/// Gives each row its values, told apart by the levels.
fn fill<R: Row, T: DataType>(
    reader: ColumnReader,
    column: &ColumnDescriptor,
    rows: &mut [R],
    access: &Access<R, T::T>,
) -> Result<(), TableError> {
    let (mut values, mut there, mut continues) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = get_typed_column_reader::<T>(reader);
    let (records, _, levels) = reader.read_records(rows.len(), Some(&mut there), Some(&mut continues), &mut values)?;
    if records != rows.len() {
        return Err(TableError::Columns { kind: R::KIND });
    }
    let is_there = |level: usize| column.max_def_level() == 0 || there.get(level).is_some_and(|t| *t > 0);
    let goes_on = |level: usize| column.max_rep_level() > 0 && continues.get(level).is_some_and(|c| *c > 0);
    let (mut level, mut value) = (0, 0);
    for row in rows {
        let from = value;
        value += usize::from(is_there(level));
        level += 1;
        while level < levels && goes_on(level) {
            value += 1;
            level += 1;
        }
        (access.set)(row, values.get(from..value).unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
#[path = "table_test.rs"]
mod tests;
