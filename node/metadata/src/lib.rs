//! The metadata of a cluster, as a pure state machine: what is kept, how each entry of its log changes it, and what to do next so that the
//! cluster becomes what operators want.
//!
//! Nothing here reads a clock, a disk or a network. Replicas apply [`Metadata::apply`], whoever leads them runs [`schedule()`] and the steps
//! of [`moving`].

mod admission;
mod emptying;
mod filling;
mod intake;
mod maintenance;
pub mod moving;
mod pace;
mod parts;
mod placement;
mod regrowth;
mod rehearsal;
mod repair;
mod roster;
mod schedule;
mod settings;
mod state;
mod strays;
#[cfg(test)]
mod testing;

pub use pace::{Forecast, Pace, Phase};
pub use repair::repair_in_ms;
pub use schedule::{Action, Limits, Plan, Sights, schedule};
pub use state::{Effect, Metadata};
