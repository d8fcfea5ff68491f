//! Traces and logs: start-up, context across mailboxes and the wire, shutdown.
//!
//! One [`Telemetry`] per process, started first and shut down last. Logs go to stderr, one line per event, with the trace
//! id; spans go to an OTLP collector. A collector that is down costs nothing but a counter ([`ExportCounts`]).
//!
//! Spans do not cross mailboxes or sockets by themselves: a mailbox carries [`Traced`], a wire header carries the 25 bytes
//! of [`current_trace`].

mod context;
mod export;
mod format;
mod panic;
mod process;
pub mod receiver;
mod start;
mod traced;

pub use context::{TraceBytes, current_trace, from_traceparent, set_parent, to_traceparent, trace_id_hex, trace_of};
pub use export::ExportCounts;
pub use format::LogFormat;
pub use process::{ProcessStats, process_stats};
pub use start::{Telemetry, TelemetryError, TelemetryOptions};
pub use traced::Traced;
