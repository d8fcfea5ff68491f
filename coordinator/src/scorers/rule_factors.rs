//! Scorer: multiplies scores as the business rules `boost` and `demote` say.

use covey_config::{RuleAction, RuleConfig};
use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::rules::{Rule, RuleMarks};

/// All that match count. A score keeps its scale: no boost lifts a post without predictions above one that has some.
pub(crate) struct RuleFactors {
    factors: Vec<Rule<f64>>,
}

impl RuleFactors {
    pub(crate) fn new(rules: &[RuleConfig]) -> RuleFactors {
        RuleFactors {
            factors: Rule::of(rules, RuleAction::factor),
        }
    }

    fn on(&self, post: &FeedCandidate) -> (Score, u64) {
        let matching = self.factors.iter().filter(|rule| rule.is_match(post));
        let (factor, factors) = matching.fold((1.0, 0), |(factor, bits), rule| (factor * rule.with, bits | rule.bit()));
        (post.networked.times(factor), factors)
    }
}

impl Scorer<FeedQuery, FeedCandidate> for RuleFactors {
    fn enable(&self, _: &FeedQuery) -> bool {
        !self.factors.is_empty()
    }

    fn score<'a>(
        &'a self,
        _: &'a RunContext,
        _: &'a FeedQuery,
        posts: &'a [FeedCandidate],
    ) -> Reply<'a, Rows<FeedCandidate>> {
        let rows = posts.iter().map(|post| self.on(post)).collect();
        ready(Rows::all(rows, |post: &mut FeedCandidate, (score, factors)| {
            post.score = score;
            post.rules = RuleMarks { factors, placed: None };
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.score)
    }
}

#[cfg(test)]
#[path = "rule_factors_test.rs"]
mod tests;
