//! What candidates are worth. One step per file; their order is in `feed/pipeline.rs`.

pub(crate) mod author_diversity;
pub(crate) mod model_scorer;
pub(crate) mod out_of_network;
pub(crate) mod rule_factors;
pub(crate) mod weighted_scorer;
