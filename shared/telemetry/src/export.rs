//! The way of a span to the collector: bounded, and counted at every place where it can be lost.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// How often a batch that is not full is sent. Short, so that a trace can be looked at right after the request.
const DELAY: Duration = Duration::from_millis(500);
/// Spans per message to the collector.
const BATCH: usize = 512;

/// What became of the finished, sampled spans of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportCounts {
    /// Accepted by the collector.
    pub exported: u64,
    /// Lost because the collector was unreachable or refused them.
    pub failed: u64,
    /// Lost because the queue was full.
    pub dropped: u64,
    /// Not sent yet.
    pub queued: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    queued: AtomicUsize,
}

impl Counters {
    pub(crate) fn read(&self) -> ExportCounts {
        ExportCounts {
            exported: self.exported.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed) as u64,
        }
    }
}

/// Counts what the exporter under it reports.
struct CountedExporter<E> {
    inner: E,
    counters: Arc<Counters>,
}

impl<E> fmt::Debug for CountedExporter<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedExporter").finish_non_exhaustive()
    }
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.inner.export(batch).await;
        let counter = if result.is_ok() {
            &self.counters.exported
        } else {
            &self.counters.failed
        };
        counter.fetch_add(spans as u64, Ordering::Relaxed);
        self.counters.queued.fetch_sub(spans, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// A batch processor that drops, and counts, what its queue cannot hold. The one of the SDK drops too, without telling.
#[derive(Debug)]
pub(crate) struct BoundedProcessor {
    inner: BatchSpanProcessor,
    queue: usize,
    counters: Arc<Counters>,
}

impl BoundedProcessor {
    pub(crate) fn new<E: SpanExporter + 'static>(exporter: E, queue: usize, counters: Arc<Counters>) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(queue)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let exporter = CountedExporter {
            inner: exporter,
            counters: counters.clone(),
        };
        let inner = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        BoundedProcessor { inner, queue, counters }
    }
}

impl SpanProcessor for BoundedProcessor {
    fn on_start(&self, span: &mut Span, context: &opentelemetry::Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.counters.queued.fetch_add(1, Ordering::Relaxed) >= self.queue {
            self.counters.queued.fetch_sub(1, Ordering::Relaxed);
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
