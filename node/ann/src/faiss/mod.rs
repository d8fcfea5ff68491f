//! faiss behind our C++ shim. This folder is the crate's only home of `unsafe`.
//!
//! Ids are dense, `0..len`; deletes and filters are a bitmap per search. A search works on a `const` index with
//! parameters on its own stack, in the calling thread.

pub(crate) mod avx2;
mod fast_scan;
mod ffi;

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::NonNull;

use faiss_sys as _;

use crate::bitmap::Bitmap;
use crate::error::AnnError;
use crate::faiss::fast_scan::FastScan;
use crate::index::{AnnIndex, IndexKind, Neighbour, SearchParams, check_search};
use crate::metric::Metric;

/// An index owned by faiss.
#[derive(Debug)]
pub struct FaissIndex {
    handle: NonNull<c_void>,
    metric: Metric,
    dim: usize,
    len: usize,
    kind: IndexKind,
}

// SAFETY: the handle is owned by this value alone and faiss ties no index to a thread.
unsafe impl Send for FaissIndex {}
// SAFETY: through `&self` only const members of faiss run: search with its parameters on the caller's stack, and
// write_index. faiss documents concurrent searches as safe; its global statistics counters may lose counts, nobody reads them.
unsafe impl Sync for FaissIndex {}

impl Drop for FaissIndex {
    fn drop(&mut self) {
        // SAFETY: the handle came from create or read, is owned here and dropped once.
        unsafe { ffi::covey_faiss_destroy(self.handle.as_ptr()) }
    }
}

impl FaissIndex {
    /// An empty index from a faiss factory string: `Flat`, `HNSW…` or `IVF…`.
    ///
    /// # Errors
    /// A string faiss does not know, or another kind of index.
    pub fn create(metric: Metric, dim: usize, factory: &str) -> Result<Self, AnnError> {
        let text = CString::new(factory).map_err(|_| AnnError::BadFactory { index: factory.into() })?;
        let dim_c = c_int::try_from(dim).map_err(|_| AnnError::BadFactory { index: factory.into() })?;
        let mut handle = std::ptr::null_mut();
        call(|message, capacity| {
            let inner_product = c_int::from(metric.is_inner_product());
            // SAFETY: `text` ends with zero and outlives the call; `handle` is written before success is returned.
            unsafe { ffi::covey_faiss_create(dim_c, text.as_ptr(), inner_product, &raw mut handle, message, capacity) }
        })?;
        Self::adopt(handle, metric)
    }

    /// Reads what [`AnnIndex::save`] wrote for the same space.
    ///
    /// # Errors
    /// Damaged bytes, or an index of another dimension or metric.
    pub fn load(metric: Metric, dim: usize, bytes: &[u8]) -> Result<Self, AnnError> {
        let mut handle = std::ptr::null_mut();
        call(|message, capacity| {
            // SAFETY: pointer and length are those of `bytes`; the reader checks every step against the length.
            unsafe { ffi::covey_faiss_read(bytes.as_ptr(), bytes.len(), &raw mut handle, message, capacity) }
        })
        .map_err(|error| {
            if matches!(error, AnnError::OutOfMemory) {
                error
            } else {
                AnnError::Damaged
            }
        })?;
        let index = Self::adopt(handle, metric)?;
        let info = index.info();
        if index.dim != dim || (info.inner_product != 0) != metric.is_inner_product() {
            let metric_name = if info.inner_product != 0 { "inner product" } else { "L2" };
            let what = format!("{} dimensions, {metric_name}", index.dim);
            return Err(AnnError::WrongIndex {
                what,
                expected_dim: dim,
                expected_metric: metric,
            });
        }
        Ok(index)
    }

    fn adopt(handle: *mut c_void, metric: Metric) -> Result<Self, AnnError> {
        let handle = NonNull::new(handle).ok_or(AnnError::OutOfMemory)?;
        let mut index = Self {
            handle,
            metric,
            dim: 0,
            len: 0,
            kind: IndexKind::Flat,
        };
        let info = index.info();
        index.dim = usize::try_from(info.dim).map_err(|_| AnnError::Damaged)?;
        // Rows are numbered in u32 here.
        index.len = u32::try_from(info.rows).map_err(|_| AnnError::Damaged)? as usize;
        index.kind = match info.kind {
            ffi::KIND_IVF => IndexKind::Ivf {
                nlist: usize::try_from(info.nlist).map_err(|_| AnnError::Damaged)?,
            },
            ffi::KIND_HNSW => IndexKind::Hnsw,
            _ => IndexKind::Flat,
        };
        Ok(index)
    }

    fn info(&self) -> ffi::IndexInfo {
        let mut info = ffi::IndexInfo::default();
        // SAFETY: the handle is alive as long as `self`; `info` has the layout of the C struct.
        unsafe { ffi::covey_faiss_info(self.handle.as_ptr(), &raw mut info) };
        info
    }

    /// Learns lists and codebooks from a sample: consecutive rows of `dim` elements.
    ///
    /// # Errors
    /// Too few rows, or what faiss reports.
    pub fn train(&mut self, sample: &[f32], threads: usize) -> Result<(), AnnError> {
        let rows = self.rows_in(sample)?;
        call(|message, capacity| {
            // SAFETY: `sample` holds `rows` rows of `dim` floats; `&mut self` excludes every other use of the handle.
            unsafe {
                ffi::covey_faiss_train(
                    self.handle.as_ptr(),
                    rows as i64,
                    sample.as_ptr(),
                    threads as c_int,
                    message,
                    capacity,
                )
            }
        })
    }

