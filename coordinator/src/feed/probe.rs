//! What would have become of posts that no channel found: for explanations alone. They go through the rules that look at one post, by
//! themselves, and never get near the feed that is explained.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use covey_config::{Config, FeedConfig, Metric};
use covey_pipeline::{Components, PipelineError, Removed, Reply, RunContext, Source};
use covey_shared::ids::PostKey;
use covey_shared::wire::{Candidate, PostView};

use crate::feed::candidate::{Channel, ChannelHit, FeedCandidate};
use crate::feed::following::Chronological;
use crate::feed::lasting::Lasting;
use crate::feed::ledger::Ledger;
use crate::feed::pipeline::{self, FeedPipeline};
use crate::feed::query::FeedQuery;
use crate::feed::service::FeedOutcome;
use crate::feed::shards::Shards;
use crate::sources::interests::{mean_interest, similarity, single_interests};

/// Most posts that a request may have explained.
pub(crate) const MOST: usize = 100;
/// Rules that compare posts with each other: what no channel found is compared with nothing.
const COMPARING: [&str; 4] = [
    "DropDuplicates",
    "ContentDuplicate",
    "RetweetDedup",
    "DedupConversation",
];

/// A post that was looked at.
pub(crate) struct Probe {
    /// The post; its channels are those that search by similarity, with what it would have had there.
    pub(crate) post: FeedCandidate,
    /// The rule that would have removed it, and why.
    pub(crate) removed: Option<(&'static str, &'static str)>,
}

/// Posts that were looked at.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) posts: BTreeMap<PostKey, Probe>,
    /// Some shard did not answer: what is not among them may be there.
    pub(crate) partial: bool,
}

/// The rules as a pipeline of their own, in which the cut and the slate have room for all.
pub(crate) fn pipeline(lasting: &Lasting, config: &Config) -> FeedPipeline {
    let mut config = config.clone();
    config.feed.l2_candidates = MOST;
    config.limits.feed_posts = MOST;
    pipeline::assemble(components(lasting, &config), &config, lasting)
}

fn components(lasting: &Lasting, config: &Config) -> Components<FeedQuery, FeedCandidate> {
    let mut all = pipeline::components(lasting, config);
    all.filters.retain(|rule| !COMPARING.contains(&rule.name()));
    all.post_filters.retain(|rule| !COMPARING.contains(&rule.name()));
    let source = Asked {
        shards: Arc::clone(&lasting.shards),
        feed: config.feed.clone(),
        metric: config.embedding.metric,
    };
    Components {
        // They have been read.
        query_hydrators: Vec::new(),
        dependent_query_hydrators: Vec::new(),
        sources: vec![Box::new(source)],
        scorers: Vec::new(),
        selector: Box::new(Chronological { size: MOST }),
        arranger: None,
        side_effects: Vec::new(),
        ..all
    }
}

/// What of `asked` a run has not found, and is to be looked at.
pub(crate) fn query(outcome: &FeedOutcome, asked: &[PostKey]) -> Option<FeedQuery> {
    let found: BTreeSet<PostKey> = outcome.candidates().map(|(post, _)| post.core.key).collect();
    let missing: BTreeSet<PostKey> = asked.iter().copied().filter(|key| !found.contains(key)).collect();
    (!missing.is_empty()).then(|| FeedQuery {
        asked: missing.into_iter().take(MOST).collect(),
        // A page from the reserve scores nothing anew; what is looked at has no score yet.
        resumed: false,
        // What it costs, and what it lacks, is not the feed's.
        ledger: Arc::new(Ledger::default()),
        ..FeedQuery::clone(&outcome.query)
    })
}

impl Probes {
    /// What came of looking at them.
    pub(crate) fn of(judged: Result<FeedOutcome, PipelineError>) -> Probes {
        let Ok(judged) = judged else {
            return Probes {
                partial: true,
                ..Probes::default()
            };
        };
        let one = |(post, removed): (&FeedCandidate, Option<&Removed<FeedCandidate>>)| {
            let (post, removed) = (post.clone(), removed.map(|removed| (removed.component, removed.reason)));
            (post.core.key, Probe { post, removed })
        };
        Probes {
            posts: judged.candidates().map(one).collect(),
            partial: !judged.query.ledger.account().report.is_whole() || !judged.report.degraded.is_empty(),
        }
    }
}

/// Source: the posts that are asked for.
struct Asked {
    shards: Arc<dyn Shards>,
    feed: FeedConfig,
    metric: Metric,
}

impl Source<FeedQuery, FeedCandidate> for Asked {
    fn budget(&self) -> Duration {
        self.feed.hydrate_timeout
    }

    fn find<'a>(&'a self, run: &'a RunContext, query: &'a FeedQuery) -> Reply<'a, Vec<FeedCandidate>> {
        Box::pin(async move {
            let context = query.read_context(run);
            let (cores, vectors) = tokio::join!(
                self.shards.candidates(query.asked.clone(), &context),
                self.shards.vectors(query.asked.clone(), &context),
            );
            let cores = query.ledger.take("Asked", cores)?;
            // Without them similarities are not told; all else is.
            let vectors = query.ledger.take("Asked", vectors).unwrap_or_default();
            let vector = |view: PostView| (view.post.key, view.post.vector.to_f32());
            let vectors: BTreeMap<PostKey, Vec<f32>> = vectors.into_iter().map(vector).collect();
            let near = self.interests(query);
            let candidate = |core: Candidate| {
                let channels = vectors.get(&core.key).map(|vector| self.similarities(&near, vector));
                FeedCandidate {
                    channels: channels.unwrap_or_default(),
                    ..FeedCandidate::found(core, Channel::OutOfNetwork, 0)
                }
            };
            Ok(cores.into_iter().map(candidate).collect())
        })
    }
}

impl Asked {
    /// What the channels searched around, if they did.
    fn interests(&self, query: &FeedQuery) -> Vec<(Channel, Vec<f32>)> {
        let Some(vectors) = query.liked.get() else {
            return Vec::new();
        };
        let mean = mean_interest(query, vectors, &self.feed.out_of_network);
        let mean = mean.map(|vector| (Channel::OutOfNetwork, vector));
        let single = single_interests(query, vectors, &self.feed.similar_to_recent).into_iter();
        let single = single.map(|vector| (Channel::SimilarToRecent, vector));
        mean.into_iter().chain(single).collect()
    }

    /// What a post would have had in each channel that searched, the nearest counts.
    fn similarities(&self, near: &[(Channel, Vec<f32>)], vector: &[f32]) -> Vec<ChannelHit> {
        let mut best: BTreeMap<Channel, f32> = BTreeMap::new();
        for (channel, to) in near {
            if let Some(score) = similarity(self.metric, to, vector) {
                let known = best.entry(*channel).or_insert(score);
                *known = known.max(score);
            }
        }
        let hit = |(channel, score)| ChannelHit {
            channel,
            rank: 0,
            score,
        };
        best.into_iter().map(hit).collect()
    }
}

#[cfg(test)]
#[path = "probe_test.rs"]
pub(crate) mod tests;
