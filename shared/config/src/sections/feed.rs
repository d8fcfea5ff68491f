//! What a feed is made of.

use std::time::Duration;

use covey_shared::model::{ActionKind, HEADS};

use crate::section::section;
use crate::sections::rules::RuleList;

section! {
    /// The feed: what is retrieved, filtered, scored and shown.
    pub struct FeedConfig = "feed" {
        /// Older posts are not shown.
        max_post_age: Option<Duration> = "48h", in "1m"..="36500d", hot;
        /// Posts in a reply that asks for no number.
        result_size: usize = 35, in 1..=1000;
        /// Posts that the selector keeps: the reply and the reserve behind it.
        top_k: usize = 50, in 1..=5000, hot;
        /// Candidates that go on from the first, cheap score to the second.
        l2_candidates: usize = 1000, in 1..=10_000, hot;
        /// Of these, at least this share for each channel that has as many; what is more than an equal share is an equal share.
        channel_min_share: f64 = 0.1, in 0.0..=1.0, hot;
        /// Repeated actions on one post within this time are one entry of the action sequence.
        uas_window: Duration = "5m", in "1s"..="24h", hot;
        /// Entries of the action sequence that are used.
        uas_max_length: usize = 1024, in 1..=4096, hot;
        /// A served post is not shown again for this long; afterwards it may be, if it was not seen.
        served_suppression: Duration = "30m", in "0s"..="48h";
        /// Ids that a cursor carries, so that a session never repeats a post.
        cursor_ids: usize = 1000, in 0..=4000, hot;
        /// A further post of the same author scores this much of the one before it, down to author_floor.
        author_decay: f64 = 0.5, in 0.0..=1.0, hot;
        /// Least factor of AuthorDiversity.
        author_floor: f64 = 0.25, in 0.0..=1.0, hot;
        /// Factor for posts from out of the viewer's network.
        oon_factor: f64 = 0.75, in 0.0..=10.0, hot;
        /// Offset o of the weighted score: what lies between scores below and above zero.
        score_offset: f64 = 0.001, in 0.0..=1.0, hot;
        /// Only longer videos count for the vqv weight.
        min_video_duration: Duration = "10s", in "0s"..="1h", hot;
        /// Time for the state of the viewer: lists, actions, impressions.
        hydrate_timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Time for the ranking model; without its answer the first score orders the feed.
        rank_timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Time for the verdicts on the selected posts: labels, parents, texts.
        verdict_timeout: Duration = "200ms", in "1ms"..="10s", hot;
        /// Age beyond which what a replica says is no verdict, and a post without one is not served: what was taken down is
        /// in no reply whose verdicts were asked for this long after it.
        /// A heartbeat (tick x heartbeat_ticks) or two below a second, so that replicas which are well are always asked.
        verdict_staleness: Duration = "700ms", in "100ms"..="10s";
    }
    with {
        /// `[feed.in_network]`.
        in_network: InNetworkConfig;
        /// `[feed.out_of_network]`.
        out_of_network: OutOfNetworkConfig;
        /// `[feed.similar_to_recent]`.
        similar_to_recent: SimilarToRecentConfig;
        /// `[feed.popular]`.
        popular: PopularConfig;
        /// `[feed.new]`.
        new: NewConfig;
        /// `[feed.active]`.
        active: ActiveConfig;
        /// `[feed.subscribed]`.
        subscribed: SubscribedConfig;
        /// `[feed.topics]`.
        topics: TopicsConfig;
        /// `[feed.local]`.
        local: LocalConfig;
        /// `[feed.impressions]`.
        impressions: ImpressionsConfig;
        /// `[feed.l1]`.
        l1: L1Config;
        /// `[feed.weights]`.
        weights: WeightsConfig;
        /// `[[feed.rule]]`.
        rules: RuleList;
    }
}

section! {
    /// Channel: posts of the viewer and of the users whom the viewer follows.
    pub struct InNetworkConfig = "feed.in_network" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "150ms", in "1ms"..="10s", hot;
        /// Entries of one author's timeline that are looked at. Deleted ones do not count.
        scan_per_author: usize = 500, in 1..=10_000;
        /// Originals of one author.
        originals_per_author: usize = 50, in 0..=10_000;
        /// Replies and reposts of one author.
        secondary_per_author: usize = 30, in 0..=10_000;
        /// Posts in all, newest first.
        max_posts: usize = 1200, in 1..=10_000, hot;
        /// Posts in all of a request for videos only.
        max_videos: usize = 600, in 1..=10_000, hot;
    }
}

