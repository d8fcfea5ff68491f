//! The way to a coordinator.

use std::time::Duration;

use covey_api::v1::covey_client::CoveyClient;
use thiserror::Error;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

/// Where a coordinator listens unless told otherwise: the default of `coordinator.grpc_listen`.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7181";

/// The shard of the metadata, as the API numbers it: it has neither slots nor posts.
pub(crate) const METADATA: u64 = 0;

/// Largest reply taken: a thousand posts with their vectors.
const MAX_REPLY: usize = 64 << 20;

/// For every call: those with a deadline of their own end before, and no other hangs for ever.
const LONGEST: Duration = Duration::from_secs(610);

/// A connection to one coordinator; clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    rpc: CoveyClient<Channel>,
    server: String,
}

/// Why a request failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No URL.
    #[error("{server:?} is no address; write http://host:port")]
    Address {
        /// As given.
        server: String,
        /// What is wrong with it.
        source: tonic::transport::Error,
    },
    /// Nobody listens there.
    #[error("no coordinator answers at {server}; start one with `covey demo`, or name another with --server")]
    Unreachable {
        /// As given.
        server: String,
        /// What the system said.
        source: tonic::transport::Error,
    },
    /// The coordinator says no.
    #[error("{what}: {} ({}){}", status.message(), status.code(), hint(status.code()))]
    Refused {
        /// What was asked.
        what: &'static str,
        /// The answer.
        status: Box<Status>,
    },
    /// What an operator asks for cannot be.
    #[error("{what} is refused: {}; nothing has changed", status.message())]
    Denied {
        /// What was asked.
        what: &'static str,
        /// The answer.
        status: Box<Status>,
    },
}

impl ClientError {
    /// Trying again can help.
    pub fn is_temporary(&self) -> bool {
        match self {
            ClientError::Address { .. } | ClientError::Denied { .. } => false,
            ClientError::Unreachable { .. } => true,
            ClientError::Refused { status, .. } => crate::load::is_worth_a_retry(status.code()),
        }
    }
}

fn hint(code: Code) -> &'static str {
    match code {
        Code::Unavailable | Code::ResourceExhausted => ". Try again; `covey status` shows what is missing",
        Code::DeadlineExceeded => ". Give it more time with --deadline",
        Code::Unimplemented => ". The coordinator is of another release than this command",
        _ => "",
    }
}

impl Client {
    /// Connects to `server`, such as `http://127.0.0.1:7181`; `http://` may be left out.
    pub async fn connect(server: &str) -> Result<Client, ClientError> {
        let url = if server.contains("://") {
            server.to_owned()
        } else {
            format!("http://{server}")
        };
        let address = |source| ClientError::Address {
            server: server.to_owned(),
            source,
        };
        let endpoint = Endpoint::from_shared(url).map_err(address)?;
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(3))
            .timeout(LONGEST)
            .tcp_nodelay(true);
        let channel = endpoint.connect().await.map_err(|source| ClientError::Unreachable {
            server: server.to_owned(),
            source,
        })?;
        Ok(Client {
            rpc: CoveyClient::new(channel).max_decoding_message_size(MAX_REPLY),
            server: server.to_owned(),
        })
    }

    /// The generated client; calls need it mutable, so everybody gets one.
    pub fn rpc(&self) -> CoveyClient<Channel> {
        self.rpc.clone()
    }

    /// As given to [`Client::connect`].
    pub fn server(&self) -> &str {
        &self.server
    }
}

/// Names the request in its error; what cannot be is told from what failed.
pub(crate) fn denied(what: &'static str) -> impl FnOnce(Status) -> ClientError {
    move |status| {
        let for_good = status.metadata().get("retry-after-ms").is_none();
        match status.code() {
            Code::NotFound | Code::FailedPrecondition | Code::InvalidArgument => {}
            Code::ResourceExhausted if for_good => {}
            _ => return refused(what)(status),
        }
        let status = Box::new(status);
        ClientError::Denied { what, status }
    }
}

/// Names the request in its error.
pub(crate) fn refused(what: &'static str) -> impl FnOnce(Status) -> ClientError {
    move |status| ClientError::Refused {
        what,
        status: Box::new(status),
    }
}
