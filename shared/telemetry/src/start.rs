//! Start and end of telemetry in a process.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Channel, Endpoint};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

use crate::export::{BoundedProcessor, Counters, ExportCounts};
use crate::format::LogFormat;

/// Libraries that talk about themselves. tarpc makes a span per call beside our own; the exporter's complaints about a
/// missing collector are the counter's business. A directive of the operator for the same target wins.
const QUIET: [(&str, LevelFilter); 7] = [
    ("tarpc", LevelFilter::OFF),
    ("opentelemetry", LevelFilter::OFF),
    ("h2", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("tonic", LevelFilter::WARN),
    ("tower", LevelFilter::WARN),
];

/// What a process says about itself, and to whom.
#[derive(Clone, Debug)]
pub struct TelemetryOptions {
    /// `service.name`: covey-node, covey-coordinator …
    pub service_name: String,
    /// `service.instance.id`: distinct for every process.
    pub instance_id: String,
    /// Collector of OTLP over gRPC, such as `http://127.0.0.1:4317`; `None`: no spans are sent. Trace ids exist either way.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are kept, 0 ..= 1, decided by trace id where a trace begins; later processes follow.
    pub sample_ratio: f64,
    /// Finished spans that wait to be sent; more are dropped and counted.
    pub span_queue: usize,
    /// Time for one batch of spans to be sent, connecting included.
    pub export_timeout: Duration,
    /// What is logged, in the syntax of tracing's `EnvFilter`.
    pub log_filter: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl TelemetryOptions {
    /// Logs at `info` for people; no collector; every trace kept.
    pub fn new(service_name: impl Into<String>, instance_id: impl Into<String>) -> TelemetryOptions {
        TelemetryOptions {
            service_name: service_name.into(),
            instance_id: instance_id.into(),
            otlp_endpoint: None,
            sample_ratio: 1.0,
            span_queue: 8192,
            export_timeout: Duration::from_secs(3),
            log_filter: "info".into(),
            log_format: LogFormat::Human,
        }
    }
}

/// Why telemetry did not start or did not end cleanly.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The log filter does not parse.
    #[error("log filter {filter:?} is not valid; examples: info, or info,covey_node=debug")]
    LogFilter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The collector's address does not parse.
    #[error("OTLP endpoint {endpoint:?} is not a URL; an example: http://127.0.0.1:4317")]
    Endpoint {
        /// As given.
        endpoint: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// Only plain HTTP/2 is built in.
    #[error("OTLP endpoint {endpoint:?} must begin with http://; put a local collector in front of a remote one")]
    Scheme {
        /// As given.
        endpoint: String,
    },
    /// The exporter could not be built.
    #[error("cannot build the OTLP exporter")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// No thread for the exporter.
    #[error("cannot start the thread that sends spans")]
    Thread(#[source] std::io::Error),
    /// A process has one telemetry.
    #[error("telemetry was already started in this process")]
    AlreadyStarted,
    /// The last spans could not be sent in time.
    #[error("the last spans were not sent within {deadline:?}")]
    Flush {
        /// How long was waited.
        deadline: Duration,
        /// What the exporter says.
        source: opentelemetry_sdk::error::OTelSdkError,
    },
}

/// Keeps telemetry running. Shut it down last.
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    counters: Arc<Counters>,
    /// Carries the connection to the collector. Its own, so that the last spans can be sent after the actors' runtimes are
    /// gone; none without a collector.
    runtime: Option<Runtime>,
    /// See [`Telemetry::detached`].
    companion: Option<Dispatch>,
}

impl Telemetry {
    /// Starts logs and traces for the whole process.
    ///
    /// # Errors
    /// See [`TelemetryError`]; a collector that is down is none of them.
    pub fn start(options: TelemetryOptions) -> Result<Telemetry, TelemetryError> {
        let (telemetry, dispatch) = Telemetry::build(options)?;
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::AlreadyStarted)?;
        Ok(telemetry)
    }

    /// Builds the same without installing it: for a process that plays several services, with
    /// `tracing::dispatcher::with_default`, as tests do.
    ///
    /// # Errors
    /// See [`TelemetryError`].
    pub fn detached(options: TelemetryOptions) -> Result<(Telemetry, Dispatch), TelemetryError> {
        let (mut telemetry, dispatch) = Telemetry::build(options)?;
        // While there is only one subscriber, tracing asks just the current thread's whether anyone cares for a span it
        // meets for the first time, and remembers a "no" of a thread that has none. With two it asks them all.
        telemetry.companion = Some(Dispatch::new(Registry::default()));
        Ok((telemetry, dispatch))
    }

    fn build(options: TelemetryOptions) -> Result<(Telemetry, Dispatch), TelemetryError> {
        let log_filter = log_filter(&options.log_filter)?;
        let counters = Arc::new(Counters::default());
        let resource = Resource::builder_empty()
            .with_attribute(KeyValue::new("service.name", options.service_name.clone()))
            .with_attribute(KeyValue::new("service.instance.id", options.instance_id.clone()))
            .build();
        // Without a collector new traces are not recorded; those that a peer records are still passed on.
        let ratio = if options.otlp_endpoint.is_some() {
            options.sample_ratio
        } else {
            0.0
        };
        let root = Sampler::TraceIdRatioBased(ratio.clamp(0.0, 1.0));
        let mut provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(Sampler::ParentBased(Box::new(root)));
        let mut runtime = None;
        if let Some(endpoint) = &options.otlp_endpoint {
            let sending = sending_runtime()?;
            let exporter = exporter(&sending, endpoint, options.export_timeout)?;
            let processor = BoundedProcessor::new(exporter, options.span_queue.max(1), counters.clone());
            provider = provider.with_span_processor(processor);
            runtime = Some(sending);
        }
        let provider = provider.build();
        let tracer = provider.tracer("covey");
        let traces = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_threads(false)
            .with_filter(span_filter());
        let logs = tracing_subscriber::fmt::layer()
            .event_format(options.log_format)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .with_filter(log_filter);
        let telemetry = Telemetry {
            provider,
            counters,
            runtime,
            companion: None,
        };
        Ok((telemetry, Dispatch::new(Registry::default().with(traces).with(logs))))
    }

    /// What became of the spans so far.
    pub fn export_counts(&self) -> ExportCounts {
        self.counters.read()
    }

    /// Makes every panic of this process log, flush and abort. For `main`, right after the start.
    pub fn install_panic_hook(&self, process: &'static str) {
        crate::panic::install(process, self.provider.clone());
    }

    /// Sends the spans that are left, and stops. Blocks up to `deadline`: for the end of `main`, not for an arbiter.
    ///
    /// # Errors
    /// [`TelemetryError::Flush`], when the collector is down or slow: the spans are lost, and counted.
    pub fn shutdown(self, deadline: Duration) -> Result<(), TelemetryError> {
        let ended = self.provider.shutdown_with_timeout(deadline);
        ended.map_err(|source| TelemetryError::Flush { deadline, source })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // The plain drop of a runtime waits, which panics on an async thread.
            runtime.shutdown_background();
        }
    }
}

