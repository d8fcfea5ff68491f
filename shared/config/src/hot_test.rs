//! Settings over a file.

use covey_shared::ids::LogIndex;

use super::*;
use crate::tests_support::NODES;

const RULES: &str = "
[[feed.rule]]
name = \"topics\"
kind = \"cap\"
per = \"topic\"
most = 2
[[feed.rule]]
name = \"news\"
kind = \"boost\"
topic = 7
factor = 2.0
";

fn base() -> Config {
    format!("{NODES}[feed]\noon_factor = 0.5\ntop_k = 60\n{RULES}")
        .parse()
        .expect("a sound file")
}

fn with(settings: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let values = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    base().with(&Settings {
        version: LogIndex(1),
        values: values.collect(),
    })
}

fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let error = with(settings).expect_err("it is refused");
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn settings_win_over_the_file_and_leave_the_rest() {
    assert_eq!(with(&[]).expect("nothing is set"), base());
    let config = with(&[
        ("feed.oon_factor", "0.25"),
        ("feed.max_post_age", "off"),
        ("feed.weights.reply", "-3"),
    ]);
    let mut expected = base();
    expected.feed.oon_factor = 0.25;
    expected.feed.max_post_age = None;
    expected.feed.weights.reply = -3.0;
    assert_eq!(config.expect("sound settings"), expected);
}

#[test]
fn rules_are_set_changed_switched_off_and_added() {
    let config = with(&[
        ("feed.rule.topics", "{ kind = \"cap\", per = \"author\", most = 1 }"),
        ("feed.rule.topics.most", "4"),
        ("feed.rule.news", "off"),
        ("feed.rule.cup", "{ kind = \"pin\", slot = 1, post = 77 }"),
        ("feed.rule.gone", "off"),
    ]);
    let config = config.expect("sound settings");
    let lines: Vec<_> = config
        .hot_keys()
        .into_iter()
        .filter(|key| key.path.starts_with("feed.rule."))
        .collect();
    let lines: Vec<_> = lines.iter().map(|key| format!("{}={}", key.path, key.value)).collect();
    assert_eq!(
        lines,
        [
            "feed.rule.topics={ kind = \"cap\", per = \"author\", most = 4 }",
            "feed.rule.cup={ kind = \"pin\", slot = 1, post = 77 }",
        ]
    );
}

#[test]
fn what_is_wrong_is_said_all_at_once() {
    let found = problems(&[
        ("feed.oon_factor", "11"),
        ("feed.oon_facto", "1"),
        ("feed.rule.two.most", "1"),
        ("feed.rule.News", "off"),
        ("feed.rule.topics", "most = 2"),
        ("feed.rule.cup", "{ kind = \"pin\", slot = 0, post = 77 }"),
        ("feed.popular.half_life", "1h"),
        ("raft.tick", "1s"),
        ("node.1.listen", "127.0.0.1:1"),
        ("feed.top_k", "2000"),
    ]);
    let all = found.join("\n");
    let cold = "is read when a process starts: write it into cluster.toml; keys that can be set are marked hot there";
    for expected in [
        "setting feed.oon_factor: \"11\" is out of range: 0.0 to 10.0",
        "setting feed.oon_facto: there is no such key; the nearest is feed.oon_factor",
        "setting feed.rule.two.most: there is no such key; the nearest is feed.rule.<name>.most",
        "setting feed.rule.News: \"News\" is not the name of a rule",
        "setting feed.rule.topics: is not a rule in one line",
        "setting feed.rule.cup: feed.rule.cup.slot: 0 is out of range: 1 to 1000",
        &format!("setting feed.popular.half_life: {cold}"),
        &format!("setting raft.tick: {cold}"),
        &format!("setting node.1.listen: {cold}"),
        "setting feed.top_k: is larger than feed.l2_candidates",
    ] {
        assert!(all.contains(expected), "{expected}\nnot in\n{all}");
    }
    assert_eq!(found.len(), 10, "{all}");
}

#[test]
fn keys_that_disagree_with_the_file_are_refused() {
    assert_eq!(
        problems(&[("feed.l2_candidates", "59")]),
        ["file: feed.top_k: is larger than feed.l2_candidates"]
    );
    with(&[("feed.l2_candidates", "60")]).expect("as many");
}

/// Nodes read these, or a process when it starts.
#[test]
fn these_keys_of_the_feed_are_not_hot() {
    let keys = base()
        .keys()
        .into_iter()
        .filter(|key| key.path.starts_with("feed.") && !key.hot);
    let cold: Vec<_> = keys.map(|key| key.path).collect();
    assert_eq!(
        cold,
        [
            "feed.result_size",
            "feed.served_suppression",
            "feed.verdict_staleness",
            "feed.in_network.scan_per_author",
            "feed.in_network.originals_per_author",
            "feed.in_network.secondary_per_author",
            "feed.popular.half_life",
            "feed.new.max_followers",
            "feed.active.half_life",
            "feed.impressions.per_generation",
            "feed.impressions.generations",
            "feed.impressions.false_positives",
        ]
    );
}

#[test]
fn a_rule_may_become_one_of_another_kind() {
    let config = with(&[("feed.rule.news", "{ kind = \"pin\", slot = 1, post = 77 }")]).expect("sound settings");
    let news = config.hot_keys().into_iter().find(|key| key.path == "feed.rule.news");
    assert_eq!(
        news.map(|key| key.value).as_deref(),
        Some("{ kind = \"pin\", slot = 1, post = 77 }")
    );
}

/// To an end of its range at which it is not, or to the next number: what is marked must be laid over.
#[test]
fn every_key_that_is_marked_can_be_set() {
    let keys: Vec<_> = base().keys().into_iter().filter(|key| key.hot).collect();
    assert!(keys.len() > 50, "{}", keys.len());
    for key in keys {
        let range = key.range.as_deref().unwrap_or("true to false");
        let ends = range.split(" to ").filter(|end| *end != key.value.trim_matches('"'));
        let next = key.value.parse::<u64>().ok().map(|now| (now + 1).to_string());
        let values = ends.map(str::to_owned).chain(next);
        let set: Vec<_> = values.filter_map(|value| with(&[(&key.path, &value)]).ok()).collect();
        assert!(!set.is_empty(), "{} in {range}", key.path);
        for config in set {
            assert_ne!(config, base(), "{} makes no difference", key.path);
        }
    }
}
