//! Searches the lists of 4-bit codes where faiss keeps them.
//!
//! faiss' own search is made for many queries at once: for one it visits the lists in the order of their numbers, so
//! that it learns late what is good enough, and with residual codes it takes the number of lists from the index and
//! not from the search. Here the nearest lists come first, the next codes are fetched while these are summed, and
//! candidates that earlier segments outdid are never collected.

use crate::bitmap::Bitmap;
use crate::faiss::{FaissIndex, avx2, ffi};
use crate::index::{Neighbour, SearchParams};

/// Rows of a block: their codes lie together.
pub(super) const BLOCK: usize = 32;
/// Centroids of a part of a vector: what four bits count.
const CENTROIDS: usize = 16;
/// Blocks that are fetched before they are needed.
const AHEAD: usize = 8;
/// Largest sum of rounded table entries and bias; the rest of a u16 is left for the rounding of the limit.
const MAX_SUM: f32 = 65_500.0;

/// The parts of a faiss index that a search reads.
pub(super) struct FastScan<'a> {
    index: &'a FaissIndex,
    /// Centres of the lists.
    coarse: &'a [f32],
    /// Per part of a vector its centroids.
    codebook: &'a [f32],
    parts: usize,
    /// Parts with the one that fills up a pair.
    padded_parts: usize,
    by_residual: bool,
}

#[derive(Clone, Copy)]
struct List<'a> {
    codes: &'a [u8],
    ids: &'a [i64],
}

/// What each centroid of each part costs, in steps of `1 / scale`.
struct Tables {
    costs: Vec<u8>,
    scale: f32,
    /// Cost of the best centroid of every part.
    least: f32,
}

impl<'a> FastScan<'a> {
    /// `None` for every other kind of index.
    pub(super) fn of(index: &'a FaissIndex) -> Option<Self> {
        let mut info = ffi::FastScan::default();
        // SAFETY: the handle is alive as long as `index`; `info` has the layout of the C struct.
        if unsafe { ffi::covey_faiss_fast_scan(index.handle.as_ptr(), &raw mut info) } == 0 {
            return None;
        }
        let crate::index::IndexKind::Ivf { nlist } = index.kind else {
            return None;
        };
        // SAFETY: the shim has checked that there are `nlist` centres of `dim` floats and for each part 16 centroids, of
        // `dim` floats together; nothing changes or frees them while `index` is borrowed.
        let (coarse, codebook) = unsafe {
            (
                std::slice::from_raw_parts(info.coarse, nlist * index.dim),
                std::slice::from_raw_parts(info.codebook, CENTROIDS * index.dim),
            )
        };
        Some(Self {
            index,
            coarse,
            codebook,
            parts: info.parts,
            padded_parts: info.padded_parts,
            by_residual: info.by_residual != 0,
        })
    }

