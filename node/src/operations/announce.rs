//! A node says where it is: when it starts, and again if whoever leads the metadata has not asked it for long. So a new one joins, one
//! that has another address is found, and one that was removed meanwhile finds out.

use std::sync::Arc;
use std::time::Duration;

use covey_rpc::{CallError, NodeClient};
use covey_shared::command::{ItemResult, ShardCommand};
use covey_shared::ids::{ModelEpoch, NodeId, ShardEpoch, ShardId};
use covey_shared::metadata::{MetadataChange, NodePlace, OperationFault};
use covey_shared::wire::{Class, ReplyBody, RequestBody, ShardError};

use crate::nodes::Clients;
use crate::server::NodeHandle;

/// Time for one node to answer.
const CALL: Duration = Duration::from_secs(2);
/// Nodes that are asked in one round, when nobody names the leader.
const ASKED: usize = 16;
/// Who was not asked for so long may have been forgotten.
const SILENCE: Duration = Duration::from_secs(30);

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// The cluster knows it.
    Known,
    /// The cluster does not want it.
    Refused(OperationFault),
    /// Nobody took it.
    Unheard,
}

/// Whether this node has to say where it is.
pub(super) fn is_due(handle: &NodeHandle, announced: bool) -> bool {
    let now = handle.env.clock.monotonic();
    let asked = *handle.asked.lock();
    let unknown = handle.nodes.now().get(handle.node).is_none();
    !announced || unknown || now.since(asked.unwrap_or(handle.started)) > SILENCE
}

/// Says it to whoever leads the metadata.
pub(super) async fn announce(handle: Arc<NodeHandle>, clients: Arc<Clients>, place: NodePlace) -> Announced {
    let Some((epoch, members)) = handle.whereabouts(ShardId::METADATA) else {
        return Announced::Unheard;
    };
    let leads = handle.board.get(ShardId::METADATA).and_then(|status| status.leader);
    let mut others = clients.ids();
    let turn = handle.env.entropy.below(others.len().max(1) as u64) as usize;
    others.rotate_left(turn);
    let mut queue: Vec<NodeId> = leads.into_iter().chain(members).chain(others).collect();
    queue.reverse();
    let mut asked = Vec::new();
    while let Some(node) = queue.pop().filter(|_| asked.len() < ASKED) {
        if asked.contains(&node) {
            continue;
        }
        asked.push(node);
        let Some(client) = clients.get(node) else { continue };
        let mut said = say(&client, epoch, &place).await;
        if let Err(NotTaken::Newer(epoch)) = said {
            said = say(&client, epoch, &place).await;
        }
        match said {
            Ok(announced) => return announced,
            Err(NotTaken::Leader(leader)) => queue.push(leader),
            // It may know nodes that this one has never heard of.
            Err(NotTaken::Newer(_) | NotTaken::Unheard) => {
                if let Ok(ReplyBody::Directory(known)) = ask(&client, RequestBody::Directory).await {
                    handle.nodes.learn(known);
                }
            }
        }
    }
    Announced::Unheard
}

async fn ask(client: &NodeClient, body: RequestBody) -> Result<ReplyBody, CallError> {
    client.call(Class::Admin, CALL, body, ModelEpoch(0)).await
}

/// Why a node has no answer.
enum NotTaken {
    /// That one has.
    Leader(NodeId),
    /// The metadata has moved, and this is its epoch.
    Newer(ShardEpoch),
    Unheard,
}

/// The answer of the leader.
async fn say(client: &NodeClient, epoch: ShardEpoch, place: &NodePlace) -> Result<Announced, NotTaken> {
    let change = MetadataChange::Join {
        place: place.clone(),
        by: format!("node {}", place.node),
    };
    let body = RequestBody::Write {
        shard: ShardId::METADATA,
        epoch,
        command: ShardCommand::Metadata(change),
    };
    let reply = match ask(client, body).await {
        Ok(ReplyBody::Write(Ok(reply))) => reply,
        Ok(ReplyBody::Write(Err(ShardError::NotLeader { hint: Some(leader) }))) => {
            return Err(NotTaken::Leader(leader));
        }
        Ok(ReplyBody::Write(Err(ShardError::StaleEpoch { current }))) => return Err(NotTaken::Newer(current)),
        _ => return Err(NotTaken::Unheard),
    };
    match reply.results.into_iter().next() {
        Some(ItemResult::Ok | ItemResult::Operation(Ok(_))) => Ok(Announced::Known),
        Some(ItemResult::Operation(Err(fault))) => Ok(Announced::Refused(fault)),
        _ => Ok(Announced::Unheard),
    }
}
