//! `cluster.toml`: one commented file for the whole cluster.
//!
//! Every key is declared once, in `sections/`, with its meaning, unit, range and default. The parser, the defaults, the
//! checks and the text of the shipped file all come from that declaration, so they cannot drift apart.
//!
//! A value is looked up in this order: environment (`COVEY__RAFT__TICK=200ms`), file, default. An unknown key, in the
//! file or in the environment, is an error that names the nearest known one. All problems are reported at once.
#![forbid(unsafe_code)]

mod choice;
mod config;
mod error;
mod hot;
mod input;
mod load;
mod render;
mod section;
mod sections;
mod units;
mod validate;
mod value;

pub use config::{Config, NodeConfig};
pub use error::{ConfigError, Origin, Problem};
pub use hot::HotKey;
pub use section::{KeySpec, SectionSpec};
pub use sections::cluster::{ClusterConfig, CoordinatorConfig, OperationsConfig};
pub use sections::events::EventLogConfig;
pub use sections::feed::{
    ActiveConfig, FeedConfig, ImpressionsConfig, InNetworkConfig, L1Config, LocalConfig, NewConfig, OutOfNetworkConfig,
    PopularConfig, SimilarToRecentConfig, SubscribedConfig, TopicsConfig, WeightsConfig,
};
pub use sections::network::{LogFormat, RpcConfig, TelemetryConfig};
pub use sections::replication::RaftConfig;
pub use sections::rules::{CapPer, ChannelName, LabelName, MOST_RULES, RuleAction, RuleConfig, RuleList, RuleMatch};
pub use sections::search::{AnnConfig, EmbeddingConfig, Metric};
pub use sections::storage::{LimitsConfig, RetentionConfig, StorageConfig};
pub use units::{Address, ByteSize, Secret};

#[cfg(test)]
mod tests_support {
    /// Three nodes, for tests of other keys.
    pub(crate) const NODES: &str = "
[[node]]
id = 1
listen = \"127.0.0.1:7101\"
[[node]]
id = 2
listen = \"127.0.0.1:7102\"
[[node]]
id = 3
listen = \"127.0.0.1:7103\"
";
}
