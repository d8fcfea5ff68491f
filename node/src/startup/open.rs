//! Opens one replica: its store, and what its Raft group starts from.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use covey_ann::Backend;
use covey_config::Config;
use covey_embeddings::MaintenanceWorker;
use covey_env::{Env, watch};
use covey_shard::{Applied, Incarnation, OpenReport, ShardStore, ShardStoreError, ShardView, replica_dir};
use covey_shared::ids::{Generation, LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::layout::Layout;
use covey_shared::members::{Members, ShardDescriptor};
use covey_store::kv::KvStore;
use covey_store::log::{GroupId, LogBatch, LogPosition, RecoveredGroup};

use super::found::Found;
use super::{StartError, settings};
use crate::apply::{Applier, Seat};
use crate::raft::GroupStart;

/// Where and from what replicas are opened.
pub(crate) struct Opening<'a> {
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Config,
    /// The cluster as it was founded.
    pub(crate) layout: &'a Layout,
    pub(crate) node: NodeId,
    pub(crate) dir: &'a Path,
    pub(crate) kv: Arc<dyn KvStore>,
    pub(crate) backend: Backend,
    pub(crate) maintenance: &'a MaintenanceWorker,
}

/// One opened replica, before its parts go to their threads.
pub(super) struct Opened {
    pub(super) me: ReplicaId,
    pub(super) applier: Option<Applier>,
    pub(super) view: Arc<ArcSwap<ShardView>>,
    pub(super) applied: watch::Receiver<LogIndex>,
    /// `None`: the log knows nothing of it.
    pub(super) start: Option<GroupStart>,
    /// An earlier snapshot has left something to remove.
    pub(super) leftovers: bool,
}

/// Also what the store found.
pub(super) fn open_one(
    opening: &Opening<'_>,
    Found { me, log }: Found,
    resets: &mut LogBatch,
) -> Result<(Opened, OpenReport), StartError> {
    let shard = me.shard();
    let failed = |source| StartError::Shard { shard, source };
    let incarnation = Incarnation::load(&*opening.kv, shard).map_err(failed)?;
    if incarnation.generation == Incarnation::NONE {
        // The log is told first when a replica leaves.
        return Err(not_together(shard, &log.unwrap_or_default(), LogIndex(0)));
    }
    let known = known(opening, me, incarnation.generation, log.as_ref())?;
    let ((store, report), emptied) = match open_store(opening, &known, incarnation.generation) {
        Err(StartError::Shard { source, .. })
            if log.is_some() && !is_alone(me, &known.members) && source.is_damage() && !source.is_kv_damage() =>
        {
            (begin_anew(opening, &known, source)?, true)
        }
        opened => (opened?, false),
    };
    opening
        .maintenance
        .maintain(store.maintainer())
        .map_err(|_| StartError::Maintenance)?;
    let made = store.applied();
    check_layout(opening.layout, &made.descriptor(shard))?;
    if log.is_none() && is_alone(me, &made.members) {
        // Nobody else has what the log had.
        check_log(shard, &RecoveredGroup::default(), made.index)?;
    }
    let start = log
        .map(|mut log| {
            if incarnation.log_behind && log.compacted.index <= made.index.0 && !has(&log, made) {
                reset(&mut log, made, me, resets);
            }
            group_start(me, log, made)
        })
        .transpose()?;
    let damaged = start.as_ref().is_some_and(|start| start.damaged);
    let leftovers = incarnation.log_behind || !incarnation.retired.is_empty();
    // What is damaged stays until something has taken its place.
    let leftovers = leftovers && !emptied && !damaged;
    Ok((opened(me, store, start, leftovers), report))
}

fn opened(me: ReplicaId, store: ShardStore, start: Option<GroupStart>, leftovers: bool) -> Opened {
    let (published, watched) = watch::channel(store.applied().index);
    let view = Arc::new(ArcSwap::new(store.view()));
    let seat = Seat {
        applied: published,
        view: view.clone(),
    };
    Opened {
        me,
        applier: Some(Applier { store, seat }),
        view,
        applied: watched,
        start,
        leftovers,
    }
}