fn sending_runtime() -> Result<Runtime, TelemetryError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("telemetry").enable_all();
    builder.build().map_err(TelemetryError::Thread)
}

fn exporter(runtime: &Runtime, endpoint: &str, timeout: Duration) -> Result<SpanExporter, TelemetryError> {
    if !endpoint.starts_with("http://") {
        return Err(TelemetryError::Scheme {
            endpoint: endpoint.to_owned(),
        });
    }
    let parsed = Endpoint::from_shared(endpoint.to_owned()).map_err(|source| TelemetryError::Endpoint {
        endpoint: endpoint.to_owned(),
        source,
    })?;
    let _context = runtime.enter();
    let channel: Channel = parsed.connect_timeout(timeout).timeout(timeout).connect_lazy();
    Ok(SpanExporter::builder().with_tonic().with_channel(channel).build()?)
}

/// Spans are kept from `info` up whatever is logged: a quiet log must not cut traces.
fn span_filter() -> Targets {
    Targets::new().with_default(LevelFilter::INFO).with_targets(QUIET)
}

fn log_filter(filter: &str) -> Result<EnvFilter, TelemetryError> {
    let quiet: Vec<String> = QUIET
        .iter()
        .map(|(target, level)| format!("{target}={level}"))
        .collect();
    EnvFilter::try_new(format!("{},{filter}", quiet.join(","))).map_err(|source| TelemetryError::LogFilter {
        filter: filter.to_owned(),
        source,
    })
}

#[cfg(test)]
#[path = "start_test.rs"]
mod tests;
