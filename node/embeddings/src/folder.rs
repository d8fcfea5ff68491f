//! The files of one folder: `rows.emb`, `rows.ids`, and once sealed `ann.faiss` and `meta`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use covey_env::Disk;
use covey_store::rows::{HEADER_BYTES, MmapRowFile, ReadAtRowFile, RowError, RowFile, RowFileSpec};
use half::f16;
use zerocopy::{FromBytes, IntoBytes};

use crate::envelope::{self, FileKind};
use crate::error::PartitionError;
use crate::row::{RECORD, RowRecord};
use crate::space::SpaceSpec;

#[cfg(target_endian = "big")]
compile_error!("rows are little-endian and read where they lie");

/// Number of a folder. Once a manifest has listed it, no other folder gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FolderId(pub(crate) u32);

impl FolderId {
    pub(crate) fn dir(self, partition: &Path) -> PathBuf {
        partition.join(self.name())
    }

    pub(crate) fn name(self) -> String {
        format!("{:06}", self.0)
    }

    /// The folder a directory entry names, if it is one of ours.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        (name.len() >= 6).then(|| name.parse().ok().map(FolderId)).flatten()
    }
}

/// Names within a folder: always two, `meta` of a sealed one, and the index where its `meta` says so.
pub(crate) const ROWS: &str = "rows.emb";
pub(crate) const IDS: &str = "rows.ids";
pub(crate) const META: &str = "meta";
pub(crate) const INDEX: &str = "ann.faiss";

/// Paths within a folder.
pub(crate) fn index_path(dir: &Path) -> PathBuf {
    dir.join(INDEX)
}

pub(crate) fn meta_path(dir: &Path) -> PathBuf {
    dir.join(META)
}

fn rows_path(dir: &Path) -> PathBuf {
    dir.join(ROWS)
}

fn ids_path(dir: &Path) -> PathBuf {
    dir.join(IDS)
}

/// Appends to the two row files.
#[derive(Debug)]
pub(crate) struct FolderWriter {
    rows: Box<dyn RowFile>,
    ids: Box<dyn RowFile>,
}

impl FolderWriter {
    /// Makes the folder and its empty row files, with room for `capacity` rows.
    pub(crate) fn create(
        disk: &dyn Disk,
        space: &SpaceSpec,
        dir: &Path,
        capacity: usize,
    ) -> Result<Self, PartitionError> {
        // What is there already was never listed in a manifest.
        if disk.exists(dir).map_err(|e| io_error(dir, e))? {
            disk.remove_dir_all(dir).map_err(|e| io_error(dir, e))?;
        }
        disk.create_dir_all(dir).map_err(|e| io_error(dir, e))?;
        let make = |kind, path: &Path, row_bytes| {
            let capacity = capacity.max(1) as u64;
            let spec = RowFileSpec {
                row_bytes,
                capacity,
                description: envelope::wrap(kind, space, &[]),
            };
            ReadAtRowFile::create(disk, path, spec)
                .map(|file| Box::new(file) as Box<dyn RowFile>)
                .map_err(row_error)
        };
        let rows = make(FileKind::Rows, &rows_path(dir), row_bytes(space))?;
        let ids = make(FileKind::Ids, &ids_path(dir), RECORD as u32)?;
        Ok(Self { rows, ids })
    }

    /// Opens a folder to append behind its first `rows` rows; what lies there is overwritten.
    pub(crate) fn reopen(disk: &dyn Disk, space: &SpaceSpec, dir: &Path, rows: usize) -> Result<Self, PartitionError> {
        Ok(Self {
            rows: Box::new(open_read_at(disk, FileKind::Rows, space, &rows_path(dir), rows)?),
            ids: Box::new(open_read_at(disk, FileKind::Ids, space, &ids_path(dir), rows)?),
        })
    }

    /// Rows in the files.
    pub(crate) fn written(&self) -> usize {
        // The ids are written last: a row counts once both files have it.
        self.ids.len() as usize
    }

    /// Rows that fit into the files.
    pub(crate) fn capacity(&self) -> usize {
        self.rows.spec().capacity.min(self.ids.spec().capacity) as usize
    }

    /// Appends rows, not yet durable.
    pub(crate) fn append(&mut self, rows: &[f16], records: &[RowRecord]) -> Result<(), PartitionError> {
        // A failed attempt may have left rows without ids.
        self.rows.truncate(self.ids.len()).map_err(row_error)?;
        self.rows.append(rows.as_bytes()).map_err(row_error)?;
        let ids: Vec<u8> = records.iter().flat_map(RowRecord::encode).collect();
        self.ids.append(&ids).map_err(row_error)?;
        Ok(())
    }

    /// Goes back to the first `rows` rows: what was written behind them is written again.
    pub(crate) fn forget_behind(&mut self, rows: usize) -> Result<(), PartitionError> {
        self.ids.truncate(rows as u64).map_err(row_error)
    }

    /// Makes all rows survive a crash.
    pub(crate) fn sync(&self) -> Result<(), PartitionError> {
        self.rows.sync().and_then(|()| self.ids.sync()).map_err(row_error)
    }

    /// Gives back the room behind the last row. May be tried again after an error.
    pub(crate) fn seal(&mut self) -> Result<(), PartitionError> {
        self.rows.seal().and_then(|()| self.ids.seal()).map_err(row_error)
    }
}

