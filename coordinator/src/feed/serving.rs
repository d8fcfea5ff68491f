//! One configuration of the feed in service. Settings that change take the next one into service as a whole: a request ends with what it began
//! with.

use std::sync::Arc;

use covey_config::Config;
use covey_shared::settings::Settings;

use crate::feed::lasting::Lasting;
use crate::feed::pipeline::{FeedPipeline, assemble, components};
use crate::feed::{following, probe};

/// What is served by, and why it is nothing newer.
pub(crate) struct InService {
    pub(crate) serving: Arc<Serving>,
    /// What operators have set, as far as it is known here.
    pub(crate) newest: Arc<Settings>,
    /// Why that is not in service.
    pub(crate) problem: Option<String>,
}

/// What a request runs through.
pub(crate) struct Serving {
    /// What operators have set.
    pub(crate) settings: Arc<Settings>,
    /// The file with that over it.
    pub(crate) config: Config,
    pub(crate) pipeline: FeedPipeline,
    pub(crate) following: FeedPipeline,
    /// For explanations.
    pub(crate) probing: FeedPipeline,
}

impl Serving {
    pub(crate) fn new(settings: Arc<Settings>, config: Config, lasting: &Lasting) -> Arc<Serving> {
        Arc::new(Serving {
            pipeline: assemble(components(lasting, &config), &config, lasting),
            following: assemble(following::components(lasting, &config), &config, lasting),
            probing: probe::pipeline(lasting, &config),
            settings,
            config,
        })
    }
}
