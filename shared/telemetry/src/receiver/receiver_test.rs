//! The receiver with raw messages; the real exporter is in `start_test.rs`.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;

fn message(ids: std::ops::Range<u8>) -> ExportTraceServiceRequest {
    let spans = ids.map(|id| Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: format!("span {id}"),
        ..Span::default()
    });
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: spans.collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

#[tokio::test]
async fn a_full_store_drops_the_oldest_and_counts_them() {
    let (receiver, address) = OtlpReceiver::with_capacity("127.0.0.1:0", 3).unwrap();
    let mut client = TraceServiceClient::connect(format!("http://{address}")).await.unwrap();
    client.export(message(1..6)).await.unwrap();
    let names: Vec<String> = receiver.trace([1; 16]).into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["span 3", "span 4", "span 5"]);
    assert_eq!(receiver.dropped(), 2);
    assert_eq!(receiver.trace_ids(10), [[1; 16]]);
}

#[tokio::test]
async fn a_span_with_ids_of_a_wrong_length_is_left_out() {
    let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    let mut client = TraceServiceClient::connect(format!("http://{address}")).await.unwrap();
    let mut bad = message(1..3);
    bad.resource_spans[0].scope_spans[0].spans[0].span_id = vec![1; 7];
    client.export(bad).await.unwrap();
    assert_eq!(receiver.trace([1; 16]).len(), 1);
}

#[test]
fn an_address_in_use_is_named() {
    let (_receiver, address) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    let error = OtlpReceiver::bind(&address.to_string()).err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
}