    /// Appends consecutive rows of `dim` elements; they get the next ids.
    ///
    /// # Errors
    /// More than 2³² rows, an untrained index, or what faiss reports.
    pub fn add(&mut self, rows: &[f32], threads: usize) -> Result<(), AnnError> {
        let count = self.rows_in(rows)?;
        let len = u32::try_from(self.len + count).map_err(|_| AnnError::Faiss {
            message: "more than 2^32 rows in one index".into(),
        })?;
        call(|message, capacity| {
            // SAFETY: `rows` holds `count` rows of `dim` floats; `&mut self` excludes every other use of the handle.
            unsafe {
                ffi::covey_faiss_add(
                    self.handle.as_ptr(),
                    count as i64,
                    rows.as_ptr(),
                    threads as c_int,
                    message,
                    capacity,
                )
            }
        })?;
        self.len = len as usize;
        Ok(())
    }

    fn rows_in(&self, flat: &[f32]) -> Result<usize, AnnError> {
        if !flat.len().is_multiple_of(self.dim) {
            return Err(AnnError::WrongDimension {
                expected: self.dim,
                got: flat.len() % self.dim,
            });
        }
        Ok(flat.len() / self.dim)
    }
}

impl AnnIndex for FaissIndex {
    fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &SearchParams,
        keep: Option<&Bitmap>,
        out: &mut Vec<Neighbour>,
    ) -> Result<(), AnnError> {
        check_search(self, query, k, keep)?;
        out.clear();
        let k = k.min(self.len);
        if k == 0 {
            return Ok(());
        }
        if let Some(lists) = FastScan::of(self) {
            lists.search(query, k, params, keep, out);
            return Ok(());
        }
        let (mut distances, mut labels) = (vec![0.0_f32; k], vec![-1_i64; k]);
        let words = keep.map(Bitmap::words);
        let search = ffi::Search {
            query: query.as_ptr(),
            k: k as i64,
            nprobe: params.nprobe,
            ef: i32::try_from(params.ef.max(k)).unwrap_or(i32::MAX),
            // Bit i of little-endian words is bit i % 8 of byte i / 8, which is what faiss reads.
            keep: words.map_or(std::ptr::null(), |words| words.as_ptr().cast()),
            keep_bytes: words.map_or(0, |words| words.len() * 8),
        };
        call(|message, capacity| {
            // SAFETY: the query has `dim` floats and the bitmap one bit per row (checked above); both outlive the call.
            // `distances` and `labels` hold k elements. The index is only read.
            unsafe {
                ffi::covey_faiss_search(
                    self.handle.as_ptr(),
                    &raw const search,
                    distances.as_mut_ptr(),
                    labels.as_mut_ptr(),
                    message,
                    capacity,
                )
            }
        })?;
        let found = labels.iter().zip(&distances).filter_map(|(&label, &distance)| {
            // -1 fills the places for which faiss found nothing.
            let row = u32::try_from(label).ok().filter(|&row| (row as usize) < self.len)?;
            Some(Neighbour {
                row,
                score: if self.metric.is_inner_product() {
                    distance
                } else {
                    0.0 - distance
                },
            })
        });
        out.extend(found);
        Ok(())
    }

    fn len(&self) -> usize {
        self.len
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn metric(&self) -> Metric {
        self.metric
    }

    fn kind(&self) -> IndexKind {
        self.kind
    }

    fn save(&self) -> Result<Vec<u8>, AnnError> {
        let mut bytes: Vec<u8> = Vec::new();
        call(|message, capacity| {
            // SAFETY: `append` receives the pointer to `bytes`, which nothing else uses during the call.
            unsafe { ffi::covey_faiss_write(self.handle.as_ptr(), append, (&raw mut bytes).cast(), message, capacity) }
        })?;
        Ok(bytes)
    }
}

/// Receives the bytes of a written index.
///
/// # Safety
/// `context` points to a `Vec<u8>` that nothing else uses; `bytes` to `length` readable bytes.
unsafe extern "C" fn append(context: *mut c_void, bytes: *const u8, length: usize) {
    if length == 0 {
        return;
    }
    // SAFETY: the contract above, kept by `save` and by the shim.
    let (buffer, bytes) = unsafe {
        (
            &mut *context.cast::<Vec<u8>>(),
            std::slice::from_raw_parts(bytes, length),
        )
    };
    buffer.extend_from_slice(bytes);
}

/// What faiss says it was compiled for.
///
/// # Errors
/// What faiss reports.
pub(crate) fn compile_options() -> Result<String, AnnError> {
    let mut text = [0; ffi::TEXT];
    // SAFETY: pointer and capacity are those of `text`.
    let code = unsafe { ffi::covey_faiss_compile_options(text.as_mut_ptr(), text.len()) };
    to_result(code, &text)?;
    Ok(message_of(&text))
}

fn call(body: impl FnOnce(*mut std::ffi::c_char, usize) -> c_int) -> Result<(), AnnError> {
    let mut text = [0; ffi::TEXT];
    let code = body(text.as_mut_ptr(), text.len());
    to_result(code, &text)
}

fn to_result(code: c_int, text: &[std::ffi::c_char]) -> Result<(), AnnError> {
    match code {
        ffi::OK => Ok(()),
        ffi::MEMORY => Err(AnnError::OutOfMemory),
        _ => Err(AnnError::Faiss {
            message: message_of(text),
        }),
    }
}

fn message_of(text: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = text.iter().map(|&c| c.to_ne_bytes()[0]).collect();
    CStr::from_bytes_until_nul(&bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "faiss_test.rs"]
mod tests;
