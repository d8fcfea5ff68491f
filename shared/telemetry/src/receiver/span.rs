//! A span as it arrived.

use std::collections::BTreeMap;
use std::fmt::Write;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// A span as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSpan {
    /// Its trace.
    pub trace_id: [u8; 16],
    /// Its id.
    pub span_id: [u8; 8],
    /// The span under which it was made; `None` = the root of the trace.
    pub parent: Option<[u8; 8]>,
    /// `service.name` of the process.
    pub service: String,
    /// `service.instance.id` of the process.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// Nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Nanoseconds since 1970.
    pub end_unix_ns: u64,
    /// Attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether its status is "error".
    pub failed: bool,
}

/// Spans of a message; one whose ids have a wrong length is left out, as the protocol asks.
pub(super) fn read(request: ExportTraceServiceRequest) -> Vec<ReceivedSpan> {
    const STATUS_ERROR: i32 = 2;
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let mut process = attributes(resource.resource.map(|r| r.attributes).unwrap_or_default());
        let service = process.remove("service.name").unwrap_or_default();
        let instance = process.remove("service.instance.id").unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let (Ok(trace_id), Ok(span_id)) = (span.trace_id.try_into(), span.span_id.try_into()) else {
                continue;
            };
            spans.push(ReceivedSpan {
                trace_id,
                span_id,
                parent: span.parent_span_id.try_into().ok(),
                service: service.clone(),
                instance: instance.clone(),
                name: span.name,
                start_unix_ns: span.start_time_unix_nano,
                end_unix_ns: span.end_time_unix_nano,
                attributes: attributes(span.attributes),
                failed: span.status.is_some_and(|status| status.code == STATUS_ERROR),
            });
        }
    }
    spans
}

fn attributes(list: Vec<KeyValue>) -> BTreeMap<String, String> {
    list.into_iter().map(|pair| (pair.key, text(pair.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|any| any.value) {
        None => String::new(),
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(bool)) => bool.to_string(),
        Some(Value::IntValue(int)) => int.to_string(),
        Some(Value::DoubleValue(double)) => double.to_string(),
        Some(Value::BytesValue(bytes)) => bytes.iter().fold(String::new(), |mut hex, byte| {
            _ = write!(hex, "{byte:02x}");
            hex
        }),
        // Our spans have none of these; a recursive value from elsewhere is shown as its debug text.
        Some(other) => format!("{other:?}"),
    }
}
