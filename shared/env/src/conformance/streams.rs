//! What every form of the network must do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::PATIENCE;
use crate::Env;

/// A connection carries bytes both ways and ends when one side closes. `bind` is an address with port 0 that this host
/// may listen on; `host` is the name under which it reaches itself.
pub async fn net(env: &Env, bind: &str, host: &str) {
    let mut listener = env.net.bind(bind).await.expect("a free port is found");
    let local = listener.local_addr().expect("the address is known");
    let port = local.rsplit(':').next().expect("an address has a port").to_owned();
    let target = format!("{host}:{port}");

    let client = async {
        let mut stream = env
            .net
            .connect(&target, PATIENCE)
            .await
            .expect("the listener is reached");
        stream.write_all(b"ping").await.expect("the client writes");
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).await.expect("the client reads");
        assert_eq!(&reply, b"pong");
        stream.shutdown().await.expect("the client closes");
    };
    let server = async {
        let (mut stream, peer) = listener.accept().await.expect("a connection arrives");
        assert!(peer.contains(':'), "a peer address is host:port, not {peer}");
        let mut part = [0; 4];
        stream.read_exact(&mut part).await.expect("the server reads");
        assert_eq!(&part, b"ping");
        stream.write_all(b"pong").await.expect("the server writes");
        assert_eq!(stream.read(&mut part).await.expect("the end is seen"), 0);
    };
    futures::future::join(client, server).await;
    drop(listener);
    let refused = env.net.connect(&target, PATIENCE).await;
    assert!(refused.is_err(), "nobody listens on {target} any more");
}
