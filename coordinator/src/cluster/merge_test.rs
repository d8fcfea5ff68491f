//! The merge over shards equals one pass over everything, whatever the layout, overlaps, retries and duplicates.

use covey_shared::ids::{LogIndex, PostId, PostKey, ShardEpoch, UserId};
use covey_shared::score::{Hit, Score};
use covey_shared::slots::{SLOTS, Slot, SlotRange};
use covey_shared::wire::{About, RankedPost};
use proptest::prelude::*;

use super::*;
use crate::cluster::reads::MAX_ROWS;
use crate::feed::testing::core;

fn hit(author: u64, post: u64, score: f32) -> Hit {
    let user = UserId(author);
    Hit {
        key: PostKey {
            author: user,
            post: PostId(post),
        },
        slot: Slot::of(user).0,
        score: Score::or_lowest(score),
    }
}

/// A row of a list.
trait Row: Ranked + Copy + PartialEq + std::fmt::Debug {}

impl Row for Hit {}
impl Row for RankedPost {}

/// What one big shard returns, which keeps an ordered set.
fn one_big_shard<R: Row>(posts: &[R], k: usize) -> Vec<R> {
    let set: BTreeMap<_, _> = posts.iter().map(|post| (post.place(), *post)).collect();
    set.into_values().take(k).collect()
}

/// The same corpus as a list of the shards, in which low scores are high ranks.
fn listed(posts: &[Hit]) -> Vec<RankedPost> {
    let listed = |hit: &Hit| RankedPost {
        rank: -i64::from(hit.score.get().to_bits()),
        post: core(hit.key.author.0, hit.key.post.0),
    };
    posts.iter().map(listed).collect()
}

/// A shard that owns `slots` at `range_ver`; a lagging parent still holds posts that its child owns.
#[derive(Clone, Debug)]
struct FakeShard {
    id: u64,
    slots: SlotRange,
    range_ver: u64,
}

impl FakeShard {
    fn answer<R: Row>(&self, posts: &[R], k: usize) -> Part<Vec<R>> {
        let mine: Vec<R> = posts
            .iter()
            .copied()
            .filter(|row| self.slots.contains(row.slot()))
            .collect();
        Part {
            about: About {
                shard: ShardId(self.id),
                epoch: ShardEpoch {
                    range_ver: self.range_ver,
                    conf_ver: 1,
                },
                slots: self.slots,
                applied: LogIndex(7),
                staleness_ms: 0,
                partial: false,
                visited: 0,
                queue_us: 0,
                work_us: 0,
            },
            damaged: 0,
            value: one_big_shard(&mine, k),
        }
    }
}

/// Random layout: cut points tile the slots; some shards have a lagging parent that covers more than they do.
fn layouts() -> impl Strategy<Value = Vec<FakeShard>> {
    let cuts = proptest::collection::btree_set(1u16..SLOTS, 0..12);
    (cuts, proptest::collection::vec((0u16..SLOTS, 1u16..6000), 0..3)).prop_map(|(cuts, parents)| {
        let mut edges: Vec<u16> = cuts.into_iter().collect();
        edges.insert(0, 0);
        edges.push(SLOTS);
        let tiles = edges.windows(2).map(|e| (e[0], e[1], 2));
        let lagging = parents
            .into_iter()
            .map(|(start, len)| (start, start.saturating_add(len).min(SLOTS), 1));
        tiles
            .chain(lagging)
            .enumerate()
            .map(|(i, (start, end, range_ver))| FakeShard {
                id: i as u64 + 1,
                slots: SlotRange { start, end },
                range_ver,
            })
            .collect()
    })
}

/// Few distinct scores, so that ties are common.
fn corpus() -> impl Strategy<Value = Vec<Hit>> {
    proptest::collection::btree_map(1u64..100_000, (1u64..300, 0u8..20), 0..600).prop_map(|posts| {
        posts
            .into_iter()
            .map(|(post, (author, score))| hit(author, post, f32::from(score) / 7.0))
            .collect()
    })
}

/// Runs the rounds as the search does. `repeat` answers come twice, as after a retry or a hedge.
fn run<R: Row>(shards: &[FakeShard], posts: &[R], k: usize, repeat: usize) -> (Vec<R>, usize) {
    let mut top = TopK::new(k, MAX_ROWS);
    let mut asked = first_k(k, shards.len(), MAX_ROWS);
    let mut again: Vec<ShardId> = shards.iter().map(|s| ShardId(s.id)).collect();
    for round in 1..=6 {
        let mut answers: Vec<_> = shards
            .iter()
            .filter(|s| again.contains(&ShardId(s.id)))
            .map(|s| s.answer(posts, asked))
            .collect();
        answers.extend(answers.clone().into_iter().cycle().take(repeat.min(answers.len())));
        answers.into_iter().for_each(|answer| top.put(answer, asked));
        let merged = top.merge();
        if merged.again.is_empty() {
            return (merged.rows, round);
        }
        (again, asked) = (merged.again, merged.next_k);
    }
    panic!("no end after six rounds");
}

