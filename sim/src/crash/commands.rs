//! Random commands over few users and a moving window of posts, so that items meet and old segments die.

use covey_shared::command::*;
use covey_shared::ids::*;
use covey_shared::model::*;
use covey_shared::slots::Slot;
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use super::settings::DIM;

/// Ids 1 up to this.
pub(super) const USERS: u64 = 12;
/// Log time of the first entry.
pub(super) const START: u64 = 1_700_000_000_000;
/// Posts that are written about at a time.
const WINDOW: u64 = 40;
/// Age at which posts are trimmed: some dozen entries.
const RETENTION_MS: u64 = 400_000;

/// The proposal at `index`.
pub(super) fn random_proposal(rng: &mut SmallRng, index: u64) -> Proposal {
    let now = START + index * 10_000;
    let mut source = Source { rng, index, now };
    Proposal {
        epoch: ShardEpoch::default(),
        log_time: UnixMillis(now),
        body: source.command(),
    }
}

/// Everything random about one entry.
struct Source<'a> {
    rng: &'a mut SmallRng,
    index: u64,
    now: u64,
}

/// Posts that may live when `index` is applied.
pub(super) fn posts_around(index: u64) -> std::ops::RangeInclusive<u64> {
    let newest = index * 2 + WINDOW;
    newest.saturating_sub(4 * WINDOW).max(1)..=newest
}

pub(super) fn key(post: u64) -> PostKey {
    PostKey {
        author: UserId(post % USERS + 1),
        post: PostId(post),
    }
}

impl Source<'_> {
    fn command(&mut self) -> ShardCommand {
        let items = self.rng.random_range(1..5);
        match self.rng.random_range(0..100) {
            0..50 => ShardCommand::PutPosts((0..items).map(|_| self.post()).collect()),
            50..57 => ShardCommand::DeletePosts((0..items).map(|_| self.delete()).collect()),
            57..64 => ShardCommand::PutUsers((0..items).map(|_| self.user()).collect()),
            64..78 => ShardCommand::RecordActions((0..items).map(|_| self.action()).collect()),
            78..84 => ShardCommand::ApplyEffects((0..items).map(|_| self.effect()).collect()),
            84..87 => ShardCommand::TrimOutbox((0..items).map(|_| self.mark()).collect()),
            87..93 => ShardCommand::TrimBefore(UnixMillis(self.now - RETENTION_MS)),
            93..97 => ShardCommand::RecordServed((0..items).map(|_| self.served()).collect()),
            _ => ShardCommand::SetLabels((0..items).map(|_| self.labels()).collect()),
        }
    }

    fn key(&mut self) -> PostKey {
        let newest = *posts_around(self.index).end();
        key(self.rng.random_range(newest + 1 - WINDOW..=newest))
    }

    fn user_id(&mut self) -> UserId {
        UserId(self.rng.random_range(1..=USERS))
    }

    fn post(&mut self) -> Post {
        let key = self.key();
        let version = self.rng.random_range(1..4);
        let bare = self.rng.random_bool(0.1);
        let floats: Vec<f32> = (0..DIM).map(|_| self.rng.random_range(-1.0..1.0)).collect();
        Post {
            key,
            version: Version(version),
            created_at: UnixMillis((self.now - self.rng.random_range(0..50_000)) / 5000 * 5000),
            text: format!("post {} v{version}", key.post),
            language: *[Language(*b"en"), Language(*b"de")]
                .choose(self.rng)
                .expect("two languages"),
            labels: if self.rng.random_bool(0.2) {
                self.rng.random_range(0..16)
            } else {
                0
            },
            vector: if bare {
                F16Vector::default()
            } else {
                F16Vector::from_f32(&floats)
            },
            reply_to: self.rng.random_bool(0.2).then(|| PostRef {
                key: self.key(),
                hint: RefHint::default(),
            }),
            topics: Topics([1 + version as u32, 9, 0, 0]),
            ..Post::default()
        }
    }

    fn delete(&mut self) -> PostDelete {
        PostDelete {
            key: self.key(),
            version: Version(self.rng.random_range(1..4)),
        }
    }

    fn user(&mut self) -> UserUpdate {
        let kinds = [
            EdgeKind::Follow,
            EdgeKind::Follow,
            EdgeKind::Block,
            EdgeKind::Mute,
            EdgeKind::Topic,
        ];
        let edges = (0..self.rng.random_range(0..4)).map(|_| EdgeUpdate {
            kind: *kinds.choose(self.rng).expect("there are kinds"),
            target: self.user_id(),
            on: self.rng.random_bool(0.7),
        });
        let edges = edges.collect();
        let user = self.user_id();
        UserUpdate {
            user,
            version: Version(self.index),
            profile: self.rng.random_bool(0.3).then(|| Profile {
                screen_name: format!("u{}v{}", user.0, self.index),
                country: if self.index.is_multiple_of(3) { *b"AT" } else { *b"BR" },
                ..Profile::default()
            }),
            edges,
            muted_keywords: self.rng.random_bool(0.2).then(|| vec![format!("word {}", self.index)]),
        }
    }

    fn action(&mut self) -> Action {
        Action {
            viewer: self.user_id(),
            id: ActionId {
                client: 1,
                sequence: self.rng.random_range(0..40),
                item: 0,
            },
            kind: *ActionKind::ALL.choose(self.rng).expect("there are kinds"),
            post: self.key(),
            at: UnixMillis(self.now - self.rng.random_range(0..50_000)),
            dwell_ms: 0,
            surface: 1,
            prediction_request_id: 0,
        }
    }

    fn effect(&mut self) -> OutboxItem {
        let effect = if self.rng.random_bool(0.7) {
            Effect::CountAction {
                key: self.key(),
                kind: self.rng.random_range(0..20),
                at: UnixMillis(self.now),
            }
        } else {
            Effect::CountFollower {
                user: self.user_id(),
                delta: self.rng.random_range(-1..2),
            }
        };
        OutboxItem {
            source: Slot(self.rng.random_range(9000..9003)),
            sequence: self.index + self.rng.random_range(0..4),
            effect,
        }
    }

    fn mark(&mut self) -> OutboxMark {
        OutboxMark {
            source: Slot::of(self.user_id()),
            sequence: self.rng.random_range(1..6),
        }
    }

    fn served(&mut self) -> Served {
        Served {
            viewer: self.user_id(),
            at: UnixMillis(self.now),
            posts: (0..4).map(|_| self.key().post).collect(),
        }
    }

    fn labels(&mut self) -> LabelUpdate {
        LabelUpdate {
            key: self.key(),
            version: Version(self.rng.random_range(1..5)),
            labels: self.rng.random_range(0..16),
        }
    }
}
