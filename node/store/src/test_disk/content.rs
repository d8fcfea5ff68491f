//! The content of a file, as programs see it and as it is on the platter.

/// A change that was not synced yet.
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Length(usize),
}

#[derive(Default)]
pub(super) struct Content {
    now: Vec<u8>,
    platter: Vec<u8>,
    unsynced: Vec<Change>,
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

impl Change {
    /// Makes those sectors of it that are kept, and lengthens the file or not.
    fn make(&self, bytes: &mut Vec<u8>, sector: usize, keep: &mut dyn FnMut() -> bool) {
        match self {
            Change::Length(len) => {
                if keep() {
                    bytes.resize(*len, 0);
                }
            }
            Change::Write { offset, data } => {
                let end = offset + data.len();
                let mut at = *offset;
                while at < end {
                    let next = end.min((at / sector).saturating_add(1).saturating_mul(sector));
                    if keep() {
                        put(bytes, at, &data[at - offset..next - offset]);
                    }
                    at = next;
                }
                // The length may have reached the platter before the data: zeros are read there.
                if bytes.len() < end && keep() {
                    bytes.resize(end, 0);
                }
            }
        }
    }
}

impl Content {
    pub(super) fn synced(bytes: Vec<u8>) -> Content {
        Content {
            now: bytes.clone(),
            platter: bytes,
            unsynced: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> &[u8] {
        &self.now
    }

    pub(super) fn write(&mut self, offset: usize, data: &[u8]) {
        put(&mut self.now, offset, data);
        let data = data.to_vec();
        self.unsynced.push(Change::Write { offset, data });
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.now.resize(len, 0);
        self.unsynced.push(Change::Length(len));
    }

    pub(super) fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            change.make(&mut self.platter, usize::MAX, &mut || true);
        }
    }

    /// A sync that fails: some of it reaches the platter, the rest never will, though programs still see it.
    pub(super) fn fail_sync(&mut self, sector: usize, keep: &mut dyn FnMut() -> bool) {
        self.platter = self.survivor(sector, keep);
        self.unsynced.clear();
    }

    /// What a power loss leaves.
    pub(super) fn survivor(&self, sector: usize, keep: &mut dyn FnMut() -> bool) -> Vec<u8> {
        let mut kept = self.platter.clone();
        for change in &self.unsynced {
            change.make(&mut kept, sector, keep);
        }
        kept
    }
}
