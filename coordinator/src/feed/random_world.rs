//! Random posts, viewers and requests for tests, and what may not be shown for them, said as directly as possible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use covey_api::v1::GetFeedReply;
use covey_shared::ids::{PostId, PostKey, UserId};
use covey_shared::model::{ActionKind, Post, PostRef, Profile, RefHint, labels};
use covey_shared::wire::{Candidate, CandidateFlags, Verdict, ViewerState};
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use crate::feed::fake_shards::{FakeShards, hit, verdict};
use crate::feed::request::FeedRequest;
use crate::feed::testing::{MINUTE, VIEWER, action, ago, core};

const POSTS: u64 = 48;
/// Of one author on a page: the business rule of the tests.
pub(super) const MOST_OF_AN_AUTHOR: usize = 2;
/// The viewer is one of them.
const AUTHORS: u64 = 9;
const WORDS: [&str; 6] = ["tea", "bread", "rain", "moon", "chess", "sea"];
/// Far apart; texts of posts differ from one of them in few bits.
const HASHES: [u64; 3] = [0x1111_2222_3333_4444, 0x0f0f_f0f0_5a5a_a5a5, 0xfedc_ba98_7654_3210];
/// The default of `feed.max_post_age`.
const MAX_AGE: u64 = 48 * 60 * MINUTE;
/// No release knows it.
const UNKNOWN_LABEL: u32 = 1 << 20;
const READS: [&str; 8] = [
    "viewer",
    "in_network",
    "lists",
    "search",
    "vectors",
    "candidates",
    "verdicts",
    "texts",
];

/// One request, what the shards answer, and what is true.
pub(super) struct World {
    pub(super) shards: Arc<FakeShards>,
    pub(super) request: FeedRequest,
    /// All posts, also those that no shard gives away.
    posts: Vec<Candidate>,
}

impl World {
    /// Everything is random, also what fails.
    pub(super) fn random(seed: u64) -> World {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut world = World::calm_of(&mut rng);
        let World { shards, request, posts } = &mut world;
        let shards = Arc::get_mut(shards).expect("nobody else has them yet");
        shards.down = READS.into_iter().filter(|_| rng.random_bool(0.03)).collect();
        shards.silent = keys(posts).filter(|_| rng.random_bool(0.03)).collect();
        shards.posts.retain(|_, _| rng.random_bool(0.97));
        request.in_network_only = rng.random_bool(0.1);
        if rng.random_bool(0.5) {
            shards.state.muted_keywords.clear();
        }
        if rng.random_bool(0.2) {
            shards.state.actions.clear();
        }
        world
    }

    /// All channels are on, every rule has something to do, and nothing fails.
    pub(super) fn calm(seed: u64) -> World {
        World::calm_of(&mut SmallRng::seed_from_u64(seed))
    }

    fn calm_of(rng: &mut SmallRng) -> World {
        let mut posts: Vec<Candidate> = Vec::new();
        for id in 1..=POSTS {
            let post = random_post(rng, id, &posts);
            posts.push(post);
        }
        let mut shards = FakeShards {
            state: random_viewer(rng, &posts),
            in_network: sample(rng, &posts, 20),
            popular: sample(rng, &posts, 25),
            newest: sample(rng, &posts, 15),
            active: sample(rng, &posts, 10),
            posts: posts.iter().map(|post| (post.key, *post)).collect(),
            ..FakeShards::default()
        };
        let near = sample(rng, &posts, 15);
        shards.hits = near
            .iter()
            .map(|post| hit(post.key.author.0, post.key.post.0, 0.5))
            .collect();
        for post in &posts {
            let text: Vec<&str> = (0..3).map(|_| *WORDS.choose(rng).expect("there are words")).collect();
            shards.texts.insert(post.key, text.join(" "));
            shards.verdicts.insert(post.key, random_verdict(rng, post));
            shards.vectors.insert(post.key, vec![1.0, rng.random_range(-1.0..1.0)]);
        }
        let request = FeedRequest {
            viewer: VIEWER,
            limit: rng.random_range(1..=15),
            seen: some_ids(rng, 4),
            served: some_ids(rng, 3),
            ..FeedRequest::default()
        };
        let shards = Arc::new(shards);
        World { shards, request, posts }
    }

    fn post(&self, id: PostId) -> &Candidate {
        let at = usize::try_from(id.0).expect("a small number") - 1;
        &self.posts[at]
    }

    /// The post, and what it repeats.
    fn shown(&self, id: PostId) -> Vec<&Candidate> {
        let post = self.post(id);
        let source = (post.repost_of.post.0 != 0).then(|| self.post(post.repost_of.post));
        [Some(post), source].into_iter().flatten().collect()
    }

