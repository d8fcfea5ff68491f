//! gRPC, by tonic: the same handlers as JSON, with reflection, health and compression.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use covey_api::DESCRIPTORS;
use covey_api::v1;
use covey_api::v1::covey_server::{Covey, CoveyServer};
use covey_env::{BoxStream, Env, Listener};
use futures::stream::{self, Stream};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};
use tonic_health::server::HealthReporter;

use crate::api::TRACE_HEADER;
use crate::api::admission::grpc_timeout;
use crate::api::entry::Incoming;
use crate::api::errors::ApiError;
use crate::api::service::Api;
use crate::request::RequestContext;

/// Calls of one connection in work at once.
const STREAMS: u32 = 256;
/// Pause after a connection could not be accepted (too many open files): the reason does not pass by itself at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often the health service looks whether the cluster is reachable.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum GrpcError {
    /// The address is taken or not ours.
    #[error("cannot listen for gRPC on {address}; is another coordinator running? Choose another address with --grpc")]
    Bind {
        /// As given.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The descriptors do not decode.
    #[error("the reflection service cannot be built")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// The running server.
pub(crate) struct GrpcServer {
    address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    health: JoinHandle<()>,
}

impl GrpcServer {
    /// Serves on `address`, as tasks of the current runtime.
    pub(crate) async fn start(api: Arc<Api>, env: &Env, address: &str) -> Result<GrpcServer, GrpcError> {
        let bound = env.net.bind(address).await;
        let listener = bound.map_err(|source| GrpcError::Bind {
            address: address.to_owned(),
            source,
        })?;
        let bound = listener.local_addr().unwrap_or_else(|_| address.to_owned());
        let (reporter, health) = tonic_health::server::health_reporter();
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(STREAMS)
            .http2_keepalive_interval(Some(Duration::from_secs(30)))
            .add_service(service(api.clone()))
            .add_service(health)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = server.serve_with_incoming_shutdown(connections(listener), async {
            // Both a word and a dropped sender mean: stop.
            drop(stopped.await);
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the gRPC server ended");
            }
        });
        let health = tokio::spawn(report_health(api, reporter));
        Ok(GrpcServer {
            address: bound,
            stop,
            task,
            health,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Lets the calls in work finish, at most for `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        self.health.abort();
        // If the server has ended already, there is nobody to tell.
        _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if tokio::time::timeout(grace, self.task).await.is_err() {
            abort.abort();
        }
    }
}

fn service(api: Arc<Api>) -> CoveyServer<GrpcApi> {
    let max = api.max_body();
    CoveyServer::new(GrpcApi { api })
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .send_compressed(CompressionEncoding::Gzip)
        .send_compressed(CompressionEncoding::Zstd)
        .max_decoding_message_size(max)
        .max_encoding_message_size(usize::MAX)
}

async fn report_health(api: Arc<Api>, reporter: HealthReporter) {
    loop {
        if api.not_ready().is_none() {
            reporter.set_serving::<CoveyServer<GrpcApi>>().await;
        } else {
            reporter.set_not_serving::<CoveyServer<GrpcApi>>().await;
        }
        tokio::time::sleep(HEALTH_INTERVAL).await;
    }
}

/// A connection as tonic takes it.
struct Connection(BoxStream);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn connections(listener: Box<dyn Listener>) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold(listener, |mut listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => return Some((Ok(Connection(connection)), listener)),
                Err(error) => {
                    tracing::warn!(%error, "a gRPC connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

struct GrpcApi {
    api: Arc<Api>,
}

impl GrpcApi {
    async fn run<M, R, F>(
        &self,
        call: &'static str,
        request: Request<M>,
        work: impl FnOnce(Arc<Api>, M, RequestContext) -> F,
    ) -> Result<Response<R>, Status>
    where
        F: Future<Output = Result<R, ApiError>>,
    {
        let header = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok());
        let incoming = Incoming {
            call,
            transport: "grpc",
            traceparent: header("traceparent").map(str::to_owned),
            deadline: header("grpc-timeout").and_then(grpc_timeout),
        };
        let message = request.into_inner();
        let outgoing = self
            .api
            .serve(incoming, |api, context| work(api, message, context))
            .await;
        let reply = outgoing.result.map_err(|error| error.status(&outgoing.trace_id))?;
        let mut response = Response::new(reply);
        if let Ok(trace) = MetadataValue::try_from(outgoing.trace_id) {
            response.metadata_mut().insert(TRACE_HEADER, trace);
        }
        Ok(response)
    }
}

/// The methods of the service, each by the method of [`Api`].
macro_rules! calls {
    ($($method:ident, $name:literal, $Request:ident => $Reply:ident, $handler:ident;)*) => {
        #[tonic::async_trait]
        impl Covey for GrpcApi {
            $(async fn $method(&self, request: Request<v1::$Request>) -> Result<Response<v1::$Reply>, Status> {
                self.run($name, request, |api, message, context| async move {
                    api.$handler(message, context).await
                })
                .await
            })*
        }
    };
}

calls! {
    put_posts, "PutPosts", PutPostsRequest => WriteReply, put_posts;
    get_posts, "GetPosts", GetPostsRequest => GetPostsReply, get_posts;
    delete_posts, "DeletePosts", DeletePostsRequest => WriteReply, delete_posts;
    put_users, "PutUsers", PutUsersRequest => WriteReply, put_users;
    record_actions, "RecordActions", RecordActionsRequest => WriteReply, record_actions;
    set_labels, "SetLabels", SetLabelsRequest => WriteReply, set_labels;
    search_similar, "SearchSimilar", SearchRequest => SearchReply, search;
    get_feed, "GetFeed", GetFeedRequest => GetFeedReply, get_feed;
    explain, "Explain", ExplainRequest => ExplainReply, explain;
    status, "Status", StatusRequest => StatusReply, status;
    check_shards, "CheckShards", CheckShardsRequest => CheckShardsReply, check_shards;
    pause_builds, "PauseBuilds", PauseBuildsRequest => BuildsReply, pause_builds;
    resume_builds, "ResumeBuilds", ResumeBuildsRequest => BuildsReply, resume_builds;
    start_operation, "StartOperation", StartOperationRequest => StartOperationReply, start_operation;
    cancel_operation, "CancelOperation", CancelOperationRequest => CancelOperationReply, cancel_operation;
    undrain_node, "UndrainNode", UndrainNodeRequest => UndrainNodeReply, undrain_node;
    remove_node, "RemoveNode", RemoveNodeRequest => RemoveNodeReply, remove_node;
    describe_cluster, "DescribeCluster", DescribeClusterRequest => DescribeClusterReply, describe_cluster;
    get_settings, "GetSettings", GetSettingsRequest => GetSettingsReply, get_settings;
    change_settings, "ChangeSettings", ChangeSettingsRequest => ChangeSettingsReply, change_settings;
}

#[cfg(test)]
#[path = "grpc_test.rs"]
mod tests;
