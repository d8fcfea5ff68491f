//! A sealed folder as searches see it.

use std::path::Path;
use std::sync::Arc;

use bincode::{Decode, Encode};
use covey_ann::{AnnIndex, IndexKind, SearchParams};
use covey_env::Disk;
use covey_shared::codec::{decode_versioned, encode_versioned};

use crate::deleted::DeletedBits;
use crate::effort::{Effort, Wanted, effort_for};
use crate::envelope::{self, FORMAT, FileKind};
use crate::error::PartitionError;
use crate::folder::{FolderId, SegmentRows, index_path, meta_path};
use crate::row::RowRecord;
use crate::shared::Shared;
use crate::space::SpaceSpec;

const MAX_META: u64 = 64 << 10;
/// An index of 100 M rows; a length above it is damage.
const MAX_INDEX: u64 = 64 << 30;

/// What was measured when the index was built; the file `meta`. Written last: without it there is no index.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub(crate) struct SegmentMeta {
    pub(crate) rows: u32,
    /// Over all records of `rows.ids`: at open they are believed without reading the vectors.
    pub(crate) records_checksum: u32,
    pub(crate) served: Served,
    /// Ascending in cost and recall; empty for a folder without index.
    pub(crate) efforts: Vec<Effort>,
}

/// For an index whose `meta` lists no effort.
const UNMEASURED: Wanted = Wanted {
    value: 64.0,
    candidates: 160.0,
};

/// How a sealed folder is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Served {
    /// By its index.
    Index,
    /// By a scan, as planned for its size.
    Flat,
    /// By a scan, because its index did not reach the least recall.
    LowRecall,
    /// By a scan, until its index is built: it was sealed in a pause of the builds. Only in a file.
    Unbuilt,
}

/// A sealed folder's index with its measured efforts.
#[derive(Debug)]
pub(crate) struct MeasuredIndex {
    pub(crate) ann: Box<dyn AnnIndex>,
    efforts: Vec<Effort>,
    /// Length of its saved form; 0 before it is saved.
    pub(crate) saved_bytes: usize,
}

impl MeasuredIndex {
    pub(crate) fn new(ann: Box<dyn AnnIndex>, efforts: Vec<Effort>) -> Self {
        Self {
            ann,
            efforts,
            saved_bytes: 0,
        }
    }

    /// Notes the length of its saved form, which stands for what it takes in memory.
    pub(crate) fn saved(self, saved_bytes: usize) -> Self {
        Self { saved_bytes, ..self }
    }

    /// What ten hits of all rows take at this recall.
    pub(crate) fn effort(&self, recall: f64) -> Wanted {
        effort_for(&self.efforts, recall).unwrap_or(UNMEASURED)
    }

    pub(crate) fn efforts(&self) -> &[Effort] {
        &self.efforts
    }

    pub(crate) fn best_recall(&self) -> Option<f32> {
        self.efforts.iter().map(|effort| effort.recall).reduce(f32::max)
    }
}

/// An effort is nprobe or ef, whichever the index reads.
pub(crate) fn params_of(effort: u32, floor: f32) -> SearchParams {
    SearchParams {
        nprobe: effort as usize,
        ef: effort as usize,
        floor,
    }
}

/// A sealed, immutable folder. Only its deleted bits change.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) folder: FolderId,
    pub(crate) rows: Arc<SegmentRows>,
    pub(crate) records: Arc<[RowRecord]>,
    pub(crate) deleted: Arc<DeletedBits>,
    pub(crate) index: Option<MeasuredIndex>,
    /// `None`: the index is still to be built, since its file was damaged or builds were paused at the seal.
    pub(crate) served: Option<Served>,
}

impl Segment {
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn live(&self) -> usize {
        self.len().saturating_sub(self.deleted.count())
    }

    pub(crate) fn kind(&self) -> IndexKind {
        self.index.as_ref().map_or(IndexKind::Flat, |index| index.ann.kind())
    }

