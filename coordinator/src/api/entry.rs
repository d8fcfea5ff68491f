//! What every call goes through, whichever way it came: admission, deadline, span, slow-request log.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::{Instrument, Span};

use crate::api::errors::ApiError;
use crate::api::service::Api;
use crate::request::RequestContext;

/// What the transport knows of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    /// Name of the call, such as `GetFeed`.
    pub(crate) call: &'static str,
    /// `http` or `grpc`.
    pub(crate) transport: &'static str,
    /// W3C trace context of the client.
    pub(crate) traceparent: Option<String>,
    /// How long the client waits.
    pub(crate) deadline: Option<Duration>,
}

/// The end of a call, with the trace for the transport's header.
pub(crate) struct Outgoing<T> {
    pub(crate) result: Result<T, ApiError>,
    pub(crate) trace_id: String,
}

impl Api {
    /// Runs `work` as one request.
    pub(crate) async fn serve<T, F>(
        self: &Arc<Self>,
        incoming: Incoming,
        work: impl FnOnce(Arc<Api>, RequestContext) -> F,
    ) -> Outgoing<T>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let span = tracing::info_span!(
            "request",
            otel.kind = "server",
            call = incoming.call,
            transport = incoming.transport,
            code = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        let parent = incoming
            .traceparent
            .as_deref()
            .and_then(covey_telemetry::from_traceparent);
        if let Some(trace) = parent {
            covey_telemetry::set_parent(&span, &trace);
        }
        let trace_id = span
            .in_scope(covey_telemetry::trace_id_hex)
            .unwrap_or_else(|| self.random_trace());
        let started = self.now();
        let context = RequestContext {
            deadline: started.plus(self.deadlines().time(incoming.deadline)),
            trace_id: trace_id.clone(),
        };
        let result = match self.admit() {
            Some(_admitted) => work(self.clone(), context).instrument(span.clone()).await,
            None => Err(ApiError::Overloaded),
        };
        let took = self.now().since(started);
        span.in_scope(|| self.log(incoming.call, &result, took));
        Outgoing { result, trace_id }
    }

    fn log<T>(&self, call: &str, result: &Result<T, ApiError>, took: Duration) {
        let tally = self.tally();
        let count = match result {
            Ok(_) => &tally.answered,
            Err(ApiError::Overloaded) => &tally.shed,
            Err(error) => {
                let outside = error.outside();
                Span::current().record("code", outside.code.to_string());
                if outside.http < 500 {
                    &tally.faulty
                } else {
                    Span::current().record("otel.status_code", "ERROR");
                    tracing::warn!(call, ?took, error = error.text(), "a request failed");
                    &tally.failed
                }
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        if took >= self.slow() {
            tracing::warn!(call, ?took, "a slow request");
        }
    }

    /// Identity of a request that is not traced.
    fn random_trace(&self) -> String {
        let entropy = &self.env().entropy;
        format!("{:016x}{:016x}", entropy.next_u64(), entropy.next_u64())
    }
}