    /// The components whose rules forbid to show the post.
    pub(super) fn forbidden_by(&self, id: PostId) -> Vec<&'static str> {
        let (post, shown, state) = (self.post(id), self.shown(id), &self.shards.state);
        let original = shown.last().expect("at least itself");
        let mut authors: Vec<UserId> = shown.iter().map(|post| post.key.author).collect();
        authors.push(original.quote_of.author);
        let related = [id, post.repost_of.post, post.reply_to.post];
        let any_of = |list: &[PostId]| related.iter().any(|id| list.contains(id));
        let hidden = |post: &&Candidate| {
            let author = post.key.author;
            post.flags.has(CandidateFlags::SUBSCRIBERS_ONLY)
                && author != VIEWER
                && !state.subscriptions.contains(&author)
        };
        let listed = |user: &UserId| state.blocks.contains(user) || state.mutes.contains(user);
        let rules = [
            ("Age", post.created_at < ago(MAX_AGE)),
            ("SelfPost", post.key.author == VIEWER),
            ("IneligibleSubscription", shown.iter().any(hidden)),
            ("PreviouslySeen", any_of(&self.request.seen)),
            (
                "PreviouslyServed",
                any_of(&self.request.served) || any_of(&state.served),
            ),
            ("MutedKeyword", self.says_a_muted_word(original)),
            ("AuthorSocialgraph", authors.iter().any(listed)),
            ("Visibility", self.is_dropped(id)),
        ];
        rules
            .iter()
            .filter(|(_, broken)| *broken)
            .map(|(name, _)| *name)
            .collect()
    }

    fn says_a_muted_word(&self, original: &Candidate) -> bool {
        let texts = [original.key, original.quote_of];
        let mut texts = texts.iter().filter_map(|key| self.shards.texts.get(key));
        let muted = &self.shards.state.muted_keywords;
        texts.any(|text| {
            muted
                .iter()
                .any(|word| format!(" {text} ").contains(&format!(" {word} ")))
        })
    }

    /// By the verdicts; one that is missing is none.
    fn is_dropped(&self, id: PostId) -> bool {
        let shown = self.shown(id);
        let author = self.post(id).key.author;
        let in_network = author == VIEWER || self.shards.state.follows.contains(&author);
        let bad = |labels: u32| {
            labels & (labels::TAKEDOWN | UNKNOWN_LABEL) != 0
                || (!in_network && labels & (labels::SPAM | labels::NSFW) != 0)
        };
        let silent = |key: &PostKey| self.shards.silent.contains(key);
        let whole = shown.iter().map(|post| &self.shards.verdicts[&post.key]);
        let quoted = shown.last().expect("at least itself").quote_of;
        let mentioned = [quoted, self.post(id).reply_to];
        let mentioned = mentioned.iter().filter_map(|key| self.shards.verdicts.get(key));
        whole
            .into_iter()
            .any(|said| silent(&said.key) || !said.exists || said.author_blocks_viewer || bad(said.labels))
            || mentioned
                .into_iter()
                .any(|said| silent(&said.key) || (said.exists && bad(said.labels)))
            || self
                .shards
                .verdicts
                .get(&quoted)
                .is_some_and(|said| said.author_blocks_viewer)
    }

    /// What is wrong with a page, whoever answered; `off`: a component that does not work. Empty = nothing.
    pub(super) fn faults(&self, reply: &GetFeedReply, off: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let mut sources: BTreeMap<PostKey, u64> = BTreeMap::new();
        let mut authors: BTreeMap<UserId, usize> = BTreeMap::new();
        if reply.posts.len() > self.request.limit {
            faults.push(format!(
                "{} posts where {} are wanted",
                reply.posts.len(),
                self.request.limit
            ));
        }
        for post in &reply.posts {
            let id = PostId(post.post_id);
            let broken = self.forbidden_by(id);
            faults.extend(
                broken
                    .iter()
                    .filter(|rule| **rule != off)
                    .map(|rule| format!("{id}: {rule}")),
            );
            let shown = self.shown(id);
            let source = *shown.last().expect("at least itself");
            for author in shown.iter().map(|post| post.key.author).collect::<BTreeSet<_>>() {
                *authors.entry(author).or_default() += 1;
            }
            let near = |(key, hash): (&PostKey, &u64)| {
                *key != source.key && *hash != 0 && (hash ^ source.simhash).count_ones() <= 3
            };
            if source.simhash != 0 && sources.iter().any(near) && off != "ContentDuplicate" {
                faults.push(format!("{id} says what another one says"));
            }
            if sources.insert(source.key, source.simhash).is_some() && off != "RetweetDedup" {
                faults.push(format!("{id} shows {} again", source.key.post));
            }
        }
        let too_many = authors.iter().filter(|(_, count)| **count > MOST_OF_AN_AUTHOR);
        faults.extend(too_many.map(|(author, count)| format!("{count} posts of {author}")));
        faults
    }
}

