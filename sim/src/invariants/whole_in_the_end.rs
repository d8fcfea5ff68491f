//! When all is quiet a shard has its three voters and nobody else, knows what was ever decided, and no host has more.

use covey_shared::members::ShardDescriptor;

use crate::history::History;

/// Voters of each shard.
const REPLICATION: usize = 3;

/// Checks what all members of a shard know in the end.
pub(crate) fn whole_in_the_end(history: &mut History, known: &ShardDescriptor) {
    let (shard, members, version) = (known.shard, &known.members, known.epoch.conf_ver);
    if members.voters.len() != REPLICATION || members.all().len() != REPLICATION || members.is_joint() {
        history.violations.push(format!("{shard:?} ends with {members:?}"));
    }
    let of_shard = history.versions.keys().filter(|(of, _)| *of == shard);
    let newest = of_shard.map(|(_, version)| *version).max();
    if newest.is_some_and(|newest| newest != version) {
        let broken = format!("{shard:?} ends with conf_ver {version}, and had {newest:?}");
        history.violations.push(broken);
    }
}