    /// Opens a sealed folder of `rows` rows. A damaged index is left out, to be rebuilt; damaged rows are an error.
    pub(crate) fn open(shared: &Shared, folder: FolderId, rows: usize) -> Result<Self, PartitionError> {
        let (disk, space) = (&*shared.env.disk, &shared.space);
        let dir = folder.dir(&shared.dir);
        let records: Arc<[RowRecord]> = crate::folder::read_records(disk, space, &dir, rows)?.into();
        let segment_rows = Arc::new(SegmentRows::open(disk, space, &dir, rows)?);
        let meta = read_meta(disk, space, &dir, rows);
        let records_sound = match &meta {
            Ok(meta) => meta.records_checksum == records_checksum(&records),
            Err(_) => records
                .iter()
                .enumerate()
                .all(|(row, r)| r.matches(segment_rows.range(row, row + 1))),
        };
        if !records_sound {
            return Err(PartitionError::Damaged {
                path: dir,
                what: "its rows do not match their checksum",
            });
        }
        let (index, served) = match meta.and_then(|meta| load_index(shared, &dir, meta)) {
            Ok((_, Served::Unbuilt)) => (None, None),
            Ok((index, served)) => (index, Some(served)),
            Err(error) => {
                tracing::warn!(%error, folder = folder.0, space = space.name, "index unreadable, it will be rebuilt");
                (None, None)
            }
        };
        let deleted = Arc::new(DeletedBits::new(rows));
        Ok(Self {
            folder,
            rows: segment_rows,
            records,
            deleted,
            index,
            served,
        })
    }
}

/// Checksum over the records as they lie in the file.
pub(crate) fn records_checksum(records: &[RowRecord]) -> u32 {
    records
        .iter()
        .fold(0, |sum, record| crc32c::crc32c_append(sum, &record.encode()))
}

fn load_index(
    shared: &Shared,
    dir: &Path,
    meta: SegmentMeta,
) -> Result<(Option<MeasuredIndex>, Served), PartitionError> {
    let (disk, space) = (&*shared.env.disk, &shared.space);
    let path = index_path(dir);
    let damaged = |what| PartitionError::Damaged {
        path: path.clone(),
        what,
    };
    if meta.served != Served::Index {
        return Ok((None, meta.served));
    }
    let bytes =
        envelope::read(disk, FileKind::Index, space, &path, MAX_INDEX)?.ok_or_else(|| damaged("it is missing"))?;
    let ann = shared.options.backend.load(space.metric, space.row_len(), &bytes);
    let ann = ann.map_err(|_| damaged("it does not load"))?;
    if ann.len() != meta.rows as usize {
        return Err(damaged("it counts other rows"));
    }
    Ok((
        Some(MeasuredIndex::new(ann, meta.efforts).saved(bytes.len())),
        Served::Index,
    ))
}

fn read_meta(disk: &dyn Disk, space: &SpaceSpec, dir: &Path, rows: usize) -> Result<SegmentMeta, PartitionError> {
    let path = meta_path(dir);
    let damaged = |what| PartitionError::Damaged {
        path: path.clone(),
        what,
    };
    let body = envelope::read(disk, FileKind::Meta, space, &path, MAX_META)?.ok_or_else(|| damaged("it is missing"))?;
    let meta: SegmentMeta = decode_versioned(FORMAT, &body).map_err(|error| envelope::refuse(&path, &error))?;
    if meta.rows as usize == rows {
        Ok(meta)
    } else {
        Err(damaged("it counts other rows"))
    }
}

/// Writes index and meta, durably, in this order.
pub(crate) fn save_index(
    disk: &dyn Disk,
    space: &SpaceSpec,
    dir: &Path,
    index: Option<&[u8]>,
    meta: &SegmentMeta,
) -> Result<(), PartitionError> {
    if let Some(bytes) = index {
        envelope::write(disk, FileKind::Index, space, &index_path(dir), bytes)?;
    }
    let body = encode_versioned(FORMAT, meta).expect("a list of efforts can be encoded");
    envelope::write(disk, FileKind::Meta, space, &meta_path(dir), &body)
}

#[cfg(test)]
#[path = "segment_test.rs"]
mod tests;
