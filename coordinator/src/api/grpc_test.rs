//! gRPC over a real socket.

use covey_api::v1::covey_client::CoveyClient;
use tonic::Code;
use tonic::transport::Channel;

use super::*;
use crate::api::testing;

async fn server() -> (GrpcServer, CoveyClient<Channel>) {
    let (api, _) = testing::api(10);
    let env = Env::production(1).unwrap();
    let server = GrpcServer::start(api, &env, "127.0.0.1:0").await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap();
    let client = CoveyClient::new(channel.connect().await.unwrap());
    (server, client)
}

#[actix::test]
async fn calls_work_with_compression_and_carry_the_trace() {
    let (server, client) = server().await;
    let mut client = client
        .send_compressed(CompressionEncoding::Zstd)
        .accept_compressed(CompressionEncoding::Gzip);
    let post = v1::Post {
        post_id: 1,
        author_id: 2,
        text: "hello".into(),
        ..v1::Post::default()
    };
    let request = v1::PutPostsRequest {
        posts: vec![post],
        ..v1::PutPostsRequest::default()
    };
    let mut request = Request::new(request);
    request.metadata_mut().insert(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            .parse()
            .unwrap(),
    );
    let reply = client.put_posts(request).await.unwrap();
    let header = reply.metadata().get(TRACE_HEADER).unwrap().to_str().unwrap().to_owned();
    assert_eq!(reply.get_ref().succeeded, 1);
    assert_eq!(reply.get_ref().trace_id, header);
    server.stop(Duration::from_secs(1)).await;
}

#[actix::test]
async fn faults_have_codes_and_hints() {
    let (server, mut client) = server().await;
    let no_viewer = client.get_feed(v1::GetFeedRequest::default()).await.unwrap_err();
    assert_eq!(no_viewer.code(), Code::InvalidArgument, "{no_viewer}");
    assert!(no_viewer.metadata().get(TRACE_HEADER).is_some());
    let huge = v1::SearchRequest {
        text: "x".repeat(70 << 10),
        ..v1::SearchRequest::default()
    };
    let too_large = client.search_similar(huge).await.unwrap_err();
    assert_eq!(too_large.code(), Code::OutOfRange, "{too_large}");
    server.stop(Duration::from_secs(1)).await;
}

#[actix::test]
async fn message_that_does_not_decode_is_the_callers_fault() {
    let (server, _) = server().await;
    let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap();
    let mut raw = tonic::client::Grpc::new(channel.connect().await.unwrap());
    raw.ready().await.unwrap();
    // A text field where a list of messages should be: a valid message of another type.
    let wrong = v1::Profile {
        screen_name: "\u{1}\u{2}\u{3}".repeat(9),
        ..v1::Profile::default()
    };
    let path = "/covey.v1.Covey/PutPosts".parse().unwrap();
    let codec = covey_api::codec::Codec::<v1::Profile, v1::WriteReply>::default();
    let error = raw.unary(Request::new(wrong), path, codec).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    server.stop(Duration::from_secs(1)).await;
}

#[actix::test]
async fn port_in_use_is_a_clear_error() {
    let (server, _) = server().await;
    let (api, _) = testing::api(10);
    let env = Env::production(1).unwrap();
    let Err(error) = GrpcServer::start(api, &env, server.address()).await else {
        panic!("two servers on one port")
    };
    assert!(error.to_string().contains("--grpc"), "{error}");
    server.stop(Duration::from_secs(1)).await;
}
