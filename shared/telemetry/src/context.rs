//! Trace context in the form in which it crosses the wire, and as the W3C `traceparent` header.

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// 16 bytes trace id, 8 bytes span id, 1 byte W3C flags; all zero = no trace. The layout of the wire header's `trace`.
pub type TraceBytes = [u8; 25];

/// Context of the innermost entered span that is traced, for a message that leaves this process. Zeros outside any.
#[must_use]
pub fn current_trace() -> TraceBytes {
    // Not the current span of tracing: that may be one which only the log keeps, and it would hide the trace around it.
    opentelemetry::Context::map_current(|context| to_bytes(context.span().span_context()))
}

/// Context of `span`, entered or not; zeros if it is not traced. It starts the span for the exporter: [`set_parent`] on it
/// comes too late afterwards.
#[must_use]
pub fn trace_of(span: &Span) -> TraceBytes {
    to_bytes(span.context().span().span_context())
}

/// Makes `span` a child of the remote span that sent `trace`. Call it right after making the span, before it is entered;
/// zeros leave the span as it is.
pub fn set_parent(span: &Span, trace: &TraceBytes) {
    let remote = from_bytes(trace);
    if !remote.is_valid() {
        return;
    }
    let context = opentelemetry::Context::new().with_remote_span_context(remote);
    // It fails when the span is disabled or nothing records traces: then there is nothing to join.
    _ = span.set_parent(context);
}

/// Reads a W3C `traceparent` header (version 00, or a later one read as 00). `None` if it is malformed: the request then
/// starts a trace of its own, as the specification asks.
#[must_use]
pub fn from_traceparent(header: &str) -> Option<TraceBytes> {
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version.eq_ignore_ascii_case("ff") || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let mut bytes = [0; 25];
    unhex(version, &mut [0; 1])?;
    unhex(trace, &mut bytes[..16])?;
    unhex(span, &mut bytes[16..24])?;
    unhex(flags, &mut bytes[24..])?;
    from_bytes(&bytes).is_valid().then_some(bytes)
}

/// Writes a W3C `traceparent` header; `None` without a trace.
#[must_use]
pub fn to_traceparent(trace: &TraceBytes) -> Option<String> {
    let context = from_bytes(trace);
    context.is_valid().then(|| {
        let flags = trace[24];
        format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())
    })
}

/// Id of the current trace as 32 hexadecimal digits, for replies, log lines and errors. `None` outside any trace.
#[must_use]
pub fn trace_id_hex() -> Option<String> {
    let trace = current_trace();
    let context = from_bytes(&trace);
    context.is_valid().then(|| context.trace_id().to_string())
}

fn to_bytes(context: &SpanContext) -> TraceBytes {
    let mut bytes = [0; 25];
    if context.is_valid() {
        bytes[..16].copy_from_slice(&context.trace_id().to_bytes());
        bytes[16..24].copy_from_slice(&context.span_id().to_bytes());
        bytes[24] = context.trace_flags().to_u8();
    }
    bytes
}

fn from_bytes(bytes: &TraceBytes) -> SpanContext {
    let (trace, rest) = bytes.split_first_chunk::<16>().expect("25 bytes hold 16");
    let (span, flags) = rest.split_first_chunk::<8>().expect("9 bytes hold 8");
    SpanContext::new(
        TraceId::from_bytes(*trace),
        SpanId::from_bytes(*span),
        TraceFlags::new(flags[0]),
        true,
        TraceState::default(),
    )
}

fn unhex(digits: &str, into: &mut [u8]) -> Option<()> {
    let digits = digits.as_bytes();
    if digits.len() != into.len() * 2 {
        return None;
    }
    for (pair, byte) in digits.chunks_exact(2).zip(into) {
        let (high, low) = ((pair[0] as char).to_digit(16)?, (pair[1] as char).to_digit(16)?);
        *byte = (high << 4 | low) as u8;
    }
    Some(())
}

#[cfg(test)]
#[path = "context_test.rs"]
mod tests;
