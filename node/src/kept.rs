//! A small record that outlives the process. It is stored in the background: what does not come to the disk counts all the same, and is
//! told again after a restart.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bincode::{Decode, Encode};
use covey_env::Env;
use parking_lot::Mutex;

use crate::checked_file;

/// What a file of a record is.
pub(crate) struct Form {
    /// Name of the file, and of what it holds.
    pub(crate) name: &'static str,
    /// Its format.
    pub(crate) version: u16,
    /// Its longest, in bytes.
    pub(crate) max: u64,
}

/// The record as it is now.
pub(crate) struct Kept<T> {
    env: Env,
    path: PathBuf,
    form: Form,
    now: Mutex<T>,
    /// One is written at a time.
    write: Mutex<()>,
    /// A job is in line that will write what is known by then.
    waits: AtomicBool,
}

impl<T: Clone + Default + Encode + Decode<()> + Send + 'static> Kept<T> {
    /// As it was when the process ended; the default if there is none, or if it cannot be read.
    pub(crate) fn open(env: &Env, dir: &Path, form: Form) -> Arc<Kept<T>> {
        let path = dir.join(form.name);
        let stored = match env.disk.exists(&path) {
            Ok(false) => Some(T::default()),
            _ => {
                let bytes = env.disk.read_file(&path, form.max).ok();
                bytes.and_then(|bytes| checked_file::from_bytes(form.version, &bytes))
            }
        };
        if stored.is_none() {
            tracing::warn!(path = %path.display(), "a file cannot be read: what was in it counts once the cluster tells it again");
        }
        Arc::new(Kept {
            env: env.clone(),
            path,
            form,
            now: Mutex::new(stored.unwrap_or_default()),
            write: Mutex::default(),
            waits: AtomicBool::default(),
        })
    }

    pub(crate) fn look<R>(&self, at: impl FnOnce(&T) -> R) -> R {
        at(&self.now.lock())
    }

    /// Changes it; `change` says whether it has.
    pub(crate) fn change(self: &Arc<Self>, change: impl FnOnce(&mut T) -> bool) {
        if change(&mut self.now.lock()) && !self.waits.swap(true, Ordering::AcqRel) {
            let kept = self.clone();
            self.env.spawn.compute(Box::new(move || kept.store()));
        }
    }

    /// Puts on the disk what is known now.
    fn store(&self) {
        let _one = self.write.lock();
        self.waits.store(false, Ordering::Release);
        let stored = match checked_file::to_bytes(self.form.version, &self.look(T::clone)) {
            Ok(bytes) => self
                .env
                .disk
                .replace_file(&self.path, &bytes)
                .map_err(anyhow::Error::new),
            Err(error) => Err(anyhow::Error::new(error)),
        };
        if let Err(error) = stored {
            tracing::warn!(path = %self.path.display(), error = format!("{error:#}"), "what the cluster has told is not on the disk");
        }
    }
}
