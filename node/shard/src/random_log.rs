//! Random logs over few users and posts, so that items meet.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::slots::Slot;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::fixture::{START, action, entry, key, post};
use crate::{EntryToApply, Payload};

pub(crate) const USERS: u64 = 24;
const POSTS: u64 = 150;

/// A random log over few users and posts, so that items meet: edits, deletes, retries, trims, effects.
pub(crate) fn random_log(seed: u64, entries: usize) -> Vec<EntryToApply> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut now = START;
    let mut log = Vec::new();
    for index in 1..=entries as u64 {
        now += rng.random_range(0..20_000);
        let items = rng.random_range(1..6);
        let body = random_command(&mut rng, now, items);
        log.push(entry(index, now, body));
        if rng.random_bool(0.03) {
            log.last_mut().expect("one was pushed").payload = Payload::Empty;
        }
    }
    log
}

fn random_command(rng: &mut SmallRng, now: u64, items: usize) -> ShardCommand {
    match rng.random_range(0..100) {
        0..45 => ShardCommand::PutPosts((0..items).map(|_| random_post(rng, now)).collect()),
        45..53 => ShardCommand::DeletePosts((0..items).map(|_| random_delete(rng)).collect()),
        53..63 => ShardCommand::PutUsers((0..items).map(|_| random_user(rng)).collect()),
        63..80 => ShardCommand::RecordActions((0..items).map(|_| random_action(rng, now)).collect()),
        80..86 => ShardCommand::ApplyEffects((0..items).map(|_| random_effect(rng, now)).collect()),
        86..89 => ShardCommand::TrimOutbox((0..items).map(|_| random_mark(rng)).collect()),
        89..92 => ShardCommand::TrimBefore(UnixMillis(now.saturating_sub(rng.random_range(500_000..2_000_000)))),
        92..96 => ShardCommand::RecordServed((0..items).map(|_| random_served(rng, now)).collect()),
        _ => ShardCommand::SetLabels((0..items).map(|_| random_labels(rng)).collect()),
    }
}

fn random_key(rng: &mut SmallRng) -> PostKey {
    let post = rng.random_range(1..=POSTS);
    key(post % USERS + 1, post)
}

fn random_reference(rng: &mut SmallRng) -> Option<PostRef> {
    let key = random_key(rng);
    let hint = RefHint {
        known: rng.random_bool(0.8),
        in_reply_to: rng.random_bool(0.4).then(|| random_key(rng).post),
        is_repost: rng.random_bool(0.2),
        has_video: rng.random_bool(0.5),
    };
    Some(PostRef { key, hint })
}

pub(crate) fn random_post(rng: &mut SmallRng, now: u64) -> Post {
    let key = random_key(rng);
    let mut post = post(key.author.0, key.post.0, rng.random_range(1..4));
    // Few distinct times, so that some posts share one.
    post.created_at = UnixMillis((now - rng.random_range(0..100_000)) / 5000 * 5000);
    post.language = *[Language(*b"en"), Language(*b"de"), Language::default()]
        .choose(rng)
        .expect("there are some to choose from");
    post.labels = if rng.random_bool(0.2) {
        rng.random_range(0..16)
    } else {
        0
    };
    post.subscribers_only = rng.random_bool(0.2);
    post.topics = Topics::of(&[rng.random_range(1..9), rng.random_range(1..9)]).expect("two, none of them 0");
    if rng.random_bool(0.3) {
        let duration_ms = rng.random_range(1..60_000);
        post.media.push(Media {
            kind: MediaKind::Video,
            url: "v".into(),
            duration_ms,
        });
    }
    match rng.random_range(0..10) {
        0..3 => {
            post.reply_to = random_reference(rng);
            let start = post
                .reply_to
                .and_then(|r| r.hint.in_reply_to)
                .filter(|_| rng.random_bool(0.7));
            post.conversation = start.or(Some(random_key(rng).post));
        }
        3..5 => {
            post.repost_of = random_reference(rng);
            post.vector = F16Vector::default();
        }
        5 => post.quote_of = random_reference(rng),
        _ => {}
    }
    post
}

fn random_delete(rng: &mut SmallRng) -> PostDelete {
    PostDelete {
        key: random_key(rng),
        version: Version(rng.random_range(1..4)),
    }
}

fn random_user(rng: &mut SmallRng) -> UserUpdate {
    let user = rng.random_range(1..=USERS);
    let kinds = [
        EdgeKind::Follow,
        EdgeKind::Follow,
        EdgeKind::Block,
        EdgeKind::Mute,
        EdgeKind::Subscribe,
        EdgeKind::Topic,
    ];
    let edges = (0..rng.random_range(0..4)).map(|_| EdgeUpdate {
        kind: *kinds.choose(rng).expect("there are some to choose from"),
        target: UserId(rng.random_range(1..=USERS)),
        on: rng.random_bool(0.7),
    });
    let edges = edges.collect();
    let version = rng.random_range(1..20);
    UserUpdate {
        user: UserId(user),
        version: Version(version),
        profile: rng.random_bool(0.3).then(|| Profile {
            screen_name: format!("u{user}v{version}"),
            country: *[*b"AT", *b"BR", [0; 2]]
                .choose(rng)
                .expect("there are some to choose from"),
            ..Profile::default()
        }),
        edges,
        muted_keywords: rng.random_bool(0.2).then(|| vec![format!("word {version}")]),
    }
}

fn random_action(rng: &mut SmallRng, now: u64) -> Action {
    let kind = *ActionKind::ALL.choose(rng).expect("there are some to choose from");
    let mut action = action(
        rng.random_range(1..=USERS),
        rng.random_range(0..40),
        kind,
        random_key(rng),
    );
    action.at = UnixMillis(now - rng.random_range(0..50_000));
    action
}

fn random_effect(rng: &mut SmallRng, now: u64) -> OutboxItem {
    let effect = if rng.random_bool(0.7) {
        Effect::CountAction {
            key: random_key(rng),
            kind: rng.random_range(0..20),
            at: UnixMillis(now),
        }
    } else {
        Effect::CountFollower {
            user: UserId(rng.random_range(1..=USERS)),
            delta: rng.random_range(-1..2),
        }
    };
    OutboxItem {
        source: Slot(rng.random_range(9000..9004)),
        sequence: rng.random_range(1..60),
        effect,
    }
}

fn random_mark(rng: &mut SmallRng) -> OutboxMark {
    OutboxMark {
        source: Slot::of(UserId(rng.random_range(1..=USERS))),
        sequence: rng.random_range(1..6),
    }
}

fn random_served(rng: &mut SmallRng, now: u64) -> Served {
    let posts = (0..4).map(|_| random_key(rng).post).collect();
    Served {
        viewer: UserId(rng.random_range(1..=USERS)),
        at: UnixMillis(now / 10_000 * 10_000),
        posts,
    }
}

fn random_labels(rng: &mut SmallRng) -> LabelUpdate {
    let labels = rng.random_range(0..16);
    LabelUpdate {
        key: random_key(rng),
        version: Version(rng.random_range(1..5)),
        labels,
    }
}
