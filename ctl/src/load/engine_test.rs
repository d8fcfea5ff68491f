//! The engine against a server in this process that is strict about order and sometimes says no.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use covey_api::v1::covey_server::{Covey, CoveyServer};
use covey_api::v1::*;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response};

use super::*;
use crate::load::group::references;
use crate::load::{Error, Format, load};
use crate::world::{World, WorldSpec};

type Reply<T> = Result<Response<T>, Status>;
use tonic::Status;

#[derive(Default)]
struct Books {
    users: BTreeSet<u64>,
    posts: BTreeMap<u64, Post>,
    /// By identity, so that a retry counts once.
    actions: BTreeSet<(u64, u64, usize)>,
    /// References to posts that were not there yet.
    early: Vec<u64>,
    calls: u64,
}

/// Every `hiccup`-th write is refused for now, in one of three ways; after `dies_at` posts all are refused for good.
#[derive(Clone, Default)]
struct Fake {
    books: Arc<Mutex<Books>>,
    hiccup: u64,
    dies_at: Option<usize>,
}

impl Fake {
    fn write(&self, items: usize, mut each: impl FnMut(&mut Books, usize) -> ItemStatus) -> Reply<WriteReply> {
        let mut books = self.books.lock().unwrap();
        books.calls += 1;
        if self.dies_at.is_some_and(|limit| books.posts.len() >= limit) {
            return Err(Status::internal("out of order"));
        }
        let trouble = if self.hiccup > 0 && books.calls.is_multiple_of(self.hiccup) {
            books.calls / self.hiccup % 3
        } else {
            3
        };
        if trouble == 0 {
            return Err(Status::unavailable("no leader"));
        }
        let mut result = |index: usize| {
            let failed = trouble == 1 && index % 2 == 1;
            let status = if failed {
                ItemStatus::Unavailable
            } else {
                each(&mut books, index)
            };
            ItemResult {
                index: index as u32,
                status: status.into(),
                message: "for a reason".into(),
            }
        };
        let results = (0..items).map(&mut result).collect();
        if trouble == 2 {
            // Done, but the answer is lost.
            return Err(Status::deadline_exceeded("too slow"));
        }
        Ok(Response::new(WriteReply {
            results,
            ..WriteReply::default()
        }))
    }
}

fn none<T>() -> Reply<T> {
    Err(Status::unimplemented("not in this test"))
}

#[tonic::async_trait]
impl Covey for Fake {
    async fn put_posts(&self, request: Request<PutPostsRequest>) -> Reply<WriteReply> {
        let posts = request.into_inner().posts;
        self.write(posts.len(), |books, index| {
            let post = &posts[index];
            if post.text == "refuse me" {
                return ItemStatus::Invalid;
            }
            let missing: Vec<u64> = references(post)
                .filter(|other| !books.posts.contains_key(other))
                .collect();
            books.early.extend(missing);
            books.posts.insert(post.post_id, post.clone());
            ItemStatus::Ok
        })
    }

    async fn put_users(&self, request: Request<PutUsersRequest>) -> Reply<WriteReply> {
        let users = request.into_inner().users;
        self.write(users.len(), |books, index| {
            books.users.insert(users[index].user_id);
            ItemStatus::Ok
        })
    }

    async fn record_actions(&self, request: Request<RecordActionsRequest>) -> Reply<WriteReply> {
        let request = request.into_inner();
        self.write(request.actions.len(), |books, index| {
            let post = request.actions[index].post_id;
            if !books.posts.contains_key(&post) {
                books.early.push(post);
            }
            books.actions.insert((request.client_id, request.sequence, index));
            ItemStatus::Ok
        })
    }

    async fn get_posts(&self, _: Request<GetPostsRequest>) -> Reply<GetPostsReply> {
        none()
    }

    async fn delete_posts(&self, _: Request<DeletePostsRequest>) -> Reply<WriteReply> {
        none()
    }

    async fn set_labels(&self, _: Request<SetLabelsRequest>) -> Reply<WriteReply> {
        none()
    }

    async fn search_similar(&self, _: Request<SearchRequest>) -> Reply<SearchReply> {
        none()
    }

    async fn get_feed(&self, _: Request<GetFeedRequest>) -> Reply<GetFeedReply> {
        none()
    }

    async fn explain(&self, _: Request<ExplainRequest>) -> Reply<ExplainReply> {
        none()
    }

    async fn status(&self, _: Request<StatusRequest>) -> Reply<StatusReply> {
        none()
    }

    async fn check_shards(&self, _: Request<CheckShardsRequest>) -> Reply<CheckShardsReply> {
        none()
    }

    async fn start_operation(&self, _: Request<StartOperationRequest>) -> Reply<StartOperationReply> {
        none()
    }

    async fn cancel_operation(&self, _: Request<CancelOperationRequest>) -> Reply<CancelOperationReply> {
        none()
    }

    async fn undrain_node(&self, _: Request<UndrainNodeRequest>) -> Reply<UndrainNodeReply> {
        none()
    }

    async fn get_settings(&self, _: Request<GetSettingsRequest>) -> Reply<GetSettingsReply> {
        none()
    }

    async fn change_settings(&self, _: Request<ChangeSettingsRequest>) -> Reply<ChangeSettingsReply> {
        none()
    }

