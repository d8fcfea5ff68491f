//! Damage that searches meet: it is told, and never served.

use std::sync::atomic::Ordering;

use crate::view::View;

impl View {
    /// Counts a hit whose vector does not match its checksum, and says so in the log the first time.
    pub(crate) fn damaged_row(&self, segment: usize) {
        if self.counters.damaged_rows.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::error!(
                space = self.space.name,
                folder = self.segments[segment].folder.0,
                "a vector does not match its checksum and is left out of answers; what to do is in docs/running.md, under \
                 \"A bad sector\""
            );
        }
    }

    /// Whether a row is surely none of those that the disk cannot read: zeros can score better than what is sound, and
    /// must not take its place among the hits.
    pub(crate) fn readable(&self, segment: usize, row: u32) -> bool {
        let (segment, row) = (&self.segments[segment], row as usize);
        segment.rows.faulted_pages() == 0 || segment.records[row].matches(segment.rows.range(row, row + 1))
    }

    /// Pages of vectors that are lost to the maps of these segments: rows on them are zeros. Says so in the log when there are
    /// more.
    pub(crate) fn faulted_pages(&self) -> u32 {
        let of_segments = self.segments.iter().map(|segment| segment.rows.faulted_pages());
        let pages = of_segments.sum::<u64>();
        if self.counters.faulted_pages.swap(pages, Ordering::Relaxed) < pages {
            // Who looks after damaged rows has to know: no search meets them any more.
            self.counters.losses.fetch_add(1, Ordering::Relaxed);
            let folders = self.segments.iter().filter(|s| s.rows.faulted_pages() > 0);
            tracing::error!(
                space = self.space.name,
                pages,
                folders = ?folders.map(|segment| segment.folder.0).collect::<Vec<_>>(),
                "the disk cannot read pages of vectors, their rows are left out of answers; what to do is in \
                 docs/running.md, under \"A bad sector\""
            );
        }
        u32::try_from(pages).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
#[path = "damage_test.rs"]
mod tests;
