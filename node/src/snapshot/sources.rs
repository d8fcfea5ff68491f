//! Where a replica is fetched from, and what it has to ask before.

use std::path::Path;
use std::time::Duration;

use covey_shared::ids::{LogIndex, NodeId, ReplicaId, ShardId};
use covey_shared::members::ShardDescriptor;
use covey_shared::wire::{OpenedSnapshot, RebuildPhase, ReplyBody, RequestBody, ShardError, Standing};
use futures::future::join_all;
use futures::join;

use super::fetch::{FetchError, io_at};
use super::leaving::shows_gone;
use super::puller::{LostReplica, PullError, Puller};
use super::rejoin::{Answers, Bar, judge, leader};
use crate::checked_file;
use crate::completions::Completion;
use crate::question::{AskError, ask};

/// Time for a question to another node.
const ASK_DEADLINE: Duration = Duration::from_secs(2);
/// Name of the file that keeps a [`Bar`].
const BAR: &str = "bar";
/// Its format.
const BAR_VERSION: u16 = 1;

impl Puller {
    /// Who to fetch from, and what it must have. `None`: not yet, or there is nothing to fetch.
    pub(super) async fn source_of_lost(
        &mut self,
        shard: ShardId,
        dir: &Path,
    ) -> Result<Option<(NodeId, Bar)>, PullError> {
        let lost = self.lost(shard)?;
        let (others, (newest, away)) = join!(self.standings(&lost.descriptor), self.newest(shard));
        if let Some(newest) = newest
            && self.is_news(&newest)?
        {
            return Ok(None);
        }
        let stored = self.stored_bar(dir);
        let verdict = judge(self.lost(shard)?.me, &others);
        if matches!(verdict, Answers::New(_)) && stored.is_none() && self.hears_of_nodes().await {
            return Ok(None);
        }
        let lost = self.lost(shard)?;
        let bar = match (verdict, stored) {
            (Answers::Known(bar), _) => stored.map_or(bar, |stored| stored.lower(bar)),
            (_, Some(stored)) => stored,
            (Answers::Silent(silent), None) => {
                self.deps.pulls.show(shard, |status| status.silent = silent);
                return Ok(None);
            }
            (Answers::New(_), None) if lost.without_log => {
                return Err(PullError::Unfit(
                    "the log of this replica is gone, and no other member has one",
                ));
            }
            // The shard may live on nodes that this one does not know as members: all have to say that they have nothing of it.
            (Answers::New(_), None) if !away.is_empty() => {
                self.deps.pulls.show(shard, |status| status.silent = away);
                return Ok(None);
            }
            (Answers::New(hard_state), None) => {
                self.deps.pulls.handed_over(shard);
                let descriptor = lost.descriptor.clone();
                self.deps.done.push(Completion::New { descriptor, hard_state });
                return Ok(None);
            }
        };
        if stored != Some(bar) {
            let index = bar.last.0;
            tracing::info!(
                shard = shard.0,
                index,
                "this replica lost its data, and is built from a snapshot"
            );
            self.store_bar(dir, bar)?;
        }
        let source = leader(&others);
        self.show(shard, RebuildPhase::Waiting, source);
        Ok(source.map(|node| (node, bar)))
    }

    fn lost(&self, shard: ShardId) -> Result<&LostReplica, PullError> {
        self.deps
            .lost
            .get(&shard)
            .ok_or(PullError::Unfit("the replica is gone"))
    }

    /// The shard as whoever knows most of it says, and the nodes that say nothing, not even that they have nothing of it.
    pub(super) async fn newest(&self, shard: ShardId) -> (Option<ShardDescriptor>, Vec<NodeId>) {
        let me = self.deps.node;
        let others = self.deps.clients.ids().into_iter().filter(|node| *node != me);
        let ask = |node: NodeId| async move { (node, self.ask(node, RequestBody::Members { shard }).await) };
        let answers = join_all(others.map(ask)).await;
        let (mut known, mut silent) = (Vec::new(), Vec::new());
        for (node, answer) in answers {
            match answer {
                Ok(ReplyBody::Members(Ok(report))) => known.push(report.descriptor),
                Ok(ReplyBody::Members(Err(ShardError::NotHere(_) | ShardError::NotReady(_)))) => {}
                Ok(_) | Err(_) => silent.push(node),
            }
        }
        (
            known.into_iter().max_by_key(|descriptor| descriptor.epoch.conf_ver),
            silent,
        )
    }

    /// Whether another node knows of other nodes than this one did, or does not say: they may have what is looked for.
    async fn hears_of_nodes(&self) -> bool {
        let (nodes, me) = (&self.deps.nodes, self.deps.node);
        let before = nodes.version();
        let others = self.deps.clients.ids().into_iter().filter(|node| *node != me);
        let answers = join_all(others.map(|node| self.ask(node, RequestBody::Directory))).await;
        let mut silent = false;
        for answer in answers {
            match answer {
                Ok(ReplyBody::Directory(directory)) => nodes.learn(directory),
                Ok(_) | Err(_) => silent = true,
            }
        }
        silent || nodes.version() > before
    }

