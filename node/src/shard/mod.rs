//! One replica as the rest of the node sees it: an actor that answers reads on the published view.

mod actor;

pub(crate) use actor::{Read, ReplicaDeps, ShardActor};
