//! The simulated network: turmoil's TCP, with its latencies, losses and partitions.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use covey_env::{BoxStream, Listener, Net};
use futures::FutureExt;
use futures::future::BoxFuture;
use turmoil::net::{TcpListener, TcpStream};

use crate::process::Process;

/// The processes of all hosts that take connections, by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours(Arc<BTreeMap<String, Process>>);

impl Neighbours {
    pub(crate) fn new(processes: impl IntoIterator<Item = (String, Process)>) -> Neighbours {
        Neighbours(Arc::new(processes.into_iter().collect()))
    }

    /// Whether the machine at `addr` hears of one more who wants a connection.
    fn hears(&self, addr: &str) -> bool {
        let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
        self.0.get(host).is_none_or(Process::knock)
    }
}

pub(super) struct SimNet {
    pub(super) neighbours: Neighbours,
}

impl Net for SimNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        async move {
            let port = addr.rsplit(':').next().and_then(|p| p.parse::<u16>().ok());
            let port = port.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no port in the address"))?;
            let listener = TcpListener::bind(("0.0.0.0", port)).await?;
            Ok(Box::new(SimListener(listener)) as Box<dyn Listener>)
        }
        .boxed()
    }

    fn connect<'a>(&'a self, addr: &'a str, timeout: Duration) -> BoxFuture<'a, io::Result<BoxStream>> {
        async move {
            if !self.neighbours.hears(addr) {
                tokio::time::sleep(timeout).await;
                return Err(io::ErrorKind::TimedOut.into());
            }
            match tokio::time::timeout(timeout, TcpStream::connect(addr)).await {
                Ok(stream) => Ok(Box::new(stream?) as BoxStream),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            }
        }
        .boxed()
    }
}

struct SimListener(TcpListener);

impl Listener for SimListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>> {
        async move {
            let (stream, peer) = self.0.accept().await?;
            Ok((Box::new(stream) as BoxStream, peer.to_string()))
        }
        .boxed()
    }

    fn local_addr(&self) -> io::Result<String> {
        Ok(self.0.local_addr()?.to_string())
    }
}
