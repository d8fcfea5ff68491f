//! Figures of lists, of methods, and what is told of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::measure::rounded;
use super::baselines::Method;
use super::ndcg::{Mean, ndcg};
use super::truth::Entry;
use crate::render::text::{Style, count, table};

/// So many standard errors of the paired difference the pipeline should be above popularity and recency.
const WANTED_ERRORS: f64 = 3.0;

/// One list for one viewer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    ndcg: Option<f64>,
    /// Only posts count that nobody had been shown before: in the list and in the ideal.
    cold_posts: Option<f64>,
    in_network: f64,
    duplicates: f64,
    authors: f64,
    topics: f64,
}

/// The highest gains of a pool, as many as a list has places.
#[derive(Clone, Debug)]
pub(super) struct Best {
    k: usize,
    all: Vec<f64>,
    /// Of posts that nobody had been shown before.
    cold: Vec<f64>,
}

impl Best {
    pub(super) fn of(pool: &[Entry], k: usize) -> Best {
        let highest = |mut gains: Vec<f64>| {
            gains.sort_unstable_by(|a, b| b.total_cmp(a));
            gains.truncate(k);
            gains
        };
        let cold = pool.iter().filter(|entry| entry.cold);
        Best {
            k,
            all: highest(pool.iter().map(|entry| entry.gain).collect()),
            cold: highest(cold.map(|entry| entry.gain).collect()),
        }
    }
}

/// Judges a list by the best that could be made of its pool.
pub(super) fn row(list: &[Entry], best: &Best, text: impl Fn(u64) -> String) -> Row {
    let mut posts = BTreeSet::new();
    // A post that is there twice is worth nothing the second time.
    let gains = list
        .iter()
        .map(|entry| if posts.insert(entry.post) { entry.gain } else { 0.0 });
    let gains: Vec<f64> = gains.collect();
    let cold = list
        .iter()
        .zip(&gains)
        .map(|(entry, gain)| if entry.cold { *gain } else { 0.0 });
    let cold: Vec<f64> = cold.collect();
    let share = |part: usize| part as f64 / list.len().max(1) as f64;
    let distinct = |of: &dyn Fn(&Entry) -> u64| list.iter().map(of).collect::<BTreeSet<u64>>().len();
    let texts: BTreeSet<String> = list.iter().map(|entry| text(entry.post)).collect();
    Row {
        ndcg: ndcg(&gains, &best.all, best.k),
        cold_posts: ndcg(&cold, &best.cold, best.k),
        in_network: share(list.iter().filter(|entry| entry.followed).count()),
        duplicates: share(list.len() - texts.len()),
        authors: share(distinct(&|entry| entry.author)),
        topics: distinct(&|entry| u64::from(entry.topic)) as f64,
    }
}

/// The figures of one method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    pub(super) world_seed: u64,
    pub(super) method: &'static str,
    /// Mean over the viewers with a history, and its standard error.
    pub(super) ndcg35: f64,
    pub(super) se: f64,
    pub(super) cold_post_ndcg35: f64,
    /// Over the viewers without a history.
    pub(super) cold_viewer_ndcg35: f64,
    /// How far the pipeline is above, in standard errors of the paired difference; of the pipeline itself 0.
    pub(super) pipeline_above_se: f64,
    /// Share of posts by followed users.
    pub(super) in_network: f64,
    /// Share of posts whose text stands further up in the list already.
    pub(super) duplicates: f64,
    /// Distinct authors per post, and distinct topics.
    pub(super) authors: f64,
    pub(super) topics: f64,
    pub(super) viewers: usize,
    pub(super) cold_viewers: usize,
}

/// All methods.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) figures: Vec<Figures>,
    /// The pipeline is above popularity and recency by more than chance. What is compared is not rounded.
    pub(super) good: bool,
}

impl Report {
    pub(super) fn new(world_seed: u64, known: &[BTreeMap<Method, Row>], cold: &[BTreeMap<Method, Row>]) -> Report {
        let figures = Method::ALL.into_iter().map(|method| {
            let column = |of: &dyn Fn(&Row) -> Option<f64>| values(known, method, of);
            let mean = |of: fn(&Row) -> f64| rounded(Mean::of(&column(&|row| Some(of(row)))).mean, 4);
            let ndcg = Mean::of(&column(&|row| row.ndcg));
            Figures {
                world_seed,
                method: method.name(),
                ndcg35: rounded(ndcg.mean, 4),
                se: rounded(ndcg.se, 4),
                cold_post_ndcg35: rounded(Mean::of(&column(&|row| row.cold_posts)).mean, 4),
                cold_viewer_ndcg35: rounded(Mean::of(&values(cold, method, &|row| row.ndcg)).mean, 4),
                pipeline_above_se: rounded(above(known, method), 1),
                in_network: mean(|row| row.in_network),
                duplicates: mean(|row| row.duplicates),
                authors: mean(|row| row.authors),
                topics: mean(|row| row.topics),
                viewers: known.len(),
                cold_viewers: cold.len(),
            }
        });
        let mut rivals = [Method::Popularity, Method::Recency].into_iter();
        Report {
            figures: figures.collect(),
            good: rivals.all(|rival| above(known, rival) > WANTED_ERRORS),
        }
    }

    pub(super) fn human(&self, style: Style) -> String {
        let first = &self.figures[0];
        let verdict = match self.good {
            true => style.good("met"),
            false => style.bad("missed"),
        };
        let header = [
            "METHOD",
            "NDCG@35",
            "± S.E.",
            "COLD POSTS",
            "COLD VIEWERS",
            "PIPELINE ABOVE BY",
            "IN NETWORK",
            "DUPLICATES",
            "AUTHORS / POST",
            "TOPICS",
        ];
        let rows: Vec<Vec<String>> = self.figures.iter().map(cells).collect();
        format!(
            "feeds of {} viewers with a history and {} without, world of seed {}\n\n{}\n\
             pipeline above popularity and recency by more than {WANTED_ERRORS:.0} standard errors: {verdict}\n",
            count(first.viewers as u64),
            count(first.cold_viewers as u64),
            first.world_seed,
            table(&header, &rows, style),
        )
    }
}

/// One figure of a method over the viewers. What a pool has nothing to be judged by is the same for all methods, so that lists of two
/// methods go by the same viewers.
fn values(rows: &[BTreeMap<Method, Row>], method: Method, of: &dyn Fn(&Row) -> Option<f64>) -> Vec<f64> {
    rows.iter().filter_map(|row| row.get(&method)).filter_map(of).collect()
}

/// By how many standard errors of the paired difference the pipeline is above a method.
fn above(rows: &[BTreeMap<Method, Row>], method: Method) -> f64 {
    let ndcg = |method| values(rows, method, &|row| row.ndcg);
    let pairs = ndcg(Method::Pipeline).into_iter().zip(ndcg(method));
    let above: Vec<f64> = pairs.map(|(pipeline, other)| pipeline - other).collect();
    Mean::of(&above).in_errors()
}

fn cells(one: &Figures) -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let above = match one.method == Method::Pipeline.name() {
        true => String::new(),
        false => format!("{:+.1} s.e.", one.pipeline_above_se),
    };
    vec![
        one.method.to_owned(),
        format!("{:.3}", one.ndcg35),
        format!("{:.3}", one.se),
        format!("{:.3}", one.cold_post_ndcg35),
        format!("{:.3}", one.cold_viewer_ndcg35),
        above,
        percent(one.in_network),
        percent(one.duplicates),
        format!("{:.2}", one.authors),
        format!("{:.1}", one.topics),
    ]
}

#[cfg(test)]
#[path = "report_test.rs"]
mod tests;