section! {
    /// Channel: posts of strangers, near the viewer's interests in vector space.
    pub struct OutOfNetworkConfig = "feed.out_of_network" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "150ms", in "1ms"..="10s", hot;
        /// Posts in all.
        max_posts: usize = 1000, in 1..=10_000, hot;
        /// Latest positive actions whose posts make up the viewer's vector.
        history: usize = 128, in 1..=4096, hot;
        /// An action this much older weighs half.
        half_life: Duration = "24h", in "1m"..="3650d", hot;
    }
}

section! {
    /// Channel: posts of strangers, near single posts that the viewer acted on lately.
    pub struct SimilarToRecentConfig = "feed.similar_to_recent" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "150ms", in "1ms"..="10s", hot;
        /// Latest positive actions from whose posts the medoids are chosen.
        history: usize = 32, in 1..=128, hot;
        /// Posts to search around, at most: those that stand for the others best.
        medoids: usize = 3, in 1..=16, hot;
        /// Posts found around each.
        posts_per_medoid: usize = 100, in 1..=1000, hot;
    }
}

section! {
    /// Channel: posts with the most engagement, recent ones first.
    pub struct PopularConfig = "feed.popular" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all, of each shard at most 1000.
        max_posts: usize = 300, in 1..=10_000, hot;
        /// Engagement this much older counts half.
        half_life: Duration = "6h", in "1m"..="3650d";
    }
}

section! {
    /// Channel: fresh posts of authors with few followers, so that they get a chance at all.
    pub struct NewConfig = "feed.new" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all; three times as many are looked at. Of each shard at most 1000.
        max_posts: usize = 200, in 1..=10_000, hot;
        /// Authors with more followers are not new.
        max_followers: u32 = 1000, in 0..=1_000_000_000;
    }
}

section! {
    /// Channel: posts that are being talked about: those with the most replies and quotes, recent ones first.
    pub struct ActiveConfig = "feed.active" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all, of each shard at most 1000.
        max_posts: usize = 200, in 1..=10_000, hot;
        /// Replies and quotes this much older count half.
        half_life: Duration = "2h", in "1m"..="3650d";
    }
}

section! {
    /// Channel: the newest posts of users to whom the viewer subscribes without following them.
    pub struct SubscribedConfig = "feed.subscribed" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all.
        max_posts: usize = 200, in 1..=10_000, hot;
    }
}

section! {
    /// Channel: posts about the topics that the viewer follows, of each those with the most engagement and the newest.
    pub struct TopicsConfig = "feed.topics" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all, of each shard and list at most 1000.
        max_posts: usize = 200, in 1..=2000, hot;
        /// Topics asked for at once. Who follows more gets others each hour.
        max_topics: usize = 8, in 1..=16, hot;
    }
}

section! {
    /// Channel: posts with the most engagement in the viewer's country and in the viewer's language.
    pub struct LocalConfig = "feed.local" {
        /// Switch of the channel.
        enabled: bool = true, in .., hot;
        /// Time for all shards together; what came by then is used.
        timeout: Duration = "100ms", in "1ms"..="10s", hot;
        /// Posts in all, of each shard at most 1000.
        max_posts: usize = 200, in 1..=10_000, hot;
    }
}

section! {
    /// What a viewer has seen: a bloom filter in rotating generations, so that it forgets.
    pub struct ImpressionsConfig = "feed.impressions" {
        /// Posts that one generation holds before the next begins.
        per_generation: usize = 5000, in 100..=1_000_000;
        /// Generations kept.
        generations: usize = 2, in 1..=8;
        /// Share of unseen posts taken for seen, at most.
        false_positives: f64 = 0.01, in 0.0001..=0.5;
    }
}

section! {
    /// Weights of L1, the first, linear score. Each feature lies between 0 and 1.
    pub struct L1Config = "feed.l1" {
        /// Similarity of the post to the viewer's interests.
        similarity: f64 = 1.0, in -100.0..=100.0, hot;
        /// Recency: one half after recency_half_life.
        recency: f64 = 1.0, in -100.0..=100.0, hot;
        /// Age at which recency is one half.
        recency_half_life: Duration = "6h", in "1m"..="3650d", hot;
        /// Engagement of the post.
        engagement: f64 = 0.5, in -100.0..=100.0, hot;
        /// How often the viewer acted on posts of the author.
        affinity: f64 = 1.0, in -100.0..=100.0, hot;
        /// The post is in-network.
        in_network: f64 = 0.5, in -100.0..=100.0, hot;
    }
}

