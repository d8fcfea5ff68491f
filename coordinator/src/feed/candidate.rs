//! A post on its way through the pipeline: what the shard sent, and what the stages found out.

use std::sync::Arc;

use covey_config::FeedConfig;
use covey_pipeline::{RequestId, Score};
use covey_shared::ids::{PostId, PostKey, UnixMillis, UserId};
use covey_shared::model::Post;
use covey_shared::wire;

use crate::ranking::predictions::Predictions;
use crate::rules::RuleMarks;
use crate::visibility::Ruling;

/// A recall channel. The order is that of the pipeline's list of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Written by a user whom the viewer follows.
    InNetwork,
    /// Near the viewer's interests in vector space.
    OutOfNetwork,
    /// Near a post that the viewer acted on.
    SimilarToRecent,
    /// Much engagement lately.
    Popular,
    /// Fresh posts, those of authors with few followers first.
    New,
    /// Many replies and quotes lately.
    Active,
    /// Written by a user to whom the viewer subscribes.
    Subscribed,
    /// About a topic that the viewer follows.
    Topics,
    /// Much engagement lately in the viewer's country or language.
    Local,
}

impl Channel {
    /// All channels.
    pub const ALL: [Channel; 9] = [
        Channel::InNetwork,
        Channel::OutOfNetwork,
        Channel::SimilarToRecent,
        Channel::Popular,
        Channel::New,
        Channel::Active,
        Channel::Subscribed,
        Channel::Topics,
        Channel::Local,
    ];

    /// The name of the channel's source.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::InNetwork => "InNetwork",
            Channel::OutOfNetwork => "OutOfNetwork",
            Channel::SimilarToRecent => "SimilarToRecent",
            Channel::Popular => "Popular",
            Channel::New => "New",
            Channel::Active => "Active",
            Channel::Subscribed => "Subscribed",
            Channel::Topics => "Topics",
            Channel::Local => "Local",
        }
    }

    /// Posts that it may take.
    pub(crate) fn quota(self, feed: &FeedConfig, video_only: bool) -> usize {
        match self {
            Channel::InNetwork if video_only => feed.in_network.max_videos,
            Channel::InNetwork => feed.in_network.max_posts,
            Channel::OutOfNetwork => feed.out_of_network.max_posts,
            Channel::SimilarToRecent => feed.similar_to_recent.medoids * feed.similar_to_recent.posts_per_medoid,
            Channel::Popular => feed.popular.max_posts,
            Channel::New => feed.new.max_posts,
            Channel::Active => feed.active.max_posts,
            Channel::Subscribed => feed.subscribed.max_posts,
            Channel::Topics => feed.topics.max_posts,
            Channel::Local => feed.local.max_posts,
        }
    }
}

/// How a channel found a post.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelHit {
    /// The channel.
    pub channel: Channel,
    /// Position in the channel's list, from 1.
    pub rank: u32,
    /// What the channel ranks by: similarity, decayed engagement, decayed talk, or 0.
    pub score: f32,
}

/// What the owners of a selected post and of what it refers to say about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The verdict on the post itself.
    pub own: Option<wire::Verdict>,
    /// On the repeated post; `None` when there is none.
    pub source: Option<wire::Verdict>,
    /// On the quoted post; `None` when there is none.
    pub quoted: Option<wire::Verdict>,
    /// On the conversation above the post, nearest first.
    pub ancestors: Vec<wire::Verdict>,
}

impl Facts {
    /// The post whose text is shown: of a repost the repeated one.
    pub fn shown(&self) -> Option<&Post> {
        let verdict = self.source.as_ref().or(self.own.as_ref())?;
        verdict.post.as_ref()
    }
}

/// The post that a repost repeats.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Repeated {
    /// It could not be read, or nothing is repeated.
    #[default]
    Unknown,
    /// It does not exist any more.
    Gone,
    /// What its shard sent.
    Found(Box<wire::Candidate>),
}

impl From<wire::Candidate> for Repeated {
    fn from(core: wire::Candidate) -> Repeated {
        Repeated::Found(Box::new(core))
    }
}

/// The run that gave a post its score: joins what the viewer does with it to what was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The moment of the run.
    pub at: UnixMillis,
    /// Its request.
    pub request: RequestId,
    /// The version of the model that predicted; `None` = the score is that of a formula.
    pub model: Option<u32>,
}

