//! What was acknowledged is there, on every replica, in the acknowledged version or a newer one; what was deleted is not.

use std::collections::BTreeMap;

use covey_shared::ids::{NodeId, PostKey, Version};

use crate::history::{History, Told};

/// Compares what writers were told of the posts of one shard with those that one node returned.
pub(crate) fn acknowledged_survives(
    history: &mut History,
    node: NodeId,
    posts: &[PostKey],
    found: &BTreeMap<PostKey, Version>,
) {
    let mut broken = Vec::new();
    for key in posts {
        let Some(told) = history.told.get(key) else { continue };
        match (told, found.get(key)) {
            (Told::Put(version), Some(stored)) if stored >= version => {}
            // A later delete may have gone through although its writer never heard of it; it has a higher version.
            (Told::Put(version), None) if history.maybe_deleted.get(key).is_some_and(|d| d > version) => {}
            (Told::Deleted(_), None) => {}
            (Told::Deleted(version), Some(stored)) if stored > version => {}
            (told, stored) => broken.push(format!("{node:?} {key:?}: told {told:?}, found {stored:?}")),
        }
    }
    history.violations.extend(broken);
}
