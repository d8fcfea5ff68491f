//! The disk as programs use it.

use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use covey_env::{DirEntry, Disk, DiskFile, DiskLock, DiskSpace, OpenMode};

use super::content::Content;
use super::faults::{Kind, Verdict};
use super::names::{NameChange, Shared, children, missing};
use super::{SECTOR, State, TestDisk, lock};
use crate::conformance::Seeded;

struct TestFile {
    disk: TestDisk,
    path: PathBuf,
    content: Shared,
    writable: bool,
}

impl Disk for TestDisk {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut ancestors: Vec<&Path> = dir.ancestors().collect();
        ancestors.reverse();
        let mut known = ancestors.first().copied();
        for pair in ancestors.windows(2) {
            if self.exists(pair[1])? {
                known = Some(pair[1]);
                continue;
            }
            // Whoever made the last one that exists may have ended before its name was synced.
            if let Some(parent) = known.take().and_then(Path::parent) {
                self.sync_dir(parent)?;
            }
            self.make_dir_unsynced(pair[1])?;
            self.sync_dir(pair[0])?;
        }
        known
            .and_then(Path::parent)
            .map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        if mode == OpenMode::CreateNew {
            if lock(&self.0).names.contains_key(path) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            let file = NameChange::Put(path.to_owned(), Some(Shared::default()));
            self.change_name(Kind::Name, "create", path, file)?;
        } else {
            self.begin(Kind::Read, "open", path)?.end()?;
        }
        Ok(Arc::new(TestFile {
            disk: self.clone(),
            path: path.to_owned(),
            content: self.content(path)?,
            writable: mode != OpenMode::Read,
        }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.begin(Kind::Read, "list", dir)?.end()?;
        let state = lock(&self.0);
        let entry = |path: PathBuf| {
            let content = &state.names[&path];
            let len = content.as_ref().map_or(0, |content| lock(content).now().len() as u64);
            DirEntry {
                is_dir: content.is_none(),
                len,
                path,
            }
        };
        Ok(children(&state.names, dir).into_iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename_unsynced(from, to)?;
        for dir in [to.parent(), from.parent().filter(|dir| Some(*dir) != to.parent())] {
            dir.map_or(Ok(()), |dir| self.sync_dir(dir))?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.content(path)?;
        self.remove(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let state = lock(&self.0);
        match state.names.get(dir) {
            Some(None) if children(&state.names, dir).is_empty() => {}
            Some(None) => return Err(ErrorKind::DirectoryNotEmpty.into()),
            Some(Some(_)) => return Err(ErrorKind::NotADirectory.into()),
            None => return Err(missing(dir)),
        }
        drop(state);
        self.remove(dir)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        let inside = |path: &&PathBuf| path.starts_with(dir);
        let mut doomed: Vec<PathBuf> = lock(&self.0).names.keys().filter(inside).cloned().collect();
        if doomed.is_empty() {
            return Err(missing(dir));
        }
        // Children sort behind their parents.
        doomed.reverse();
        doomed.iter().try_for_each(|path| self.remove(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        match state.faults.begin(Kind::Sync, "sync the directory", dir)? {
            Verdict::Go => {}
            other => return other.end(),
        }
        let State { durable, unsynced, .. } = &mut *state;
        for change in unsynced.extract_if(.., |change| change.is_in(dir)) {
            change.make(durable);
        }
        Ok(())
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.begin(Kind::Read, "look for", path)?.end()?;
        Ok(lock(&self.0).names.contains_key(path))
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        let content = self.content(original)?;
        self.change_name(
            Kind::Name,
            "link",
            link,
            NameChange::Put(link.to_owned(), Some(content)),
        )
    }

    fn space(&self, _path: &Path) -> io::Result<Option<DiskSpace>> {
        let ours: u64 = self.files().iter().map(|(_, bytes)| *bytes as u64).sum();
        let size = lock(&self.0).size;
        Ok(size.map(|(total, others)| DiskSpace {
            free: total.saturating_sub(others.saturating_add(ours)),
            total,
        }))
    }

    fn lock_exclusive(&self, _dir: &Path) -> io::Result<DiskLock> {
        Ok(DiskLock::new(()))
    }
}

impl TestDisk {
    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = lock(&self.0);
        let verdict = state.faults.begin(Kind::Remove, "remove", path)?;
        if let Verdict::Fail(error) = verdict {
            return Err(error.into());
        }
        let change = NameChange::Remove(path.to_owned());
        change.make(&mut state.names);
        state.unsynced.push(change);
        verdict.end()
    }
}

impl TestFile {
    /// Changes the content, or after a failure does what the change does when it fails.
    fn change(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut Content),
        fail: impl FnOnce(&mut Content),
    ) -> io::Result<()> {
        let verdict = self.disk.begin(Kind::Grow, what, &self.path)?;
        let mut content = lock(&self.content);
        match verdict {
            Verdict::Fail(_) => fail(&mut content),
            _ => change(&mut content),
        }
        verdict.end()
    }
}

impl DiskFile for TestFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let verdict = self.disk.begin(Kind::Read, "read", &self.path)?;
        verdict.end()?;
        let at = offset as usize;
        let content = lock(&self.content);
        let found = content.now().get(at..at + buf.len()).ok_or(ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(found);
        if let (Verdict::Flip(bit), false) = (verdict, buf.is_empty()) {
            let bit = (bit % (buf.len() as u64 * 8)) as usize;
            buf[bit / 8] ^= 1 << (bit % 8);
        }
        Ok(())
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        if !self.writable {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let offset = offset as usize;
        let grows = offset + data.len() > lock(&self.content).now().len();
        let mut state = lock(&self.disk.0);
        if state.full && grows {
            return Err(ErrorKind::StorageFull.into());
        }
        state.writes += 1;
        drop(state);
        self.change(
            "write",
            |content| content.write(offset, data),
            |content| content.write(offset, &data[..data.len() / 2]),
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change("set the length of", |content| content.set_len(len as usize), |_| {})
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.begin(Kind::Read, "measure", &self.path)?.end()?;
        Ok(lock(&self.content).now().len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        if lock(&self.disk.0).fail_syncs {
            return Err(io::Error::other("injected"));
        }
        let verdict = self.disk.begin(Kind::Sync, "sync", &self.path)?;
        let mut content = lock(&self.content);
        match verdict {
            Verdict::Go => content.sync(),
            Verdict::Fail(_) => {
                let mut random = Seeded::new(self.disk.operations());
                content.fail_sync(SECTOR, &mut || random.one_in(2));
            }
            _ => {}
        }
        verdict.end()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
