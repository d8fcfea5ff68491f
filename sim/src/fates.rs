//! What became of things that are switched on and off with versions: posts, blocks. The highest version wins, whoever comes last.

use std::collections::BTreeMap;

use covey_shared::ids::Version;

/// The newest that was asked for one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fate {
    version: Version,
    on: bool,
    acknowledged: bool,
}

/// The newest that was asked for each thing, and whether it was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Fates<K>(BTreeMap<K, Fate>);

impl<K> Default for Fates<K> {
    fn default() -> Self {
        Fates(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Fates<K> {
    /// Somebody asks for `key` to be on or off; no two ask with the same version.
    pub(crate) fn ask(&mut self, key: K, version: Version, on: bool) {
        let new = Fate {
            version,
            on,
            acknowledged: false,
        };
        let fate = self.0.entry(key).or_insert(new);
        if version > fate.version {
            *fate = new;
        }
    }

    /// That was acknowledged.
    pub(crate) fn acknowledge(&mut self, key: K, version: Version) {
        if let Some(fate) = self.0.get_mut(&key).filter(|fate| fate.version == version) {
            fate.acknowledged = true;
        }
    }

    /// Whether `key` was on or off from the time when `before` was true until now, if it was one of them all the time.
    pub(crate) fn steady(&self, before: &Fates<K>, key: K) -> Option<bool> {
        match (before.0.get(&key), self.0.get(&key)) {
            (Some(then), Some(now)) if then == now && now.acknowledged => Some(now.on),
            (None, None) => Some(false),
            _ => None,
        }
    }

    /// All that was ever asked for.
    pub(crate) fn keys(&self) -> impl Iterator<Item = K> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
#[path = "fates_test.rs"]
mod tests;
