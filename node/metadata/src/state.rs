//! What is kept, and how it changes.

use std::collections::{BTreeMap, BTreeSet};

use bincode::{Decode, Encode};
use covey_shared::codec::{CodecError, decode_versioned};
use covey_shared::command::ItemResult;
use covey_shared::ids::{LogIndex, NodeId, OperationId, ShardId, UnixMillis};
use covey_shared::members::ShardDescriptor;
use covey_shared::metadata::{
    AuditRecord, Ending, MAX_BY, METADATA_VERSION, MetadataChange, NodePlace, NodeRecord, Operation, OperationFault,
    OperationRecord, Start,
};
use covey_shared::settings::Settings;

use crate::admission::named;

/// Operations that ended and are still known.
const KEPT: usize = 128;
/// Longest reason of a failure, in bytes.
const MAX_WHY: usize = 512;

/// The state of the metadata behind some entry of its log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Metadata {
    /// Nodes of the cluster.
    pub nodes: BTreeMap<NodeId, NodeRecord>,
    /// Shards, that of the metadata among them, as they were last reported.
    pub shards: BTreeMap<ShardId, ShardDescriptor>,
    /// Those that run, and the last ones that ended.
    pub operations: BTreeMap<OperationId, OperationRecord>,
    /// Lines of the audit log so far.
    pub audited: u64,
    /// Nodes that belonged to the cluster once; at most 65 535, as there are ids.
    pub removed: BTreeSet<NodeId>,
    /// The entry that last changed which nodes there are, or where.
    pub directory: LogIndex,
    /// What operators have set.
    pub settings: Settings,
}

/// As it was before there were settings.
#[derive(Decode)]
struct MetadataV1 {
    nodes: BTreeMap<NodeId, NodeRecord>,
    shards: BTreeMap<ShardId, ShardDescriptor>,
    operations: BTreeMap<OperationId, OperationRecord>,
    audited: u64,
    removed: BTreeSet<NodeId>,
    directory: LogIndex,
}

/// What an entry has caused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// For who proposed it.
    pub result: ItemResult,
    /// For the audit log.
    pub audit: Option<AuditRecord>,
}

impl Metadata {
    /// Reads what was written with [`METADATA_VERSION`] or an older version.
    ///
    /// # Errors
    /// The bytes are no such record, or one of a newer program.
    pub fn decode(record: &[u8]) -> Result<Metadata, CodecError> {
        if record.first_chunk() != Some(&1_u16.to_le_bytes()) {
            return decode_versioned(METADATA_VERSION, record);
        }
        let old: MetadataV1 = decode_versioned(1, record)?;
        Ok(Metadata {
            nodes: old.nodes,
            shards: old.shards,
            operations: old.operations,
            audited: old.audited,
            removed: old.removed,
            directory: old.directory,
            settings: Settings::default(),
        })
    }

    /// Applies the entry at `index`, of log time `time`. A refused one changes nothing but the audit log.
    pub fn apply(&mut self, index: LogIndex, time: UnixMillis, change: &MetadataChange) -> Effect {
        let asked = match change {
            MetadataChange::Start(start) => Some(self.start(OperationId(index.0), time, start).map(Some)),
            MetadataChange::Cancel { operation, by } => Some(self.cancel(*operation, by).map(Some)),
            MetadataChange::Undrain { node, by } => Some(self.undrain(*node, by).map(|()| None)),
            // Each node says where it is when it starts.
            MetadataChange::Join { place, .. } if self.is_known(place) => None,
            MetadataChange::Join { place, by } => Some(self.join(index, place, by).map(|()| None)),
            MetadataChange::Remove { node, by } => Some(self.remove(index, *node, by).map(|()| None)),
            MetadataChange::Set { on, changes, by } => Some(self.set(index, *on, changes, by).map(|()| None)),
            MetadataChange::Register(places) => {
                self.register(index, places);
                None
            }
            MetadataChange::Observe(descriptors) => {
                self.observe(descriptors);
                None
            }
            MetadataChange::Away { node, since } => {
                self.away(*node, *since);
                None
            }
            MetadataChange::End { operation, ending } => {
                self.end(*operation, time, ending);
                None
            }
        };
        let result = match &asked {
            Some(outcome) => ItemResult::Operation(outcome.clone().map(Option::unwrap_or_default)),
            None => ItemResult::Ok,
        };
        Effect {
            result,
            audit: asked.and_then(|outcome| self.audit(time, change, outcome)),
        }
    }

    /// Operations that have not come to their end, by id.
    pub(crate) fn running(&self) -> impl Iterator<Item = &OperationRecord> {
        self.operations.values().filter(|record| record.runs())
    }

    /// The one that runs and is about this node as a whole.
    pub(crate) fn running_on(&self, node: NodeId) -> Option<&OperationRecord> {
        self.running().find(|record| record.what.node() == Some(node))
    }

    /// The one that runs and is about this shard.
    pub(crate) fn running_in(&self, shard: ShardId) -> Option<&OperationRecord> {
        self.running().find(|record| record.what.shard() == Some(shard))
    }

    fn is_known(&self, place: &NodePlace) -> bool {
        self.nodes.get(&place.node).is_some_and(|known| known.place == *place)
    }

    fn away(&mut self, node: NodeId, since: Option<UnixMillis>) {
        if let Some(known) = self.nodes.get_mut(&node) {
            known.away_since = since;
        }
    }

