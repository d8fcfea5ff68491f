//! Which files a snapshot has. The list comes from the network: only names that are made here are believed.

use std::collections::BTreeSet;

use covey_embeddings::FolderFiles;
use covey_shared::wire::{SnapshotFolder, SnapshotManifest};

use super::SnapshotError;

/// Name of a file of key-value pairs.
pub(super) fn kv_name(number: usize) -> String {
    format!("kv-{number:04}")
}

/// The files of a checked manifest.
pub(super) struct Names<'a> {
    /// Key-value files, in the order in which they are read.
    pub(super) kv: Vec<String>,
    /// Files of the folders.
    pub(super) vectors: Vec<&'a str>,
}

/// Checks that the manifest lists exactly files that make up a snapshot, each once.
pub(super) fn names(manifest: &SnapshotManifest) -> Result<Names<'_>, SnapshotError> {
    let mut listed = BTreeSet::new();
    for file in &manifest.files {
        if !listed.insert(file.name.as_str()) {
            return Err(SnapshotError::Name {
                name: file.name.clone(),
            });
        }
    }
    let kv: Vec<String> = (0..)
        .map(kv_name)
        .take_while(|name| listed.remove(name.as_str()))
        .collect();
    if kv.is_empty() {
        return Err(SnapshotError::Missing { name: kv_name(0) });
    }
    let mut vectors = Vec::new();
    let mut folders = BTreeSet::new();
    for folder in &manifest.folders {
        // The next folder of the replica has the number behind the highest.
        if folder.id == u32::MAX || !folders.insert(folder.id) {
            return Err(SnapshotError::Folder { folder: folder.id });
        }
        vectors.extend(files_of(folder, &mut listed)?);
    }
    match listed.first() {
        Some(name) => Err(SnapshotError::Name {
            name: (*name).to_owned(),
        }),
        None => Ok(Names { kv, vectors }),
    }
}

/// The files of a folder, taken out of what is listed.
fn files_of<'a>(folder: &SnapshotFolder, listed: &mut BTreeSet<&'a str>) -> Result<Vec<&'a str>, SnapshotError> {
    let FolderFiles { rows, ids, meta, index } = FolderFiles::of(folder.id);
    let mut found = Vec::new();
    // An index is worth nothing without what was measured of it.
    let with_index = listed.contains(index.as_str());
    for (name, needed) in [(rows, true), (ids, true), (meta, with_index), (index, false)] {
        match listed.take(name.as_str()) {
            Some(file) => found.push(file),
            None if needed => return Err(SnapshotError::Missing { name }),
            None => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "names_test.rs"]
mod tests;
