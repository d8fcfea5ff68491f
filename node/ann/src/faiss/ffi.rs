//! The C side of the shim, declared.

use std::ffi::{c_char, c_int, c_void};

/// Bytes for an error message or the compile options.
pub(super) const TEXT: usize = 512;

pub(super) const OK: c_int = 0;
pub(super) const MEMORY: c_int = 2;

pub(super) const KIND_IVF: i32 = 2;
pub(super) const KIND_HNSW: i32 = 3;

#[repr(C)]
#[derive(Default)]
pub(super) struct IndexInfo {
    pub(super) dim: i64,
    pub(super) rows: i64,
    pub(super) nlist: i64,
    pub(super) inner_product: i32,
    pub(super) kind: i32,
}

#[repr(C)]
pub(super) struct Search {
    pub(super) query: *const f32,
    pub(super) k: i64,
    pub(super) nprobe: usize,
    pub(super) ef: i32,
    pub(super) keep: *const u8,
    pub(super) keep_bytes: usize,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct FastScan {
    pub(super) coarse: *const f32,
    pub(super) codebook: *const f32,
    pub(super) parts: usize,
    pub(super) padded_parts: usize,
    pub(super) by_residual: i32,
}

#[repr(C)]
#[derive(Default)]
pub(super) struct List {
    pub(super) codes: *const u8,
    pub(super) ids: *const i64,
    pub(super) rows: usize,
}

pub(super) type Sink = unsafe extern "C" fn(context: *mut c_void, bytes: *const u8, length: usize);

unsafe extern "C" {
    pub(super) fn covey_faiss_create(
        dim: c_int,
        factory: *const c_char,
        inner_product: c_int,
        out: *mut *mut c_void,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_destroy(index: *mut c_void);
    pub(super) fn covey_faiss_info(index: *const c_void, info: *mut IndexInfo);
    pub(super) fn covey_faiss_train(
        index: *mut c_void,
        rows: i64,
        x: *const f32,
        threads: c_int,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_add(
        index: *mut c_void,
        rows: i64,
        x: *const f32,
        threads: c_int,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_search(
        index: *const c_void,
        search: *const Search,
        distances: *mut f32,
        labels: *mut i64,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_fast_scan(index: *const c_void, out: *mut FastScan) -> c_int;
    pub(super) fn covey_faiss_list(index: *const c_void, number: usize, out: *mut List);
    pub(super) fn covey_faiss_write(
        index: *const c_void,
        sink: Sink,
        context: *mut c_void,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_read(
        data: *const u8,
        length: usize,
        out: *mut *mut c_void,
        text: *mut c_char,
        capacity: usize,
    ) -> c_int;
    pub(super) fn covey_faiss_compile_options(text: *mut c_char, capacity: usize) -> c_int;
}
