//! Seals, builds, merges and drops, one step at a time, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use covey_ann::{AnnError, BuildOptions};
use futures::FutureExt;

use crate::builds::{Builds, Pace};
use crate::checkpoint::flush;
use crate::error::PartitionError;
use crate::folder::{FolderId, SegmentRows, row_bytes};
use crate::recall::Measure;
use crate::row::RowRecord;
use crate::segment::{MeasuredIndex, Segment, SegmentMeta, Served, records_checksum, save_index};
use crate::shared::Shared;
use crate::tail::Tail;
use crate::view::View;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There was nothing to do.
    Idle,
    /// A full tail became a segment.
    Sealed {
        /// Its rows.
        rows: usize,
    },
    /// A segment without an index, lost or put off by a pause, has one now.
    Indexed {
        /// Its rows.
        rows: usize,
    },
    /// Neighbouring segments became one.
    Merged {
        /// How many there were.
        segments: usize,
        /// Rows of the new one.
        rows: usize,
    },
    /// Segments without a live row were removed.
    Dropped {
        /// How many.
        segments: usize,
    },
}

/// Runs the maintenance of one partition. Steps block on the disk and the processor for up to minutes.
#[derive(Debug, Clone)]
pub struct Maintainer {
    pub(crate) shared: Arc<Shared>,
}

