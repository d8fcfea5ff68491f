//! Operations: who leads the metadata looks at all nodes, decides what to do next, and does it until it shows.
//!
//! Nothing of it is remembered outside the metadata's log: whoever leads next looks again, and goes on.

mod actor;
mod announce;
mod sightings;
mod step;

pub(crate) use actor::{OperationsActor, OperationsDeps};
pub(crate) use sightings::{Glimpse, Sightings};