fn keys(posts: &[Candidate]) -> impl Iterator<Item = PostKey> {
    posts.iter().map(|post| post.key)
}

fn sample(rng: &mut SmallRng, posts: &[Candidate], count: usize) -> Vec<Candidate> {
    let mut list: Vec<Candidate> = posts.choose_multiple(rng, count).copied().collect();
    list.shuffle(rng);
    list
}

fn some_ids(rng: &mut SmallRng, most: u64) -> Vec<PostId> {
    (0..rng.random_range(0..=most))
        .map(|_| PostId(rng.random_range(1..=POSTS)))
        .collect()
}

fn random_post(rng: &mut SmallRng, id: u64, earlier: &[Candidate]) -> Candidate {
    let mut post = core(rng.random_range(1..=AUTHORS), id);
    post.created_at = ago(rng.random_range(0..MAX_AGE * 6 / 5));
    if rng.random_bool(0.15) {
        post.flags.0 |= CandidateFlags::SUBSCRIBERS_ONLY;
    }
    if rng.random_bool(0.4) {
        let hash = *HASHES.choose(rng).expect("there are hashes");
        let flips = rng.random_range(0..6);
        post.simhash = (0..flips).fold(hash, |hash, _| hash ^ 1 << rng.random_range(0..64));
    }
    let Some(other) = earlier.choose(rng).filter(|other| other.repost_of.post.0 == 0) else {
        return post;
    };
    match rng.random_range(0..10) {
        0..2 => (post.repost_of, post.flags, post.simhash) = (other.key, CandidateFlags(0), 0),
        2 => post.quote_of = other.key,
        3 => post.reply_to = other.key,
        _ => {}
    }
    post
}

fn random_viewer(rng: &mut SmallRng, posts: &[Candidate]) -> ViewerState {
    let mut users = |share: f64| (2..=AUTHORS).filter(|_| rng.random_bool(share)).map(UserId).collect();
    let (mut follows, blocks, mutes, mut subscriptions): (Vec<_>, _, _, Vec<_>) =
        (users(0.5), users(0.1), users(0.1), users(0.3));
    // Somebody is followed, and somebody else subscribed to and not followed.
    let paid = UserId(rng.random_range(3..=AUTHORS));
    follows.retain(|user| *user != paid);
    subscriptions.push(paid);
    if follows.is_empty() {
        follows.push(UserId(2));
    }
    let liked = posts.choose_multiple(rng, 3);
    let actions = liked
        .map(|post| action(ActionKind::Favorite, post.key, ago(MINUTE)))
        .collect();
    let word = *WORDS.choose(rng).expect("there are words");
    let muted = if rng.random_bool(0.5) {
        word.to_owned()
    } else {
        format!("{word} {}", WORDS[0])
    };
    ViewerState {
        known: true,
        follows,
        blocks,
        mutes,
        subscriptions,
        topics: vec![1, 2, 3],
        profile: Profile {
            country: *b"AT",
            ..Profile::default()
        },
        muted_keywords: vec![muted],
        actions,
        served: some_ids(rng, 4),
        ..ViewerState::default()
    }
}

fn random_verdict(rng: &mut SmallRng, post: &Candidate) -> Verdict {
    const LABELS: [u32; 5] = [
        labels::TAKEDOWN,
        labels::SPAM,
        labels::NSFW,
        labels::GRAPHIC,
        UNKNOWN_LABEL,
    ];
    let labelled = rng.random_bool(0.15);
    let reference = |key: PostKey| {
        let hint = RefHint::default();
        (key.post.0 != 0).then_some(PostRef { key, hint })
    };
    let body = Post {
        key: post.key,
        repost_of: reference(post.repost_of),
        quote_of: reference(post.quote_of),
        reply_to: reference(post.reply_to),
        // As if the author had changed it since, so that not all depends on what is asked last.
        subscribers_only: post.flags.has(CandidateFlags::SUBSCRIBERS_ONLY) && rng.random_bool(0.5),
        ..Post::default()
    };
    let exists = rng.random_bool(0.95);
    Verdict {
        exists,
        labels: if labelled {
            *LABELS.choose(rng).expect("there are labels")
        } else {
            0
        },
        author_blocks_viewer: rng.random_bool(0.05),
        post: exists.then_some(body),
        ..verdict(post.key)
    }
}
