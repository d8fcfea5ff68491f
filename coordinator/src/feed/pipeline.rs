//! The pipeline of the feed as one visible list: what runs, and in which order.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use covey_config::{Config, FeedConfig};
use covey_pipeline::{Components, Filter, Limits, Pipeline, Score, Scorer, Selection, Selector, Source};

use crate::feed::candidate::{Channel, FeedCandidate};
use crate::feed::following;
use crate::feed::lasting::Lasting;
use crate::feed::query::FeedQuery;
use crate::feed::shards::Shards;
use crate::ranking::l1::L1;
use crate::ranking::ranker::Ranker;
use crate::ranking::weighted_score::WeightedScore;
use crate::rules::page_rules::PageRules;
use crate::{filters, hydrators, scorers, side_effects, sources, visibility};

/// Rounds in which the slate is filled up when posts of it may not be shown.
const BACKFILL_ROUNDS: u32 = 3;
/// When to ask again, if the component that failed does not say: about the time of an election.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The pipeline of the feed.
pub(crate) type FeedPipeline = Pipeline<FeedQuery, FeedCandidate>;

/// Ranks by score and takes the best `feed.top_k` that a page may hold beside each other, and besides what a business rule is to place.
struct TopK {
    size: usize,
    rules: PageRules,
}

impl Selector<FeedQuery, FeedCandidate> for TopK {
    fn score(&self, post: &FeedCandidate) -> Score {
        post.score
    }

    fn size(&self) -> usize {
        self.size
    }

    fn select(&self, query: &FeedQuery, mut posts: Vec<FeedCandidate>) -> Selection<FeedCandidate> {
        posts.sort_by_key(|post| post.rank_by(post.score));
        let ranked = self.rules.room_first(posts, self.size);
        self.rules.select(query, ranked, self.size)
    }
}

impl FeedCandidate {
    /// Sorts the best first by the score that a step gave: of equals the one with the higher first score, then the lower id.
    pub(crate) fn rank_by(&self, score: Score) -> impl Ord + use<> {
        (Reverse(score), Reverse(self.l1.and_then(Score::new)), self.post())
    }
}

/// Everything that a feed request runs through, stage by stage.
pub(crate) fn components(lasting: &Lasting, config: &Config) -> Components<FeedQuery, FeedCandidate> {
    let feed = &config.feed;
    let shards = || Arc::clone(&lasting.shards);
    let rules = PageRules::new(&feed.rules.0);
    Components {
        query_hydrators: vec![Box::new(hydrators::viewer::Viewer {
            shards: shards(),
            served_suppression: feed.served_suppression,
            timeout: feed.hydrate_timeout,
        })],
        dependent_query_hydrators: vec![
            Box::new(hydrators::user_action_sequence::UserActionSequence {
                window: feed.uas_window,
                max_length: feed.uas_max_length,
            }),
            Box::new(hydrators::user_features::UserFeatures),
            Box::new(hydrators::impressions::Impressions),
        ],
        sources: sources(&shards, feed),
        hydrators: vec![
            Box::new(hydrators::in_network::InNetwork),
            Box::new(hydrators::video_duration::VideoDuration),
            Box::new(hydrators::retweet_source::RetweetSource {
                shards: shards(),
                timeout: feed.hydrate_timeout,
            }),
        ],
        filters: filters(&shards, config),
        scorers: scorers(lasting.ranker.as_ref(), feed),
        selector: Box::new(TopK {
            size: feed.top_k,
            rules: rules.clone(),
        }),
        post_hydrators: vec![
            Box::new(hydrators::verdicts::Verdicts {
                shards: shards(),
                timeout: feed.verdict_timeout,
                staleness: feed.verdict_staleness,
            }),
            Box::new(hydrators::author::Author {
                shards: shards(),
                timeout: feed.hydrate_timeout,
                known: Arc::clone(&lasting.authors),
            }),
        ],
        post_filters: vec![
            Box::new(visibility::visibility_filter::Visibility),
            Box::new(visibility::dedup_conversation::DedupConversation),
        ],
        arranger: Some(Box::new(rules)),
        side_effects: vec![
            Arc::new(side_effects::served_history::ServedHistory { shards: shards() }),
            Arc::new(side_effects::event_log::EventLog {
                shards: shards(),
                enabled: config.event_log.enabled,
            }),
        ],
    }
}

