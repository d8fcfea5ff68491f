//! `higgs`: the timed actions of the SNAP data set higgs-twitter, lines of `actor target unix_seconds RT|MT|RE` in the
//! order of time. It has neither texts nor post ids, so posts are synthesised, for in-network feeds only:
//!
//! - every (actor, time) is one post of the actor: a repost (RT), a reply (RE), or an original that mentions (MT);
//! - RT and RE refer to the target's latest post of the last six hours; without one, an original of the target one minute
//!   earlier is made up;
//! - who retweeted somebody at least twice follows them.
//!
//! Such posts have a placeholder photo instead of a text, and a pseudo-random vector: their neighbours mean nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use covey_api::v1::{EdgeKind, EdgeUpdate, Media, MediaKind, Post, PostKey, UserUpdate};

use crate::load::files::{self, Lines, OpenError};
use crate::load::source::{Row, Source};
use crate::record::Record;
use crate::world::dice::{Dice, Stream};

/// How long a post of a target stands for what an actor retweets or answers.
const RECENT_S: u64 = 6 * 3600;

/// How much earlier a made-up post is.
const BEFORE_S: u64 = 60;

/// Times a user must retweet another to count as a follower.
const FOLLOW_AT: u8 = 2;

/// What to make of the file.
#[derive(Clone, Debug)]
pub struct HiggsOptions {
    /// Dimension of the made-up vectors: the cluster's.
    pub dim: usize,
    /// Only actions before this Unix time in seconds: what comes later is held out.
    pub before: Option<u64>,
}

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    actor: u64,
    /// The strongest first: a reply is also listed as a mention.
    kind: Kind,
    target: u64,
    at_s: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Retweet,
    Reply,
    Mention,
}

/// Opens the file, which is read once for the follows and then again for the posts. Memory: one counter per pair that
/// retweeted (about 330 000 pairs) and the latest post of each user.
pub(crate) fn open(path: &Path, options: &HiggsOptions) -> Result<Source, OpenError> {
    let follows = follows(path, options)?;
    let input = files::open(path)?;
    let users = follows
        .into_iter()
        .map(|(actor, targets)| Row::record(0, follower(actor, targets)));
    let posts = Posts {
        lines: Lines::new(input.reader),
        options: options.clone(),
        second: Vec::new(),
        second_at: 0,
        ready: Vec::new(),
        latest: HashMap::new(),
    };
    Ok(Source {
        rows: Box::new(users.chain(posts)),
        total: input.total,
    })
}

fn parse(text: &str) -> Result<Event, String> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let [actor, target, at, kind] = fields[..] else {
        return Err(format!("4 fields expected, found {}", fields.len()));
    };
    let number = |what: &str, text: &str| match text.parse::<u64>() {
        Ok(n) if n > 0 && n < 1 << 40 => Ok(n),
        _ => Err(format!("{what} {text:?} is no number above 0")),
    };
    Ok(Event {
        actor: number("actor", actor)?,
        target: number("target", target)?,
        at_s: number("time", at)?,
        kind: match kind {
            "RT" => Kind::Retweet,
            "RE" => Kind::Reply,
            "MT" => Kind::Mention,
            _ => return Err(format!("{kind:?} is none of RT, RE and MT")),
        },
    })
}

impl HiggsOptions {
    fn wants(&self, event: &Event) -> bool {
        self.before.is_none_or(|before| event.at_s < before)
    }
}

/// Followed users by follower. Bad lines are skipped here; the second reading reports them.
fn follows(path: &Path, options: &HiggsOptions) -> Result<BTreeMap<u64, Vec<u64>>, OpenError> {
    let mut times: HashMap<(u64, u64), u8> = HashMap::new();
    let lines = Lines::new(files::open(path)?.reader);
    for event in lines.filter_map(|(_, text)| parse(&text.ok()?).ok()) {
        if event.kind == Kind::Retweet && event.actor != event.target && options.wants(&event) {
            let count = times.entry((event.actor, event.target)).or_default();
            *count = count.saturating_add(1);
        }
    }
    let mut follows: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for ((actor, target), _) in times.into_iter().filter(|(_, count)| *count >= FOLLOW_AT) {
        follows.entry(actor).or_default().push(target);
    }
    follows.values_mut().for_each(|targets| targets.sort_unstable());
    if follows.is_empty() && !any_event(path)? {
        return Err(OpenError::Format {
            path: PathBuf::from(path),
            format: "higgs",
            why: "no line reads `actor target unix_seconds RT|MT|RE`".into(),
        });
    }
    Ok(follows)
}

/// Whom each actor retweets first at or after `from_s` (Unix seconds), themselves aside. A damaged file is refused: what is
/// measured against it would be wrong without a word.
pub(crate) fn next_retweeted(path: &Path, from_s: u64) -> Result<BTreeMap<u64, u64>, OpenError> {
    let mut next = BTreeMap::new();
    let mut last_at = 0;
    for (line, text) in Lines::new(files::open(path)?.reader) {
        let event = text.and_then(|text| parse(&text)).and_then(|event| match event.at_s {
            at if at < last_at => Err(format!("time {at} after {last_at}")),
            _ => Ok(event),
        });
        let event = event.map_err(|why| OpenError::Format {
            path: path.to_owned(),
            format: "higgs",
            why: format!("line {line}: {why}"),
        })?;
        last_at = event.at_s;
        if event.kind == Kind::Retweet && event.actor != event.target && event.at_s >= from_s {
            next.entry(event.actor).or_insert(event.target);
        }
    }
    Ok(next)
}

