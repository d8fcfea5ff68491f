//! Which segments to merge. Pure.

use std::ops::Range;

use crate::space::PartitionOptions;

/// A sealed folder, for planning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: usize,
    pub(crate) live: usize,
}

/// The next neighbours to merge into one, oldest rows first; a range of one rewrites a segment that is mostly dead.
///
/// Segments have tiers by live rows: tier t holds up to `seal_rows · merge_factor^(t+1)`. As soon as there are
/// `merge_factor` of tier t side by side, with perhaps lower ones between them, all these become one of the next tier: a
/// row is copied about once per tier.
pub(crate) fn next_merge(sizes: &[Size], options: &PartitionOptions) -> Option<Range<usize>> {
    if let Some(at) = sizes.iter().position(|size| size.live > 0 && size.live * 2 < size.rows) {
        return Some(at..at + 1);
    }
    let tiers: Vec<Option<u32>> = sizes.iter().map(|size| tier(size.live, options)).collect();
    let highest = tiers.iter().flatten().max().copied()?;
    (0..=highest).find_map(|limit| run_of(sizes, &tiers, limit, options))
}

/// `None` for a segment that is so large that no other fits beside it.
fn tier(live: usize, options: &PartitionOptions) -> Option<u32> {
    (live * 2 <= options.max_segment_rows).then(|| {
        let units = live / options.seal_rows.max(1);
        units.max(1).ilog(options.merge_factor.max(2))
    })
}

fn run_of(sizes: &[Size], tiers: &[Option<u32>], limit: u32, options: &PartitionOptions) -> Option<Range<usize>> {
    let mut start = 0;
    while start < sizes.len() {
        let fits = |tier: &&Option<u32>| tier.is_some_and(|tier| tier <= limit);
        let length = tiers[start..].iter().take_while(fits).count();
        let of_tier = tiers[start..start + length]
            .iter()
            .filter(|tier| **tier == Some(limit))
            .count();
        if of_tier >= options.merge_factor.max(2) {
            let mut total = 0;
            let taken = sizes[start..start + length]
                .iter()
                .take_while(|size| {
                    total += size.live;
                    total <= options.max_segment_rows
                })
                .count();
            return Some(start..start + taken.max(2));
        }
        start += length + 1;
    }
    None
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
