//! Directories: which names there are, and which changes of names a power loss may take back.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::content::Content;

pub(super) type Shared = Arc<Mutex<Content>>;
/// By path; `None` is a directory.
pub(super) type Names = BTreeMap<PathBuf, Option<Shared>>;

/// One change, all of which survives a power loss or nothing.
pub(super) enum NameChange {
    Put(PathBuf, Option<Shared>),
    /// With all that lies below, if it is a directory.
    Remove(PathBuf),
    Rename {
        from: PathBuf,
        to: PathBuf,
        content: Shared,
    },
}

impl NameChange {
    pub(super) fn make(&self, names: &mut Names) {
        match self {
            NameChange::Put(path, content) => _ = names.insert(path.clone(), content.clone()),
            NameChange::Remove(path) => {
                if let Some(None) = names.remove(path) {
                    names.retain(|name, _| !name.starts_with(path));
                }
            }
            NameChange::Rename { from, to, content } => {
                names.remove(from);
                names.insert(to.clone(), Some(Arc::clone(content)));
            }
        }
    }

    /// Whether a sync of `dir` makes it last. Of a rename the new side counts: callers sync that one first.
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        let (NameChange::Put(path, _) | NameChange::Remove(path) | NameChange::Rename { to: path, .. }) = self;
        path.parent() == Some(dir)
    }
}

pub(super) fn missing(path: &Path) -> io::Error {
    io::Error::new(ErrorKind::NotFound, path.display().to_string())
}

/// The content of the file `path`.
pub(super) fn content_of(names: &Names, path: &Path) -> io::Result<Shared> {
    names.get(path).and_then(Clone::clone).ok_or_else(|| missing(path))
}

pub(super) fn children(names: &Names, dir: &Path) -> Vec<PathBuf> {
    let inside = names.keys().filter(|path| path.parent() == Some(dir));
    inside.cloned().collect()
}

/// Without the names whose directory is not there. Parents sort before their children.
pub(super) fn without_orphans(names: Names) -> Names {
    let mut kept = Names::new();
    for (path, content) in names {
        let parent = path.parent().map(|parent| kept.get(parent));
        if matches!(parent, None | Some(Some(None))) {
            kept.insert(path, content);
        }
    }
    kept
}