    /// Whether a replica that lost everything did not know this of its shard. Then others have to be asked than those that were;
    /// or nobody: it is no member any more.
    ///
    /// Who was asked is enough if their bar leads to a snapshot that knows no newer members: a majority of any members has the
    /// entry that made the next ones, and this replica is but one of it.
    pub(super) fn is_news(&mut self, known: &ShardDescriptor) -> Result<bool, PullError> {
        let shard = known.shard;
        let lost = self.lost(shard)?;
        if known.epoch.conf_ver <= lost.descriptor.epoch.conf_ver {
            return Ok(false);
        }
        let me = lost.me;
        self.remove_staged(shard)?;
        match shows_gone(known, me) {
            true => self.end(me)?,
            false => {
                let lost = self.deps.lost.get_mut(&shard);
                lost.expect("seen above").descriptor = known.clone();
            }
        }
        Ok(true)
    }

    /// The leader; `None` while there is none, or the replica is no member any more.
    pub(super) async fn source_of_damaged(&mut self, shard: ShardId) -> Result<Option<NodeId>, PullError> {
        let Some(status) = self.deps.board.get(shard) else {
            return Ok(None);
        };
        let mut source = match status.descriptor.members.voters.is_empty() {
            // What was damaged knew them.
            true => status.leader,
            false => leader(&self.standings(&status.descriptor).await),
        };
        if source.is_none()
            && let (Some(newest), _) = self.newest(shard).await
        {
            if shows_gone(&newest, status.replica) {
                self.end(status.replica)?;
                return Ok(None);
            }
            // The shard may have moved on to members that what is left here does not name: one of them leads.
            if newest.epoch.conf_ver > status.descriptor.epoch.conf_ver {
                source = leader(&self.standings(&newest).await);
            }
        }
        self.show(shard, RebuildPhase::Waiting, source);
        Ok(source)
    }

    pub(super) async fn standings(&self, of: &ShardDescriptor) -> Vec<(NodeId, Option<Standing>)> {
        // What a learner of this configuration may have promised or committed when it had a vote is with a majority of the voters: they
        // could not have taken it away before.
        let voters = of
            .members
            .all()
            .into_iter()
            .filter(|replica| of.members.votes(*replica));
        let others = voters.map(ReplicaId::node).filter(|node| *node != self.deps.node);
        let ask = |node: NodeId| async move {
            let reply = self.ask(node, RequestBody::Standing { shard: of.shard }).await;
            match reply {
                Ok(ReplyBody::Standing(Ok(standing))) => (node, Some(standing)),
                Ok(_) | Err(_) => (node, None),
            }
        };
        join_all(others.map(ask)).await
    }

    pub(super) fn stored_bar(&self, dir: &Path) -> Option<Bar> {
        let bytes = self.deps.env.disk.read_file(&dir.join(BAR), 1 << 10).ok()?;
        checked_file::from_bytes(BAR_VERSION, &bytes)
    }

    pub(super) fn store_bar(&self, dir: &Path, bar: Bar) -> Result<(), PullError> {
        let (path, disk) = (dir.join(BAR), &self.deps.env.disk);
        let bytes = checked_file::to_bytes(BAR_VERSION, &bar).expect("two numbers can be written");
        let stored = disk.create_dir_all(dir).and_then(|()| disk.replace_file(&path, &bytes));
        Ok(stored.map_err(io_at(&path))?)
    }

    pub(super) async fn ask(&self, node: NodeId, body: RequestBody) -> Result<ReplyBody, PullError> {
        let client = self.deps.clients.get(node);
        let client = client.ok_or(PullError::Unfit("a member is on a node that this one does not know"))?;
        Ok(ask(&client, ASK_DEADLINE, body).await.map_err(FetchError::from)?)
    }

    /// `None` while it is being written, or the sender has not yet applied enough, or does not lead any more.
    pub(super) async fn open(
        &self,
        shard: ShardId,
        from: NodeId,
        at_least: LogIndex,
    ) -> Result<Option<OpenedSnapshot>, PullError> {
        match self.ask(from, RequestBody::OpenSnapshot { shard, at_least }).await? {
            ReplyBody::OpenSnapshot(Ok(opened)) => Ok(Some(*opened)),
            ReplyBody::OpenSnapshot(Err(ShardError::Overloaded { retry_after_ms })) => {
                let pause = Duration::from_millis(u64::from(retry_after_ms));
                let deps = &self.deps;
                deps.pulls.rest(shard, deps.env.clock.monotonic().plus(pause));
                Ok(None)
            }
            ReplyBody::OpenSnapshot(Err(ShardError::NotReady(_) | ShardError::NotLeader { .. })) => Ok(None),
            ReplyBody::OpenSnapshot(Err(error)) => Err(FetchError::from(AskError::from(error)).into()),
            _ => Err(FetchError::from(AskError::Answer).into()),
        }
    }
}
