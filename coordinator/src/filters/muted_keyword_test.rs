//! Tests of muted keywords.

use covey_pipeline::Verdict::{Keep, Remove, Unjudged};

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{core, key, post, query, repost, run_context, verdicts};

fn filter(shards: FakeShards) -> (MutedKeyword, Arc<FakeShards>) {
    let shards = Arc::new(shards);
    let filter = MutedKeyword {
        shards: shards.clone(),
        timeout: Duration::from_secs(1),
    };
    (filter, shards)
}

fn mutes(words: &[&str]) -> FeedQuery {
    let mut query = query();
    let features = query.features.as_mut().expect("the query is hydrated");
    features.muted_keywords = words.iter().map(ToString::to_string).collect();
    query
}

/// Post 10 of author 2 holds what is muted, 11 does not.
fn shards() -> FakeShards {
    let mut shards = FakeShards::default();
    shards.texts.insert(key(2, 10), "Spoiler: she ALERTS nobody".into());
    shards.texts.insert(key(2, 11), "an alert for spoilers".into());
    shards
}

#[test]
fn a_muted_word_or_phrase_removes_a_post() {
    let (filter, asked) = filter(shards());
    let query = mutes(&["spoiler she", "else"]);
    let said = verdicts(&filter, &query, &mut [post(2, 10), post(2, 11)]);
    assert_eq!(said, [Remove("muted_keyword"), Keep]);
    assert_eq!(asked.asked.lock().texts, [[key(2, 10), key(2, 11)]]);
}

#[test]
fn what_is_repeated_or_quoted_counts_and_each_text_is_asked_for_once() {
    let (filter, asked) = filter(shards());
    let mut quote = post(3, 20);
    quote.core.quote_of = key(2, 10);
    // A repost of a quote shows the quoted text, too.
    let mut indirect = repost(4, 22, key(3, 20));
    let mut source = core(3, 20);
    source.quote_of = key(2, 10);
    indirect.source = source.into();
    let mut harmless = repost(3, 23, key(2, 11));
    harmless.source = core(2, 11).into();
    let unread = repost(3, 24, key(2, 11));
    let mut posts = vec![quote, repost(3, 21, key(2, 10)), indirect, harmless, unread];
    let said = verdicts(&filter, &mutes(&["spoiler"]), &mut posts);
    let muted = Remove("muted_keyword");
    // What the last one repeats could not be read: it may quote something.
    assert_eq!(said, [muted, muted, muted, Keep, Unjudged("source_unknown")]);
    // The texts of the reposts themselves are not asked for.
    assert_eq!(asked.asked.lock().texts, [[key(2, 10), key(2, 11), key(3, 20)]]);
}

#[test]
fn a_text_that_nobody_looked_at_is_not_judged() {
    let mut shards = shards();
    shards.silent.insert(key(2, 11));
    let (filter, _) = filter(shards);
    let said = verdicts(&filter, &mutes(&["spoiler"]), &mut [post(2, 10), post(2, 11)]);
    assert_eq!(said, [Remove("muted_keyword"), Unjudged("text_unknown")]);
    let mut unknown = query();
    unknown.features = None;
    assert!(filter.enable(&unknown) && filter.required());
    assert_eq!(
        verdicts(&filter, &unknown, &mut [post(2, 11)]),
        [Unjudged("lists_unknown")]
    );
}

#[test]
fn without_an_answer_it_fails_and_being_required_removes_all() {
    let mut shards = shards();
    shards.down.insert("texts");
    let (filter, _) = filter(shards);
    let (run, query) = (run_context(), mutes(&["spoiler"]));
    let mut posts = [post(2, 10)];
    let reply = futures::executor::block_on(filter.filter(&run, &query, &mut posts));
    assert!(reply.is_err());
}

#[test]
fn who_mutes_nothing_costs_nothing() {
    let (filter, _) = filter(shards());
    assert!(!filter.enable(&query()));
}
