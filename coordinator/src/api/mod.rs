//! The API: one handler per call ([`service`]), reached by JSON over HTTP ([`http`]) and by gRPC ([`grpc`]).

mod admission;
mod convert;
mod entry;
mod errors;
mod grpc;
mod http;
mod operate;
mod service;
mod settings;
mod statistics;
#[cfg(test)]
mod testing;
mod writes;

pub(crate) use grpc::{GrpcError, GrpcServer};
pub(crate) use http::{HttpError, HttpOptions, HttpServer};
pub(crate) use service::{Api, ApiDeps};
pub(crate) use statistics::log_statistics;

/// Header and metadata that carry the trace id of a reply.
pub(crate) const TRACE_HEADER: &str = "x-covey-trace-id";
/// Header by which an HTTP client says how many milliseconds it waits.
pub(crate) const DEADLINE_HEADER: &str = "x-covey-deadline-ms";
