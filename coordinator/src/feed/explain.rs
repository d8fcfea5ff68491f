//! Explanations: which channels found a post, which filter removed it, what each step did to its score and rank.

use std::collections::BTreeMap;

use covey_api::v1;
use covey_config::RuleConfig;
use covey_pipeline::{ComponentReport, Removed, Score, Stage, Status};
use covey_shared::ids::{PostId, PostKey};

use crate::feed::candidate::{ChannelHit, FeedCandidate};
use crate::feed::ledger::Cost;
use crate::feed::not_found::{self, Found};
use crate::feed::reply::{Page, action_kind, channel, visibility};
use crate::ranking::predictions::Predictions;
use crate::rules::{Placing, RuleMarks};

/// A step whose rank is told: its name, and the score that it stored.
type Step = (&'static str, fn(&FeedCandidate) -> Score);

const L1_CUT: &str = "L1Cut";
const RULE_FACTORS: &str = "RuleFactors";
const PAGE_RULES: &str = "PageRules";
const STEPS: [Step; 5] = [
    (L1_CUT, |post| post.l1.and_then(Score::new).unwrap_or(Score::UNSCORED)),
    ("WeightedScorer", |post| post.weighted),
    ("AuthorDiversity", |post| post.diversified),
    ("OutOfNetwork", |post| post.networked),
    (RULE_FACTORS, |post| post.score),
];

/// One per served post, in order, then one per post asked for.
pub(crate) fn explanations(page: &Page<'_>) -> Vec<v1::PostExplanation> {
    let board = Board::new(page);
    let served = page.outcome.selected.iter().map(|post| post.core.key);
    let asked = page.request.explain_posts.iter().copied();
    served.chain(asked).map(|key| board.explain(key)).collect()
}

/// What each component did, in the order of the pipeline.
pub(crate) fn stages(page: &Page<'_>) -> Vec<v1::StageReport> {
    // A source and a hydrator may share a name; who reads for both comes first.
    let mut left = page.account.cost.clone();
    let entries = &page.outcome.report.components;
    let mut rows: Vec<v1::StageReport> = entries
        .iter()
        .map(|entry| stage(entry, left.remove(entry.component)))
        .collect();
    for component in [RULE_FACTORS, PAGE_RULES] {
        // Each round of backfill places all posts anew: what was done in the end stands with the last.
        if let Some(row) = rows.iter_mut().rfind(|row| row.component == component) {
            row.rules = touched(page, component);
        }
    }
    rows
}

/// Of each rule that the component applies, how many posts it touched.
fn touched(page: &Page<'_>, component: &str) -> BTreeMap<String, u32> {
    let marks: Vec<RuleMarks> = page.outcome.candidates().map(marks).collect();
    let by = |rule: usize| marks.iter().filter(|marks| marks.is_touched_by(rule)).count();
    let applies = |rule: &RuleConfig| component == if is_factor(rule) { RULE_FACTORS } else { PAGE_RULES };
    let rules = page.rules.iter().enumerate().filter(|(_, rule)| applies(rule));
    rules.map(|(i, rule)| (rule.name.clone(), number(by(i)))).collect()
}

/// What rules did to a candidate; a place that it was given counts only if it has it.
fn marks((post, removed): Ended<'_>) -> RuleMarks {
    match removed {
        Some(_) => post.rules.unplaced(),
        None => post.rules,
    }
}

fn is_factor(rule: &RuleConfig) -> bool {
    rule.action.factor().is_some()
}

/// The rules that multiplied the score, each with its name and what it did.
fn factors(rules: &[RuleConfig], marks: RuleMarks) -> impl Iterator<Item = (&str, String)> {
    let those = rules
        .iter()
        .enumerate()
        .filter(move |(i, _)| marks.is_multiplied_by(*i));
    those.filter_map(|(_, rule)| Some((rule.name.as_str(), format!("× {:.3}", rule.action.factor()?))))
}

/// What the rules did.
fn effects(rules: &[RuleConfig], marks: RuleMarks) -> Vec<v1::RuleEffect> {
    let placing = marks.placed.into_iter();
    let placed = placing.filter_map(|(rule, how)| Some((rules.get(rule)?.name.as_str(), how)));
    let effect = |rule: &str, effect: String, held_back: bool| v1::RuleEffect {
        rule: rule.to_owned(),
        effect,
        held_back,
    };
    let factors = factors(rules, marks).map(|(rule, factor)| effect(rule, factor, false));
    let placed = placed.map(|(rule, how)| effect(rule, how.to_string(), how == Placing::HeldBack));
    factors.chain(placed).collect()
}

fn stage(entry: &ComponentReport, cost: Option<Cost>) -> v1::StageReport {
    let cost = cost.unwrap_or_default();
    let (skipped, error) = match &entry.status {
        Status::Ok | Status::Disabled => ("", ""),
        Status::Skipped(reason) => (*reason, ""),
        Status::TimedOut => ("", "timed out"),
        Status::Failed { detail, .. } => ("", detail.as_str()),
    };
    let removed = entry
        .removed
        .iter()
        .map(|(reason, count)| ((*reason).to_owned(), number(*count)));
    v1::StageReport {
        stage: match entry.round {
            0 => entry.stage.to_string(),
            round => format!("{}, backfill {round}", entry.stage),
        },
        component: entry.component.to_owned(),
        candidates_in: number(entry.input),
        candidates_out: number(entry.output),
        removed: removed.collect(),
        time_ms: entry.took.as_secs_f64() * 1000.0,
        error: error.to_owned(),
        shard_work_ms: cost.work.as_secs_f64() * 1000.0,
        wire_bytes: cost.bytes,
        rules: BTreeMap::new(),
        skipped: skipped.to_owned(),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A candidate, and how it was removed if it was.
type Ended<'a> = (&'a FeedCandidate, Option<&'a Removed<FeedCandidate>>);

/// Where every candidate of the run ended.
struct Board<'a> {
    page: &'a Page<'a>,
    /// Of several copies of a post the one that came furthest.
    posts: BTreeMap<PostId, Ended<'a>>,
    positions: BTreeMap<PostId, usize>,
    found: Found,
    /// Rank of every candidate after each step that it went through.
    ranks: Vec<(&'static str, BTreeMap<PostId, usize>)>,
}

impl<'a> Board<'a> {
    fn new(page: &'a Page<'a>) -> Board<'a> {
        let outcome = page.outcome;
        let posts: BTreeMap<PostId, Ended<'a>> = outcome.candidates().map(|ended| (ended.0.post(), ended)).collect();
        // The Following feed ranks nothing.
        let ranked = outcome.query.following.is_none();
        let steps = STEPS
            .iter()
            .filter(|step| ranked && (step.0 != RULE_FACTORS || page.rules.iter().any(is_factor)));
        let ranks = steps.map(|step| (step.0, ranks(&posts, step))).collect();
        let positions = outcome
            .selected
            .iter()
            .enumerate()
            .map(|(i, post)| (post.post(), i + 1))
            .collect();
        Board {
            found: Found::of(posts.values().map(|(post, _)| *post)),
            page,
            posts,
            positions,
            ranks,
        }
    }

    fn explain(&self, key: PostKey) -> v1::PostExplanation {
        let mut explanation = v1::PostExplanation {
            post: Some(v1::PostKey {
                author_id: key.author.0,
                post_id: key.post.0,
            }),
            ..v1::PostExplanation::default()
        };
        let Some((post, removed)) = self.posts.get(&key.post).filter(|(post, _)| post.core.key == key) else {
            explanation.not_retrieved = not_found::why(self.page, &self.found, key);
            if let Some(probe) = self.page.probes.posts.get(&key) {
                explanation.l1_score = probe.post.l1.unwrap_or_default();
                explanation.removed = probe.removed.map(|(filter, reason)| removal(filter, reason));
            }
            return explanation;
        };
        let (shown, reason) = visibility(post.ruling);
        explanation.position = number(self.positions.get(&key.post).copied().unwrap_or(0));
        let hit = |hit: &ChannelHit| v1::ChannelHit {
            channel: channel(hit.channel) as i32,
            rank: hit.rank,
            score: f64::from(hit.score),
        };
        explanation.channels = post.channels.iter().map(hit).collect();
        explanation.removed = removed.map(|removed| removal(removed.component, removed.reason));
        explanation.l1_score = post.l1.unwrap_or_default();
        if was_scored(*removed) && post.scored.is_some() {
            explanation.predictions = predictions(post);
            explanation.score_steps = steps(self.page.rules, post);
        }
        let ranks = self
            .ranks
            .iter()
            .filter_map(|(stage, ranks)| Some((*stage, ranks.get(&key.post)?)));
        explanation.ranks = ranks
            .map(|(stage, rank)| v1::StageRank {
                stage: stage.to_owned(),
                rank: number(*rank),
            })
            .collect();
        explanation.rules = effects(self.page.rules, marks((post, *removed)));
        explanation.visibility = shown as i32;
        explanation.visibility_reason = reason.to_owned();
        explanation
    }
}

fn removal(filter: &str, reason: &str) -> v1::Removal {
    v1::Removal {
        filter: filter.to_owned(),
        reason: reason.to_owned(),
    }
}

/// It went on to scoring: it was not removed, or only after selection.
fn was_scored(removed: Option<&Removed<FeedCandidate>>) -> bool {
    removed.is_none_or(|removed| matches!(removed.stage, Stage::PostHydrator | Stage::PostFilter))
}

fn ranks<'a>(posts: &BTreeMap<PostId, Ended<'a>>, (name, score): &Step) -> BTreeMap<PostId, usize> {
    let went_through = |removed: Option<&Removed<FeedCandidate>>| {
        was_scored(removed) || (*name == L1_CUT && removed.is_some_and(|removed| removed.component == L1_CUT))
    };
    let mut ranked: Vec<&FeedCandidate> = posts
        .values()
        .filter(|(_, removed)| went_through(*removed))
        .map(|(post, _)| *post)
        .collect();
    ranked.sort_by_key(|post| post.rank_by(score(post)));
    ranked
        .into_iter()
        .enumerate()
        .map(|(i, post)| (post.post(), i + 1))
        .collect()
}

fn predictions(post: &FeedCandidate) -> Vec<v1::Prediction> {
    let said = post.predictions.iter().flat_map(Predictions::values);
    said.map(|(head, value)| v1::Prediction {
        kind: action_kind(head) as i32,
        value,
    })
    .collect()
}

fn steps(rules: &[RuleConfig], post: &FeedCandidate) -> Vec<v1::ScoreStep> {
    let [l1, weighted, diversified, networked] = [
        post.l1.unwrap_or_default(),
        post.weighted.value(),
        post.diversified.value(),
        post.networked.value(),
    ];
    let basis = match post.predictions {
        Some(_) => "the weighted sum of the predictions takes the place of L1",
        None => "no predictions: the score is L1",
    };
    let factor = |before: f64, after: f64| {
        let changed = before != after && before != 0.0;
        if changed {
            format!("× {:.3}", after / before)
        } else {
            String::new()
        }
    };
    let step = |scorer: &str, before: f64, after: f64, note: String| v1::ScoreStep {
        scorer: scorer.to_owned(),
        before,
        after,
        note,
    };
    let mut steps = vec![
        step("WeightedScorer", l1, weighted, basis.to_owned()),
        step("AuthorDiversity", weighted, diversified, factor(weighted, diversified)),
        step("OutOfNetwork", diversified, networked, factor(diversified, networked)),
    ];
    let notes: Vec<String> = factors(rules, post.rules)
        .map(|(rule, effect)| format!("{rule} {effect}"))
        .collect();
    if !notes.is_empty() {
        steps.push(step(RULE_FACTORS, networked, post.score.value(), notes.join(", ")));
    }
    steps
}

#[cfg(test)]
#[path = "explain_test.rs"]
mod tests;