    fn start(&mut self, id: OperationId, time: UnixMillis, start: &Start) -> Result<OperationId, OperationFault> {
        if let Some(runs) = self.admit(time, start)? {
            self.prolong(runs, start.what);
            return Ok(runs);
        }
        let deadline = match start.what {
            Operation::Maintenance { until, .. } => until,
            _ => UnixMillis(time.0.saturating_add(start.limit_ms)),
        };
        match start.what {
            Operation::Drain { node } => self.set_drained(node, true),
            Operation::UnsafeRecover { shard, .. } => self.end_in(shard, time),
            _ => {}
        }
        let record = OperationRecord {
            id,
            what: start.what,
            by: start.by.clone(),
            parent: start.parent,
            started: time,
            deadline,
            cancelled: false,
            ended: None,
        };
        self.operations.insert(id, record);
        Ok(id)
    }

    /// Maintenance that is asked for again lasts until the later time. To end it sooner, it is cancelled.
    fn prolong(&mut self, id: OperationId, wanted: Operation) {
        let Some(record) = self.operations.get_mut(&id) else {
            return;
        };
        if let (Operation::Maintenance { until: before, .. }, Operation::Maintenance { until, .. }) =
            (record.what, wanted)
            && until > before
        {
            (record.what, record.deadline) = (wanted, until);
        }
    }

    /// A drain gives its node back, whatever it was before: who wants it empty drains it again.
    fn cancel(&mut self, id: OperationId, by: &str) -> Result<OperationId, OperationFault> {
        named(by)?;
        let record = self.operations.get(&id).ok_or(OperationFault::UnknownOperation(id))?;
        if !record.runs() {
            return Err(OperationFault::Ended(id));
        }
        if let (Operation::Drain { node }, false) = (record.what, record.cancelled) {
            self.set_drained(node, false);
        }
        let family = self
            .operations
            .values_mut()
            .filter(|record| record.id == id || record.parent == Some(id));
        family
            .filter(|record| record.runs())
            .for_each(|record| record.cancelled = true);
        Ok(id)
    }

    fn undrain(&mut self, node: NodeId, by: &str) -> Result<(), OperationFault> {
        named(by)?;
        let known = self.known(node)?;
        if !known.drained {
            return Err(OperationFault::NotDrained(node));
        }
        // A drain that was cancelled has given it back already, so the one that runs is wanted.
        let drains = |record: &&OperationRecord| record.what == Operation::Drain { node } && !record.cancelled;
        if let Some(drain) = self.running().find(drains) {
            return Err(OperationFault::Conflict(drain.id));
        }
        self.set_drained(node, false);
        Ok(())
    }

    /// Ends what works on a shard that goes on with one replica: it waits for a majority that will not come back.
    fn end_in(&mut self, shard: ShardId, time: UnixMillis) {
        let works: Vec<OperationId> = self.running_in(shard).map(|record| record.id).into_iter().collect();
        let ending = Ending::Failed("the shard had lost its majority, and goes on with one replica".to_owned());
        works.into_iter().for_each(|id| self.end(id, time, &ending));
    }

    fn set_drained(&mut self, node: NodeId, drained: bool) {
        if let Some(known) = self.nodes.get_mut(&node) {
            known.drained = drained;
        }
    }

    fn end(&mut self, id: OperationId, time: UnixMillis, ending: &Ending) {
        let Some(record) = self.operations.get_mut(&id).filter(|record| record.runs()) else {
            return;
        };
        // It was prolonged while this was on its way.
        if *ending == Ending::Done && matches!(record.what, Operation::Maintenance { until, .. } if time < until) {
            return;
        }
        let mut ending = ending.clone();
        if let Ending::Failed(why) = &mut ending {
            shorten(why, MAX_WHY);
        }
        record.ended = Some((time, ending));
        let ended = |record: &OperationRecord| record.ended.as_ref().map(|(at, _)| (*at, record.id));
        let mut ended: Vec<_> = self.operations.values().filter_map(ended).collect();
        ended.sort_unstable();
        for (_, oldest) in ended.iter().take(ended.len().saturating_sub(KEPT)) {
            self.operations.remove(oldest);
        }
    }

    fn audit(
        &mut self,
        at: UnixMillis,
        change: &MetadataChange,
        outcome: Result<Option<OperationId>, OperationFault>,
    ) -> Option<AuditRecord> {
        // Nodes say it again and again, nobody has to remember each time that it was in vain; coordinators have looked at settings before they
        // ask, and ask again.
        if matches!(change, MetadataChange::Join { .. } | MetadataChange::Set { .. }) && outcome.is_err() {
            return None;
        }
        // A name that was refused for its length is written down too, but no longer than others.
        let mut change = change.clone();
        let (MetadataChange::Start(Start { by, .. })
        | MetadataChange::Cancel { by, .. }
        | MetadataChange::Undrain { by, .. }
        | MetadataChange::Join { by, .. }
        | MetadataChange::Remove { by, .. }
        | MetadataChange::Set { by, .. }) = &mut change
        else {
            return None;
        };
        shorten(by, MAX_BY);
        let by = by.clone();
        let number = self.audited;
        self.audited = number.saturating_add(1);
        Some(AuditRecord {
            number,
            at,
            by,
            change,
            outcome,
        })
    }
}

fn shorten(text: &mut String, limit: usize) {
    text.truncate(text.floor_char_boundary(limit));
}

#[cfg(test)]
#[path = "state_test.rs"]
mod tests;
