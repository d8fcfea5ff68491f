//! `covey evaluate higgs`: does the in-network feed show whom the viewer retweets next, and do simple rankings of the same
//! posts show it as well?

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use covey_api::v1::{FeedPost, GetFeedRequest, Post, UserUpdate};
use serde::Serialize;

use crate::args::HiggsArgs;
use crate::client::{Client, ClientError, refused};
use crate::commands::{Context, Outcome};
use crate::load::{Content, Format, HiggsOptions, OpenError, next_retweeted};
use crate::progress::Spinner;
use crate::record::Record;
use crate::render::text::{Style, table};

/// How often a feed is asked for that the cluster cannot give at the moment.
const TRIES: usize = 5;

/// One viewer: whom they follow, and whom they retweeted first in the time held out.
#[derive(Clone, Debug, PartialEq)]
struct Viewer {
    id: u64,
    followed: Vec<u64>,
    next: u64,
}

/// What rankings need of a post.
#[derive(Clone, Copy, Debug)]
struct Shown {
    post: u64,
    author: u64,
    /// The repeated post and its author; the post itself if it repeats nothing.
    source: (u64, u64),
    at_ms: u64,
}

/// What the cluster was loaded with, as far as it is needed, and what came afterwards.
struct History {
    viewers: Vec<Viewer>,
    /// Posts of everybody whom a viewer follows.
    timelines: HashMap<u64, Vec<Shown>>,
    /// Original posts that were repeated, most repeated first.
    most_repeated: Vec<Shown>,
    /// How often each post was repeated.
    reposts: HashMap<u64, u32>,
}

/// How often one ranking showed the next retweeted author.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Rate {
    ranking: &'static str,
    hits: usize,
    hit_rate: f64,
    /// √(p (1 − p) / n).
    standard_error: f64,
    /// Viewers for whom the feed shows the author and this does not.
    feed_only: usize,
    /// The reverse.
    this_only: usize,
}

/// Rates over the same viewers.
#[derive(Debug, Serialize)]
struct Group {
    who: &'static str,
    viewers: usize,
    rates: Vec<Rate>,
}

#[derive(Debug, Serialize)]
struct Figures {
    k: u32,
    min_followed: usize,
    before: u64,
    /// Viewers who follow the author whom they retweet next.
    next_is_followed: usize,
    /// Replies with coverage below 1.
    incomplete: usize,
    mean_feed_posts: f64,
    groups: Vec<Group>,
}

/// Asks for the feed of every viewer and counts.
pub(crate) async fn run(context: &Context, args: &HiggsArgs) -> Result<Outcome> {
    let history = History::read(args)?;
    if history.viewers.is_empty() {
        bail!(
            "nobody who follows at least {} users retweets anybody from {} on; try another --before or --min-followed",
            args.min_followed,
            args.before
        );
    }
    let client = context.connect().await?;
    let (mut feeds, mut incomplete, mut posts) = (Vec::new(), 0, 0);
    let (spinner, started) = (Spinner::start("feeds of the viewers"), Instant::now());
    for viewer in &history.viewers {
        spinner.note(&format!("{} of {}", feeds.len(), history.viewers.len()));
        let (hit, complete, shown) = feed(&client, viewer, args.k).await?;
        feeds.push(hit);
        incomplete += usize::from(!complete);
        posts += shown;
    }
    spinner.done(started.elapsed());
    let follows_next = |viewer: &&Viewer| viewer.followed.contains(&viewer.next);
    let figures = Figures {
        k: args.k,
        min_followed: args.min_followed,
        before: args.before,
        next_is_followed: history.viewers.iter().filter(follows_next).count(),
        incomplete,
        mean_feed_posts: posts as f64 / feeds.len() as f64,
        groups: history.groups(args.k as usize, feeds),
    };
    context.show(&figures, || human(&figures, context.style))?;
    Ok(Outcome::Done)
}