/// The recall channels.
fn sources(shards: &impl Fn() -> Arc<dyn Shards>, feed: &FeedConfig) -> Vec<Box<dyn Source<FeedQuery, FeedCandidate>>> {
    let [popular, new, active, topics, local] = sources::lists::list_sources(&shards(), feed);
    let reads = feed.out_of_network.history.max(feed.similar_to_recent.history);
    vec![
        Box::new(sources::in_network::InNetwork {
            shards: shards(),
            config: feed.in_network.clone(),
        }),
        Box::new(sources::out_of_network::OutOfNetwork {
            shards: shards(),
            config: feed.out_of_network.clone(),
            reads,
        }),
        Box::new(sources::similar_to_recent::SimilarToRecent {
            shards: shards(),
            config: feed.similar_to_recent.clone(),
            reads,
        }),
        Box::new(popular),
        Box::new(new),
        Box::new(active),
        Box::new(sources::subscribed::Subscribed {
            shards: shards(),
            config: feed.subscribed.clone(),
        }),
        Box::new(topics),
        Box::new(local),
    ]
}

/// The rules before scoring. Their order is a contract: the cheap ones that need nothing come first, those that compare
/// candidates with each other last, the cut behind them all.
fn filters(shards: &impl Fn() -> Arc<dyn Shards>, config: &Config) -> Vec<Box<dyn Filter<FeedQuery, FeedCandidate>>> {
    let l1 = L1 {
        weights: config.feed.l1.clone(),
        metric: config.embedding.metric,
    };
    vec![
        Box::new(filters::drop_duplicates::DropDuplicates),
        Box::new(filters::core_data::CoreData),
        Box::new(filters::age::Age),
        Box::new(filters::self_post::SelfPost),
        Box::new(filters::ineligible_subscription::IneligibleSubscription),
        Box::new(filters::previously_seen::PreviouslySeen),
        Box::new(filters::previously_served::PreviouslyServed),
        Box::new(filters::muted_keyword::MutedKeyword {
            shards: shards(),
            timeout: config.feed.hydrate_timeout,
        }),
        Box::new(filters::author_socialgraph::AuthorSocialgraph),
        Box::new(filters::labels::Labels),
        Box::new(filters::content_duplicate::ContentDuplicate { l1: l1.clone() }),
        Box::new(filters::retweet_dedup::RetweetDedup),
        Box::new(filters::l1_cut::L1Cut {
            l1,
            most: config.feed.l2_candidates,
            min_share: config.feed.channel_min_share,
        }),
    ]
}

/// The steps of the score.
fn scorers(ranker: Option<&Arc<dyn Ranker>>, feed: &FeedConfig) -> Vec<Box<dyn Scorer<FeedQuery, FeedCandidate>>> {
    let is_calibrated = |head| ranker.is_some_and(|ranker| ranker.is_calibrated(head));
    vec![
        Box::new(scorers::model_scorer::ModelScorer {
            ranker: ranker.cloned(),
            timeout: feed.rank_timeout,
        }),
        Box::new(scorers::weighted_scorer::WeightedScorer {
            weighted: WeightedScore::new(feed, is_calibrated),
            model: ranker.map(|ranker| ranker.version()),
        }),
        Box::new(scorers::author_diversity::AuthorDiversity {
            decay: feed.author_decay,
            floor: feed.author_floor,
        }),
        Box::new(scorers::out_of_network::OutOfNetwork {
            factor: feed.oon_factor,
        }),
        Box::new(scorers::rule_factors::RuleFactors::new(&feed.rules.0)),
    ]
}

/// Takes a list into service.
pub(crate) fn assemble(
    components: Components<FeedQuery, FeedCandidate>,
    config: &Config,
    lasting: &Lasting,
) -> FeedPipeline {
    let feed = &config.feed;
    let quotas = [false, true].map(|video_only| Channel::ALL.map(|channel| channel.quota(feed, video_only)));
    let largest = quotas
        .into_iter()
        .flatten()
        .chain([following::most(config.limits.feed_posts)])
        .max();
    let limits = Limits {
        result_size: config.limits.feed_posts,
        max_per_source: largest.unwrap_or(1),
        backfill_rounds: BACKFILL_ROUNDS,
        retry_after: RETRY_AFTER,
    };
    Pipeline::new(components, limits, lasting.timer.clone(), lasting.effects.clone())
        .expect("the list names each component once, and the config allows no limit of 0")
}

#[cfg(test)]
#[path = "pipeline_test.rs"]
mod tests;
