//! Which slot a user is in, as every client may compute it (ARCHITECTURE.md, "Slots and shards").

use xxhash_rust::xxh3::xxh3_64;

pub(super) fn slot(user: u64) -> u32 {
    (xxh3_64(&user.to_le_bytes()) >> 50) as u32
}

#[cfg(test)]
#[path = "slots_test.rs"]
mod tests;
