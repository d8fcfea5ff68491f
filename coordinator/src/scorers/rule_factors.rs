//! Scorer: multiplies scores as the business rules `boost` and `demote` say.

use covey_config::RuleConfig;
use covey_pipeline::{Reply, Rows, RunContext, Score, Scorer, ready};

use crate::feed::candidate::FeedCandidate;
use crate::feed::query::FeedQuery;
use crate::rules::factor::Factor;
use crate::rules::{Effect, RuleEffect};

/// All that match count. A score keeps its scale: no boost lifts a post without predictions above one that has some.
pub(crate) struct RuleFactors {
    factors: Vec<Factor>,
}

impl RuleFactors {
    pub(crate) fn new(rules: &[RuleConfig]) -> RuleFactors {
        RuleFactors {
            factors: rules.iter().filter_map(Factor::of).collect(),
        }
    }

    fn on(&self, post: &FeedCandidate) -> (Score, Vec<RuleEffect>) {
        let effects: Vec<RuleEffect> = self.factors.iter().filter_map(|factor| factor.on(post)).collect();
        let factor: f64 = effects.iter().map(|entry| entry.effect.factor()).product();
        (post.networked.times(factor), effects)
    }
}

impl Effect {
    fn factor(self) -> f64 {
        match self {
            Effect::Factor(factor) => factor,
            Effect::Pinned(_) | Effect::Injected(_) | Effect::HeldBack => 1.0,
        }
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
        ready(Rows::all(rows, |post: &mut FeedCandidate, (score, effects)| {
            (post.score, post.rules) = (score, effects);
        }))
    }

    fn step(&self, post: &FeedCandidate) -> Option<Score> {
        Some(post.score)
    }
}

#[cfg(test)]
#[path = "rule_factors_test.rs"]
mod tests;