section! {
    /// Weights of the 19 predictions. The last four are what a viewer does to a post that should not have been there. Used with
    /// a ranking model; without one, the first score orders the feed and the reply says so.
    pub struct WeightsConfig = "feed.weights" {
        /// The viewer likes the post.
        favorite: f64 = 0.5, in -1000.0..=1000.0, hot;
        /// The viewer replies.
        reply: f64 = 5.0, in -1000.0..=1000.0, hot;
        /// The viewer reposts.
        retweet: f64 = 1.0, in -1000.0..=1000.0, hot;
        /// The viewer quotes.
        quote: f64 = 5.0, in -1000.0..=1000.0, hot;
        /// The viewer shares.
        share: f64 = 2.0, in -1000.0..=1000.0, hot;
        /// The viewer shares by direct message.
        share_via_dm: f64 = 5.0, in -1000.0..=1000.0, hot;
        /// The viewer copies the link.
        share_via_copy_link: f64 = 20.0, in -1000.0..=1000.0, hot;
        /// The viewer follows the author.
        follow_author: f64 = 4.0, in -1000.0..=1000.0, hot;
        /// The viewer opens the post.
        click: f64 = 0.4, in -1000.0..=1000.0, hot;
        /// The viewer enlarges a picture.
        photo_expand: f64 = 0.05, in -1000.0..=1000.0, hot;
        /// The viewer watches a good part of the video; counts if that is longer than feed.min_video_duration.
        vqv: f64 = 0.05, in -1000.0..=1000.0, hot;
        /// The viewer opens the quoted post.
        quoted_click: f64 = 0.05, in -1000.0..=1000.0, hot;
        /// The viewer opens the author's profile.
        profile_click: f64 = 0.0, in -1000.0..=1000.0, hot;
        /// The viewer stays at the post.
        dwell: f64 = 0.0, in -1000.0..=1000.0, hot;
        /// How long the viewer stays, per second. Never negative: the least sum of the others is what scores are counted from.
        dwell_time: f64 = 0.004, in 0.0..=1000.0, hot;
        /// The viewer is not interested.
        not_interested: f64 = -43.2, in -1000.0..=1000.0, hot;
        /// The viewer blocks the author.
        block_author: f64 = -31.2, in -1000.0..=1000.0, hot;
        /// The viewer mutes the author.
        mute_author: f64 = -58.8, in -1000.0..=1000.0, hot;
        /// The viewer reports the post.
        report: f64 = -234.0, in -1000.0..=1000.0, hot;
    }
}

impl WeightsConfig {
    /// The weights in the order of the model's outputs, which is that of [`ActionKind`].
    pub fn by_head(&self) -> [f64; HEADS] {
        let of = |head| match head {
            ActionKind::Favorite => self.favorite,
            ActionKind::Reply => self.reply,
            ActionKind::Repost => self.retweet,
            ActionKind::PhotoExpand => self.photo_expand,
            ActionKind::Click => self.click,
            ActionKind::ProfileClick => self.profile_click,
            ActionKind::Vqv => self.vqv,
            ActionKind::Share => self.share,
            ActionKind::ShareViaDm => self.share_via_dm,
            ActionKind::ShareViaCopyLink => self.share_via_copy_link,
            ActionKind::Dwell => self.dwell,
            ActionKind::Quote => self.quote,
            ActionKind::QuotedClick => self.quoted_click,
            ActionKind::FollowAuthor => self.follow_author,
            ActionKind::NotInterested => self.not_interested,
            ActionKind::BlockAuthor => self.block_author,
            ActionKind::MuteAuthor => self.mute_author,
            ActionKind::Report => self.report,
            ActionKind::DwellTime => self.dwell_time,
            // No head predicts it.
            ActionKind::Impression => 0.0,
        };
        std::array::from_fn(|head| of(ActionKind::ALL[head]))
    }
}

#[cfg(test)]
#[path = "feed_test.rs"]
mod tests;
