//! All that a replica of the random logs answers, to be compared with another one's.

use covey_shared::ids::*;
use covey_shared::model::Language;
use covey_shared::score::Ranked;
use covey_shared::wire::*;

use crate::ShardStore;
use crate::fixture::*;
use crate::random_log::USERS;

/// All that a replica answers, about everything the random logs talk of.
#[derive(Debug, PartialEq)]
pub(crate) struct Answers {
    pub(crate) hash: u64,
    pub(crate) posts: Vec<PostView>,
    pub(crate) viewers: Vec<Option<ViewerState>>,
    pub(crate) in_network: Vec<Candidate>,
    pub(crate) lists: Vec<Vec<RankedPost>>,
    pub(crate) hits: Vec<covey_shared::score::Hit>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) authors: Vec<AuthorInfo>,
    pub(crate) outbox: Vec<covey_shared::command::OutboxItem>,
    pub(crate) stats: (u64, u64, u64),
}

pub(crate) fn answers(store: &ShardStore) -> Answers {
    let view = store.view();
    let keys: Vec<PostKey> = (1..=150).map(|post| key(0, post)).collect();
    let get = GetPostsQuery {
        shards: vec![],
        keys: keys.clone(),
        with_vectors: true,
    };
    let verdicts = VerdictQuery {
        shards: vec![],
        viewer: UserId(3),
        keys,
        with_posts: true,
    };
    let authors = AuthorsQuery {
        shards: vec![],
        authors: (1..=USERS).map(UserId).collect(),
    };
    let filter = SearchFilter {
        without_labels: 3,
        no_replies: true,
        ..SearchFilter::default()
    };
    let lists = [RankedBy::Popularity, RankedBy::Newest, RankedBy::Activity].map(|by| (by, 100));
    let mut lists = lists_query(&lists, START + 10_000_000);
    let groups = [
        ListGroup::Language(Language(*b"de")),
        ListGroup::Country(*b"AT"),
        ListGroup::Topic(3),
    ];
    let by = RankedBy::Newest;
    lists
        .lists
        .extend(groups.map(|group| ListAsk { by, group, posts: 100 }));
    let stats = store.stats();
    Answers {
        hash: view
            .logical_hash(&|| false)
            .expect("the store is sound")
            .expect("nothing stops it")
            .1,
        posts: view.get_posts(&get).expect("the store is sound").value,
        viewers: (1..=USERS)
            .map(|user| view.viewer(&viewer_query(user)).ok().map(|read| read.value))
            .collect(),
        in_network: view
            .in_network(&in_network_query(3, 1..=USERS), &|| false)
            .expect("the store is sound")
            .value,
        lists: view.lists(&lists, &|| false).expect("the store is sound").value,
        hits: view
            .search(&search_query(vector(1), 40, filter), &|| false)
            .expect("the store is sound")
            .value,
        verdicts: view.verdicts(&verdicts).expect("the store is sound").value,
        authors: view.authors(&authors).expect("the store is sound").value,
        outbox: view.outbox(None, 1000).expect("the store is sound"),
        stats: (stats.posts, stats.users, stats.outbox),
    }
}

/// Compares part by part, so that a failure names the part and prints no more than that.
pub(crate) fn assert_same(left: &Answers, right: &Answers, what: &str) {
    assert_eq!(left.stats, right.stats, "stats, {what}");
    assert_eq!(left.posts.len(), right.posts.len(), "number of posts, {what}");
    for (left, right) in left.posts.iter().zip(&right.posts) {
        assert_eq!(left, right, "post, {what}");
    }
    for (left, right) in left.viewers.iter().zip(&right.viewers) {
        assert_eq!(left, right, "viewer, {what}");
    }
    let keys = |list: &[Candidate]| list.iter().map(|c| c.key.post).collect::<Vec<_>>();
    assert_eq!(
        keys(&left.in_network),
        keys(&right.in_network),
        "in-network posts, {what}"
    );
    let places = |lists: &[Vec<RankedPost>]| -> Vec<Vec<_>> {
        let places = |list: &Vec<RankedPost>| list.iter().map(RankedPost::place).collect();
        lists.iter().map(places).collect()
    };
    assert_eq!(places(&left.lists), places(&right.lists), "lists, {what}");
    let listed = |answers: &Answers| -> Vec<Candidate> {
        let listed = answers.lists.iter().flatten().map(|ranked| ranked.post);
        answers.in_network.iter().copied().chain(listed).collect()
    };
    for (left, right) in listed(left).iter().zip(&listed(right)) {
        assert_eq!(left, right, "candidate, {what}");
    }
    assert_eq!(left.hits, right.hits, "hits, {what}");
    assert_eq!(left.authors, right.authors, "authors, {what}");
    assert_eq!(left.outbox, right.outbox, "outbox, {what}");
    assert_eq!(left.verdicts.len(), right.verdicts.len(), "number of verdicts, {what}");
    for (left, right) in left.verdicts.iter().zip(&right.verdicts) {
        assert_eq!(left, right, "verdict, {what}");
    }
    assert_eq!(left.hash, right.hash, "hash, {what}");
}
