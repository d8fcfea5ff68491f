//! `covey bench own-writes`: whoever wrote a post finds it, right after the acknowledgement and with its session token.

use std::time::Instant;

use anyhow::Result;
use covey_api::v1::{Post, PutPostsRequest, SearchRequest};
use serde::Serialize;
use tokio::task::JoinSet;

use super::busy::first_new_post;
use super::input::DIM;
use super::measure::quantile;
use super::session::Session;
use crate::args::OwnWritesArgs;
use crate::client::{Client, ClientError, refused};
use crate::commands::{Context, Outcome};
use crate::progress::Spinner;
use crate::render::text::count;
use crate::world::dice::{Dice, Stream};

/// Writers at a time, each of which waits for its acknowledgement and then searches.
const WRITERS: usize = 16;
/// Posts that are named if they are not found.
const NAMED: usize = 20;

/// How the writers fared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Figures {
    posts: u64,
    /// The first hit of the search for its vector.
    found: u64,
    /// Searches whose answer was not whole.
    incomplete: u64,
    /// Some of those that were not found.
    lost: Vec<u64>,
    /// From sending a post to its acknowledgement.
    write_p50_ms: f64,
    write_p99_ms: f64,
    /// From the acknowledgement to the answer of the search.
    search_p50_ms: f64,
    search_p99_ms: f64,
}

/// What became of one post.
struct Fate {
    post: u64,
    found: bool,
    whole: bool,
    write_ms: f64,
    search_ms: f64,
}

/// Measures a cluster that is loaded.
pub(super) async fn run(context: &Context, args: &OwnWritesArgs, session: &Session) -> Result<Outcome> {
    let spinner = Spinner::start("writing posts and looking for them");
    let started = Instant::now();
    let (client, users) = (session.client(), args.cluster.size.users.max(1));
    let first = first_new_post();
    let mut fates = Vec::new();
    let mut open: JoinSet<Result<Fate, ClientError>> = JoinSet::new();
    for number in 0..args.writes {
        if open.len() == WRITERS
            && let Some(done) = open.join_next().await
        {
            fates.push(done??);
            spinner.note(&format!("{} of {}", count(fates.len() as u64), count(args.writes)));
        }
        open.spawn(one(client.clone(), first + number, number % users + 1));
    }
    while let Some(done) = open.join_next().await {
        fates.push(done??);
    }
    spinner.done(started.elapsed());
    let figures = Figures::of(&fates);
    context.show(&figures, || figures.human())?;
    Ok(Outcome::good(figures.found == figures.posts))
}

/// Writes a post with a vector that no other has, and searches for that vector.
async fn one(client: Client, post_id: u64, author_id: u64) -> Result<Fate, ClientError> {
    let mut dice = Dice::new(post_id, Stream::Slate, 0);
    let vector: Vec<f32> = (0..DIM).map(|_| dice.normal() as f32).collect();
    let post = Post {
        post_id,
        author_id,
        text: format!("post {post_id}"),
        vector: vector.clone(),
        ..Post::default()
    };
    let request = PutPostsRequest {
        posts: vec![post],
        session_token: String::new(),
    };
    let started = Instant::now();
    let written = client.rpc().put_posts(request).await.map_err(refused("put"))?;
    let written = written.into_inner();
    let acknowledged = Instant::now();
    let request = SearchRequest {
        vector,
        k: 1,
        session_token: written.session_token,
        ..SearchRequest::default()
    };
    let reply = client.rpc().search_similar(request).await.map_err(refused("search"))?;
    let reply = reply.into_inner();
    let answer = reply.answer.unwrap_or_default();
    Ok(Fate {
        post: post_id,
        found: written.succeeded == 1 && reply.hits.first().is_some_and(|hit| hit.post_id == post_id),
        whole: answer.coverage >= 1.0 && answer.degraded.is_empty(),
        write_ms: (acknowledged - started).as_secs_f64() * 1000.0,
        search_ms: acknowledged.elapsed().as_secs_f64() * 1000.0,
    })
}

impl Figures {
    fn of(fates: &[Fate]) -> Figures {
        let mut writes: Vec<f64> = fates.iter().map(|fate| fate.write_ms).collect();
        let mut searches: Vec<f64> = fates.iter().map(|fate| fate.search_ms).collect();
        let lost = fates.iter().filter(|fate| !fate.found).map(|fate| fate.post);
        Figures {
            posts: fates.len() as u64,
            found: fates.iter().filter(|fate| fate.found).count() as u64,
            incomplete: fates.iter().filter(|fate| !fate.whole).count() as u64,
            lost: lost.take(NAMED).collect(),
            write_p50_ms: quantile(&mut writes, 0.5),
            write_p99_ms: quantile(&mut writes, 0.99),
            search_p50_ms: quantile(&mut searches, 0.5),
            search_p99_ms: quantile(&mut searches, 0.99),
        }
    }

    fn human(&self) -> String {
        let mut out = format!(
            "{} of {} posts found by their own vector right after their acknowledgement; {} answers were not whole\n\
             write p50 {:.1} ms, p99 {:.1} ms; search p50 {:.1} ms, p99 {:.1} ms\n",
            count(self.found),
            count(self.posts),
            count(self.incomplete),
            self.write_p50_ms,
            self.write_p99_ms,
            self.search_p50_ms,
            self.search_p99_ms,
        );
        if !self.lost.is_empty() {
            out += &format!("not found: {:?}\n", self.lost);
        }
        out
    }
}

#[cfg(test)]
#[path = "own_writes_test.rs"]
mod tests;
