//! Tests of feed requests.

use covey_config::Config;

use super::*;

fn limits() -> Limits {
    Limits::new(&Config::default())
}

#[test]
fn feed_request_is_checked_and_its_defaults_filled_in() {
    let check = |message| feed_request(message, SessionToken::default(), &limits());
    let good = v1::GetFeedRequest {
        viewer_id: 5,
        country_code: "de".into(),
        ..v1::GetFeedRequest::default()
    };
    let request = check(good.clone()).unwrap();
    assert_eq!((request.limit, request.country), (35, *b"DE"));
    let fault = |change: &dyn Fn(&mut v1::GetFeedRequest)| {
        let mut message = good.clone();
        change(&mut message);
        check(message).unwrap_err()
    };
    assert_eq!(
        fault(&|r| r.viewer_id = 0),
        RequestFault::Missing { field: "viewer_id" }
    );
    assert!(matches!(
        fault(&|r| r.limit = 101),
        RequestFault::TooMany { field: "limit", .. }
    ));
    assert!(matches!(
        fault(&|r| r.local_time = Some(1440)),
        RequestFault::OutOfRange { .. }
    ));
    assert!(matches!(
        fault(&|r| r.kind = 3),
        RequestFault::OutOfRange { field: "kind", .. }
    ));
    let of_kind = |kind: v1::FeedKind| {
        let message = v1::GetFeedRequest {
            kind: kind as i32,
            ..good.clone()
        };
        check(message).unwrap().kind
    };
    assert_eq!(of_kind(v1::FeedKind::Unspecified), FeedKind::ForYou);
    assert_eq!(of_kind(v1::FeedKind::ForYou), FeedKind::ForYou);
    assert_eq!(of_kind(v1::FeedKind::Following), FeedKind::Following);
    let geo = |latitude| {
        Some(v1::Geo {
            latitude,
            longitude: 0.0,
        })
    };
    assert!(matches!(
        fault(&|r| r.geo = geo(f64::NAN)),
        RequestFault::OutOfRange { .. }
    ));
    assert!(matches!(
        fault(&|r| r.bloom_filter_entries = vec![v1::BloomFilterEntry::default()]),
        RequestFault::OutOfRange { .. }
    ));
    let many = check(v1::GetFeedRequest {
        seen_ids: vec![1; 20_000],
        ..good
    });
    assert_eq!(many.unwrap().seen.len(), 10_000, "a long list is cut, not refused");
}
