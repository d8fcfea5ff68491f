//! Sockets by `tokio::net`.

use std::io;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::{TcpListener, TcpStream};

use crate::{BoxStream, Listener, Net};

pub(super) struct SystemNet;

struct SystemListener(TcpListener);

impl Net for SystemNet {
    fn bind<'a>(&'a self, addr: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        async move { Ok(Box::new(SystemListener(TcpListener::bind(addr).await?)) as Box<dyn Listener>) }.boxed()
    }

    fn connect<'a>(&'a self, addr: &'a str, timeout: Duration) -> BoxFuture<'a, io::Result<BoxStream>> {
        async move {
            let connecting = tokio::time::timeout(timeout, TcpStream::connect(addr)).await;
            let stream = connecting.map_err(|_| {
                io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("{addr} did not answer within {timeout:?}"),
                )
            })??;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxStream)
        }
        .boxed()
    }
}

impl Listener for SystemListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>> {
        async move {
            let (stream, peer) = self.0.accept().await?;
            stream.set_nodelay(true)?;
            Ok((Box::new(stream) as BoxStream, peer.to_string()))
        }
        .boxed()
    }

    fn local_addr(&self) -> io::Result<String> {
        Ok(self.0.local_addr()?.to_string())
    }
}
