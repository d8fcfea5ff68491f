//! Business rules of the feed: one `[[feed.rule]]` each.

use covey_shared::ids::{PostId, UserId};
use covey_shared::model::{Language, labels};

use crate::choice::choice;
use crate::input::Input;
use crate::section::SectionSpec;
use crate::value::{Lit, Range, Setting};

/// Most rules: each is looked at for every post.
pub const MOST_RULES: usize = 64;

/// Path of the list.
pub(crate) const PATH: &str = "feed.rule";
/// Keys of what a rule does.
const ACTION_KEYS: [&str; 4] = ["slot", "factor", "per", "most"];
/// Keys of what a rule matches.
const MATCH_KEYS: [&str; 8] = [
    "post",
    "author",
    "channel",
    "language",
    "topic",
    "label",
    "in_network",
    "video",
];

pub(crate) const RULE_DOC: [&str; 12] = [
    " Business rules, at most 64, one [[feed.rule]] each. None by default. Their order decides only between pins, and between injects that",
    " are due at one slot: the first in the file comes first. Boosts and demotions all count, and a cap always holds.",
    " name: text · a-z, 0-9 and single _; stands in explain. kind: \"boost\" or \"demote\" or \"pin\" or \"inject\" or \"cap\".",
    " boost, demote: the score is multiplied by factor (number · 1.0 to 100.0 for boost, 0.0 to 1.0 for demote).",
    " pin: on the first page the best match stands at slot (whole number · 1 to 1000). inject: at slot, or above, stands a match.",
    " cap: per \"topic\" or \"author\" or \"channel\" at most so many matches on a page (most: whole number · 1 to 1000).",
    " What it matches, all that is given: post, author (ids), channel (\"in_network\" or \"out_of_network\" or \"similar_to_recent\" or",
    " \"popular\" or \"new\" or \"active\"), language (\"en\"), topic (number ≥ 1), label (\"nsfw\" or \"spam\" or \"graphic\"), in_network (true or false),",
    " video (true or false). A cap may match everything; every other rule names at least one. For example:",
    " [[feed.rule]]",
    " name = \"two_per_topic\"\n# kind = \"cap\"\n# per = \"topic\"\n# most = 2",
    " The environment changes a rule by its name: COVEY__FEED__RULE__TWO_PER_TOPIC__MOST=3.",
];

choice! {
    /// What a rule does, by name.
    pub enum RuleKind {
        /// Raises scores.
        Boost = "boost",
        /// Lowers scores.
        Demote = "demote",
        /// Puts a post to a slot.
        Pin = "pin",
        /// Sees to a match at a slot.
        Inject = "inject",
        /// Bounds a number.
        Cap = "cap",
    }
}

choice! {
    /// What a cap counts by.
    pub enum CapPer {
        /// Each topic of a post.
        Topic = "topic",
        /// Who wrote it, and who reposted it.
        Author = "author",
        /// Each channel that found it.
        Channel = "channel",
    }
}

choice! {
    /// A recall channel.
    pub enum ChannelName {
        /// `[feed.in_network]`.
        InNetwork = "in_network",
        /// `[feed.out_of_network]`.
        OutOfNetwork = "out_of_network",
        /// `[feed.similar_to_recent]`.
        SimilarToRecent = "similar_to_recent",
        /// `[feed.popular]`.
        Popular = "popular",
        /// `[feed.new]`.
        New = "new",
        /// `[feed.active]`.
        Active = "active",
        /// `[feed.subscribed]`.
        Subscribed = "subscribed",
        /// `[feed.topics]`.
        Topics = "topics",
        /// `[feed.local]`.
        Local = "local",
    }
}

choice! {
    /// A safety label of posts that may be shown.
    pub enum LabelName {
        /// Not safe for work.
        Nsfw = "nsfw",
        /// Spam.
        Spam = "spam",
        /// Graphic content.
        Graphic = "graphic",
    }
}

impl LabelName {
    /// Its bit in the labels of a post.
    pub const fn bit(self) -> u32 {
        match self {
            LabelName::Nsfw => labels::NSFW,
            LabelName::Spam => labels::SPAM,
            LabelName::Graphic => labels::GRAPHIC,
        }
    }
}

