//! Business rules in the file.

use super::*;
use crate::Config;

fn parsed(rules: &str) -> Result<Vec<RuleConfig>, Vec<String>> {
    let text = format!("{rules}\n{}", crate::tests_support::NODES);
    match text.parse::<Config>() {
        Ok(config) => Ok(config.feed.rules.0),
        Err(error) => Err(error.problems().iter().map(ToString::to_string).collect()),
    }
}

fn rule(name: &str, more: &str) -> String {
    format!("[[feed.rule]]\nname = \"{name}\"\n{more}\n")
}

#[track_caller]
fn refused(rules: &str, expected: &str) {
    let found = parsed(rules).expect_err("the rule is wrong");
    assert!(found.len() == 1 && found[0].contains(expected), "{found:#?}");
}

#[test]
fn rules_keep_their_order_and_every_condition() {
    let text = rule(
        "b_2",
        "kind = \"boost\"\nfactor = 1.5\ntopic = 12\nvideo = true\nchannel = \"new\"",
    ) + &rule("a", "kind = \"cap\"\nper = \"topic\"\nmost = 2")
        + &rule(
            "c",
            "kind = \"pin\"\nslot = 1\npost = 77\nauthor = 5\nin_network = false\nlabel = \"nsfw\"",
        )
        + &rule("d", "kind = \"inject\"\nslot = 3\nlanguage = \"DE\"")
        + &rule("e", "kind = \"demote\"\nfactor = 0\ntopic = 1");
    let rules = parsed(&text).expect("sound rules");
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["b_2", "a", "c", "d", "e"]);
    assert_eq!(rules[0].action, RuleAction::Boost { factor: 1.5 });
    let matches = RuleMatch {
        channel: Some(ChannelName::New),
        topic: Some(12),
        video: Some(true),
        ..RuleMatch::default()
    };
    assert_eq!(rules[0].matches, matches);
    let cap = RuleAction::Cap {
        per: CapPer::Topic,
        most: 2,
    };
    assert_eq!((rules[1].action, rules[1].matches), (cap, RuleMatch::default()));
    assert_eq!(rules[3].matches.language, Language::parse("de"));
    // What we print we can read.
    let mut config = Config::default();
    config.feed.rules = RuleList(rules.clone());
    let again: Config = config.to_toml().parse().expect("what we print we can read");
    assert_eq!(again.feed.rules.0, rules);
    let changes = config.changes();
    assert!(
        changes.contains("[[feed.rule]] name = \"a\", kind = \"cap\", per = \"topic\", most = 2\n"),
        "{changes}"
    );
}

#[test]
fn the_environment_changes_a_rule_by_its_name() {
    let text = rule("two_each", "kind = \"cap\"\nper = \"topic\"\nmost = 2") + crate::tests_support::NODES;
    let env = [("COVEY__FEED__RULE__TWO_EACH__MOST".to_owned(), "3".to_owned())];
    let config = Config::from_parts("test.toml", &text, env).expect("a valid configuration");
    let most = RuleAction::Cap {
        per: CapPer::Topic,
        most: 3,
    };
    assert_eq!(config.feed.rules.0[0].action, most);
}

#[test]
fn a_rule_without_a_sound_name_or_kind_is_refused() {
    refused(
        "[[feed.rule]]\nkind = \"pin\"",
        "line 1: feed.rule.name: a [[feed.rule]] without name",
    );
    for name in ["", "More", "a__b", "_a", "a.b", "a-b", &"x".repeat(65)] {
        refused(&rule(name, "kind = \"pin\""), "is not the name of a rule");
    }
    let twice = rule("a", "kind = \"cap\"\nper = \"topic\"\nmost = 2").repeat(2);
    refused(&twice, "two rules have the name a");
    refused(
        &rule("a", "slot = 1\ntopic = 2"),
        "feed.rule.a.kind: rule a has no kind; write kind = \"boost\" or",
    );
    refused(
        &rule("a", "kind = \"hide\"\ntopic = 2"),
        "\"hide\" is not \"boost\" or \"demote\" or",
    );
}

#[test]
fn a_rule_says_what_it_lacks_and_what_it_cannot_take() {
    refused(&rule("a", "kind = \"pin\"\ntopic = 2"), "rule a has no slot; add it");
    refused(
        &rule("a", "kind = \"cap\"\nper = \"topic\""),
        "rule a has no most; add it",
    );
    refused(
        &rule("a", "kind = \"boost\"\nfactor = 2.0"),
        "rule a matches every post; add one of post, author",
    );
    let extra = "kind = \"pin\"\nslot = 1\nfactor = 2.0\ntopic = 2";
    refused(
        &rule("a", extra),
        "line 5: feed.rule.a.factor: a rule of kind \"pin\" takes slot, not factor",
    );
    let unknown = "kind = \"cap\"\nper = \"author\"\nmost = 2\nautor = 2";
    refused(
        &rule("a", unknown),
        "feed.rule.a.autor: there is no such key; the nearest is feed.rule.<name>.author",
    );
}

#[test]
fn values_have_ranges() {
    for (keys, expected) in [
        (
            "kind = \"boost\"\nfactor = 0.5\ntopic = 2",
            "0.5 is out of range: 1.0 to 100.0",
        ),
        (
            "kind = \"demote\"\nfactor = 1.5\ntopic = 2",
            "1.5 is out of range: 0.0 to 1.0",
        ),
        ("kind = \"pin\"\nslot = 0\ntopic = 2", "0 is out of range: 1 to 1000"),
        (
            "kind = \"cap\"\nper = \"post\"\nmost = 2",
            "\"post\" is not \"topic\" or \"author\" or \"channel\"",
        ),
        ("kind = \"pin\"\nslot = 1\ntopic = 0", "0 is out of range"),
        (
            "kind = \"pin\"\nslot = 1\nlanguage = \"deu\"",
            "\"deu\" is not a language",
        ),
        (
            "kind = \"pin\"\nslot = 1\nchannel = \"Popular\"",
            "\"Popular\" is not \"in_network\" or",
        ),
        (
            "kind = \"pin\"\nslot = 1\nlabel = \"takedown\"",
            "\"takedown\" is not \"nsfw\" or",
        ),
    ] {
        refused(&rule("a", keys), expected);
    }
}

#[test]
fn the_number_of_rules_is_bounded() {
    let many = |n: usize| -> String {
        let one = |i| rule(&format!("r{i}"), "kind = \"cap\"\nper = \"topic\"\nmost = 2");
        (0..n).map(one).collect()
    };
    assert_eq!(parsed(&many(MOST_RULES)).map(|rules| rules.len()), Ok(MOST_RULES));
    refused(&many(MOST_RULES + 1), "65 rules; at most 64");
}
