//! What must hold in every run, one file each.

mod acknowledged_is_applied;
mod acknowledged_survives;
mod blocks_hold;
mod effects_once;
mod linearizable;
mod log_forgets_nobody;
mod merge_is_one_shard;
mod metadata_goes_on;
mod one_host_per_replica;
mod one_leader_per_term;
mod one_list_per_version;
mod one_operation_per_shard;
mod one_value_per_index;
mod operations_end;
mod replicas_agree;
mod whole_in_the_end;

pub(crate) use acknowledged_is_applied::acknowledged_is_applied;
pub(crate) use acknowledged_survives::acknowledged_survives;
pub(crate) use blocks_hold::{Asked, Block, blocks_hold, verdicts_are_right};
pub(crate) use effects_once::effects_once;
pub(crate) use linearizable::linearizable;
pub(crate) use log_forgets_nobody::log_forgets_nobody;
pub(crate) use merge_is_one_shard::{Searched, merge_is_one_shard};
pub(crate) use metadata_goes_on::metadata_goes_on;
pub(crate) use one_host_per_replica::one_host_per_replica;
pub(crate) use one_leader_per_term::one_leader_per_term;
pub(crate) use one_list_per_version::one_list_per_version;
pub(crate) use one_operation_per_shard::one_operation_per_shard;
pub(crate) use one_value_per_index::one_value_per_index;
pub(crate) use operations_end::operations_end;
pub(crate) use replicas_agree::replicas_agree;
pub(crate) use whole_in_the_end::whole_in_the_end;

#[cfg(test)]
#[path = "effects_test.rs"]
mod effects_tests;
#[cfg(test)]
#[path = "members_test.rs"]
mod members_tests;