/// A post on its way through the pipeline.
#[derive(Clone, Debug)]
pub struct FeedCandidate {
    /// The fixed-width fields that its shard sent.
    pub core: wire::Candidate,
    /// Every channel that found it, in the order of the pipeline.
    pub channels: Vec<ChannelHit>,
    /// Its author is the viewer or followed; `None` = not known.
    pub in_network: Option<bool>,
    /// Length of the video that is shown, in milliseconds; `None` = no video, or not known.
    pub video_ms: Option<u32>,
    /// The repeated post.
    pub source: Repeated,
    /// What is shown of the author, if it could be read.
    pub author: Option<wire::AuthorInfo>,
    /// The cheap first score; `None` until a filter needs it.
    pub l1: Option<f64>,
    /// What the ranking model says; `None` without a model, and where it has no answer.
    pub(crate) predictions: Option<Predictions>,
    /// The score of the predictions, or of L1 without them.
    pub weighted: Score,
    /// The score after AuthorDiversity.
    pub diversified: Score,
    /// The score after OutOfNetwork.
    pub networked: Score,
    /// What business rules did to it.
    pub(crate) rules: RuleMarks,
    /// The score so far: the rank key.
    pub score: Score,
    /// When, and for which request, it was scored: a page from the reserve shows what an earlier one scored.
    pub scored: Option<Scored>,
    /// What the owners say; only of selected posts.
    pub facts: Option<Arc<Facts>>,
    /// What the visibility policy says; only of selected posts.
    pub ruling: Option<Ruling>,
}

impl FeedCandidate {
    /// A post as a channel found it; `rank` counts from 1.
    pub fn found(core: wire::Candidate, channel: Channel, rank: u32) -> FeedCandidate {
        let score = core.source_score.get();
        FeedCandidate {
            core,
            channels: vec![ChannelHit { channel, rank, score }],
            in_network: None,
            video_ms: None,
            source: Repeated::Unknown,
            author: None,
            l1: None,
            predictions: None,
            weighted: Score::UNSCORED,
            diversified: Score::UNSCORED,
            networked: Score::UNSCORED,
            rules: RuleMarks::default(),
            score: Score::UNSCORED,
            scored: None,
            facts: None,
            ruling: None,
        }
    }

    /// A whole list as a channel ranks it.
    pub fn ranked(list: impl IntoIterator<Item = wire::Candidate>, channel: Channel) -> Vec<FeedCandidate> {
        let found = |(rank, core)| FeedCandidate::found(core, channel, rank);
        (1..).zip(list).map(found).collect()
    }

    /// The post's id.
    pub fn post(&self) -> PostId {
        self.core.key.post
    }

    /// The post's author.
    pub fn author_id(&self) -> UserId {
        self.core.key.author
    }

    /// The post itself, what it repeats and what it answers: seeing one of them is seeing this one.
    pub fn related(&self) -> impl Iterator<Item = PostId> {
        let ids = [self.core.key.post, self.core.repost_of.post, self.core.reply_to.post];
        ids.into_iter().filter(|id| id.0 != 0)
    }

    /// The author, and the authors of what it repeats and quotes; of a repost also of what the repeated post quotes.
    pub fn authors(&self) -> impl Iterator<Item = UserId> {
        let source = self.source().map(|source| source.quote_of.author);
        let ids = [
            self.core.key.author,
            self.core.repost_of.author,
            self.core.quote_of.author,
            source.unwrap_or_default(),
        ];
        ids.into_iter().filter(|id| id.0 != 0)
    }

    /// The post whose text is shown: of a repost the repeated one.
    pub fn shown(&self) -> PostKey {
        match self.core.repost_of.post {
            PostId(0) => self.core.key,
            _ => self.core.repost_of,
        }
    }

    /// Of a repost: the repeated post, if it could be read.
    pub fn source(&self) -> Option<&wire::Candidate> {
        match &self.source {
            Repeated::Found(core) => Some(core),
            Repeated::Unknown | Repeated::Gone => None,
        }
    }

    /// It is a repost, and what it repeats could not be read.
    pub fn source_unknown(&self) -> bool {
        self.core.repost_of.post.0 != 0 && self.source == Repeated::Unknown
    }

    /// How the channel found it, if it did.
    pub fn hit(&self, channel: Channel) -> Option<&ChannelHit> {
        self.channels.iter().find(|hit| hit.channel == channel)
    }

    /// The fields that ranking looks at: a repost is scored as its original, as far as that is known.
    pub fn ranked_as(&self) -> &wire::Candidate {
        self.source().unwrap_or(&self.core)
    }

    /// Without what is read again before it is served, and what was done to its place: for the reserve of a session.
    #[must_use]
    pub fn at_rest(&self) -> FeedCandidate {
        FeedCandidate {
            author: None,
            facts: None,
            ruling: None,
            rules: self.rules.unplaced(),
            ..self.clone()
        }
    }
}

impl covey_pipeline::Candidate for FeedCandidate {
    type Id = PostId;
    fn id(&self) -> PostId {
        self.post()
    }
}
