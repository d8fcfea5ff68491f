//! The simulated network: turmoil's TCP, with its latencies, losses and partitions.

use std::io;
use std::time::Duration;

use covey_env::{BoxStream, Listener, Net};
use futures::FutureExt;
use futures::future::BoxFuture;
use turmoil::net::{TcpListener, TcpStream};

pub(super) struct SimNet;

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
