//! Settings go into service as a whole, between two requests.

use std::time::Duration;

use covey_api::v1;
use covey_env::Monotonic;
use covey_shared::ids::LogIndex;
use covey_shared::settings::Settings;

use super::tests::{feed, ids, popular, request, service};
use super::*;
use crate::feed::fake_shards::FakeShards;

fn settings(version: u64, values: &[(&str, &str)]) -> Arc<Settings> {
    let values = values
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Arc::new(Settings {
        version: LogIndex(version),
        values: values.collect(),
    })
}

fn start() -> FeedService {
    let shards = FakeShards {
        popular: popular(1..60),
        ..FakeShards::default()
    };
    service(shards).0
}

fn answer(reply: &GetFeedReply) -> &v1::Answer {
    reply.answer.as_ref().expect("every reply has one")
}

#[test]
fn feeds_are_made_by_what_is_set_and_say_so() {
    let service = start();
    let before = feed(&service, request()).expect("a feed");
    assert_eq!(answer(&before).config_version, 0);
    let last = *ids(&before).last().expect("ten posts");
    let pin = format!("{{ kind = \"pin\", slot = 1, post = {last} }}");
    service.learn(&settings(7, &[("feed.rule.first", &pin)]));
    let after = feed(&service, request()).expect("a feed");
    assert_eq!((answer(&after).config_version, ids(&after)[0]), (7, last));
    service.learn(&settings(9, &[("feed.rule.first", "off")]));
    let off = feed(&service, request()).expect("a feed");
    assert_eq!((answer(&off).config_version, ids(&off)), (9, ids(&before)));
}

#[test]
fn a_request_ends_with_what_it_began_with() {
    let shards = FakeShards {
        popular: popular(1..60),
        delays: [("viewer", Duration::from_millis(40))].into(),
        ..FakeShards::default()
    };
    let (service, _) = service(shards);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let context = RequestContext {
        deadline: Monotonic(Duration::from_secs(102)),
        trace_id: String::new(),
    };
    let during = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        service.learn(&settings(7, &[("feed.popular.enabled", "false")]));
    };
    let (reply, ()) = runtime.block_on(async { tokio::join!(service.feed(request(), &context), during) });
    let reply = reply.expect("a feed");
    assert_eq!((answer(&reply).config_version, reply.posts.len()), (0, 10));
    let next = FeedRequest {
        cursor: reply.cursor.clone(),
        is_bottom_request: true,
        ..request()
    };
    let next = feed(&service, next).expect("a page");
    assert_eq!(
        (answer(&next).config_version, next.posts.len()),
        (7, 0),
        "it kept its reserve by what it began with"
    );
}

#[test]
fn a_page_is_not_taken_from_what_older_settings_ranked() {
    let service = start();
    let first = feed(&service, request()).expect("a feed");
    let next = || FeedRequest {
        cursor: first.cursor.clone(),
        is_bottom_request: true,
        ..request()
    };
    let resumed = |reply: &GetFeedReply| !answer(reply).timings_ms.contains_key("source");
    let second = feed(&service, next()).expect("a page");
    assert!(resumed(&second), "{:?}", answer(&second).timings_ms);
    service.learn(&settings(7, &[("feed.popular.enabled", "false")]));
    let empty = feed(&service, next()).expect("a page");
    assert!(
        !resumed(&empty) && empty.posts.is_empty(),
        "no channel finds anything now"
    );
}

#[test]
fn settings_that_do_not_fit_leave_those_before_in_service_and_say_why() {
    let service = start();
    service.learn(&settings(7, &[("feed.oon_factor", "0.5")]));
    service.learn(&settings(
        8,
        &[("feed.oon_factor", "0.25"), ("feed.of_a_newer_release", "1")],
    ));
    let now = service.in_service();
    let (serving, problem) = (&now.serving, now.problem.as_ref());
    assert_eq!(
        (serving.settings.version, serving.config.feed.oon_factor),
        (LogIndex(7), 0.5)
    );
    let problem = problem.expect("there is one");
    assert!(problem.contains("feed.of_a_newer_release"), "{problem}");
    assert_eq!(answer(&feed(&service, request()).expect("a feed")).config_version, 7);
    service.learn(&settings(9, &[("feed.oon_factor", "0.25")]));
    // What comes late changes nothing.
    service.learn(&settings(8, &[("feed.oon_factor", "0.125")]));
    let now = service.in_service();
    assert_eq!((now.serving.config.feed.oon_factor, &now.problem), (0.25, &None));
}
