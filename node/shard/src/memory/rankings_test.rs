//! Rankings: what is in them, where it stands, and what falls off.

use covey_shared::model::{ActionKind, Post, Topics};

use super::*;
use crate::fixture::{START, post, reference};
use crate::heat::Heats;
use crate::records::PostState;

const HALF_LIVES: HalfLives = HalfLives {
    engagement: 3_600_000,
    talk: 1_800_000,
};

/// Post `id` in a language, with so many quotes.
fn columns(id: u64, language: &[u8; 2], quotes: u64) -> PostColumns {
    let mut heats = Heats::default();
    (0..quotes).for_each(|_| heats.add(ActionKind::Quote.index(), false, UnixMillis(START), HALF_LIVES));
    let post = Post {
        language: Language(*language),
        topics: Topics([u32::from(language[0]), 7, 0, 0]),
        created_at: UnixMillis(START + id),
        ..post(1, id, 1)
    };
    PostColumns {
        country: *b"AT",
        ..PostColumns::new(
            &post,
            &PostState {
                heats,
                ..PostState::default()
            },
        )
    }
}

fn filled(posts: &[PostColumns]) -> Rankings {
    let rankings = Rankings::new(HALF_LIVES);
    let ordinals = (0..).map(Ordinal);
    posts
        .iter()
        .zip(ordinals)
        .for_each(|(post, at)| rankings.insert(post, at));
    rankings
}

fn ids(rankings: &Rankings, by: RankedBy, language: Option<&[u8; 2]>) -> Vec<u64> {
    let group = language.map_or(ListGroup::All, |code| ListGroup::Language(Language(*code)));
    ids_of(rankings, by, group)
}

fn ids_of(rankings: &Rankings, by: RankedBy, group: ListGroup) -> Vec<u64> {
    let page = rankings.page(by, group, None, usize::MAX);
    page.keys.into_iter().map(|(_, post, _)| post.0).collect()
}

#[test]
fn a_post_stands_in_each_list_over_all_and_of_its_language() {
    let posts = [columns(1, b"en", 2), columns(2, b"de", 3), columns(3, b"en", 0)];
    let rankings = filled(&posts);
    for by in [RankedBy::Popularity, RankedBy::Activity] {
        assert_eq!(ids(&rankings, by, None), [2, 1], "{by:?}");
        assert_eq!(ids(&rankings, by, Some(b"en")), [1], "{by:?}");
    }
    assert_eq!(ids(&rankings, RankedBy::Newest, None), [3, 2, 1]);
    assert_eq!(ids(&rankings, RankedBy::Newest, Some(b"en")), [3, 1]);
    let bytes = rankings.bytes();
    rankings.remove(&posts[1], Ordinal(1));
    assert_eq!(ids(&rankings, RankedBy::Activity, None), [1]);
    assert!(ids(&rankings, RankedBy::Newest, Some(b"de")).is_empty() && rankings.bytes() < bytes);
}

#[test]
fn a_post_stands_in_the_lists_of_its_country_and_of_each_of_its_topics() {
    let unknown = |post| PostColumns {
        country: [0; 2],
        language: Language::default(),
        ..post
    };
    let posts = [
        columns(1, b"en", 2),
        columns(2, b"de", 3),
        unknown(columns(3, b"en", 1)),
    ];
    let rankings = filled(&posts);
    let of = |group| ids_of(&rankings, RankedBy::Popularity, group);
    assert_eq!(of(ListGroup::All), [2, 1, 3]);
    assert_eq!(of(ListGroup::Country(*b"AT")), [2, 1]);
    assert_eq!(of(ListGroup::Topic(7)), [2, 1, 3]);
    assert_eq!(of(ListGroup::Topic(u32::from(b'e'))), [1, 3]);
    // Of what is not known there is no list.
    for unknown in [
        ListGroup::Country([0; 2]),
        ListGroup::Language(Language::default()),
        ListGroup::Topic(0),
    ] {
        assert!(of(unknown).is_empty(), "{unknown:?}");
    }
    let cooler = PostColumns {
        heats: Heats::default(),
        ..columns(2, b"de", 0)
    };
    rankings.reheat(&posts[1], &cooler, Ordinal(1));
    assert_eq!(ids_of(&rankings, RankedBy::Popularity, ListGroup::Country(*b"AT")), [1]);
    for (post, at) in [(&posts[0], 0), (&cooler, 1), (&posts[2], 2)] {
        rankings.remove(post, Ordinal(at));
    }
    assert_eq!(
        rankings.bytes(),
        Rankings::new(HALF_LIVES).bytes(),
        "nothing is left of any group"
    );
}

#[test]
fn a_reply_is_in_no_list() {
    let reply = PostColumns {
        reply_to: reference(2, 2, Default::default()).unwrap().key,
        is_reply: true,
        ..columns(1, b"en", 5)
    };
    let rankings = filled(&[reply.clone(), columns(2, b"en", 1)]);
    let warmer = PostColumns {
        heats: columns(1, b"en", 9).heats,
        ..reply.clone()
    };
    rankings.reheat(&reply, &warmer, Ordinal(0));
    for by in RankedBy::ALL {
        assert_eq!(ids(&rankings, by, None), [2], "{by:?}");
    }
}

