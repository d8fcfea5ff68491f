//! Short names for spans and logs.

use covey_shared::wire::{Class, RequestBody};

pub(crate) fn class(class: Class) -> &'static str {
    match class {
        Class::Raft => "raft",
        Class::Query => "query",
        Class::Write => "write",
        Class::Bulk => "bulk",
        Class::Admin => "admin",
    }
}

pub(crate) fn request(body: &RequestBody) -> &'static str {
    match body {
        RequestBody::Write { .. } => "write",
        RequestBody::GetPosts(_) => "get_posts",
        RequestBody::Search(_) => "search",
        RequestBody::Viewer(_) => "viewer",
        RequestBody::InNetwork(_) => "in_network",
        RequestBody::Lists(_) => "lists",
        RequestBody::Verdicts(_) => "verdicts",
        RequestBody::Authors(_) => "authors",
        RequestBody::Status => "status",
        RequestBody::LogicalHash { .. } => "logical_hash",
        RequestBody::Candidates(_) => "candidates",
        RequestBody::Standing { .. } => "standing",
        RequestBody::OpenSnapshot { .. } => "open_snapshot",
        RequestBody::SnapshotChunk { .. } => "snapshot_chunk",
        RequestBody::HashAt { .. } => "hash_at",
        RequestBody::Vectors { .. } => "vectors",
        RequestBody::PauseBuilds { .. } => "pause_builds",
        RequestBody::TransferLeader { .. } => "transfer_leader",
        RequestBody::Members { .. } => "members",
        RequestBody::ChangeMembers { .. } => "change_members",
        RequestBody::Destroy { .. } => "destroy",
        RequestBody::Reports => "reports",
        RequestBody::Describe { .. } => "describe",
        RequestBody::Rehearse(_) => "rehearse",
        RequestBody::Directory => "directory",
        RequestBody::LearnDirectory(_) => "learn_directory",
        RequestBody::Settings => "settings",
        RequestBody::LearnSettings(_) => "learn_settings",
        RequestBody::ReadIndexes { .. } => "read_indexes",
        RequestBody::MatchTexts(_) => "match_texts",
    }
}