proptest! {
    #[test]
    fn merge_equals_one_big_shard(
        shards in layouts(),
        posts in corpus(),
        k in 1usize..120,
        repeat in 0usize..4,
    ) {
        let (hits, _) = run(&shards, &posts, k, repeat);
        prop_assert_eq!(hits, one_big_shard(&posts, k));
    }

    #[test]
    fn merge_of_a_list_equals_that_of_one_big_shard(shards in layouts(), posts in corpus(), k in 1usize..120) {
        let posts = listed(&posts);
        let (rows, _) = run(&shards, &posts, k, 0);
        prop_assert_eq!(rows, one_big_shard(&posts, k));
    }

    #[test]
    fn two_rounds_are_enough_without_overlap(posts in corpus(), k in 1usize..120, n in 1u16..12) {
        let shards: Vec<FakeShard> = (0..n)
            .map(|i| FakeShard { id: u64::from(i) + 1, slots: SlotRange::tile(i, n), range_ver: 1 })
            .collect();
        let (hits, rounds) = run(&shards, &posts, k, 0);
        prop_assert!(rounds <= 2, "{rounds} rounds");
        prop_assert_eq!(hits, one_big_shard(&posts, k));
    }
}

#[test]
fn hit_outside_the_slots_that_its_shard_claims_does_not_count() {
    let mut top = TopK::new(5, MAX_ROWS);
    let stray = hit(1, 1, 1.0);
    let slots = if stray.slot < 100 {
        SlotRange { start: 100, end: 200 }
    } else {
        SlotRange { start: 0, end: 100 }
    };
    let mut part = FakeShard {
        id: 1,
        slots,
        range_ver: 1,
    }
    .answer::<Hit>(&[], 5);
    part.value = vec![stray];
    top.put(part, 5);
    assert!(top.merge().rows.is_empty());
}

#[test]
fn an_answer_that_was_cut_short_takes_no_rows_of_an_earlier_one_away() {
    let shard = FakeShard {
        id: 1,
        slots: SlotRange { start: 0, end: SLOTS },
        range_ver: 1,
    };
    let posts: Vec<Hit> = (1..=9).map(|id| hit(1, id, 1.0 / id as f32)).collect();
    let cut = |rows| {
        let mut part = shard.answer(&posts, rows);
        part.about.partial = true;
        part
    };
    let rows = |second| {
        let mut top = TopK::new(9, MAX_ROWS);
        top.put(shard.answer(&posts, 4), 4);
        assert_eq!(top.merge().again, [ShardId(1)]);
        top.put(second, 9);
        let merged = top.merge();
        assert!(merged.again.is_empty(), "it had no time for more");
        merged.rows
    };
    assert_eq!(rows(cut(0)), posts[..4]);
    assert_eq!(rows(cut(3)), posts[..4]);
    assert_eq!(rows(cut(5)), posts[..5]);
    assert_eq!(
        rows(shard.answer(&posts[2..], 9)),
        posts[2..],
        "a whole one counts, though shorter"
    );
}

#[test]
fn a_list_is_cut_if_a_shard_may_have_more_than_it_may_be_asked_for() {
    let shard = FakeShard {
        id: 1,
        slots: SlotRange { start: 0, end: SLOTS },
        range_ver: 1,
    };
    let cut = |there: u64, k| {
        let posts: Vec<Hit> = (1..=there).map(|id| hit(1, id, 1.0 / id as f32)).collect();
        let mut top = TopK::new(k, MAX_ROWS);
        top.put(shard.answer(&posts, MAX_ROWS), MAX_ROWS);
        let merged = top.merge();
        assert!(merged.again.is_empty());
        merged.cut
    };
    assert!(cut(1200, 1100));
    assert!(!cut(1200, 1000), "no more are wanted");
    assert!(!cut(900, 1100), "there are no more");
}

#[test]
fn first_round_asks_for_a_share_and_some_more() {
    assert_eq!(first_k(1000, 8, MAX_ROWS), 170);
    assert_eq!(first_k(10, 8, MAX_ROWS), 6);
    assert_eq!(first_k(10, 1, MAX_ROWS), 10);
    assert_eq!(first_k(1, 100, MAX_ROWS), 1);
    assert_eq!(first_k(5000, 1, MAX_ROWS), MAX_ROWS);
}
