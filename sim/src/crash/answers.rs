//! What a replica answers, and whether two replicas answer the same.

use covey_shard::{ShardStats, ShardStoreError, ShardView};
use covey_shared::command::OutboxItem;
use covey_shared::ids::*;
use covey_shared::model::Language;
use covey_shared::score::Hit;
use covey_shared::wire::*;

use super::commands::{START, USERS, key, posts_around};
use super::settings::{DIM, SHARD};

/// More than there are rows: a search returns all of them.
const ALL: u32 = 1000;

/// All that a replica answers about what the random commands speak of.
#[derive(Debug)]
pub(super) struct Answers {
    index: LogIndex,
    hash: u64,
    figures: (u64, u64, u64),
    posts: Vec<PostView>,
    verdicts: Vec<Verdict>,
    viewers: Vec<Option<ViewerState>>,
    authors: Vec<AuthorInfo>,
    in_network: Vec<Candidate>,
    lists: Vec<Vec<RankedPost>>,
    outbox: Vec<OutboxItem>,
    /// Of an exact search: all live vectors.
    hits: Vec<Hit>,
    filtered: Vec<Hit>,
    /// Of a search by the indexes.
    found: Vec<Hit>,
    /// Damaged rows that searches reported.
    damaged_rows: u64,
}

impl Answers {
    /// Asks `view`; `stats` are taken behind the searches.
    pub(super) fn of(view: &ShardView, stats: &dyn Fn() -> ShardStats) -> Result<Answers, ShardStoreError> {
        let index = view.applied_index();
        let keys: Vec<PostKey> = posts_around(index.0).map(key).collect();
        let users = || (1..=USERS).map(UserId);
        let get = GetPostsQuery {
            shards: vec![],
            keys: keys.clone(),
            with_vectors: true,
        };
        let verdicts = VerdictQuery {
            shards: vec![],
            viewer: UserId(3),
            keys,
            with_posts: false,
        };
        let authors = AuthorsQuery {
            shards: vec![],
            authors: users().collect(),
        };
        let never = || false;
        let filter = SearchFilter {
            without_labels: 3,
            no_replies: true,
            ..SearchFilter::default()
        };
        let hits = view.search(&search(ALL, true, SearchFilter::default()), &never)?.value;
        let filtered = view.search(&search(10, true, filter), &never)?.value;
        let found = view.search(&search(10, false, SearchFilter::default()), &never)?.value;
        let stats = stats();
        Ok(Answers {
            index,
            hash: view.logical_hash(&never)?.map_or(0, |(_, hash)| hash),
            figures: (stats.posts, stats.users, stats.outbox),
            posts: view.get_posts(&get)?.value,
            verdicts: view.verdicts(&verdicts)?.value,
            viewers: users()
                .map(|user| view.viewer(&viewer(user)).ok().map(|read| read.value))
                .collect(),
            authors: view.authors(&authors)?.value,
            in_network: view.in_network(&in_network(users().collect()), &never)?.value,
            lists: view.lists(&lists(index), &never)?.value,
            outbox: view.outbox(None, 1000)?,
            hits,
            filtered,
            found,
            damaged_rows: stats.content.damaged_rows,
        })
    }

    /// Whether searches reported damaged rows.
    pub(super) fn reports_damage(&self) -> bool {
        self.damaged_rows > 0
    }

    /// Equal to those of an undisturbed replica? Where rows are damaged and that is reported, hits may be missing, but none
    /// may be wrong.
    ///
    /// # Errors
    /// The part that differs.
    pub(super) fn check(&self, expected: &Answers) -> Result<(), String> {
        let (mine, other) = (self, expected);
        same("applied index", &mine.index, &other.index)?;
        same("posts, users and outbox", &mine.figures, &other.figures)?;
        each("viewer", &mine.viewers, &other.viewers)?;
        each("author", &mine.authors, &other.authors)?;
        each("verdict", &mine.verdicts, &other.verdicts)?;
        each("in-network candidate", &mine.in_network, &other.in_network)?;
        each("list", &mine.lists, &other.lists)?;
        each("effect in the outbox", &mine.outbox, &other.outbox)?;
        // An index may miss a hit, it may not invent one or change its score.
        let true_hit = |hit: &&Hit| !other.hits.contains(hit);
        if let Some(wrong) = mine.found.iter().chain(&mine.hits).find(true_hit) {
            return Err(format!("a search found {wrong:?}, which is not so"));
        }
        if mine.reports_damage() {
            return Ok(());
        }
        each("post", &mine.posts, &other.posts)?;
        each("hit", &mine.hits, &other.hits)?;
        each("filtered hit", &mine.filtered, &other.filtered)
    }

    /// Equal logical hashes? Replicas compare them with each other: what differs there is detected and healed.
    ///
    /// # Errors
    /// The hashes.
    pub(super) fn check_hash(&self, expected: &Answers) -> Result<(), String> {
        same("logical hash", &self.hash, &expected.hash)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, mine: &T, other: &T) -> Result<(), String> {
    if mine == other {
        Ok(())
    } else {
        Err(format!("{what}: {mine:?}, an undisturbed replica has {other:?}"))
    }
}

fn each<T: PartialEq + std::fmt::Debug>(what: &str, mine: &[T], other: &[T]) -> Result<(), String> {
    mine.iter()
        .zip(other)
        .try_for_each(|(mine, other)| same(what, mine, other))?;
    same(&format!("number of: {what}"), &mine.len(), &other.len())
}

fn search(k: u32, exact: bool, filter: SearchFilter) -> SearchQuery {
    SearchQuery {
        shards: vec![],
        space: "content".into(),
        model_epoch: ModelEpoch(0),
        vectors: vec![(0..DIM).map(|x| x as f32 - 2.5).collect()],
        k,
        exact,
        recall_target: 0.0,
        filter,
    }
}

fn viewer(viewer: UserId) -> ViewerQuery {
    ViewerQuery {
        shard: ShardRead::of(SHARD, 0),
        viewer,
        max_actions: 100,
        served_since: UnixMillis(0),
    }
}

fn in_network(authors: Vec<UserId>) -> InNetworkQuery {
    InNetworkQuery {
        shards: vec![],
        viewer: UserId(3),
        followed: authors.clone(),
        authors,
        exclude: vec![],
        video_only: false,
        max_results: 1000,
        created_from: UnixMillis(0),
        complete: false,
        start: None,
    }
}

fn lists(index: LogIndex) -> ListsQuery {
    let list = |by, group| ListAsk { by, group, posts: 50 };
    let of = |by| list(by, ListGroup::All);
    let newest = |group| list(RankedBy::Newest, group);
    ListsQuery {
        shards: vec![],
        lists: vec![
            of(RankedBy::Popularity),
            of(RankedBy::Newest),
            of(RankedBy::Activity),
            newest(ListGroup::Language(Language(*b"de"))),
            newest(ListGroup::Country(*b"AT")),
            newest(ListGroup::Topic(9)),
        ],
        now: UnixMillis(START + index.0 * 10_000),
        filter: SearchFilter::default(),
    }
}
