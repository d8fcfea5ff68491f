//! What candidates are worth. One step per file; their order is in `feed/pipeline.rs`.

pub(crate) mod author_diversity;
pub(crate) mod l1_order;
pub(crate) mod out_of_network;
