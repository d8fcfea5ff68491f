//! What the framework must know about a candidate: its identity.

use std::fmt::Debug;

use serde::Serialize;

/// Something that a pipeline finds, judges, ranks and returns.
pub trait Candidate: Send + Sync + 'static {
    /// Identity by which `explain` asks for a candidate. Several candidates of one run may share it until a filter
    /// has dropped the duplicates.
    type Id: Ord + Clone + Debug + Serialize + Send + Sync + 'static;

    /// The identity of this candidate; never changes during a run.
    fn id(&self) -> Self::Id;
}
