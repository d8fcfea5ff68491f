//! The visibility policy: a table from safety labels to what is done, and how labels of related posts count.

use covey_shared::model::labels;
use covey_shared::wire::Verdict;

use crate::feed::candidate::Facts;

/// What is done with a post. Stricter ones are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    /// It is shown.
    #[default]
    Allow,
    /// It is shown behind a warning, for this reason.
    Interstitial(&'static str),
    /// It is not shown, for this reason.
    Drop(&'static str),
}

/// How strictly a post is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// In-network: the viewer asked to see this author.
    TimelineHome,
    /// Everything that the cluster recommends by itself.
    TimelineHomeRecommendations,
}

impl Level {
    /// For what it is not known of, the stricter one.
    pub(crate) fn of(in_network: Option<bool>) -> Level {
        match in_network {
            Some(true) => Level::TimelineHome,
            Some(false) | None => Level::TimelineHomeRecommendations,
        }
    }
}

/// One row: a label, and what it means at the two levels.
struct Rule {
    label: u32,
    home: Ruling,
    recommendations: Ruling,
}

use Ruling::{Drop, Interstitial};

const POLICY: [Rule; 4] = [
    Rule {
        label: labels::TAKEDOWN,
        home: Drop("takedown"),
        recommendations: Drop("takedown"),
    },
    Rule {
        label: labels::SPAM,
        home: Interstitial("spam"),
        recommendations: Drop("spam"),
    },
    Rule {
        label: labels::NSFW,
        home: Interstitial("nsfw"),
        recommendations: Drop("nsfw"),
    },
    Rule {
        label: labels::GRAPHIC,
        home: Interstitial("graphic"),
        recommendations: Interstitial("graphic"),
    },
];

/// Fail closed: a label that this release does not know may be worse than any that it does.
const UNKNOWN: Ruling = Drop("unknown_label");

/// What a set of labels means: the strictest of its rules; the empty set is allowed.
pub(crate) fn judge_labels(set: u32, level: Level) -> Ruling {
    let known = POLICY.iter().fold(0, |known, rule| known | rule.label);
    let unknown = if set & !known == 0 { Ruling::Allow } else { UNKNOWN };
    let rulings = POLICY
        .iter()
        .filter(|rule| set & rule.label != 0)
        .map(|rule| match level {
            Level::TimelineHome => rule.home,
            Level::TimelineHomeRecommendations => rule.recommendations,
        });
    // By strictness; of two equally strict ones the rule that stands first in the table says why.
    rulings.chain([unknown]).fold(Ruling::Allow, |worst, next| {
        if severity(next) > severity(worst) { next } else { worst }
    })
}

fn severity(ruling: Ruling) -> u8 {
    match ruling {
        Ruling::Allow => 0,
        Ruling::Interstitial(_) => 1,
        Ruling::Drop(_) => 2,
    }
}

/// What is done with a post, by everything that is known of it; `None` without a verdict.
///
/// A repost shows what it repeats, so all that holds for the original holds for it. A quoted post and the conversation
/// above are not shown: only their being dropped counts. A quoted post or an ancestor that does not exist any more has
/// nothing to hide.
pub(crate) fn judge(facts: &Facts, level: Level) -> Option<Ruling> {
    let own = facts.own.as_ref()?;
    let mut worst = shown(own, level, "gone");
    let mut stricter = |ruling: Ruling| {
        if severity(ruling) > severity(worst) {
            worst = ruling;
        }
    };
    if let Some(source) = &facts.source {
        stricter(shown(source, level, "source_gone"));
    }
    if let Some(quoted) = &facts.quoted {
        stricter(mentioned(quoted, level, "quoted_dropped"));
        if quoted.author_blocks_viewer {
            stricter(Drop("author_blocks_viewer"));
        }
    }
    for ancestor in &facts.ancestors {
        stricter(mentioned(ancestor, level, "ancestor_dropped"));
    }
    Some(worst)
}

fn shown(verdict: &Verdict, level: Level, gone: &'static str) -> Ruling {
    if !verdict.exists {
        return Drop(gone);
    }
    if verdict.author_blocks_viewer {
        return Drop("author_blocks_viewer");
    }
    judge_labels(verdict.labels, level)
}

fn mentioned(verdict: &Verdict, level: Level, dropped: &'static str) -> Ruling {
    match judge_labels(verdict.labels, level) {
        Drop(_) if verdict.exists => Drop(dropped),
        _ => Ruling::Allow,
    }
}

#[cfg(test)]
#[path = "policy_test.rs"]
mod tests;