fn any_event(path: &Path) -> Result<bool, OpenError> {
    let mut lines = Lines::new(files::open(path)?.reader);
    Ok(lines.any(|(_, text)| text.is_ok_and(|text| parse(&text).is_ok())))
}

fn follower(actor: u64, targets: Vec<u64>) -> Record {
    let edge = |target_id| EdgeUpdate {
        kind: EdgeKind::Follow.into(),
        target_id,
        remove: false,
    };
    Record::User(UserUpdate {
        user_id: actor,
        version: 1,
        edges: targets.into_iter().map(edge).collect(),
        ..UserUpdate::default()
    })
}

/// The latest post of a user.
#[derive(Clone, Copy)]
struct Latest {
    post: u64,
    at_s: u64,
}

struct Posts {
    lines: Lines,
    options: HiggsOptions,
    /// Events of one second: lines of one actor in it are one post.
    second: Vec<(u64, Event)>,
    second_at: u64,
    /// Rows made of the last second, in reverse.
    ready: Vec<Row>,
    latest: HashMap<u64, Latest>,
}

impl Iterator for Posts {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if let Some(row) = self.ready.pop() {
                return Some(row);
            }
            let Some((line, text)) = self.lines.next() else {
                if self.second.is_empty() {
                    return None;
                }
                self.finish_second();
                continue;
            };
            match text.and_then(|text| parse(&text)) {
                Err(why) => return Some(Row::bad(line, why)),
                Ok(event) if event.at_s < self.second_at => {
                    return Some(Row::bad(
                        line,
                        "earlier than the line before; the file is sorted by time",
                    ));
                }
                Ok(event) if !self.options.wants(&event) => {}
                Ok(event) => {
                    if event.at_s > self.second_at {
                        self.finish_second();
                        self.second_at = event.at_s;
                    }
                    self.second.push((line, event));
                }
            }
        }
    }
}

impl Posts {
    /// Makes the posts of the second that is over.
    fn finish_second(&mut self) {
        let mut events = std::mem::take(&mut self.second);
        events.sort_unstable_by_key(|(_, event)| *event);
        events.dedup_by_key(|(_, event)| event.actor);
        let mut rows = Vec::new();
        for (nth, (line, event)) in events.iter().enumerate() {
            let own = post_id(event.at_s, nth as u64);
            if event.kind != Kind::Mention && event.actor != event.target {
                let made_up = post_id(event.at_s - BEFORE_S.min(event.at_s), MADE_UP + nth as u64);
                let other = self.referred(event, made_up, *line, &mut rows);
                rows.push(Row::record(*line, self.referring(event, own, other)));
            } else {
                rows.push(Row::record(*line, self.original(event.actor, own, event.at_s)));
            }
            if event.kind != Kind::Retweet {
                let at_s = event.at_s;
                self.latest.insert(event.actor, Latest { post: own, at_s });
            }
        }
        rows.reverse();
        self.ready = rows;
    }

    fn referred(&mut self, event: &Event, made_up: u64, line: u64, rows: &mut Vec<Row>) -> u64 {
        let recent = |latest: &&Latest| latest.at_s + RECENT_S >= event.at_s && latest.at_s < event.at_s;
        if let Some(latest) = self.latest.get(&event.target).filter(recent) {
            return latest.post;
        }
        let at_s = event.at_s - BEFORE_S.min(event.at_s);
        rows.push(Row::record(line, self.original(event.target, made_up, at_s)));
        self.latest.insert(event.target, Latest { post: made_up, at_s });
        made_up
    }

    fn original(&self, author_id: u64, post_id: u64, at_s: u64) -> Record {
        Record::Post(Post {
            post_id,
            author_id,
            media: vec![Media {
                kind: MediaKind::Photo.into(),
                url: format!("https://media.example/higgs/{post_id}.jpg"),
                duration_ms: 0,
            }],
            created_at_ms: at_s * 1000,
            vector: pseudo_random(post_id, self.options.dim),
            ..Post::default()
        })
    }

    fn referring(&self, event: &Event, post_id: u64, other: u64) -> Record {
        let key = PostKey {
            author_id: event.target,
            post_id: other,
        };
        let Record::Post(original) = self.original(event.actor, post_id, event.at_s) else {
            unreachable!("an original is a post")
        };
        Record::Post(match event.kind {
            Kind::Retweet => Post {
                media: Vec::new(),
                vector: Vec::new(),
                repost_of: Some(key),
                ..original
            },
            _ => Post {
                reply_to: Some(key),
                ..original
            },
        })
    }
}

/// First number, within a second, of the posts that are made up.
const MADE_UP: u64 = 1 << 19;

/// Ascending in time; unique as long as a second has fewer than 2^19 posts.
fn post_id(at_s: u64, nth: u64) -> u64 {
    (at_s << 20) | nth
}

/// Signs that depend on the id only.
fn pseudo_random(post_id: u64, dim: usize) -> Vec<f32> {
    let mut dice = Dice::new(post_id, Stream::Words, 0);
    (0..dim).map(|_| if dice.chance(0.5) { 1.0 } else { -1.0 }).collect()
}
