//! JSON over HTTP, by actix-web. Every body is one message in canonical proto3 JSON; errors are `{code, message,
//! retry_after_ms, trace_id}`.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::middleware::Compress;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, Route};
use covey_api::openapi::{self, HttpPath};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::api::entry::{Incoming, Outgoing};
use crate::api::errors::ApiError;
use crate::api::service::Api;
use crate::api::{DEADLINE_HEADER, TRACE_HEADER};
use crate::request::RequestContext;

/// Time for a client to send its headers: a slow one must not hold a connection for ever.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Connections of one thread.
const CONNECTIONS: usize = 10_000;

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The address is taken or not ours.
    #[error("cannot listen for HTTP on {address}; is another coordinator running? Choose another address with --http")]
    Bind {
        /// As given.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

/// How to serve.
pub(crate) struct HttpOptions {
    pub(crate) address: String,
    pub(crate) workers: usize,
    pub(crate) grace: Duration,
}

/// The running server.
pub(crate) struct HttpServer {
    handle: ServerHandle,
    addresses: Vec<SocketAddr>,
}

impl HttpServer {
    pub(crate) fn start(api: Arc<Api>, options: HttpOptions) -> Result<HttpServer, HttpError> {
        let HttpOptions {
            address,
            workers,
            grace,
        } = options;
        let app = move || {
            let api = api.clone();
            App::new()
                .wrap(Compress::default())
                .configure(|config| configure(config, api))
        };
        let server = actix_web::HttpServer::new(app)
            .workers(workers)
            .max_connections(CONNECTIONS)
            .client_request_timeout(HEADER_TIME)
            .shutdown_timeout(grace.as_secs().max(1))
            .disable_signals();
        let bound = server
            .bind(&address)
            .map_err(|source| HttpError::Bind { address, source })?;
        let addresses = bound.addrs();
        let running = bound.run();
        let handle = running.handle();
        actix_rt::spawn(running);
        Ok(HttpServer { handle, addresses })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.addresses.first().map(ToString::to_string).unwrap_or_default()
    }

    /// Lets the requests in work finish, and takes no new ones.
    pub(crate) async fn stop(self) {
        self.handle.stop(true).await;
    }
}

/// A route that answers a POST with one message by the method of [`Api`].
macro_rules! call {
    ($path:literal, $name:literal, $method:ident) => {{
        let route = web::post().to(
            |api: web::Data<Api>, request: HttpRequest, body: Result<Bytes, actix_web::Error>| {
                run(api, request, body, $name, |api, message, context| async move {
                    api.$method(message, context).await
                })
            },
        );
        let path = HttpPath {
            verb: "post",
            path: $path,
            method: $name,
            query: &[],
        };
        (path, route)
    }};
}

/// What is answered by JSON, in the order of the documents.
fn calls() -> [(HttpPath, Route); 20] {
    let get = |path, method, query| HttpPath {
        verb: "get",
        path,
        method,
        query,
    };
    [
        call!("/v1/posts:put", "PutPosts", put_posts),
        call!("/v1/posts:get", "GetPosts", get_posts),
        call!("/v1/posts:delete", "DeletePosts", delete_posts),
        call!("/v1/users:put", "PutUsers", put_users),
        call!("/v1/actions:record", "RecordActions", record_actions),
        call!("/v1/labels:set", "SetLabels", set_labels),
        call!("/v1/search", "SearchSimilar", search),
        call!("/v1/feed", "GetFeed", get_feed),
        call!("/v1/explain", "Explain", explain),
        call!("/v1/shards:check", "CheckShards", check_shards),
        call!("/v1/builds:pause", "PauseBuilds", pause_builds),
        call!("/v1/builds:resume", "ResumeBuilds", resume_builds),
        call!("/v1/operations", "StartOperation", start_operation),
        call!("/v1/operations:cancel", "CancelOperation", cancel_operation),
        call!("/v1/nodes:undrain", "UndrainNode", undrain_node),
        call!("/v1/nodes:remove", "RemoveNode", remove_node),
        call!("/v1/settings:change", "ChangeSettings", change_settings),
        (get("/v1/settings", "GetSettings", &[]), web::get().to(settings)),
        (get("/v1/status", "Status", &[]), web::get().to(status)),
        (
            get("/v1/cluster", "DescribeCluster", &["audit", "operation"]),
            web::get().to(cluster),
        ),
    ]
}

fn configure(config: &mut web::ServiceConfig, api: Arc<Api>) {
    config
        .app_data(web::PayloadConfig::new(api.max_body()))
        .app_data(web::Data::from(api))
        .default_service(web::to(nothing_here));
    let mut paths = Vec::new();
    for (path, route) in calls() {
        config.route(path.path, route);
        paths.push(path);
    }
    let document = Bytes::from(openapi::document(&paths, env!("CARGO_PKG_VERSION")).to_string());
    config
        .route(
            "/openapi.json",
            web::get().to(move || std::future::ready(openapi(document.clone()))),
        )
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz));
}

