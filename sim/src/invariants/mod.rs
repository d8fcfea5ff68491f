//! What must hold in every run, one file each.

mod acknowledged_survives;
mod one_leader_per_term;
mod one_value_per_index;
mod replicas_agree;

pub(crate) use acknowledged_survives::acknowledged_survives;
pub(crate) use one_leader_per_term::one_leader_per_term;
pub(crate) use one_value_per_index::one_value_per_index;
pub(crate) use replicas_agree::replicas_agree;