#[test]
fn a_post_moves_with_its_sums_and_stays_where_they_are_the_same() {
    let (cold, warm) = (columns(1, b"en", 0), columns(1, b"en", 3));
    let rankings = filled(&[cold.clone(), columns(2, b"en", 2)]);
    rankings.reheat(&cold, &cold, Ordinal(0));
    assert_eq!(ids(&rankings, RankedBy::Activity, None), [2]);
    rankings.reheat(&cold, &warm, Ordinal(0));
    assert_eq!(ids(&rankings, RankedBy::Activity, None), [1, 2]);
    rankings.reheat(&warm, &columns(1, b"en", 1), Ordinal(0));
    assert_eq!(ids(&rankings, RankedBy::Activity, None), [2, 1]);
    assert_eq!(ids(&rankings, RankedBy::Newest, None), [2, 1]);
}

fn key(rank: i64) -> RankKey {
    (Reverse(rank), PostId(rank as u64), Ordinal(0))
}

#[test]
fn a_full_list_forgets_its_worst_and_knows_the_best_of_them() {
    let mut set = Set::default();
    let ranks = |set: &Set| set.keys.iter().map(|(rank, ..)| rank.0).collect::<Vec<_>>();
    let fallen = |best, newest| {
        let (best, newest) = (key(best), UnixMillis(newest));
        Some(Fallen { best, newest })
    };
    (1..=3).for_each(|rank| set.push(key(rank), UnixMillis(7), 3));
    assert_eq!((ranks(&set), set.fallen), (vec![3, 2, 1], None));
    set.push(key(0), UnixMillis(1), 3);
    assert_eq!((ranks(&set), set.fallen), (vec![3, 2, 1], fallen(0, 7)));
    set.push(key(5), UnixMillis(8), 3);
    assert_eq!((ranks(&set), set.fallen), (vec![5, 3, 2], fallen(1, 8)));
    set.push(key(0), UnixMillis(9), 3);
    assert_eq!((ranks(&set), set.fallen), (vec![5, 3, 2], fallen(1, 9)));
}

#[test]
fn an_emptied_list_still_knows_that_it_lacks_posts() {
    let posts: Vec<_> = (1..=GROUP_DEPTH as u64 + 1).map(|id| columns(id, b"en", 0)).collect();
    let rankings = filled(&posts);
    let group = ListGroup::Language(Language(*b"en"));
    let missing = || {
        let missing = rankings.page(RankedBy::Newest, group, None, 1).missing;
        missing.map(|fallen| fallen.best)
    };
    let oldest = (Reverse(age_rank(posts[0].created_at)), PostId(1), Ordinal(0));
    assert_eq!(missing(), Some(oldest));
    (0..)
        .map(Ordinal)
        .zip(&posts)
        .for_each(|(at, post)| rankings.remove(post, at));
    assert!(ids_of(&rankings, RankedBy::Newest, group).is_empty());
    assert_eq!(missing(), Some(oldest));
    assert!(
        rankings
            .page(RankedBy::Newest, ListGroup::All, None, 1)
            .missing
            .is_none()
    );
}

#[test]
fn topics_beyond_the_bound_have_no_list_and_others_do() {
    let mut ranking = Ranking::default();
    let of_topic = |id: u64, topic: u32| PostColumns {
        topics: Topics([topic, 0, 0, 0]),
        ..columns(id, b"en", 1)
    };
    // Of all, of the language and of the country there is one each.
    let room = MAX_GROUPS as u32 - 3;
    for topic in 1..=room {
        ranking.insert(&of_topic(u64::from(topic), topic), key(i64::from(topic)));
    }
    assert_eq!((ranking.sets.len(), ranking.left_out), (MAX_GROUPS, None));
    assert_eq!(ranking.missing(ListGroup::Topic(room + 1)), None);
    let one_more = of_topic(1, room + 1);
    ranking.insert(&one_more, key(1));
    ranking.insert(&of_topic(2, 1), key(2));
    let lacks = |ranking: &Ranking, topic| ranking.missing(ListGroup::Topic(topic));
    let all = Fallen {
        best: BEST,
        newest: one_more.created_at,
    };
    assert_eq!(lacks(&ranking, room + 1), Some(all));
    assert_eq!(ranking.sets[&ListGroup::Topic(1)].keys.len(), 2);
    ranking.remove(&one_more, &key(1));
    assert_eq!((ranking.sets.len(), lacks(&ranking, 2)), (MAX_GROUPS, None));
    // Now there is room, but not all that was written about it.
    ranking.remove(&of_topic(2, 2), &key(2));
    let later = of_topic(9, room + 1);
    ranking.insert(&later, key(9));
    assert_eq!(ranking.sets[&ListGroup::Topic(room + 1)].keys.len(), 1);
    assert_eq!(lacks(&ranking, room + 1), Some(all));
    ranking.remove(&later, &key(9));
    assert!(!ranking.sets.contains_key(&ListGroup::Topic(room + 1)));
    ranking.insert(&of_topic(2, 2), key(2));
    let french = PostColumns {
        language: Language(*b"fr"),
        ..one_more
    };
    ranking.insert(&french, key(3));
    assert_eq!(
        ranking.sets.len(),
        MAX_GROUPS + 1,
        "of a language there is always a list"
    );
}

#[test]
fn pages_follow_each_other() {
    let posts: Vec<_> = (1..=5).map(|id| columns(id, b"en", 1)).collect();
    let rankings = filled(&posts);
    let page = |after| rankings.page(RankedBy::Newest, ListGroup::All, after, 2).keys;
    let first = page(None);
    let second = page(first.last().copied());
    let read: Vec<u64> = first.iter().chain(&second).map(|(_, post, _)| post.0).collect();
    assert_eq!(read, [5, 4, 3, 2]);
}
