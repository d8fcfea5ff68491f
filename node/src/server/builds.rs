//! The builds of vector indexes: pauses, and what waits.

use std::time::Duration;

use covey_shared::wire::{BuildsStatus, MAX_BUILD_PAUSE_MS};

use super::calls::NodeHandle;

impl NodeHandle {
    /// Pauses the builds for so many milliseconds, at most [`MAX_BUILD_PAUSE_MS`], or ends a pause.
    pub(super) fn pause_builds(&self, pause_ms: u64) -> BuildsStatus {
        let pause = Duration::from_millis(pause_ms.min(MAX_BUILD_PAUSE_MS));
        self.builds.pause(pause);
        match pause_ms {
            0 => tracing::info!("builds and merges of vector indexes go on"),
            _ => tracing::info!(?pause, "builds and merges of vector indexes are paused"),
        }
        self.builds_status()
    }

    pub(super) fn builds_status(&self) -> BuildsStatus {
        let mut status = BuildsStatus {
            // A pause that has begun and not ended is never 0.
            pause_left_ms: self.builds.pause_left().as_micros().div_ceil(1000) as u64,
            ..BuildsStatus::default()
        };
        for replica in self.replicas.all() {
            let content = replica.view().content_status();
            status.waiting_indexes += content.unbuilt_segments;
            status.waiting_merges += u32::from(content.merge_due);
        }
        status
    }
}
