//! Rows as a Parquet file, in memory. The fields of a struct are the columns of its table: their types say how they are stored.

use std::sync::Arc;

use covey_shared::ids::{PostId, UnixMillis, UserId};
use covey_shared::model::ActionKind;
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::rows::{Row, action_name};

/// Rows of one row group: what a reader of one column holds at a time.
const GROUP_ROWS: usize = 1 << 16;

/// The values that a part of a row has in a column of Parquet: exactly one in a required column, one or none in an optional one,
/// any number in a list.
type Values<S, T> = Box<dyn Fn(&S, &mut Vec<T>)>;

/// A column of Parquet, by the type of its values.
pub(crate) enum Leaf<S> {
    Bool(Values<S, bool>),
    Int(Values<S, i32>),
    Long(Values<S, i64>),
    Float(Values<S, f32>),
    Double(Values<S, f64>),
    Text(Values<S, ByteArray>),
}

/// A field of a struct as a column.
pub(crate) struct Column<S> {
    /// In the language of Parquet.
    pub(crate) schema: String,
    /// One, or those of the elements of a list.
    pub(crate) leaves: Vec<Leaf<S>>,
}

/// A struct whose fields are columns.
pub(crate) trait Fields: Sized + 'static {
    /// In their order.
    fn columns() -> Vec<Column<Self>>;
}

/// Defines such a struct.
macro_rules! fields {
    ($(#[$about:meta])* pub struct $Name:ident { $($(#[$doc:meta])+ pub $field:ident: $Type:ty,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, bincode::Encode, bincode::Decode)]
        pub struct $Name {
            $($(#[$doc])+ pub $field: $Type,)+
        }

        impl $crate::table::Fields for $Name {
            fn columns() -> Vec<$crate::table::Column<$Name>> {
                vec![$($crate::table::Field::column(stringify!($field), |row: &$Name| &row.$field),)+]
            }
        }
    };
}
pub(crate) use fields;

/// What a field can hold.
pub(crate) trait Field: Sized {
    /// The column of this name with the field that `of` finds.
    fn column<S: 'static>(name: &str, of: fn(&S) -> &Self) -> Column<S>;
}

/// A value that is one cell.
pub(crate) trait Scalar: 'static {
    /// What Parquet stores.
    type Cell: Cell;
    /// The type of what is stored, and what it stands for.
    const TYPE: [&'static str; 2];
    fn cell(&self) -> Self::Cell;
}

/// What Parquet stores.
pub(crate) trait Cell: Sized {
    fn leaf<S>(values: Values<S, Self>) -> Leaf<S>;
}

fn schema<T: Scalar>(repetition: &str, name: &str) -> String {
    let [stored, meaning] = T::TYPE;
    format!("{repetition} {stored} {name} {meaning};\n")
}

impl<T: Scalar> Field for T {
    fn column<S: 'static>(name: &str, of: fn(&S) -> &T) -> Column<S> {
        Column {
            schema: schema::<T>("required", name),
            leaves: vec![T::Cell::leaf(Box::new(move |row, out| out.push(of(row).cell())))],
        }
    }
}

impl<T: Scalar> Field for Option<T> {
    fn column<S: 'static>(name: &str, of: fn(&S) -> &Option<T>) -> Column<S> {
        let values = move |row: &S, out: &mut Vec<T::Cell>| out.extend(of(row).as_ref().map(T::cell));
        Column {
            schema: schema::<T>("optional", name),
            leaves: vec![T::Cell::leaf(Box::new(values))],
        }
    }
}

impl<E: Fields> Field for Vec<E> {
    fn column<S: 'static>(name: &str, of: fn(&S) -> &Vec<E>) -> Column<S> {
        let (mut schema, mut leaves) = (String::new(), Vec::new());
        for column in E::columns() {
            schema += &column.schema;
            leaves.extend(column.leaves.into_iter().map(|leaf| leaf.of_each(of)));
        }
        Column {
            schema: format!(
                "required group {name} (list) {{ repeated group list {{ required group element {{\n{schema}}} }} }}\n"
            ),
            leaves,
        }
    }
}