    fn list(&self, number: u32) -> List<'a> {
        let mut list = ffi::List::default();
        // SAFETY: `of` found an index of this kind; list numbers are places in `coarse`, which has one per list.
        unsafe { ffi::covey_faiss_list(self.index.handle.as_ptr(), number as usize, &raw mut list) };
        let bytes = list.rows.div_ceil(BLOCK) * self.block_bytes();
        if bytes == 0 {
            return List { codes: &[], ids: &[] };
        }
        // SAFETY: the shim counts the rows that have an id and lie in whole blocks of codes; the index is borrowed, so that
        // nothing changes or frees them.
        unsafe {
            List {
                codes: std::slice::from_raw_parts(list.codes, bytes),
                ids: std::slice::from_raw_parts(list.ids, list.rows),
            }
        }
    }

    fn block_bytes(&self) -> usize {
        self.padded_parts * BLOCK / 2
    }

    pub(super) fn search(
        &self,
        query: &[f32],
        k: usize,
        params: &SearchParams,
        keep: Option<&Bitmap>,
        out: &mut Vec<Neighbour>,
    ) {
        let inner_product = self.index.metric.is_inner_product();
        let lists = self.nearest_lists(query, params.nprobe);
        let nearest = lists[0].0;
        let range = if self.by_residual {
            nearest - lists[lists.len() - 1].0
        } else {
            0.0
        };
        let tables = self.tables(query, inner_product, range);
        let offset = tables.least - if self.by_residual { nearest } else { 0.0 };
        let mut best = Best::new(k, tables.limit(-params.floor - offset), keep);
        let mut here = self.list(lists[0].1);
        for (at, (score, _)) in lists.iter().enumerate() {
            let next = lists.get(at + 1).map_or(here, |(_, number)| self.list(*number));
            let bias = if self.by_residual {
                (nearest - score) * tables.scale
            } else {
                0.0
            };
            self.scan(&tables, here, next, bias as u16, &mut best);
            here = next;
        }
        let found = best.finish().into_iter().map(|key| Neighbour {
            row: key as u32,
            score: 0.0 - ((key >> 32) as f32 / tables.scale + offset),
        });
        out.extend(found.filter(|neighbour| (neighbour.row as usize) < self.index.len));
    }

    /// Scores and numbers of the lists with the nearest centres, nearest first; at least one.
    fn nearest_lists(&self, query: &[f32], nprobe: usize) -> Vec<(f32, u32)> {
        let mut scores = vec![0.0; self.coarse.len() / query.len()];
        avx2::score_centres(self.index.metric, self.coarse, query, &mut scores);
        let mut lists: Vec<(f32, u32)> = scores.into_iter().zip(0..).collect();
        let wanted = nprobe.clamp(1, lists.len());
        let nearer = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if wanted < lists.len() {
            lists.select_nth_unstable_by(wanted - 1, nearer);
            lists.truncate(wanted);
        }
        lists.sort_unstable_by(nearer);
        lists
    }

    /// `range` is that of what is added per list.
    fn tables(&self, query: &[f32], inner_product: bool, range: f32) -> Tables {
        let mut costs = vec![[0.0_f32; CENTROIDS]; self.parts];
        // With a width known to the compiler this takes a quarter of the time.
        match query.len() / self.parts {
            1 => part_costs::<1>(self.codebook, query, inner_product, &mut costs),
            2 => part_costs::<2>(self.codebook, query, inner_product, &mut costs),
            4 => part_costs::<4>(self.codebook, query, inner_product, &mut costs),
            width => {
                let parts = query
                    .chunks_exact(width)
                    .zip(self.codebook.chunks_exact(width * CENTROIDS));
                for ((part, centroids), costs) in parts.zip(&mut costs) {
                    for (centroid, cost) in centroids.chunks_exact(width).zip(costs) {
                        *cost = cost_of(part, centroid, inner_product);
                    }
                }
            }
        }
        let (mut least, mut widest, mut all) = (0.0, 0.0_f32, range);
        for costs in &mut costs {
            let low = fold(costs, |a, b| if a < b { a } else { b });
            costs.iter_mut().for_each(|cost| *cost -= low);
            let high = fold(costs, |a, b| if a > b { a } else { b });
            (least, widest, all) = (least + low, widest.max(high), all + high);
        }
        let scale = (255.0 / widest).min((MAX_SUM - 0.5 * self.parts as f32) / all);
        // All centroids may be the same, and infinity times zero is not a number.
        let scale = if scale.is_finite() { scale } else { 1.0 };
        let mut bytes = vec![0; self.padded_parts * CENTROIDS];
        for (byte, cost) in bytes.iter_mut().zip(costs.as_flattened()) {
            *byte = (cost * scale + 0.5) as u8;
        }
        Tables {
            costs: bytes,
            scale,
            least,
        }
    }

    fn scan(&self, tables: &Tables, list: List<'_>, next: List<'_>, bias: u16, best: &mut Best<'_>) {
        let bytes = self.block_bytes();
        let mut sums = [0_u16; BLOCK];
        // Those of this list, then those of the next one.
        let ahead = list
            .codes
            .chunks_exact(bytes)
            .chain(next.codes.chunks_exact(bytes))
            .skip(AHEAD);
        let mut ahead = ahead.chain(std::iter::repeat(&[][..]));
        for (ids, codes) in list.ids.chunks(BLOCK).zip(list.codes.chunks_exact(bytes)) {
            let ahead = ahead.next().unwrap_or_default();
            let mut below = avx2::sums_below(&tables.costs, codes, ahead, bias, best.limit, &mut sums);
            if ids.len() < BLOCK {
                below &= (1 << ids.len()) - 1;
            }
            while below != 0 {
                let at = below.trailing_zeros() as usize;
                below &= below - 1;
                best.add(sums[at], ids[at] as u32);
            }
        }
    }
}