/// Whether the feed shows the author, whether it is complete, and its posts.
async fn feed(client: &Client, viewer: &Viewer, limit: u32) -> Result<(bool, bool, usize), ClientError> {
    let request = GetFeedRequest {
        viewer_id: viewer.id,
        limit,
        in_network_only: true,
        ..GetFeedRequest::default()
    };
    let mut tries = 1;
    let reply = loop {
        match client.rpc().get_feed(request.clone()).await.map_err(refused("feed")) {
            Ok(reply) => break reply.into_inner(),
            Err(error) if error.is_temporary() && tries < TRIES => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(error) => return Err(error),
        }
        tries += 1;
    };
    let shows = |post: &FeedPost| [post.author_id, post.retweeted_user_id].contains(&viewer.next);
    let complete = reply.answer.as_ref().is_some_and(|answer| answer.coverage >= 1.0);
    Ok((reply.posts.iter().any(shows), complete, reply.posts.len()))
}

impl History {
    fn read(args: &HiggsArgs) -> Result<History, OpenError> {
        let next = next_retweeted(&args.path, args.before)?;
        let format = Format::Higgs {
            path: args.path.clone(),
            options: HiggsOptions {
                dim: 1,
                before: Some(args.before),
            },
        };
        let mut history = History {
            viewers: Vec::new(),
            timelines: HashMap::new(),
            most_repeated: Vec::new(),
            reposts: HashMap::new(),
        };
        let mut wanted: BTreeSet<u64> = BTreeSet::new();
        // Users come before posts.
        for row in format.open()?.rows {
            let Content::Record(record) = row.content else {
                continue;
            };
            match *record {
                Record::User(user) => {
                    let viewer = next.get(&user.user_id).map(|next| Viewer::of(&user, *next));
                    if let Some(viewer) = viewer.filter(|viewer| viewer.followed.len() >= args.min_followed) {
                        wanted.extend(&viewer.followed);
                        history.viewers.push(viewer);
                    }
                }
                Record::Post(post) => history.keep(Shown::of(&post), &wanted),
                Record::Action(_) => {}
            }
        }
        let reposts = &history.reposts;
        history.most_repeated.retain(|post| reposts.contains_key(&post.post));
        history
            .most_repeated
            .sort_unstable_by_key(|post| (Reverse(reposts[&post.post]), Reverse(post.at_ms), post.post));
        Ok(history)
    }

    fn keep(&mut self, post: Shown, wanted: &BTreeSet<u64>) {
        if post.source.0 == post.post {
            self.most_repeated.push(post);
        } else {
            *self.reposts.entry(post.source.0).or_default() += 1;
        }
        if wanted.contains(&post.author) {
            self.timelines.entry(post.author).or_default().push(post);
        }
    }

    /// Rates over all viewers, and over those for whom a ranking has something to choose: with at most `k` posts to show, it
    /// shows them all.
    fn groups(&self, k: usize, feeds: Vec<bool>) -> Vec<Group> {
        let columns = [
            ("in-network feed", feeds),
            ("newest posts of the followed", self.hits(|v| self.newest(v, k))),
            ("most repeated posts of the followed", self.hits(|v| self.popular(v, k))),
            ("most repeated posts of all", self.hits(|v| self.popular_anywhere(v, k))),
            (
                "any post of the followed (ceiling)",
                self.hits(|v| self.newest(v, usize::MAX)),
            ),
        ];
        let choice = |viewer: &Viewer| self.newest(viewer, k + 1).len() > k;
        let chosen: Vec<bool> = self.viewers.iter().map(choice).collect();
        vec![
            group("all viewers", &vec![true; chosen.len()], &columns),
            group(
                "viewers with more posts to choose from than are shown",
                &chosen,
                &columns,
            ),
        ]
    }

    /// Per viewer, whether the authors that `ranking` shows are those that were retweeted.
    fn hits(&self, ranking: impl Fn(&Viewer) -> Vec<Shown>) -> Vec<bool> {
        let shows = |post: &Shown, author| post.author == author || post.source.1 == author;
        let hit = |viewer: &Viewer| ranking(viewer).iter().any(|post| shows(post, viewer.next));
        self.viewers.iter().map(hit).collect()
    }

    /// Posts of the followed, newest first, one per source, none of the viewer's own repeated: as in the feed.
    fn newest(&self, viewer: &Viewer, k: usize) -> Vec<Shown> {
        let mut posts = self.of_followed(viewer);
        posts.sort_unstable_by_key(|post| (Reverse(post.at_ms), post.post));
        once_each(posts, k)
    }

