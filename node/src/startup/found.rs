//! Which replicas a node has: its disk says so.

use std::collections::{BTreeMap, BTreeSet};

use covey_shard::{Applied, Incarnation};
use covey_shared::ids::{NodeId, ReplicaId, ShardId};
use covey_shared::layout::Layout;
use covey_store::kv::KvStore;
use covey_store::log::{GroupId, RecoveredGroup};

use super::StartError;

/// A replica that has to be opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) me: ReplicaId,
    /// `None`: the log knows nothing of it.
    pub(super) log: Option<RecoveredGroup>,
}

/// What the disk of a node knows.
#[derive(Debug)]
pub(super) struct Here {
    /// By shard.
    pub(super) replicas: BTreeMap<ShardId, Found>,
    /// Replicas that were here, and must never be again.
    pub(super) gone: BTreeSet<ReplicaId>,
    /// Shards that have no replica here, but something in the store: of one that has left, or never came to be.
    pub(super) leftovers: Vec<ShardId>,
}

impl Here {
    /// Those of which the log knows, those of which only the store does, and those that the cluster was founded with: one of which
    /// neither knows has lost its disk.
    pub(super) fn look(
        kv: &dyn KvStore,
        layout: &Layout,
        node: NodeId,
        groups: BTreeMap<GroupId, RecoveredGroup>,
    ) -> Result<Here, StartError> {
        let mut here = Here {
            replicas: BTreeMap::new(),
            gone: BTreeSet::new(),
            leftovers: Vec::new(),
        };
        for (GroupId(id), group) in groups {
            let me = ReplicaId(id);
            if me.node() != node {
                let found = me.node();
                return Err(StartError::OtherNode { found, node });
            }
            match group.tombstone {
                true => _ = here.gone.insert(me),
                // The later a replica of a shard was born, the higher is its id.
                false => here.add(me, Some(group)),
            }
        }
        let mut others = here.stored(kv, node)?;
        others.extend(founding(kv, layout, node)?);
        for me in others {
            if !here.gone.contains(&me) && !here.replicas.contains_key(&me.shard()) {
                here.add(me, None);
            }
        }
        for shard in layout.groups().map(|plan| plan.shard) {
            if !here.replicas.contains_key(&shard) && has_anything(kv, shard)? {
                here.leftovers.push(shard);
            }
        }
        Ok(here)
    }

    fn add(&mut self, me: ReplicaId, log: Option<RecoveredGroup>) {
        self.replicas.insert(me.shard(), Found { me, log });
    }

    /// Whom only the store holds, by what it says of the members.
    fn stored(&self, kv: &dyn KvStore, node: NodeId) -> Result<Vec<ReplicaId>, StartError> {
        let mut found = Vec::new();
        for shard in Incarnation::all(kv).map_err(|source| StartError::Replicas { source })? {
            if self.replicas.contains_key(&shard) {
                continue;
            }
            let failed = |source| StartError::Shard { shard, source };
            let generation = Incarnation::load(kv, shard).map_err(failed)?.generation;
            let applied = Applied::of(kv, shard, generation).map_err(failed)?;
            found.extend(applied.and_then(|applied| applied.members.on(node)));
        }
        Ok(found)
    }
}

fn has_anything(kv: &dyn KvStore, shard: ShardId) -> Result<bool, StartError> {
    let known = Incarnation::load(kv, shard).map_err(|source| StartError::Shard { shard, source })?;
    let applied = || Applied::of(kv, shard, known.generation);
    // What cannot be read is there.
    Ok(!known.retired.is_empty() || known.generation != Incarnation::NONE && !matches!(applied(), Ok(None)))
}

fn founding(kv: &dyn KvStore, layout: &Layout, node: NodeId) -> Result<Vec<ReplicaId>, StartError> {
    let mut found = Vec::new();
    for plan in layout.groups() {
        let shard = plan.shard;
        let Some(place) = plan.on(node) else { continue };
        let incarnation = Incarnation::load(kv, shard).map_err(|source| StartError::Shard { shard, source })?;
        // The store remembers who has left.
        if incarnation.generation != Incarnation::NONE {
            found.push(place.replica);
        }
    }
    Ok(found)
}