/// What is known of the shard, whatever the state of its store: its members as of what was applied, or those that it was founded
/// with. A replica that came later, or whose log begins later, and whose store is gone, knows none. Then it knows no epoch either, listens to whoever leads
/// the group, and decides nothing before a snapshot has told it.
fn known(
    opening: &Opening<'_>,
    me: ReplicaId,
    generation: Generation,
    log: Option<&RecoveredGroup>,
) -> Result<ShardDescriptor, StartError> {
    let shard = me.shard();
    if let Ok(Some(applied)) = Applied::of(&*opening.kv, shard, generation) {
        return Ok(applied.descriptor(shard));
    }
    let plan = opening.layout.shard(shard).ok_or(StartError::LayoutChanged { shard })?;
    let mut known = ShardDescriptor::founding(plan);
    // What the log has let go of may have changed them. One that was founded alone has to be refused, not to wait for others.
    let begins_later = log.is_some_and(|log| log.compacted.index > 0) && known.members.voters.len() > 1;
    if !known.members.has(me) || begins_later {
        (known.members, known.epoch.conf_ver) = (Members::default(), 0);
    }
    Ok(known)
}

/// Whether nobody else is a member.
fn is_alone(me: ReplicaId, members: &Members) -> bool {
    members.all().into_iter().eq([me])
}

/// What the shard was founded with does not change behind its back.
fn check_layout(layout: &Layout, known: &ShardDescriptor) -> Result<(), StartError> {
    let Some(plan) = layout.shard(known.shard) else {
        return Ok(());
    };
    let founding = ShardDescriptor::founding(plan);
    let same_slots = known.epoch.range_ver != founding.epoch.range_ver || known.slots == founding.slots;
    let same_members = known.epoch != founding.epoch || known.members == founding.members;
    match same_slots && same_members {
        true => Ok(()),
        false => Err(StartError::LayoutChanged { shard: known.shard }),
    }
}

fn group_start(me: ReplicaId, log: RecoveredGroup, made: &Applied) -> Result<GroupStart, StartError> {
    // An empty store under a log that begins later: a snapshot has to come first. Any other gap is a store of another time.
    let damaged = made.index == LogIndex(0) && log.compacted.index > 0 && !is_alone(me, &made.members);
    if !damaged {
        check_log(me.shard(), &log, made.index)?;
    }
    Ok(GroupStart {
        log,
        applied: made.index.0,
        descriptor: made.descriptor(me.shard()),
        damaged,
    })
}

fn open_store(
    opening: &Opening<'_>,
    known: &ShardDescriptor,
    generation: Generation,
) -> Result<(ShardStore, OpenReport), StartError> {
    let options = settings::shard(opening.config, known.clone(), generation, opening.backend)?;
    let dir = replica_dir(opening.dir, known.shard, generation);
    let opened = ShardStore::open(opening.env, opening.kv.clone(), &dir, options);
    let shard = known.shard;
    opened.map_err(|source| StartError::Shard { shard, source })
}

/// What is there cannot be read: an empty store takes its place, which the log or a snapshot fills. The damaged one stays on the
/// disk until then.
fn begin_anew(
    opening: &Opening<'_>,
    known: &ShardDescriptor,
    damage: ShardStoreError,
) -> Result<(ShardStore, OpenReport), StartError> {
    let shard = known.shard;
    tracing::error!(
        shard = shard.0,
        error = format!("{:#}", anyhow::Error::new(damage)),
        "this replica is damaged, and gets its data from the others"
    );
    let failed = |source| StartError::Shard { shard, source };
    let generation = Incarnation::begin(&*opening.kv, shard).map_err(failed)?;
    // Before it is the current one: a crash in between would leave one that knows no members.
    let opened = open_store(opening, known, generation)?;
    Incarnation::switch(&*opening.kv, shard, generation).map_err(failed)?;
    Ok(opened)
}

/// Whether the log has the very entry that the store applied last.
fn has(log: &RecoveredGroup, made: &Applied) -> bool {
    let (index, term) = (made.index.0, made.term.0);
    let compacted = log.compacted == LogPosition { index, term };
    compacted
        || log
            .entries
            .iter()
            .any(|entry| (entry.index, entry.term) == (index, term))
}

/// The store holds a snapshot, the log what was there before: the node ended in between.
fn reset(log: &mut RecoveredGroup, made: &Applied, me: ReplicaId, resets: &mut LogBatch) {
    let at = LogPosition {
        index: made.index.0,
        term: made.term.0,
    };
    let group = GroupId(me.0);
    resets.truncate(group, at.index + 1).compact(group, at);
    log.entries.clear();
    log.compacted = at;
}

fn check_log(shard: ShardId, log: &RecoveredGroup, applied: LogIndex) -> Result<(), StartError> {
    match (log.compacted.index..=log.last()).contains(&applied.0) {
        true => Ok(()),
        false => Err(not_together(shard, log, applied)),
    }
}

fn not_together(shard: ShardId, log: &RecoveredGroup, applied: LogIndex) -> StartError {
    StartError::LogAndStore {
        shard,
        applied: applied.0,
        first: log.compacted.index + 1,
        last: log.last(),
    }
}
