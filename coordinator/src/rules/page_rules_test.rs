//! Tests of page rules: posts 1, 2, 3 … in the order of their scores.

use covey_config::{CapPer, RuleConfig};
use covey_pipeline::Score;
use covey_shared::model::Topics;

use super::*;
use crate::feed::candidate::{Channel, ChannelHit};
use crate::feed::testing::{core, key, query, repost};
use crate::rules::RuleMarks;
use crate::rules::testing::{about, cap, id, inject, pin, topic};

/// Post `i` is about topic `topics[i]`; 0 = none.
fn slate(topics: &[u32]) -> Vec<FeedCandidate> {
    let one = |(i, topic): (usize, &u32)| {
        let topics: &[u32] = if *topic == 0 { &[] } else { std::slice::from_ref(topic) };
        let mut post = about(i as u64 + 1, topics);
        post.score = Score::new(1.0 / (i as f64 + 1.0)).expect("a number");
        post
    };
    topics.iter().enumerate().map(one).collect()
}

/// The page of a size, and all that was done: post, rule, effect.
fn page(rules: &[RuleConfig], posts: &mut [FeedCandidate], size: usize, first: bool) -> (Vec<u64>, Vec<String>) {
    let query = FeedQuery {
        first_page: first,
        ..query()
    };
    let order = PageRules::new(rules).arrange(&query, posts, size);
    let ids = order.iter().map(|i| posts[*i].post().0).collect();
    let told = |post: &FeedCandidate| {
        let post_id = post.post().0;
        let (rule, how) = post.rules.placed?;
        Some(format!("{post_id} {}: {how}", rules[rule].name))
    };
    (ids, posts.iter().filter_map(told).collect())
}

fn first(rules: &[RuleConfig], topics: &[u32], size: usize) -> (Vec<u64>, Vec<String>) {
    page(rules, &mut slate(topics), size, true)
}

const HELD: &str = "held back: this page has enough like it";

#[test]
fn without_a_match_nothing_moves() {
    let rules = [
        pin("a", 1, id(99)),
        inject("b", 1, topic(9)),
        cap("c", CapPer::Topic, 1),
        cap("d", CapPer::Author, 1),
    ];
    let (ids, told) = first(&rules, &[0, 0, 0, 0], 3);
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(told, [""; 0]);
    assert!(!PageRules::new(&[]).enable(&query()) && PageRules::new(&rules).enable(&query()));
}

#[test]
fn a_pin_moves_a_post_up_or_down_to_its_slot() {
    assert_eq!(first(&[pin("a", 1, id(4))], &[0; 5], 4).0, [4, 1, 2, 3]);
    assert_eq!(first(&[pin("a", 3, id(1))], &[0; 5], 4).0, [2, 3, 1, 4]);
    let (ids, told) = first(&[pin("a", 2, topic(7))], &[0, 0, 0, 7, 7], 4);
    assert_eq!(
        (ids, told),
        (vec![1, 4, 2, 3], vec!["4 a: pinned to slot 2".to_owned()])
    );
}

#[test]
fn a_pin_is_for_the_first_page_and_for_slots_of_it() {
    let rules = [pin("a", 1, id(3))];
    assert_eq!(page(&rules, &mut slate(&[0; 3]), 3, false).0, [1, 2, 3]);
    let (ids, told) = first(&[pin("a", 4, id(2))], &[0; 5], 3);
    assert_eq!((ids, told.len()), (vec![1, 2, 3], 0), "the page ends before the slot");
    // There are fewer posts than slots: it comes as late as it can.
    assert_eq!(first(&[pin("a", 9, id(1))], &[0; 3], 10).0, [2, 3, 1]);
}

#[test]
fn of_two_pins_to_one_slot_the_first_with_a_match_wins() {
    let rules = [pin("none", 1, id(99)), pin("a", 1, id(3)), pin("b", 1, id(4))];
    let (ids, told) = first(&rules, &[0; 4], 4);
    assert_eq!(ids, [3, 1, 2, 4]);
    assert_eq!(told, ["3 a: pinned to slot 1"]);
    // One post, two pins: it stands once.
    assert_eq!(
        first(&[pin("a", 1, id(3)), pin("b", 2, id(3))], &[0; 4], 4).0,
        [3, 1, 2, 4]
    );
}

#[test]
fn an_inject_sees_to_a_match_at_its_slot_or_above_on_every_page() {
    let rules = [inject("new", 2, topic(7))];
    for is_first in [true, false] {
        let (ids, told) = page(&rules, &mut slate(&[0, 0, 0, 7, 7]), 4, is_first);
        assert_eq!((ids, told), (vec![1, 4, 2, 3], vec!["4 new: put at slot 2".to_owned()]));
    }
    for topics in [[7, 0, 0, 7, 7], [0, 7, 0, 0, 7]] {
        let (ids, told) = first(&rules, &topics, 4);
        assert_eq!((ids, told.len()), (vec![1, 2, 3, 4], 0), "one is there by itself");
    }
    assert_eq!(first(&[inject("new", 9, topic(7))], &[0, 0, 0, 7], 3).0, [1, 2, 3]);
}

