//! Settings change on all coordinators while they serve.

use covey_api::v1::{GetFeedReply, GetFeedRequest, GetSettingsReply, GetSettingsRequest};
use covey_ctl::client::Client;

use crate::calls::{feed, http, ids, in_network, post_json};
use crate::feeds::followed;
use crate::process::eventually;
use crate::world::shared;

async fn settings(client: &Client) -> GetSettingsReply {
    let reply = client.rpc().get_settings(GetSettingsRequest {}).await;
    reply.expect("a coordinator knows what it serves by").into_inner()
}

fn version(reply: &GetFeedReply) -> u64 {
    reply.answer.as_ref().expect("every reply has one").config_version
}

/// A rule about one post of this test alone: other tests share the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_changes_the_feeds_of_every_coordinator_and_says_so() {
    let cluster = shared();
    let (other, coordinators) = cluster.two_coordinators().await;
    // Each looks once: what was served is not served again.
    let (authors, viewers): (Vec<u64>, Vec<u64>) = ((46_001..=46_012).collect(), (46_101..=46_400).collect());
    let token = followed(&coordinators[0], &authors, &viewers).await;
    let mut fresh = viewers.into_iter();
    let mut request = || GetFeedRequest {
        limit: 12,
        ..in_network(fresh.next().expect("a viewer who has not looked yet"), &token)
    };
    let before = ids(&feed(&coordinators[0], request()).await);
    let last = before[before.len() - 1];

    let rule = format!("feed.rule.settings_test={{kind=\"pin\",slot=1,post={last}}}");
    let (code, said) = cluster.covey(&format!("config set {rule} --dry-run"));
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = cluster.covey("config set feed.rule.settings_test.slot=1 feed.oon_factor=11");
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("out of range: 0.0 to 10.0") && said.contains("no such key"),
        "{said}"
    );
    assert_eq!(ids(&feed(&coordinators[0], request()).await), before, "nothing is set");
    let (code, said) = cluster.covey(&format!("config set {rule}"));
    assert_eq!(code, Some(0), "{said}");

    let set = settings(&coordinators[0]).await.version;
    assert!(set > 0);
    for coordinator in &coordinators {
        eventually("the rule on both coordinators", async || {
            let reply = feed(coordinator, request()).await;
            let pinned = ids(&reply)[0] == last;
            assert_eq!(pinned, version(&reply) >= set, "a feed is made by what it says");
            pinned.then_some(()).ok_or(format!("{:?}", ids(&reply)))
        })
        .await;
    }
    // Every node is told, and keeps it: a coordinator may reach any of them alone.
    for node in 1..=3 {
        let path = cluster.dir.join(format!("data/node-{node}/settings"));
        eventually("the settings on the disk of every node", async || {
            let kept = std::fs::read(&path).map_err(|error| error.to_string())?;
            let told = String::from_utf8_lossy(&kept).contains("feed.rule.settings_test");
            told.then_some(()).ok_or(format!("node {node} has older ones"))
        })
        .await;
    }
    // Who starts later knows it from the nodes.
    let (late, [_, latest]) = cluster.two_coordinators().await;
    assert!(version(&feed(&latest, request()).await) >= set);
    let shown = settings(&latest).await;
    let rule = shown
        .settings
        .iter()
        .find(|setting| setting.key == "feed.rule.settings_test");
    assert!(
        rule.is_some_and(|rule| rule.is_set && rule.file.is_empty() && rule.value.contains("slot = 1")),
        "{rule:?}"
    );

    let json = r#"{"unset": ["feed.rule.settings_test"], "by": "ann"}"#;
    let (status, body) = post_json(cluster.http, "/v1/settings:change", json);
    assert_eq!(status, 200, "{body}");
    eventually("the file on the other coordinator", async || {
        let shown = ids(&feed(&coordinators[1], request()).await);
        (shown == before).then_some(()).ok_or(format!("{shown:?}"))
    })
    .await;
    let (status, audit) = http(cluster.http, "GET", "/v1/cluster?audit=20", &[], b"").expect("an answer");
    assert_eq!(status, 200);
    for line in ["set feed.rule.settings_test={", "unset feed.rule.settings_test"] {
        assert!(audit.contains(line), "{audit}");
    }
    drop((other, late));
}