impl Tables {
    /// The sum from which a row costs more than this.
    fn limit(&self, cost: f32) -> u16 {
        // One for the bound itself and one for rounding; the cast saturates.
        (cost * self.scale + 2.0).min(f32::from(u16::MAX)) as u16
    }
}

fn part_costs<const WIDTH: usize>(
    codebook: &[f32],
    query: &[f32],
    inner_product: bool,
    costs: &mut [[f32; CENTROIDS]],
) {
    let parts = query.as_chunks::<WIDTH>().0.iter();
    let centroids = codebook.as_chunks::<WIDTH>().0.as_chunks::<CENTROIDS>().0;
    for ((part, centroids), costs) in parts.zip(centroids).zip(costs) {
        for (centroid, cost) in centroids.iter().zip(costs) {
            *cost = cost_of(part, centroid, inner_product);
        }
    }
}

#[inline(always)]
fn cost_of(part: &[f32], centroid: &[f32], inner_product: bool) -> f32 {
    let pairs = part.iter().zip(centroid);
    if inner_product {
        pairs.map(|(q, c)| -q * c).sum()
    } else {
        pairs.map(|(q, c)| (q - c) * (q - c)).sum()
    }
}

/// In a tree, so that it is done for several at once.
fn fold(costs: &[f32; CENTROIDS], pick: impl Fn(f32, f32) -> f32) -> f32 {
    let eight: [f32; 8] = std::array::from_fn(|i| pick(costs[i], costs[i + 8]));
    let four: [f32; 4] = std::array::from_fn(|i| pick(eight[i], eight[i + 4]));
    pick(pick(four[0], four[2]), pick(four[1], four[3]))
}

/// The `k` rows with the least sums: up to twice as many are collected before the worse half goes.
struct Best<'a> {
    k: usize,
    /// Rows that may be collected.
    keep: Option<&'a Bitmap>,
    /// Sum, then row.
    keys: Vec<u64>,
    /// Only sums below it are worth collecting.
    limit: u16,
}

impl<'a> Best<'a> {
    fn new(k: usize, limit: u16, keep: Option<&'a Bitmap>) -> Self {
        Self {
            k,
            keep,
            keys: Vec::with_capacity(2 * k),
            limit,
        }
    }

    fn add(&mut self, sum: u16, row: u32) {
        if self.keep.is_some_and(|keep| !keep.get(row as usize)) {
            return;
        }
        self.keys.push(u64::from(sum) << 32 | u64::from(row));
        if self.keys.len() == 2 * self.k {
            let (_, worst, _) = self.keys.select_nth_unstable(self.k - 1);
            self.limit = self.limit.min((*worst >> 32) as u16);
            self.keys.truncate(self.k);
        }
    }

    fn finish(mut self) -> Vec<u64> {
        if self.keys.len() > self.k {
            self.keys.select_nth_unstable(self.k - 1);
            self.keys.truncate(self.k);
        }
        self.keys
    }
}

#[cfg(test)]
#[path = "fast_scan_test.rs"]
mod tests;
