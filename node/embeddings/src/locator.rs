//! Where the live row of a post is, and how deletes reach it through merges.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;

use covey_shared::ids::{PostId, Version};
use hashbrown::{HashMap, hash_map};

use crate::deleted::DeletedBits;
use crate::folder::FolderId;

/// No row: what a merge dropped.
pub(crate) const DROPPED: u32 = u32::MAX;

/// One row of one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) folder: FolderId,
    pub(crate) row: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Location,
    version: Version,
}

/// From the rows of a merged folder to those of its successor.
#[derive(Debug)]
struct Forward {
    to: FolderId,
    rows: Arc<[u32]>,
}

/// Post → live row. Locked for single steps only; searches never touch it.
///
/// A merge does not rewrite a million entries at once: it leaves a forward, and rewrites in small steps afterwards.
#[derive(Debug, Default)]
pub(crate) struct Locator {
    // Never iterated: its order reaches nothing.
    posts: HashMap<PostId, Entry, RandomState>,
    forwards: BTreeMap<FolderId, Forward>,
    deleted: BTreeMap<FolderId, Arc<DeletedBits>>,
}

impl Locator {
    /// Makes a folder known.
    pub(crate) fn add_folder(&mut self, folder: FolderId, deleted: Arc<DeletedBits>) {
        self.deleted.insert(folder, deleted);
    }

    /// The live row of a post.
    pub(crate) fn find(&self, post: PostId) -> Option<(Location, Version)> {
        let entry = self.posts.get(&post)?;
        Some((self.resolve(entry.at), entry.version))
    }

    pub(crate) fn len(&self) -> usize {
        self.posts.len()
    }

    /// Bytes of the table, and of the forwards of merges that are not settled.
    pub(crate) fn heap_bytes(&self) -> usize {
        let forwards = self.forwards.values().map(|forward| size_of_val(&*forward.rows));
        self.posts.allocation_size() + forwards.sum::<usize>()
    }

    /// Points a post to a new row and kills the row it had.
    pub(crate) fn insert(&mut self, post: PostId, version: Version, at: Location) {
        if let Some(old) = self.posts.insert(post, Entry { at, version }) {
            self.kill(old.at);
        }
    }

    /// As [`Locator::insert`], unless a higher version is known: then it answers false.
    pub(crate) fn insert_unless_newer(&mut self, post: PostId, version: Version, at: Location) -> bool {
        let old = match self.posts.entry(post) {
            hash_map::Entry::Occupied(there) if there.get().version > version => return false,
            hash_map::Entry::Occupied(mut there) => there.insert(Entry { at, version }),
            hash_map::Entry::Vacant(free) => {
                free.insert(Entry { at, version });
                return true;
            }
        };
        self.kill(old.at);
        true
    }

    /// Makes room for so many posts at once.
    pub(crate) fn reserve(&mut self, posts: usize) {
        self.posts.reserve(posts);
    }

    /// Gives back room that was made for posts that did not come.
    pub(crate) fn shrink(&mut self) {
        self.posts.shrink_to_fit();
    }

    /// Forgets a post and kills its row; false if there was none.
    pub(crate) fn remove(&mut self, post: PostId) -> bool {
        let Some(old) = self.posts.remove(&post) else {
            return false;
        };
        self.kill(old.at);
        true
    }

    fn resolve(&self, mut at: Location) -> Location {
        // A live row was never dropped, and forwards are gone before their target is merged again.
        while let Some(forward) = self.forwards.get(&at.folder) {
            at = Location {
                folder: forward.to,
                row: forward.rows[at.row as usize],
            };
        }
        at
    }

    /// Sets the deleted bit in the row's folder and, for searches on an older view, in the one it was merged from.
    fn kill(&self, at: Location) {
        for place in [at, self.resolve(at)] {
            if let Some(bits) = self.deleted.get(&place.folder) {
                bits.set(place.row);
            }
        }
    }

    /// From now on rows of `from` are those of `to`; a row maps to [`DROPPED`] if it was dead when the merge began.
    /// Rows that died since are killed in `to` as well.
    pub(crate) fn forward(&mut self, from: FolderId, to: FolderId, rows: Arc<[u32]>) {
        let (old, new) = (&self.deleted[&from], &self.deleted[&to]);
        for (row, &target) in rows.iter().enumerate() {
            if target != DROPPED && old.get(row as u32) {
                new.set(target);
            }
        }
        self.forwards.insert(from, Forward { to, rows });
    }

    /// Points these posts straight to their forwarded rows.
    pub(crate) fn settle(&mut self, posts: impl Iterator<Item = PostId>) {
        for post in posts {
            if let Some(entry) = self.posts.get(&post).copied() {
                let at = self.resolve(entry.at);
                self.posts.insert(post, Entry { at, ..entry });
            }
        }
    }

    /// Forgets a folder: a merged one once all its posts are settled, or one in which nothing lives.
    pub(crate) fn remove_folder(&mut self, folder: FolderId) {
        self.forwards.remove(&folder);
        self.deleted.remove(&folder);
    }
}

#[cfg(test)]
#[path = "locator_test.rs"]
mod tests;
