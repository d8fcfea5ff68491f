//! The disks of nodes, in figures and in words.

use covey_api::v1;
use covey_shared::ids::NodeId;
use covey_shared::wire::{DISK_STALL_MS, DiskSpeed, DiskStatus};

/// For people: a disk with too little room.
pub(super) fn nearly_full(node: NodeId, disk: DiskStatus) -> Option<String> {
    let percent = disk.free_bytes as f64 * 100.0 / disk.total_bytes.max(1) as f64;
    let free = disk.free_bytes >> 20;
    disk.low.then(|| {
        format!(
            "node {node} has only {percent:.1} % of its disk free ({free} MiB): it takes in nothing new and leads no shard \
             until there is room (storage.min_free_disk_ratio)"
        )
    })
}

/// For people: a disk that takes long to write the log.
pub(super) fn slow(node: NodeId, speed: &DiskSpeed) -> Option<String> {
    let seconds = |ms: u64| format!("{:.1} s", ms as f64 / 1000.0);
    let ended = match speed.recent_stalls {
        0 => None,
        1 => Some(format!("a write of the log took {}", seconds(speed.longest_recent_ms))),
        n => Some(format!(
            "{n} writes of the log took {DISK_STALL_MS} ms or more in the last minute, the longest {}",
            seconds(speed.longest_recent_ms)
        )),
    };
    let which = if ended.is_some() { "one" } else { "one write of the log" };
    let runs = (speed.going_on_ms > 0).then(|| format!("{which} has not ended after {}", seconds(speed.going_on_ms)));
    let what: Vec<String> = ended.into_iter().chain(runs).collect();
    speed
        .slow
        .then(|| format!("the disk of node {node} is slow: {}", what.join("; ")))
}

/// For scripts.
pub(super) fn figures(speed: &DiskSpeed) -> v1::DiskSpeed {
    v1::DiskSpeed {
        slow: speed.slow,
        recent_stalls: speed.recent_stalls,
        longest_recent_ms: speed.longest_recent_ms,
        going_on_ms: speed.going_on_ms,
        stalls: speed.stalls,
        longest_ms: speed.longest_ms,
        last_stall_ms: speed.last_stall_ms.unwrap_or_default(),
        mean_ms: speed.mean_us as f64 / 1000.0,
    }
}

#[cfg(test)]
#[path = "disk_test.rs"]
mod tests;