#[test]
fn an_inject_takes_the_next_slot_if_its_own_is_taken() {
    let rules = [pin("a", 1, id(3)), inject("b", 1, topic(7)), inject("c", 1, topic(8))];
    let (ids, told) = first(&rules, &[0, 0, 0, 7, 8], 5);
    assert_eq!(ids, [3, 4, 5, 1, 2]);
    assert_eq!(
        told,
        ["3 a: pinned to slot 1", "4 b: put at slot 2", "5 c: put at slot 3"]
    );
}

#[test]
fn a_cap_holds_back_what_is_too_much_for_the_page() {
    let rules = [cap("two", CapPer::Topic, 2)];
    let (ids, told) = first(&rules, &[7, 7, 7, 0, 7, 8, 0], 5);
    assert_eq!(ids, [1, 2, 4, 6, 7]);
    assert_eq!(told, [format!("3 two: {HELD}"), format!("5 two: {HELD}")]);
    // The page is short rather than over the cap, and what was held back may be on the next one.
    assert_eq!(first(&rules, &[7, 7, 7], 3).0, [1, 2]);
    let mut rest = slate(&[7, 7, 7]);
    rest.drain(..2);
    assert_eq!(page(&rules, &mut rest, 3, false).0, [3]);
}

#[test]
fn a_cap_counts_each_topic_both_authors_and_each_channel() {
    let mut posts = slate(&[7, 8, 0, 0]);
    posts[1].core.topics = Topics([7, 8, 0, 0]);
    assert_eq!(page(&[cap("one", CapPer::Topic, 1)], &mut posts, 4, true).0, [1, 3, 4]);
    let mut posts = slate(&[0, 0, 0]);
    let (score, author) = (posts[1].score, posts[0].author_id().0);
    posts[1] = repost(5, 2, key(author, 50));
    posts[1].score = score;
    assert_eq!(page(&[cap("one", CapPer::Author, 1)], &mut posts, 3, true).0, [1, 3]);
    // A repost is about what its original is about.
    let mut original = core(9, 50);
    original.topics = Topics([7, 0, 0, 0]);
    let mut posts = slate(&[7, 0, 0]);
    posts[1].core.repost_of = original.key;
    posts[1].source = original.into();
    assert_eq!(page(&[cap("one", CapPer::Topic, 1)], &mut posts, 3, true).0, [1, 3]);
    let mut posts = slate(&[0, 0, 0]);
    posts[0].channels[0].channel = Channel::New;
    let also = ChannelHit {
        channel: Channel::New,
        rank: 1,
        score: 0.0,
    };
    posts[2].channels.push(also);
    assert_eq!(page(&[cap("one", CapPer::Channel, 1)], &mut posts, 3, true).0, [1, 2]);
}

#[test]
fn no_pin_and_no_inject_passes_a_cap() {
    let one = cap("one", CapPer::Topic, 1);
    // The pinned post counts first, whatever ranks above it.
    let (ids, _) = first(&[one.clone(), pin("a", 3, id(4))], &[7, 0, 0, 7], 4);
    assert_eq!(ids, [2, 3, 4]);
    let rules = [one.clone(), pin("a", 1, id(3)), pin("b", 2, id(4))];
    let (ids, told) = first(&rules, &[0, 0, 7, 7], 4);
    assert_eq!(ids, [3, 1, 2]);
    assert_eq!(told, ["3 a: pinned to slot 1".to_owned(), format!("4 one: {HELD}")]);
    let mut wanted = topic(7);
    wanted.video = Some(true);
    let mut posts = slate(&[7, 0, 7]);
    posts[2].core.video_ms = 1;
    assert_eq!(page(&[one, inject("c", 2, wanted)], &mut posts, 3, true).0, [1, 2]);
}

#[test]
fn a_slate_that_was_filled_up_is_ranked_by_score() {
    let mut posts = slate(&[0, 0, 0, 0]);
    posts.swap(1, 3);
    assert_eq!(page(&[cap("one", CapPer::Topic, 1)], &mut posts, 3, true).0, [1, 2, 3]);
}

#[test]
fn each_page_is_placed_anew() {
    let rules = [pin("a", 1, id(3)), cap("one", CapPer::Topic, 1)];
    let mut posts = slate(&[7, 7, 0]);
    let told = page(&rules, &mut posts, 3, true).1;
    assert_eq!(
        page(&rules, &mut posts, 3, true).1,
        told,
        "asked again, it says the same"
    );
    assert!(posts.iter().all(|post| post.at_rest().rules == RuleMarks::default()));
}

/// The slate and the reserve of a selector that takes two, by id.
fn selected(rules: &[RuleConfig], topics: &[u32], first_page: bool) -> [Vec<u64>; 2] {
    let query = FeedQuery { first_page, ..query() };
    let selection = PageRules::new(rules).select(&query, slate(topics), 2);
    [selection.selected, selection.reserve].map(|posts| posts.iter().map(|post| post.post().0).collect())
}