impl Setting for Language {
    fn unit() -> String {
        "language".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        let code = lit.as_text().filter(|code| !code.is_empty());
        code.and_then(Language::parse)
            .ok_or_else(|| format!("{lit} is not a language; write two letters, such as \"en\""))
    }
    fn to_toml(&self) -> String {
        format!("\"{}\"", self.as_str())
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RuleAction {
    /// Multiplies the score, by 1 to 100.
    Boost {
        /// By how much.
        factor: f64,
    },
    /// Multiplies the score, by 0 to 1.
    Demote {
        /// By how much.
        factor: f64,
    },
    /// The best match stands here on the first page of a session.
    Pin {
        /// From 1.
        slot: usize,
    },
    /// A match stands here, or above, on each page.
    Inject {
        /// From 1.
        slot: usize,
    },
    /// At most so many matches on a page.
    Cap {
        /// What is counted.
        per: CapPer,
        /// At least 1.
        most: usize,
    },
}

impl RuleAction {
    /// What a rule of this kind multiplies the score by.
    #[must_use]
    pub fn factor(self) -> Option<f64> {
        match self {
            Self::Boost { factor } | Self::Demote { factor } => Some(factor),
            Self::Pin { .. } | Self::Inject { .. } | Self::Cap { .. } => None,
        }
    }
}

/// What a rule matches: all that is given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RuleMatch {
    /// The post, or a repost of it.
    pub post: Option<PostId>,
    /// Who wrote or reposted it.
    pub author: Option<UserId>,
    /// A channel that found it.
    pub channel: Option<ChannelName>,
    /// Its language.
    pub language: Option<Language>,
    /// One of its topics.
    pub topic: Option<u32>,
    /// One of its labels.
    pub label: Option<LabelName>,
    /// Whether its author is followed.
    pub in_network: Option<bool>,
    /// Whether it shows a video.
    pub video: Option<bool>,
}

/// One `[[feed.rule]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleConfig {
    /// Distinct among the rules.
    pub name: String,
    /// What it does.
    pub action: RuleAction,
    /// To what.
    pub matches: RuleMatch,
}

/// The rules in file order, at most [`MOST_RULES`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleList(pub Vec<RuleConfig>);

impl RuleList {
    pub(crate) fn read(input: &mut Input) -> Self {
        let names = input.names(PATH);
        if names.len() > MOST_RULES {
            let message = format!(
                "{} rules; at most {MOST_RULES} are looked at for every post",
                names.len()
            );
            input.problem_of(&key(&names[MOST_RULES], "kind"), message);
        }
        Self(names.iter().filter_map(|name| RuleConfig::read(name, input)).collect())
    }

    /// A list has no keys of its own.
    pub(crate) fn describe(&self, _: &mut Vec<SectionSpec>) {}
}

/// Paths of the keys of every rule, for hints.
pub(crate) fn known_keys() -> impl Iterator<Item = String> {
    let keys = ["kind"].into_iter().chain(ACTION_KEYS).chain(MATCH_KEYS);
    keys.map(|name| key("<name>", name))
}

fn key(rule: &str, name: &str) -> String {
    format!("{PATH}.{rule}.{name}")
}

/// The name of a rule: part of a path, and of the name of an environment variable.
pub(crate) fn rule_name(lit: &Lit) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_name = |name: &&str| {
        let parts = name.split('_').all(|part| !part.is_empty());
        parts && name.len() <= 64 && name.chars().all(allowed)
    };
    let name = lit.as_text().filter(is_name).map(str::to_owned);
    name.ok_or_else(|| format!("{lit} is not the name of a rule: at most 64 of a-z, 0-9 and single _ between them"))
}

impl RuleConfig {
    fn read(name: &str, input: &mut Input) -> Option<Self> {
        let kind_path = key(name, "kind");
        let missing = !input.was_written(&kind_path);
        let Some(kind) = input.take_opt::<RuleKind>(&kind_path, &Range::from(..)) else {
            if missing {
                let message = format!("rule {name} has no kind; write kind = {}", RuleKind::unit());
                input.problem_of(&kind_path, message);
            }
            // What its keys should be is not known.
            input.forget(&key(name, ""));
            return None;
        };
        let action = action(name, kind, input);
        let matches = matches(name, input);
        if matches == RuleMatch::default()
            && kind != RuleKind::Cap
            && !MATCH_KEYS.iter().any(|k| input.was_written(&key(name, k)))
        {
            let message = format!("rule {name} matches every post; add one of {}", MATCH_KEYS.join(", "));
            input.problem_of(&kind_path, message);
        }
        Some(Self {
            name: name.to_owned(),
            action: action?,
            matches,
        })
    }

    /// As written in the file.
    pub(crate) fn to_toml(&self) -> String {
        format!("[[{PATH}]]\n{}\n", self.lines().join("\n"))
    }