async fn run<M, R, F>(
    api: web::Data<Api>,
    request: HttpRequest,
    body: Result<Bytes, actix_web::Error>,
    name: &'static str,
    work: impl FnOnce(Arc<Api>, M, RequestContext) -> F,
) -> HttpResponse
where
    M: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Result<R, ApiError>>,
{
    let api = api.into_inner();
    let limit = api.max_body();
    let incoming = incoming(&request, name);
    let outgoing = api.serve(incoming, |api, context| async move {
        let message = message(body, limit)?;
        work(api, message, context).await
    });
    respond(outgoing.await)
}

async fn status(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let incoming = incoming(&request, "Status");
    let work = |api: Arc<Api>, context| async move { api.status(covey_api::v1::StatusRequest {}, context).await };
    respond(api.into_inner().serve(incoming, work).await)
}

async fn settings(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let incoming = incoming(&request, "GetSettings");
    let message = covey_api::v1::GetSettingsRequest {};
    let work = |api: Arc<Api>, context| async move { api.get_settings(message, context).await };
    respond(api.into_inner().serve(incoming, work).await)
}

/// What `GET /v1/cluster` may ask for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterQuery {
    #[serde(default)]
    audit: u32,
    #[serde(default)]
    operation: u64,
}

async fn cluster(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let incoming = incoming(&request, "DescribeCluster");
    let asked = web::Query::<ClusterQuery>::from_query(request.query_string());
    let work = |api: Arc<Api>, context| async move {
        let ClusterQuery { audit, operation } = asked
            .map_err(|error| ApiError::Malformed(error.to_string()))?
            .into_inner();
        let message = covey_api::v1::DescribeClusterRequest {
            audit,
            operation,
            deadline_ms: 0,
        };
        api.describe_cluster(message, context).await
    };
    respond(api.into_inner().serve(incoming, work).await)
}

/// What all of these take and return, for generators of clients.
fn openapi(document: Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document)
}

/// The process runs: everything below may be away.
async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}

/// Requests can be answered in full.
async fn readyz(api: web::Data<Api>) -> HttpResponse {
    match api.not_ready() {
        None => HttpResponse::Ok().content_type("text/plain").body("ready\n"),
        Some(why) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body(format!("not ready: {why}\n")),
    }
}

async fn nothing_here(api: web::Data<Api>, request: HttpRequest) -> HttpResponse {
    let incoming = incoming(&request, "nothing");
    let work = |_, _| async { Err::<(), _>(ApiError::NoSuchPath) };
    respond(api.into_inner().serve(incoming, work).await)
}

fn incoming(request: &HttpRequest, call: &'static str) -> Incoming {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let deadline = header(DEADLINE_HEADER).and_then(|ms| ms.trim().parse().ok());
    Incoming {
        call,
        transport: "http",
        traceparent: header("traceparent").map(str::to_owned),
        deadline: deadline.map(Duration::from_millis),
    }
}

fn message<M: DeserializeOwned>(body: Result<Bytes, actix_web::Error>, limit: usize) -> Result<M, ApiError> {
    let body = body.map_err(|error| match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit },
        _ => ApiError::Malformed(error.to_string()),
    })?;
    // An empty body is the empty message.
    let json: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(json).map_err(|error| ApiError::Malformed(error.to_string()))
}

fn respond<R: Serialize>(outgoing: Outgoing<R>) -> HttpResponse {
    let Outgoing { result, trace_id } = outgoing;
    let trace = (TRACE_HEADER, trace_id.clone());
    match result {
        Ok(reply) => HttpResponse::Ok().insert_header(trace).json(reply),
        Err(error) => {
            let outside = error.outside();
            let status = StatusCode::from_u16(outside.http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = HttpResponse::build(status);
            response.insert_header(trace);
            if let Some(pause) = outside.retry_after {
                response.insert_header(("retry-after", pause.as_millis().div_ceil(1000).to_string()));
            }
            response.json(error.body(trace_id))
        }
    }
}

#[cfg(test)]
#[path = "http_test.rs"]
mod tests;