impl Maintainer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Does the most urgent thing, at full speed. After an error the rows are as before, and the step may be tried again.
    ///
    /// # Errors
    /// What the disk or the index says; [`PartitionError::Stopped`] once the partition's writer is gone.
    pub fn step(&self) -> Result<Step, PartitionError> {
        let step = self.paced(Pace::FULL).now_or_never();
        step.expect("a step at full speed waits for nothing")
    }

    /// As [`Maintainer::step`], within what `builds` allows.
    ///
    /// # Errors
    /// As [`Maintainer::step`]; [`PartitionError::Paused`] if a pause cut it short.
    pub(crate) async fn step_within(&self, builds: &Builds) -> Result<Step, PartitionError> {
        self.paced(Pace::new(builds)).await
    }

    async fn paced(&self, pace: Pace<'_>) -> Result<Step, PartitionError> {
        if self.is_stopped() {
            return Err(PartitionError::Stopped);
        }
        // Another one is at work.
        let Ok(_one_at_a_time) = self.shared.step.try_lock() else {
            return Ok(Step::Idle);
        };
        self.shared.counters.building.store(true, Ordering::Relaxed);
        let result = self.most_urgent(&pace).await;
        match &result {
            Ok(Step::Sealed { .. }) => self.shared.counters.seals.fetch_add(1, Ordering::Relaxed),
            Ok(Step::Merged { .. }) => self.shared.counters.merges.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        self.shared.counters.building.store(false, Ordering::Relaxed);
        result
    }

    /// Whether the partition's writer is gone.
    pub fn is_stopped(&self) -> bool {
        self.shared.stopping.load(Ordering::Acquire)
    }

    /// Name of the partition's space, for logs.
    pub fn space(&self) -> &str {
        &self.shared.space.name
    }

    async fn most_urgent(&self, pace: &Pace<'_>) -> Result<Step, PartitionError> {
        // First, since it gives room for the others.
        self.shared.remove_retired()?;
        let view = self.shared.view.load_full();
        if let [frozen, _active, ..] = &view.tails[..] {
            return self.seal(frozen, &pace.unlimited()).await;
        }
        let dead: Vec<FolderId> = view
            .segments
            .iter()
            .filter(|s| s.live() == 0)
            .map(|s| s.folder)
            .collect();
        if !dead.is_empty() {
            self.shared.drop_segments(&dead)?;
            return Ok(Step::Dropped { segments: dead.len() });
        }
        if let Some(segment) = self.next_to_rewrite(&view) {
            return self.rewrite(segment, &pace.through_pauses()).await;
        }
        if pace.is_paused() {
            return Ok(Step::Idle);
        }
        if let Some(segment) = view.segments.iter().find(|segment| segment.served.is_none()) {
            return self.rebuild_index(segment, pace).await;
        }
        self.merge_next(&view, pace).await
    }

    fn next_to_rewrite<'v>(&self, view: &'v View) -> Option<&'v Arc<Segment>> {
        let mut state = self.shared.state.lock();
        // One that is not listed any more was merged.
        std::iter::from_fn(|| state.rewrite.pop_first())
            .find_map(|folder| view.segments.iter().find(|segment| segment.folder == folder))
    }

    /// Copies what lives in a segment whose files are damaged.
    async fn rewrite(&self, segment: &Arc<Segment>, pace: &Pace<'_>) -> Result<Step, PartitionError> {
        match self.shared.merge(&[self.mapped_anew(segment)], pace).await {
            Ok(rows) => Ok(Step::Merged { segments: 1, rows }),
            Err(error) => {
                // A live row that is damaged has to be repaired first; whoever does that asks again.
                if !matches!(error, PartitionError::Damaged { .. }) {
                    self.shared.state.lock().rewrite.insert(segment.folder);
                }
                Err(error)
            }
        }
    }

    /// The segment with a new map of its rows: what the one in use has lost the disk may give now. Without the file the one in
    /// use is all there is.
    fn mapped_anew(&self, segment: &Arc<Segment>) -> Arc<Segment> {
        let (shared, dir) = (&*self.shared, segment.folder.dir(&self.shared.dir));
        let Ok(rows) = SegmentRows::open(&*shared.env.disk, &shared.space, &dir, segment.len()) else {
            return Arc::clone(segment);
        };
        Arc::new(Segment {
            folder: segment.folder,
            rows: Arc::new(rows),
            records: Arc::clone(&segment.records),
            deleted: Arc::clone(&segment.deleted),
            index: None,
            served: segment.served,
        })
    }

    async fn merge_next(&self, view: &View, pace: &Pace<'_>) -> Result<Step, PartitionError> {
        let Some(range) = view.merge_due() else {
            return Ok(Step::Idle);
        };
        let sources = view.segments[range].to_vec();
        let rows = self.shared.merge(&sources, pace).await?;
        Ok(Step::Merged {
            segments: sources.len(),
            rows,
        })
    }

    async fn seal(&self, tail: &Tail, pace: &Pace<'_>) -> Result<Step, PartitionError> {
        let shared = &*self.shared;
        let rows = tail.len();
        flush(shared, tail, rows)?;
        tail.seal_files()?;
        let mut records = Vec::with_capacity(rows);
        tail.for_each_block(|_, block| {
            records.extend_from_slice(&block.records);
            true
        });
        let dir = tail.folder.dir(&shared.dir);
        let segment_rows = SegmentRows::open(&*shared.env.disk, &shared.space, &dir, rows)?;
        let (index, served) = match shared.build(tail.folder, &segment_rows, &records, pace).await {
            Ok((index, served)) => (index, Some(served)),
            // There must be room for new rows in a pause too.
            Err(PartitionError::Paused) => {
                shared.save(tail.folder, &records, None, Served::Unbuilt)?;
                (None, None)
            }
            Err(error) => return Err(error),
        };
        let segment = Segment {
            folder: tail.folder,
            rows: Arc::new(segment_rows),
            records: records.into(),
            deleted: Arc::clone(&tail.deleted),
            index,
            served,
        };
        let mut state = shared.state.lock();
        shared.publish(&mut state, |view| {
            view.tails.retain(|other| other.folder != tail.folder);
            view.segments.push(Arc::new(segment));
        });
        drop(state);
        shared.write_manifest()?;
        Ok(Step::Sealed { rows })
    }

    async fn rebuild_index(&self, segment: &Segment, pace: &Pace<'_>) -> Result<Step, PartitionError> {
        let shared = &*self.shared;
        let built = shared.build(segment.folder, &segment.rows, &segment.records, pace);
        let (index, served) = built.await?;
        let rebuilt = Arc::new(Segment {
            folder: segment.folder,
            rows: Arc::clone(&segment.rows),
            records: Arc::clone(&segment.records),
            deleted: Arc::clone(&segment.deleted),
            index,
            served: Some(served),
        });
        let mut state = shared.state.lock();
        shared.publish(&mut state, |view| {
            for place in view.segments.iter_mut().filter(|other| other.folder == segment.folder) {
                *place = Arc::clone(&rebuilt);
            }
        });
        Ok(Step::Indexed { rows: rebuilt.len() })
    }
}

