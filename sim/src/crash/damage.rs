//! Bits that rot and files that lose their end while nothing runs.

use std::path::PathBuf;

use covey_store::test_disk::TestDisk;
use rand::Rng;
use rand::rngs::SmallRng;

/// Damages one file and says how.
pub(super) fn damage(disk: &TestDisk, rng: &mut SmallRng) -> String {
    let files = disk.files().into_iter().filter(|(_, len)| *len > 0);
    let files: Vec<(PathBuf, usize)> = files.collect();
    let (path, len) = &files[rng.random_range(0..files.len())];
    if rng.random_bool(0.2) {
        let cut = rng.random_range(0..*len);
        disk.tamper(path, |content| content.truncate(cut));
        return format!("{} cut from {len} to {cut} bytes", path.display());
    }
    let flips = if rng.random_bool(0.8) {
        1
    } else {
        rng.random_range(2..5)
    };
    let mut at = Vec::new();
    disk.tamper(path, |content| {
        for _ in 0..flips {
            let mut byte = rng.random_range(0..content.len());
            // Most of most files are zeros that mean nothing.
            if rng.random_bool(0.8) {
                byte = (byte..content.len()).find(|at| content[*at] != 0).unwrap_or(byte);
            }
            content[byte] ^= 1 << rng.random_range(0..8);
            at.push(byte);
        }
    });
    format!("bits flipped in {} of {len} bytes, at {at:?}", path.display())
}
