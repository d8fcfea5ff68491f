//! Plain TCP streams. TLS and framing are the caller's.

use std::io;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connected byte stream, with Nagle's algorithm off: our frames are small and wait for no company.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A [`Stream`] of any kind.
pub type BoxStream = Box<dyn Stream>;

/// Opens and accepts connections.
pub trait Net: Send + Sync {
    /// Listens on `addr` (`host:port`; port 0 picks a free one).
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;

    /// Connects to `addr` (`host:port`), or fails with `TimedOut`.
    fn connect<'a>(&'a self, addr: &'a str, timeout: Duration) -> BoxFuture<'a, io::Result<BoxStream>>;
}

/// A listening socket.
pub trait Listener: Send {
    /// The next connection and the peer's address as text. Dropping the future loses no connection.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>>;

    /// The bound address as `ip:port`.
    fn local_addr(&self) -> io::Result<String>;
}