    /// All but its name in one line, as somebody would set it.
    pub(crate) fn inline(&self) -> String {
        format!("{{ {} }}", self.lines()[1..].join(", "))
    }

    /// Key by key, as written in the file.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (kind, action) = match self.action {
            RuleAction::Boost { factor } => (RuleKind::Boost, vec![("factor", factor.to_toml())]),
            RuleAction::Demote { factor } => (RuleKind::Demote, vec![("factor", factor.to_toml())]),
            RuleAction::Pin { slot } => (RuleKind::Pin, vec![("slot", slot.to_toml())]),
            RuleAction::Inject { slot } => (RuleKind::Inject, vec![("slot", slot.to_toml())]),
            RuleAction::Cap { per, most } => (RuleKind::Cap, vec![("per", per.to_toml()), ("most", most.to_toml())]),
        };
        let m = &self.matches;
        let conditions = [
            m.post.map(|post| post.0.to_toml()),
            m.author.map(|author| author.0.to_toml()),
            m.channel.map(|channel| channel.to_toml()),
            m.language.map(|language| language.to_toml()),
            m.topic.map(|topic| topic.to_toml()),
            m.label.map(|label| label.to_toml()),
            m.in_network.map(|is| is.to_toml()),
            m.video.map(|is| is.to_toml()),
        ];
        let conditions = MATCH_KEYS.into_iter().zip(conditions);
        let given = conditions.filter_map(|(key, value)| Some((key, value?)));
        let named = [("name", self.name.to_toml()), ("kind", kind.to_toml())];
        let all = named.into_iter().chain(action).chain(given);
        all.map(|(key, value)| format!("{key} = {value}")).collect()
    }
}

/// Reads what the kind needs, and refuses what it does not.
fn action(rule: &str, kind: RuleKind, input: &mut Input) -> Option<RuleAction> {
    let wanted: &[&str] = match kind {
        RuleKind::Boost | RuleKind::Demote => &["factor"],
        RuleKind::Pin | RuleKind::Inject => &["slot"],
        RuleKind::Cap => &["per", "most"],
    };
    for name in ACTION_KEYS.into_iter().filter(|name| !wanted.contains(name)) {
        let path = key(rule, name);
        if input.was_written(&path) {
            let kind = kind.to_toml();
            input.problem_of(
                &path,
                format!("a rule of kind {kind} takes {}, not {name}", wanted.join(" and ")),
            );
            input.forget(&path);
        }
    }
    let slot = Range::from(1..=1000);
    Some(match kind {
        RuleKind::Boost => RuleAction::Boost {
            factor: needed(rule, "factor", &Range::from(1.0..=100.0), input)?,
        },
        RuleKind::Demote => RuleAction::Demote {
            factor: needed(rule, "factor", &Range::from(0.0..=1.0), input)?,
        },
        RuleKind::Pin => RuleAction::Pin {
            slot: needed(rule, "slot", &slot, input)?,
        },
        RuleKind::Inject => RuleAction::Inject {
            slot: needed(rule, "slot", &slot, input)?,
        },
        RuleKind::Cap => {
            let per = needed(rule, "per", &Range::from(..), input);
            let most = needed(rule, "most", &Range::from(1..=1000), input);
            RuleAction::Cap { per: per?, most: most? }
        }
    })
}

fn needed<T: Setting>(rule: &str, name: &str, range: &Range, input: &mut Input) -> Option<T> {
    let path = key(rule, name);
    if !input.was_written(&path) {
        input.problem_of(&key(rule, "kind"), format!("rule {rule} has no {name}; add it"));
    }
    input.take_opt(&path, range)
}

fn matches(rule: &str, input: &mut Input) -> RuleMatch {
    let any = Range::from(..);
    let ids = Range::from(1..=i64::MAX);
    RuleMatch {
        post: input.take_opt(&key(rule, "post"), &ids).map(PostId),
        author: input.take_opt(&key(rule, "author"), &ids).map(UserId),
        channel: input.take_opt(&key(rule, "channel"), &any),
        language: input.take_opt(&key(rule, "language"), &any),
        topic: input.take_opt(&key(rule, "topic"), &Range::from(1..=i64::from(u32::MAX))),
        label: input.take_opt(&key(rule, "label"), &any),
        in_network: input.take_opt(&key(rule, "in_network"), &any),
        video: input.take_opt(&key(rule, "video"), &any),
    }
}

#[cfg(test)]
#[path = "rules_test.rs"]
mod tests;