macro_rules! cells {
    ($($Type:ty => $Leaf:ident),*) => {
        $(impl Cell for $Type {
            fn leaf<S>(values: Values<S, $Type>) -> Leaf<S> {
                Leaf::$Leaf(values)
            }
        })*

        impl<E: 'static> Leaf<E> {
            /// The values of all elements of a list.
            fn of_each<S: 'static>(self, list: fn(&S) -> &Vec<E>) -> Leaf<S> {
                match self {
                    $(Leaf::$Leaf(values) => Leaf::$Leaf(Box::new(move |row, out| {
                        list(row).iter().for_each(|element| values(element, out));
                    })),)*
                }
            }
        }
    };
}
cells!(bool => Bool, i32 => Int, i64 => Long, f32 => Float, f64 => Double, ByteArray => Text);

macro_rules! scalars {
    ($($Type:ty => $Cell:ty, $stored:literal $meaning:literal, |$value:ident| $cell:expr;)*) => {
        $(impl Scalar for $Type {
            type Cell = $Cell;
            const TYPE: [&'static str; 2] = [$stored, $meaning];
            fn cell(&self) -> $Cell {
                let $value = self;
                $cell
            }
        })*
    };
}
scalars! {
    bool => bool, "boolean" "", |value| *value;
    i32 => i32, "int32" "", |value| *value;
    u32 => i32, "int32" "(integer(32, false))", |value| value.cast_signed();
    u64 => i64, "int64" "(integer(64, false))", |value| value.cast_signed();
    f32 => f32, "float" "", |value| *value;
    f64 => f64, "double" "", |value| *value;
    String => ByteArray, "binary" "(string)", |value| ByteArray::from(value.as_str());
    ActionKind => ByteArray, "binary" "(string)", |value| ByteArray::from(action_name(*value));
    UnixMillis => i64, "int64" "(timestamp(millis, true))", |value| value.0.cell();
    UserId => i64, "int64" "(integer(64, false))", |value| value.0.cell();
    PostId => i64, "int64" "(integer(64, false))", |value| value.0.cell();
}

/// The schema of a table, in the language of Parquet.
pub(crate) fn schema_of<R: Row>() -> String {
    let columns: String = R::columns().into_iter().map(|column| column.schema).collect();
    format!("message {} {{\n{columns}}}", R::KIND)
}

/// Writes a table, row group by row group.
pub(crate) struct Encoder<R> {
    file: SerializedFileWriter<Vec<u8>>,
    leaves: Vec<Leaf<R>>,
    rows: Vec<R>,
    written: u64,
}

impl<R: Row> Encoder<R> {
    pub(crate) fn new() -> Result<Encoder<R>, ParquetError> {
        let schema = Arc::new(parse_message_type(&schema_of::<R>())?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("covey".to_owned())
            .build();
        Ok(Encoder {
            file: SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?,
            leaves: R::columns().into_iter().flat_map(|column| column.leaves).collect(),
            rows: Vec::new(),
            written: 0,
        })
    }

    pub(crate) fn push(&mut self, rows: Vec<R>) -> Result<(), ParquetError> {
        self.rows.extend(rows);
        if self.rows.len() >= GROUP_ROWS {
            self.end_group()
        } else {
            Ok(())
        }
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for leaf in &self.leaves {
            // There are as many of both: the schema is made from the same columns.
            let Some(mut writer) = group.next_column()? else { break };
            match leaf {
                Leaf::Bool(values) => write::<R, BoolType>(&mut writer, &self.rows, values)?,
                Leaf::Int(values) => write::<R, Int32Type>(&mut writer, &self.rows, values)?,
                Leaf::Long(values) => write::<R, Int64Type>(&mut writer, &self.rows, values)?,
                Leaf::Float(values) => write::<R, FloatType>(&mut writer, &self.rows, values)?,
                Leaf::Double(values) => write::<R, DoubleType>(&mut writer, &self.rows, values)?,
                Leaf::Text(values) => write::<R, ByteArrayType>(&mut writer, &self.rows, values)?,
            }
            writer.close()?;
        }
        group.close()?;
        self.written += self.rows.len() as u64;
        self.rows.clear();
        Ok(())
    }

    /// The file, and how many rows it has.
    pub(crate) fn finish(mut self) -> Result<(Vec<u8>, u64), ParquetError> {
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
    values_of: &Values<R, T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut there, mut continues) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let before = values.len();
        values_of(row, &mut values);
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

#[cfg(test)]
#[path = "table_test.rs"]
mod tests;