/// An index, or the decision to do without.
struct Built {
    index: Option<MeasuredIndex>,
    served: Served,
    bytes: Option<Vec<u8>>,
}

impl Shared {
    /// Builds the planned index, measures it and writes both to the folder.
    pub(crate) async fn build(
        &self,
        folder: FolderId,
        rows: &SegmentRows,
        records: &[RowRecord],
        pace: &Pace<'_>,
    ) -> Result<(Option<MeasuredIndex>, Served), PartitionError> {
        let index_error = |source| match source {
            AnnError::Cancelled => self.go_on(pace).err().unwrap_or(PartitionError::Paused),
            source => PartitionError::Index {
                folder: folder.0,
                source,
            },
        };
        let cancelled = || self.go_on(pace).is_err();
        let Built { index, served, bytes } = self.build_in_memory(folder, rows, &cancelled).map_err(index_error)?;
        // The rows were read once: those that measured the index were in the system's cache by then.
        let read = rows.len() as u64 * u64::from(row_bytes(&self.space));
        self.pass(pace, read + bytes.as_ref().map_or(0, Vec::len) as u64)
            .await?;
        self.save(folder, records, index.as_ref().zip(bytes.as_deref()), served)?;
        Ok((index, served))
    }

    fn save(
        &self,
        folder: FolderId,
        records: &[RowRecord],
        index: Option<(&MeasuredIndex, &[u8])>,
        served: Served,
    ) -> Result<(), PartitionError> {
        let meta = SegmentMeta {
            rows: records.len() as u32,
            records_checksum: records_checksum(records),
            served,
            efforts: index.map(|(index, _)| index.efforts().to_vec()).unwrap_or_default(),
        };
        let dir = folder.dir(&self.dir);
        save_index(&*self.env.disk, &self.space, &dir, index.map(|(_, bytes)| bytes), &meta)
    }

    fn build_in_memory(
        &self,
        folder: FolderId,
        rows: &SegmentRows,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Built, AnnError> {
        let (options, space) = (&*self.options, &*self.space);
        let plan = options.index.plan(space.dim, rows.len(), options.min_train_rows);
        let build = BuildOptions {
            metric: space.metric,
            dim: space.row_len(),
            threads: options.build_threads,
            cancelled,
        };
        let Some(ann) = options.backend.build(&plan, rows, &build)? else {
            return Ok(Built {
                index: None,
                served: Served::Flat,
                bytes: None,
            });
        };
        let measure = Measure {
            queries: options.recall_queries,
            cancelled,
        };
        let efforts = measure.run(&*ann, rows)?;
        let index = MeasuredIndex::new(ann, efforts);
        let best = f64::from(index.best_recall().unwrap_or(0.0));
        if best < options.min_recall {
            self.counters.low_recall.fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                space = space.name,
                folder = folder.0,
                rows = rows.len(),
                recall = best,
                min_recall = options.min_recall,
                "index below min_recall: this segment is scanned exactly until its next merge"
            );
            return Ok(Built {
                index: None,
                served: Served::LowRecall,
                bytes: None,
            });
        }
        let bytes = index.ann.save()?;
        tracing::info!(
            space = space.name,
            folder = folder.0,
            rows = rows.len(),
            recall = best,
            "index built"
        );
        Ok(Built {
            index: Some(index.saved(bytes.len())),
            served: Served::Index,
            bytes: Some(bytes),
        })
    }
}
