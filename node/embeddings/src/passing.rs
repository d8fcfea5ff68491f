//! What of a segment a request lets through.

use covey_ann::Bitmap;

use crate::request::SearchRequest;
use crate::segment::Segment;

/// Rows at which a filter is tried, at most, to learn how much passes.
const MOST_SAMPLED: usize = 2048;
/// Passes in which these rows are gone through.
const SAMPLE: usize = 16;
/// So many passing ones are enough: the share is right to a quarter or so.
const SEEN: u32 = 20;

/// The share of a segment's rows that may be returned, about.
pub(crate) fn share(request: &SearchRequest<'_>, segment: &Segment) -> f64 {
    let live = segment.live() as f64 / segment.len() as f64;
    if request.unfiltered() {
        return live;
    }
    live * sampled_share(request, segment)
}

/// The part of evenly spread live rows that passes the filter. Fewer passing rows than `SEEN` would say little, but
/// looking at all rows costs more than it saves.
fn sampled_share(request: &SearchRequest<'_>, segment: &Segment) -> f64 {
    let most = MOST_SAMPLED.min(segment.len());
    let (mut passed, mut seen) = (0_u32, 0_u32);
    // In several passes over the segment, each a little further on: rows come in order of time.
    let rows = (0..SAMPLE).flat_map(|pass| (pass..most).step_by(SAMPLE));
    for row in rows.map(|i| i * segment.len() / most) {
        if !segment.deleted.get(row as u32) {
            seen += 1;
            passed += u32::from(request.passes(&segment.records[row].meta));
        }
        if passed == SEEN {
            break;
        }
    }
    f64::from(passed) / f64::from(seen.max(1))
}

/// The rows that are alive and pass the filter.
pub(crate) fn passing(request: &SearchRequest<'_>, segment: &Segment) -> Bitmap {
    let mut keep = segment.deleted.alive(segment.len());
    for (row, record) in segment.records.iter().enumerate() {
        if keep.get(row) && !request.passes(&record.meta) {
            keep.clear(row);
        }
    }
    keep
}
