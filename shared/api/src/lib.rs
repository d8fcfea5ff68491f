//! The public API: protobuf messages, gRPC service and canonical JSON of the same messages.
//!
//! Everything is generated from `proto/covey.proto`, which documents every field with its unit and range. JSON follows
//! the canonical proto3 mapping with the field names of the file: 64-bit integers are strings on the way out and numbers
//! or strings on the way in, fields with their default value are left out, an unknown field is an error that names it.
#![forbid(unsafe_code)]

pub mod codec;
pub mod openapi;

/// Version 1 of the API.
#[allow(
    missing_docs,
    clippy::all,
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::disallowed_methods,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("covey.v1");
    include!(concat!(env!("OUT_DIR"), "/covey.v1.serde.rs"));
}

/// Encoded file descriptors, with comments: for server reflection and the OpenAPI document.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
#[path = "lib_test.rs"]
mod tests;
