//! A small OTLP collector over gRPC that keeps traces in memory: for the demo, and for tests with the real exporter.

mod span;
mod tree;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

pub use span::ReceivedSpan;
pub use tree::{TreeError, check_tree};

/// Spans kept by default: some hundred big traces.
const CAPACITY: usize = 65_536;

/// Why the receiver did not start.
#[derive(Debug, Error)]
pub enum ReceiverError {
    /// Not an address.
    #[error("{address:?} is not an address; an example: 127.0.0.1:4317")]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        source: std::net::AddrParseError,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// As given.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// No thread.
    #[error("cannot start the thread of the trace receiver")]
    Thread(#[source] io::Error),
}

#[derive(Default)]
struct Store {
    spans: VecDeque<ReceivedSpan>,
    capacity: usize,
    dropped: u64,
}

/// Receives until dropped. It has a thread and a runtime of its own, so that a caller may block while spans arrive.
pub struct OtlpReceiver {
    store: Arc<Mutex<Store>>,
    runtime: Option<Runtime>,
}

impl OtlpReceiver {
    /// Listens on `address` (`ip:port`, port 0 picks one) and keeps the newest 65 536 spans.
    ///
    /// # Errors
    /// See [`ReceiverError`].
    pub fn bind(address: &str) -> Result<(OtlpReceiver, SocketAddr), ReceiverError> {
        OtlpReceiver::with_capacity(address, CAPACITY)
    }

    /// Like [`OtlpReceiver::bind`], keeping the newest `capacity` spans (at least one).
    ///
    /// # Errors
    /// See [`ReceiverError`].
    pub fn with_capacity(address: &str, capacity: usize) -> Result<(OtlpReceiver, SocketAddr), ReceiverError> {
        let address: SocketAddr = address.parse().map_err(|source| ReceiverError::Address {
            address: address.to_owned(),
            source,
        })?;
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name("otlp-receiver").enable_all();
        let runtime = builder.build().map_err(ReceiverError::Thread)?;
        let listen = |source| ReceiverError::Listen { address, source };
        let context = runtime.enter();
        let incoming = TcpIncoming::bind(address).map_err(listen)?;
        drop(context);
        let bound = incoming.local_addr().map_err(listen)?;
        let store = Arc::new(Mutex::new(Store {
            capacity: capacity.max(1),
            ..Store::default()
        }));
        let service = TraceServiceServer::new(Service(store.clone()));
        runtime.spawn(async move {
            if let Err(error) = Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming)
                .await
            {
                tracing::error!(error = &error as &dyn std::error::Error, "the trace receiver stopped");
            }
        });
        let receiver = OtlpReceiver {
            store,
            runtime: Some(runtime),
        };
        Ok((receiver, bound))
    }

    /// The spans of one trace that have arrived, by start time.
    pub fn trace(&self, trace_id: [u8; 16]) -> Vec<ReceivedSpan> {
        let store = locked(&self.store);
        let mut spans: Vec<ReceivedSpan> = store.spans.iter().filter(|s| s.trace_id == trace_id).cloned().collect();
        drop(store);
        spans.sort_by_key(|span| (span.start_unix_ns, span.span_id));
        spans
    }

    /// Ids of the traces that have spans here, newest arrival first, at most `limit`.
    pub fn trace_ids(&self, limit: usize) -> Vec<[u8; 16]> {
        let mut ids = Vec::new();
        for span in locked(&self.store).spans.iter().rev() {
            if ids.len() == limit {
                break;
            }
            if !ids.contains(&span.trace_id) {
                ids.push(span.trace_id);
            }
        }
        ids
    }

    /// Spans that were dropped to make room.
    pub fn dropped(&self) -> u64 {
        locked(&self.store).dropped
    }
}

impl Drop for OtlpReceiver {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// No code panics while it holds the lock, so a poisoned one is still consistent.
fn locked(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Service(Arc<Mutex<Store>>);

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = span::read(request.into_inner());
        let mut store = locked(&self.0);
        for span in spans {
            if store.spans.len() == store.capacity {
                store.spans.pop_front();
                store.dropped += 1;
            }
            store.spans.push_back(span);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[cfg(test)]
#[path = "receiver_test.rs"]
mod tests;