    async fn remove_node(&self, _: Request<RemoveNodeRequest>) -> Reply<RemoveNodeReply> {
        none()
    }

    async fn describe_cluster(&self, _: Request<DescribeClusterRequest>) -> Reply<DescribeClusterReply> {
        none()
    }

    async fn pause_builds(&self, _: Request<PauseBuildsRequest>) -> Reply<BuildsReply> {
        none()
    }

    async fn resume_builds(&self, _: Request<ResumeBuildsRequest>) -> Reply<BuildsReply> {
        none()
    }
}

async fn serve(fake: &Fake) -> Client {
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let service = CoveyServer::new(fake.clone());
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    Client::connect(&address.to_string()).await.unwrap()
}

fn world() -> Format {
    let spec = WorldSpec {
        users: 300,
        posts: 3_000,
        sessions: 100,
        seed: 1,
        hours: 48,
        now_ms: 1_750_000_000_000,
    };
    Format::World(Arc::new(World::new(spec).unwrap()))
}

fn options(state: Option<&Path>) -> LoadOptions {
    LoadOptions {
        batch: 100,
        state: state.map(Path::to_owned),
        ..LoadOptions::default()
    }
}

fn is_complete(fake: &Fake, report: &Report) {
    let books = fake.books.lock().unwrap();
    assert_eq!((books.users.len(), books.posts.len()), (300, 3_000));
    assert_eq!(
        books.early,
        Vec::<u64>::new(),
        "nothing is written before what it refers to"
    );
    assert!(books.actions.len() > 1_000);
    assert_eq!(
        (report.bad, report.rows),
        (0, (300 + 3_000 + books.actions.len()) as u64)
    );
}

#[tokio::test]
async fn everything_arrives_once_and_in_order() {
    let fake = Fake::default();
    let report = load(serve(&fake).await, &world(), &options(None)).await.unwrap();
    is_complete(&fake, &report);
    assert_eq!((report.users, report.posts, report.retries), (300, 3_000, 0));
}

#[tokio::test]
async fn hiccups_are_retried_until_everything_is_there() {
    let fake = Fake {
        hiccup: 3,
        ..Fake::default()
    };
    let report = load(serve(&fake).await, &world(), &options(None)).await.unwrap();
    is_complete(&fake, &report);
    assert!(report.retries > 10);
}

#[tokio::test]
async fn an_interrupted_load_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let books = Arc::default();
    let dying = Fake {
        books: Arc::clone(&books),
        dies_at: Some(1_500),
        ..Fake::default()
    };
    let error = load(serve(&dying).await, &world(), &options(Some(&state)))
        .await
        .unwrap_err();
    let Error::Load(LoadError::Send { rows, .. }) = &error else {
        panic!("{error}")
    };
    assert!(
        *rows > 0 && state.exists() && error.to_string().contains("goes on from there"),
        "{error}"
    );
    let healthy = Fake {
        books,
        ..Fake::default()
    };
    let report = load(serve(&healthy).await, &world(), &options(Some(&state)))
        .await
        .unwrap();
    assert_eq!(report.resumed_at, *rows);
    is_complete(&healthy, &report);
    assert!(!state.exists(), "a complete load leaves no checkpoint");
}

#[tokio::test]
async fn bad_rows_and_refused_items_are_reported_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posts.jsonl");
    let post = |id: u64, text: &str| format!("{{\"post\":{{\"post_id\":{id},\"author_id\":1,\"text\":\"{text}\"}}}}\n");
    let text = [
        post(1, "good"),
        "nonsense\n".to_owned(),
        post(2, "refuse me"),
        post(3, "good"),
    ]
    .concat();
    std::fs::write(&path, text).unwrap();
    let fake = Fake::default();
    let report = load(serve(&fake).await, &Format::Jsonl(path), &options(None))
        .await
        .unwrap();
    assert_eq!((report.posts, report.bad, report.rows), (2, 2, 4));
    assert_eq!(report.first_bad.iter().map(|bad| bad.0).collect::<Vec<_>>(), [2, 3]);
}

#[tokio::test]
async fn rebasing_moves_the_newest_record_to_now() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("posts.jsonl");
    let post = |id: u64, at: u64| {
        format!("{{\"post\":{{\"post_id\":{id},\"author_id\":1,\"text\":\"x\",\"created_at_ms\":{at}}}}}\n")
    };
    std::fs::write(&path, [post(1, 1_000), post(2, 4_000), post(3, 2_000)].concat()).unwrap();
    let fake = Fake::default();
    let rebased = LoadOptions {
        rebase_to_ms: Some(10_000),
        ..options(None)
    };
    let report = load(serve(&fake).await, &Format::Jsonl(path), &rebased).await.unwrap();
    assert_eq!(report.shift_ms, 6_000);
    let times: Vec<u64> = fake
        .books
        .lock()
        .unwrap()
        .posts
        .values()
        .map(|post| post.created_at_ms)
        .collect();
    assert_eq!(times, [7_000, 10_000, 8_000]);
    let pipe = load(serve(&fake).await, &Format::Jsonl("-".into()), &rebased).await;
    assert!(matches!(pipe, Err(Error::RebasePipe)));
}