    fn popular(&self, viewer: &Viewer, k: usize) -> Vec<Shown> {
        let mut posts = self.of_followed(viewer);
        let reposts = |post: &Shown| self.reposts.get(&post.source.0).copied().unwrap_or(0);
        posts.sort_unstable_by_key(|post| (Reverse(reposts(post)), Reverse(post.at_ms), post.post));
        once_each(posts, k)
    }

    fn popular_anywhere(&self, viewer: &Viewer, k: usize) -> Vec<Shown> {
        let others = self.most_repeated.iter().filter(|post| post.author != viewer.id);
        others.take(k).copied().collect()
    }

    fn of_followed(&self, viewer: &Viewer) -> Vec<Shown> {
        let posts = viewer.followed.iter().filter_map(|author| self.timelines.get(author));
        let foreign = |post: &&Shown| post.source.1 != viewer.id;
        posts.flatten().filter(foreign).copied().collect()
    }
}

impl Viewer {
    fn of(user: &UserUpdate, next: u64) -> Viewer {
        Viewer {
            id: user.user_id,
            followed: user.edges.iter().map(|edge| edge.target_id).collect(),
            next,
        }
    }
}

impl Shown {
    fn of(post: &Post) -> Shown {
        let source = post.repost_of.as_ref();
        Shown {
            post: post.post_id,
            author: post.author_id,
            source: source.map_or((post.post_id, post.author_id), |of| (of.post_id, of.author_id)),
            at_ms: post.created_at_ms,
        }
    }
}

/// The first `k` of different sources.
fn once_each(posts: Vec<Shown>, k: usize) -> Vec<Shown> {
    let mut seen = BTreeSet::new();
    let first = posts.into_iter().filter(|post| seen.insert(post.source.0));
    first.take(k).collect()
}

fn rate(ranking: &'static str, hits: &[bool], feed: &[bool]) -> Rate {
    let n = hits.len().max(1) as f64;
    let count = hits.iter().filter(|hit| **hit).count();
    let p = count as f64 / n;
    let pairs = || feed.iter().zip(hits);
    Rate {
        ranking,
        hits: count,
        hit_rate: p,
        standard_error: (p * (1.0 - p) / n).sqrt(),
        feed_only: pairs().filter(|(feed, this)| **feed && !**this).count(),
        this_only: pairs().filter(|(feed, this)| !**feed && **this).count(),
    }
}

/// The rates over the viewers that `chosen` marks; the first column is the feed.
fn group(who: &'static str, chosen: &[bool], columns: &[(&'static str, Vec<bool>)]) -> Group {
    let part = |hits: &[bool]| -> Vec<bool> {
        let pairs = hits.iter().zip(chosen);
        pairs.filter(|(_, chosen)| **chosen).map(|(hit, _)| *hit).collect()
    };
    let feed = part(&columns[0].1);
    let rates = columns.iter().map(|(name, hits)| rate(name, &part(hits), &feed));
    Group {
        who,
        viewers: feed.len(),
        rates: rates.collect(),
    }
}

fn human(figures: &Figures, style: Style) -> String {
    let mut out = format!(
        "viewers with at least {} followed who retweet after {}; {} of them follow whom they retweet next\n\
         {:.1} posts per feed, {} replies incomplete; hit: the author is shown in {}\n",
        figures.min_followed,
        figures.before,
        figures.next_is_followed,
        figures.mean_feed_posts,
        figures.incomplete,
        figures.k,
    );
    for group in &figures.groups {
        out += &format!("\n{}: {}\n", group.who, group.viewers);
        let row = |rate: &Rate| {
            vec![
                rate.ranking.to_owned(),
                rate.hits.to_string(),
                format!("{:.3} ± {:.3}", rate.hit_rate, rate.standard_error),
                rate.feed_only.to_string(),
                rate.this_only.to_string(),
            ]
        };
        let rows: Vec<Vec<String>> = group.rates.iter().map(row).collect();
        out += &table(
            &["RANKING", "HITS", "SHARE ± S.E.", "FEED ONLY", "THIS ONLY"],
            &rows,
            style,
        );
    }
    out
}

#[cfg(test)]
#[path = "evaluate_test.rs"]
mod tests;