/// Reads the first `rows` records.
pub(crate) fn read_records(
    disk: &dyn Disk,
    space: &SpaceSpec,
    dir: &Path,
    rows: usize,
) -> Result<Vec<RowRecord>, PartitionError> {
    let file = open_read_at(disk, FileKind::Ids, space, &ids_path(dir), rows)?;
    let bytes = file.rows(0..rows as u64).map_err(row_error)?;
    let records = bytes.as_chunks::<RECORD>().0.iter().map(RowRecord::decode);
    records.collect::<Option<_>>().ok_or_else(|| PartitionError::Damaged {
        path: ids_path(dir),
        what: "a record has bytes that should be zero",
    })
}

/// The two row files of a sealed folder as they lie on the disk, without a map: a read that fails is an error there.
pub(crate) fn reopen_rows(
    disk: &dyn Disk,
    space: &SpaceSpec,
    dir: &Path,
    rows: usize,
) -> [(PathBuf, Result<ReadAtRowFile, PartitionError>); 2] {
    [(FileKind::Rows, rows_path(dir)), (FileKind::Ids, ids_path(dir))].map(|(kind, path)| {
        let file = open_read_at(disk, kind, space, &path, rows);
        (path, file)
    })
}

/// The rows of a sealed folder.
#[derive(Debug)]
pub(crate) struct SegmentRows {
    form: Form,
    row_len: usize,
    len: usize,
}

#[derive(Debug)]
enum Form {
    Mapped(MmapRowFile),
    /// On disks without maps: the simulator's.
    Memory(Vec<f16>),
}

impl SegmentRows {
    /// Opens the first `rows` rows.
    pub(crate) fn open(disk: &dyn Disk, space: &SpaceSpec, dir: &Path, rows: usize) -> Result<Self, PartitionError> {
        let (path, row_len) = (rows_path(dir), space.row_len());
        let form = match MmapRowFile::open(disk, &path, rows as u64) {
            Ok(file) => {
                check_spec(&file, FileKind::Rows, space)?;
                Form::Mapped(file)
            }
            Err(RowError::NotMappable { .. }) => {
                let file = open_read_at(disk, FileKind::Rows, space, &path, rows)?;
                let bytes = file.rows(0..rows as u64).map_err(row_error)?;
                Form::Memory(
                    bytes
                        .as_chunks::<2>()
                        .0
                        .iter()
                        .map(|b| f16::from_le_bytes(*b))
                        .collect(),
                )
            }
            Err(error) => return Err(row_error(error)),
        };
        Ok(Self {
            form,
            row_len,
            len: rows,
        })
    }

    /// Bytes of the rows in memory and in a mapped file; one of them is 0.
    pub(crate) fn heap_and_mapped_bytes(&self) -> (usize, usize) {
        match &self.form {
            Form::Mapped(_) => (0, HEADER_BYTES + self.len * self.row_len * size_of::<f16>()),
            Form::Memory(rows) => (rows.capacity() * size_of::<f16>(), 0),
        }
    }

    /// Rows `start..end`, one after the other.
    pub(crate) fn range(&self, start: usize, end: usize) -> &[f16] {
        match &self.form {
            Form::Memory(rows) => &rows[start * self.row_len..end * self.row_len],
            Form::Mapped(file) => {
                let rows = file
                    .rows(start as u64..end as u64)
                    .expect("a sealed folder keeps its rows");
                let Cow::Borrowed(bytes) = rows else {
                    unreachable!("a map lends its rows")
                };
                <[f16]>::ref_from_bytes(bytes).expect("rows begin on a page and are whole")
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Pages that the disk could not read since the folder was opened: their rows are zeros.
    pub(crate) fn faulted_pages(&self) -> u64 {
        match &self.form {
            Form::Memory(_) => 0,
            Form::Mapped(file) => file.faulted_pages(),
        }
    }
}

impl covey_ann::Rows for SegmentRows {
    fn len(&self) -> usize {
        self.len
    }

    fn row(&self, index: usize) -> &[f16] {
        self.range(index, index + 1)
    }
}

pub(crate) fn row_bytes(space: &SpaceSpec) -> u32 {
    (space.row_len() * size_of::<f16>()) as u32
}

fn open_read_at(
    disk: &dyn Disk,
    kind: FileKind,
    space: &SpaceSpec,
    path: &Path,
    rows: usize,
) -> Result<ReadAtRowFile, PartitionError> {
    let file = ReadAtRowFile::open(disk, path, rows as u64).map_err(row_error)?;
    check_spec(&file, kind, space)?;
    Ok(file)
}

fn check_spec(file: &dyn RowFile, kind: FileKind, space: &SpaceSpec) -> Result<(), PartitionError> {
    envelope::unwrap(kind, space, file.path(), &file.spec().description)?;
    let expected = if kind == FileKind::Ids {
        RECORD as u32
    } else {
        row_bytes(space)
    };
    if file.spec().row_bytes == expected {
        return Ok(());
    }
    Err(PartitionError::Damaged {
        path: file.path().to_owned(),
        what: "its rows have another size",
    })
}

fn row_error(error: RowError) -> PartitionError {
    match error {
        RowError::Header { path } => PartitionError::Damaged {
            path,
            what: "its header is not whole",
        },
        RowError::Short { path, .. } => PartitionError::Damaged {
            path,
            what: "it is shorter than its rows",
        },
        source => PartitionError::Rows(source),
    }
}

pub(crate) fn io_error(path: &Path, source: std::io::Error) -> PartitionError {
    PartitionError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "folder_test.rs"]
mod tests;
