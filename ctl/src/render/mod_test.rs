//! Cards and screens say what matters.

use covey_api::v1::*;

use super::text::Style;
use super::{cards, explain, status};

const NOW: u64 = 1_750_000_000_000;

fn reply() -> GetFeedReply {
    let post = FeedPost {
        post_id: 101,
        author_id: 8,
        text: "Steam matters more than flour.".into(),
        score: 0.41,
        last_scored_at_ms: NOW,
        in_network: true,
        served_type: vec![Channel::InNetwork.into(), Channel::Popular.into()],
        screen_names: [(8, "mira_fjord".to_owned())].into(),
        created_at_ms: NOW - 14 * 60_000,
        media: vec![Media {
            kind: MediaKind::Video.into(),
            url: String::new(),
            duration_ms: 20_000,
        }],
        ..FeedPost::default()
    };
    let repost = FeedPost {
        post_id: 102,
        author_id: 9,
        retweeted_post_id: 101,
        retweeted_user_id: 8,
        text: "Steam matters more than flour.".into(),
        ..post.clone()
    };
    GetFeedReply {
        posts: vec![post, repost],
        answer: Some(Answer {
            coverage: 1.0,
            trace_id: "abc".into(),
            ..Answer::default()
        }),
        ..GetFeedReply::default()
    }
}

#[test]
fn a_card_says_who_when_what_and_why() {
    let text = cards::feed(&reply(), 7, 41.3, NOW, Style::plain());
    for part in [
        "Feed of user 7 · 2 posts, 2 in network · 41 ms",
        " 1. @mira_fjord · 14 min ago · post 101",
        "    Steam matters more than flour.\n    [video, 20 s]",
        "    why: you follow them and popular now · score 0.4100",
        " 2. user 9 · 14 min ago · reposts @mira_fjord · post 102",
        "complete answer",
        "trace abc",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let mut following = reply();
    for post in &mut following.posts {
        (post.score, post.last_scored_at_ms) = (0.0, 0);
    }
    let text = cards::feed(&following, 9, 41.3, NOW, Style::plain());
    assert!(text.contains("why: you follow them and popular now\n"), "{text}");
    assert!(text.contains("why: you wrote it\n"), "{text}");
}

#[test]
fn an_explained_card_shows_ranks_and_score_steps() {
    let explanation = PostExplanation {
        post: Some(PostKey {
            author_id: 8,
            post_id: 101,
        }),
        channels: vec![ChannelHit {
            channel: Channel::OutOfNetwork.into(),
            rank: 12,
            score: 0.8,
        }],
        l1_score: 1.5,
        score_steps: vec![ScoreStep {
            scorer: "OutOfNetwork".into(),
            before: 0.4,
            after: 0.3,
            note: "× 0.75".into(),
        }],
        ..PostExplanation::default()
    };
    let mut reply = reply();
    reply.explanations = vec![explanation];
    let text = cards::feed(&reply, 7, 1.0, NOW, Style::plain());
    assert!(
        text.contains("near what you liked (#12) · first score 1.500 · OutOfNetwork 0.3000 (× 0.75)"),
        "{text}"
    );
}

#[test]
fn an_empty_feed_promises_nothing_and_what_was_skipped_has_not_failed() {
    let nothing = GetFeedReply {
        no_history: true,
        ..GetFeedReply::default()
    };
    let text = cards::feed(&nothing, 7, 1.0, NOW, Style::plain());
    assert!(
        text.contains("follows nobody and no topic, and subscribes to nobody.\n"),
        "{text}"
    );
    let mut strangers = reply();
    strangers.no_history = true;
    // All are the viewer's own, or of strangers.
    for (in_network, said) in [(true, "subscribes to nobody.\n"), (false, "acted on nothing: popular")] {
        strangers.posts.iter_mut().for_each(|post| post.in_network = in_network);
        let text = cards::feed(&strangers, 7, 1.0, NOW, Style::plain());
        assert!(text.contains(said), "{text}");
    }
    let skipped = StageReport {
        skipped: "no_candidates".into(),
        ..StageReport::default()
    };
    let failed = StageReport {
        error: "timed out".into(),
        ..StageReport::default()
    };
    let text = explain::stages(&[skipped, failed], Style::plain());
    assert!(text.contains("  skipped: no_candidates"), "{text}");
    assert!(text.contains("  failed: timed out"), "{text}");
}

#[test]
fn a_post_that_was_not_served_says_where_it_ended() {
    let reply = ExplainReply {
        explanations: vec![PostExplanation {
            post: Some(PostKey {
                author_id: 8,
                post_id: 101,
            }),
            removed: Some(Removal {
                filter: "Age".into(),
                reason: "older than 48 h".into(),
            }),
            ..PostExplanation::default()
        }],
        ..ExplainReply::default()
    };
    let text = explain::report(&reply, Style::plain());
    assert!(
        text.contains("8/101 · not served\n    removed by Age: older than 48 h"),
        "{text}"
    );
    let mut behind = reply;
    behind.explanations[0].removed = None;
    let text = explain::report(&behind, Style::plain());
    assert!(
        text.contains("8/101 · not served\n    removed by nothing: others stand before it"),
        "{text}"
    );
    // Those behind it may be on the page.
    behind.explanations[0].rules = vec![RuleEffect {
        rule: "two".into(),
        effect: "held back".into(),
        held_back: true,
    }];
    let text = explain::report(&behind, Style::plain());
    assert!(
        text.contains("removed by nothing: a rule keeps it off this page") && text.contains("rule two: held back"),
        "{text}"
    );
    assert!(!text.contains("others stand before it"), "{text}");
}

fn cluster() -> StatusReply {
    let space = SpaceStatus {
        space: "content".into(),
        rows: 100,
        indexed_rows: 80,
        recall: 0.97,
        ..SpaceStatus::default()
    };
    let replica = ReplicaStatus {
        shard: 1,
        node: 1,
        role: ReplicaRole::Leader.into(),
        spaces: vec![space],
        ..ReplicaStatus::default()
    };
    StatusReply {
        cluster: "demo".into(),
        posts: 100_000,
        nodes: vec![
            NodeStatus {
                node: 1,
                address: "127.0.0.1:7101".into(),
                reachable: true,
                resident_bytes: 412 << 20,
                replicas: vec![replica],
                ..NodeStatus::default()
            },
            NodeStatus {
                node: 2,
                address: "127.0.0.1:7102".into(),
                error: "connection refused".into(),
                ..NodeStatus::default()
            },
        ],
        shards: vec![ShardStatus {
            shard: 1,
            slot_end: 16_384,
            leader: 1,
            replicas: 1,
            wanted: 3,
            posts: 100,
            ..ShardStatus::default()
        }],
        problems: vec!["node 2 does not answer".into()],
        ..StatusReply::default()
    }
}

#[test]
fn the_status_screen_shows_nodes_shards_and_problems() {
    let text = status::human(&cluster(), Style::plain());
    for part in [
        "demo · not healthy · 100 000 posts",
        "127.0.0.1:7102        down",
        "412 MiB",
        "0–16383",
        "1/3",
        "80 %",
        "0.970",
        "! node 2 does not answer",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!((status::indexed_share(&cluster()) - 0.8).abs() < 1e-9);
}

#[test]
fn the_plain_status_has_one_fact_a_line() {
    let text = status::plain(&cluster());
    assert!(
        text.starts_with("healthy false\ncluster demo\nposts 100000\n"),
        "{text}"
    );
    assert!(
        text.contains("\nshard 1 leader 1 replicas 1/3 posts 100 lag 0\n"),
        "{text}"
    );
}
