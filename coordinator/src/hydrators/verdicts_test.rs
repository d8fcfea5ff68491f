//! Tests of verdicts.

use std::collections::BTreeSet;

use covey_shared::ids::PostId;
use covey_shared::model::{Post, PostRef, RefHint};

use super::*;
use crate::feed::fake_shards::FakeShards;
use crate::feed::testing::{key, post, query, repost, run_context};

fn hydrated(shards: FakeShards, posts: &[FeedCandidate]) -> (Vec<Result<Facts, RowError>>, Vec<Vec<PostKey>>) {
    let shards = Arc::new(shards);
    let staleness = Duration::from_millis(700);
    let verdicts = Verdicts {
        shards: shards.clone(),
        timeout: Duration::from_secs(1),
        staleness,
    };
    let known = futures::executor::block_on(verdicts.judge(&run_context(), &query(), posts)).expect("shards answer");
    let asked = std::mem::take(&mut shards.asked.lock().verdicts);
    let of_any_age = asked.iter().find(|(_, within)| *within != Some(staleness));
    assert_eq!(of_any_age, None, "a verdict must be new");
    let asked = asked.into_iter().map(|(keys, _)| keys).collect();
    (posts.iter().map(|post| facts(post, &known)).collect(), asked)
}

fn replying(author: u64, id: u64, to: PostKey) -> FeedCandidate {
    let mut reply = post(author, id);
    reply.core.reply_to = to;
    reply
}

/// A verdict on a post that answers another one.
fn verdict_on_reply(of: PostKey, to: PostKey) -> (PostKey, Verdict) {
    let reply_to = Some(PostRef {
        key: to,
        hint: RefHint::default(),
    });
    let post = Some(Post {
        key: of,
        reply_to,
        ..Post::default()
    });
    let screen_name = String::new();
    (
        of,
        Verdict {
            key: of,
            exists: true,
            labels: 0,
            author_blocks_viewer: false,
            post,
            screen_name,
        },
    )
}

#[test]
fn one_question_covers_the_post_its_source_its_quote_and_its_parent() {
    let mut quote = post(2, 10);
    quote.core.quote_of = key(3, 11);
    let posts = [
        quote,
        repost(4, 12, key(5, 13)),
        replying(6, 14, key(7, 15)),
        post(2, 16),
    ];
    let (facts, asked) = hydrated(FakeShards::default(), &posts);
    assert_eq!(asked.len(), 1);
    let ids: BTreeSet<u64> = asked[0].iter().map(|key| key.post.0).collect();
    assert_eq!(ids, (10..=16).collect());
    let facts: Vec<Facts> = facts
        .into_iter()
        .map(|facts| facts.expect("all shards answer"))
        .collect();
    assert_eq!(facts[0].quoted.as_ref().map(|verdict| verdict.key), Some(key(3, 11)));
    assert_eq!(facts[1].shown().map(|post| post.text.as_str()), Some("text of 13"));
    assert_eq!(
        facts[2].ancestors.iter().map(|verdict| verdict.key).collect::<Vec<_>>(),
        [key(7, 15)]
    );
    assert_eq!(facts[3].shown().map(|post| post.text.as_str()), Some("text of 16"));
}

#[test]
fn what_the_repeated_post_quotes_is_judged_for_the_repost() {
    let (source, mut said) = verdict_on_reply(key(5, 13), key(0, 0));
    let quotes = |post: Post| Post {
        reply_to: None,
        quote_of: Some(PostRef {
            key: key(3, 11),
            hint: RefHint::default(),
        }),
        ..post
    };
    said.post = said.post.map(quotes);
    let shards = |silent: &[PostKey]| FakeShards {
        verdicts: [(source, said.clone())].into(),
        silent: silent.iter().copied().collect(),
        ..FakeShards::default()
    };
    let posts = [repost(4, 12, source)];
    let (facts, asked) = hydrated(shards(&[]), &posts);
    let facts = facts[0].as_ref().expect("all shards answer");
    assert_eq!(facts.quoted.as_ref().map(|verdict| verdict.key), Some(key(3, 11)));
    assert_eq!(asked[1..], [[key(3, 11)]], "it is known only from the repeated post");
    let (facts, _) = hydrated(shards(&[key(3, 11)]), &posts);
    assert_eq!(facts, [Err(RowError(NO_VERDICT))]);
}

#[test]
fn a_conversation_is_judged_up_to_its_first_post() {
    let chain = [
        verdict_on_reply(key(3, 12), key(4, 11)),
        verdict_on_reply(key(4, 11), key(5, 10)),
    ];
    let shards = FakeShards {
        verdicts: chain.into(),
        ..FakeShards::default()
    };
    let (facts, asked) = hydrated(shards, &[replying(2, 13, key(3, 12))]);
    assert_eq!(asked.len(), 3);
    let above = facts[0]
        .as_ref()
        .expect("all shards answer")
        .ancestors
        .iter()
        .map(|verdict| verdict.key.post);
    assert_eq!(above.collect::<Vec<_>>(), [PostId(12), PostId(11), PostId(10)]);
}

#[test]
fn a_conversation_deeper_than_is_judged_is_not_served() {
    let chain = (0..9).map(|i| verdict_on_reply(key(2, 20 - i), key(2, 19 - i)));
    let shards = FakeShards {
        verdicts: chain.collect(),
        ..FakeShards::default()
    };
    let (facts, asked) = hydrated(shards, &[replying(2, 21, key(2, 20)), post(2, 30)]);
    assert_eq!(asked.len(), MAX_ANCESTORS);
    assert_eq!(facts[0], Err(RowError(NO_VERDICT)));
    assert!(facts[1].is_ok());
}

#[test]
fn no_answer_on_anything_it_refers_to_is_no_verdict_on_the_post() {
    let mut quote = post(2, 10);
    quote.core.quote_of = key(3, 11);
    let posts = [
        quote,
        repost(4, 12, key(3, 11)),
        replying(6, 14, key(3, 11)),
        post(3, 11),
        post(2, 16),
    ];
    let shards = FakeShards {
        silent: [key(3, 11)].into(),
        ..FakeShards::default()
    };
    let (facts, _) = hydrated(shards, &posts);
    let served: Vec<bool> = facts.iter().map(Result::is_ok).collect();
    assert_eq!(served, [false, false, false, false, true]);
}

#[test]
fn a_conversation_ends_where_a_post_is_gone() {
    let gone = Verdict {
        exists: false,
        post: None,
        ..verdict_on_reply(key(3, 12), key(4, 11)).1
    };
    let shards = FakeShards {
        verdicts: [(key(3, 12), gone)].into(),
        ..FakeShards::default()
    };
    let (facts, asked) = hydrated(shards, &[replying(2, 13, key(3, 12))]);
    assert_eq!(asked.len(), 1);
    assert!(facts[0].is_ok());
}
