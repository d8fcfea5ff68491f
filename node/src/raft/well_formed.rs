//! What is asked of a message before the library sees it.

use covey_shared::wire::{RaftMessage, RaftMessageKind, WireEntry};
use covey_store::log::EntryKind;

use super::membership;

/// The library trusts that entries follow each other; a peer's bytes are checked before they reach it.
pub(super) fn well_formed(message: &RaftMessage) -> bool {
    // What nobody sends here, or what the library does not check before it uses it.
    let known = !matches!(
        message.kind,
        RaftMessageKind::ReadIndex | RaftMessageKind::ReadIndexResp | RaftMessageKind::TransferLeader
    );
    let follow = message
        .entries
        .iter()
        .enumerate()
        .all(|(i, e)| e.index == message.index + 1 + i as u64);
    let ordered = message.entries.windows(2).all(|w| w[0].term <= w[1].term);
    // A change of members is read as such wherever it is committed.
    let legible =
        |entry: &WireEntry| entry.kind != EntryKind::ConfChange as u8 || membership::decode(&entry.data).is_some();
    known
        && message.entries.iter().all(legible)
        && message.term > 0
        && (message.entries.is_empty() || message.kind == RaftMessageKind::Append)
        && follow
        && ordered
        && message.entries.last().is_none_or(|e| e.term <= message.term)
}
