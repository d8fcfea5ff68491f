//! The real exporter against the real receiver.

use tracing::dispatcher::with_default;
use tracing::{info, info_span};

use super::*;
use crate::receiver::{OtlpReceiver, check_tree};
use crate::{current_trace, set_parent};

const DEADLINE: Duration = Duration::from_secs(10);

fn service(name: &str, endpoint: Option<String>) -> (Telemetry, Dispatch) {
    let mut options = TelemetryOptions::new(name, format!("{name}-1"));
    options.otlp_endpoint = endpoint;
    options.log_filter = "off".into();
    Telemetry::detached(options).unwrap()
}

#[test]
fn spans_of_two_services_join_into_one_tree_through_25_bytes() {
    let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{address}"));
    let (front, front_dispatch) = service("front", endpoint.clone());
    let (back, back_dispatch) = service("back", endpoint);
    let sent = with_default(&front_dispatch, || {
        info_span!("feed", viewer = 42).in_scope(|| info_span!("call").in_scope(current_trace))
    });
    with_default(&back_dispatch, || {
        let span = info_span!("serve", shard = 7);
        set_parent(&span, &sent);
        span.in_scope(|| info!("searched"));
    });
    assert_eq!(sent[24], 1, "sampled");
    assert_eq!(back.export_counts().queued, 1);
    front.shutdown(DEADLINE).unwrap();
    back.shutdown(DEADLINE).unwrap();
    let spans = receiver.trace(*sent.first_chunk().unwrap());
    let root = check_tree(&spans, None).unwrap();
    assert_eq!((root.service.as_str(), root.name.as_str()), ("front", "feed"));
    assert_eq!(root.attributes["viewer"], "42");
    let serve = spans.iter().find(|span| span.name == "serve").unwrap();
    assert_eq!((serve.service.as_str(), serve.instance.as_str()), ("back", "back-1"));
    assert_eq!(serve.parent, Some(sent[16..24].try_into().unwrap()));
    assert!(serve.start_unix_ns <= serve.end_unix_ns);
    assert_eq!(spans.len(), 3);
}

#[test]
fn libraries_that_trace_themselves_are_left_out() {
    let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    let (telemetry, dispatch) = service("front", Some(format!("http://{address}")));
    let trace = with_default(&dispatch, || {
        info_span!("ours").in_scope(|| info_span!(target: "tarpc::client", "RPC").in_scope(current_trace))
    });
    telemetry.shutdown(DEADLINE).unwrap();
    let spans = receiver.trace(*trace.first_chunk().unwrap());
    assert_eq!(
        spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(),
        ["ours"]
    );
}

#[test]
fn a_span_that_only_the_log_keeps_does_not_hide_the_trace() {
    let mut options = TelemetryOptions::new("front", "1");
    options.log_filter = "debug".into();
    let (_telemetry, dispatch) = Telemetry::detached(options).unwrap();
    with_default(&dispatch, || {
        info_span!("traced").in_scope(|| {
            let outside = current_trace();
            assert_ne!(outside, [0; 25]);
            tracing::debug_span!("logged").in_scope(|| assert_eq!(current_trace(), outside));
        });
    });
}

#[test]
fn a_collector_that_is_down_costs_only_a_counter() {
    // Bound and released: nobody listens there.
    let (receiver, address) = OtlpReceiver::bind("127.0.0.1:0").unwrap();
    drop(receiver);
    let mut options = TelemetryOptions::new("front", "1");
    options.otlp_endpoint = Some(format!("http://{address}"));
    options.span_queue = 10;
    let (telemetry, dispatch) = Telemetry::detached(options).unwrap();
    with_default(&dispatch, || {
        for _ in 0..100 {
            drop(info_span!("lost").entered());
        }
    });
    let counters = telemetry.counters.clone();
    _ = telemetry.shutdown(DEADLINE);
    let counts = counters.read();
    assert_eq!(counts.exported, 0, "{counts:?}");
    assert_eq!(counts.failed + counts.dropped + counts.queued, 100, "{counts:?}");
    assert!(counts.dropped > 0 && counts.queued <= 10, "{counts:?}");
}

#[test]
fn without_a_collector_traces_have_ids_and_follow_the_callers_sampling() {
    let (_telemetry, dispatch) = service("front", None);
    let sampled = crate::from_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    with_default(&dispatch, || {
        let own = info_span!("own").in_scope(current_trace);
        assert_ne!(own[..16], [0; 16]);
        assert_eq!(own[24], 0, "nobody would see it");
        let span = info_span!("joined");
        set_parent(&span, &sampled);
        let joined = span.in_scope(current_trace);
        assert_eq!(joined[..16], sampled[..16]);
        assert_ne!(joined[16..24], sampled[16..24]);
        assert_eq!(joined[24], 1, "the caller's trace goes on");
    });
}

#[test]
fn bad_options_are_explained() {
    let mut options = TelemetryOptions::new("front", "1");
    options.log_filter = "covey=loud".into();
    let error = Telemetry::detached(options).unwrap_err();
    assert!(error.to_string().contains("\"covey=loud\""), "{error}");
    let mut options = TelemetryOptions::new("front", "1");
    options.otlp_endpoint = Some("https://collector:4317".into());
    let error = Telemetry::detached(options).unwrap_err();
    assert!(matches!(error, TelemetryError::Scheme { .. }), "{error}");
}