#[test]
fn what_a_rule_is_to_place_is_called_up_to_be_judged() {
    let rules = [pin("a", 1, id(6)), inject("b", 1, topic(7)), inject("c", 1, topic(8))];
    let topics = [8, 0, 0, 7, 0, 0];
    assert_eq!(selected(&rules, &topics, true), [vec![1, 2, 4, 6], vec![3, 5]]);
    assert_eq!(selected(&rules, &topics, false), [vec![1, 2, 4], vec![3, 5, 6]]);
}

#[test]
fn a_rule_has_more_matches_than_one_as_some_may_not_be_shown() {
    let called = |topics: &[u32]| selected(&[inject("a", 1, topic(7))], topics, true);
    assert_eq!(called(&[0, 0, 7, 7, 0, 7, 7]), [vec![1, 2, 3, 4, 6], vec![5, 7]]);
    assert_eq!(
        called(&[0, 7, 7, 7, 0, 7, 7]),
        [vec![1, 2, 3, 4], vec![5, 6, 7]],
        "one of them is there"
    );
}

#[test]
fn two_rules_with_the_same_match_have_posts_of_their_own() {
    let rules = [pin("a", 1, topic(7)), pin("b", 2, topic(7))];
    let [judged, _] = selected(&rules, &[0, 0, 7, 7, 7, 7, 7, 7, 7], true);
    assert_eq!(judged, [1, 2, 3, 4, 5, 6, 7, 8]);
    let mut posts = slate(&[0, 0, 0, 7, 7]);
    assert_eq!(page(&rules, &mut posts, 4, true).0, [4, 5, 1, 2]);
}

/// The rules of a row: pins and injections wait for the slot that is named behind them.
fn rules_of(cell: &str) -> Vec<RuleConfig> {
    let cell = cell.replace(['`', ','], "");
    let mut words = cell.split_whitespace();
    let (mut placing, mut caps) = (Vec::new(), Vec::new());
    let mut slot = 0;
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        match word {
            "pin" => placing.extend(number().map(|post| (true, id(post)))),
            "topic" => placing.extend(number().map(|of| (false, topic(of as u32)))),
            "slot" => slot = number().expect("a slot") as usize,
            "cap" => caps.push(cap("c", CapPer::Topic, number().expect("a number") as usize)),
            // `per topic`
            "per" => drop(words.next()),
            _ => {}
        }
    }
    let placed = placing.into_iter().map(|(is_pin, which)| match is_pin {
        true => pin("p", slot, which),
        false => inject("i", slot, which),
    });
    placed.chain(caps).collect()
}

/// `1 2(7) 3` and what is behind it.
fn posts_of(cell: &str) -> Vec<(u64, u32)> {
    let end = cell.find([',', ';', ':']).unwrap_or(cell.len());
    let post = |word: &str| {
        let (post, topic) = word.split_once('(').unwrap_or((word, "0)"));
        let topic = topic.trim_end_matches(')').parse();
        (post.parse().expect("a post"), topic.expect("a topic"))
    };
    cell[..end].split_whitespace().map(post).collect()
}

/// What stands behind the posts of a page.
fn rest_holds(cell: &str, rules: &[RuleConfig], topics: &[u32]) {
    let Some((_, said)) = cell.split_once([',', ';', ':']) else {
        return;
    };
    let ((shown, told), (later, _)) = (first(rules, topics, 4), page(rules, &mut slate(topics), 4, false));
    let held = |posts: &[u64]| told == posts.iter().map(|post| format!("{post} c: {HELD}")).collect::<Vec<_>>();
    let holds = match said.trim() {
        "later pages: nothing" => later == [1, 2, 3, 4],
        "on each page" => later == shown,
        "the page ends before" | "one is there" => told.is_empty(),
        "there are no more" => shown.len() == topics.len(),
        "3 and 5 lead the reserve" => held(&[3, 5]),
        "a short page rather than one over the cap" => held(&[3]),
        "what is pinned counts first" => told.contains(&format!("1 c: {HELD}")),
        unknown => panic!("nothing checks {unknown:?}"),
    };
    assert!(holds, "{cell}: {told:?}, later {later:?}");
}

#[test]
fn the_examples_of_rules_in_the_documentation_hold() {
    let text = include_str!("../../../docs/feed-semantics.md");
    let (_, table) = text
        .split_once("| rules | slate | page of 4 |\n|---|---|---|\n")
        .expect("it is there");
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let mut rules = Vec::new();
    let mut checked = 0;
    for row in rows.iter().filter(|row| !row.contains("`pin` of")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        if cells[1] != "the same" {
            rules = rules_of(cells[1]);
        }
        let topics: Vec<u32> = posts_of(cells[2]).into_iter().map(|(_, topic)| topic).collect();
        let shown: Vec<u64> = posts_of(cells[3]).into_iter().map(|(post, _)| post).collect();
        assert_eq!(first(&rules, &topics, 4).0, shown, "{row}");
        rest_holds(cells[3], &rules, &topics);
        checked += 1;
    }
    assert!(checked >= 10 && !rules.is_empty(), "{checked} rows");
}
