//! What one turn of the log writer appends, and its form on the disk.

use bincode::de::{BorrowDecode, BorrowDecoder, Decode, Decoder};
use bincode::enc::{Encode, Encoder};
use bincode::error::{DecodeError, EncodeError};
use bytes::Bytes;

use super::{EntryKind, GroupId, HardState, LogEntry, LogPosition};

/// Changes of any number of groups, in order. One batch is one atomic record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogBatch {
    pub(crate) changes: Vec<Change>,
    needs_sync: bool,
}

/// One change of one group. Disk format: variants are only ever added, at the end.
#[derive(Clone, Debug, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub(crate) enum Change {
    Entries { group: GroupId, entries: Vec<LogEntry> },
    HardState { group: GroupId, state: HardState },
    Truncate { group: GroupId, from: u64 },
    Compact { group: GroupId, at: LogPosition },
    CreateGroup { group: GroupId, start: LogPosition },
    Tombstone { group: GroupId },
    Facts { group: GroupId, facts: Facts },
}

/// What stays true of a group when the segments before are gone. Heads every segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub(crate) struct Facts {
    pub(crate) hard_state: HardState,
    pub(crate) compacted: LogPosition,
    /// Last index of the log; equal to `compacted.index` if it is empty.
    pub(crate) last: u64,
    pub(crate) tombstone: bool,
}

impl LogBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> LogBatch {
        LogBatch::default()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether the batch must be synced before anybody is told of it.
    #[must_use]
    pub fn needs_sync(&self) -> bool {
        self.needs_sync
    }

    /// Appends a contiguous, non-empty run of entries, replacing whatever is at or after its first index.
    pub fn entries(&mut self, group: GroupId, entries: Vec<LogEntry>) -> &mut Self {
        self.durable(Change::Entries { group, entries })
    }

    /// Records a new term or vote.
    pub fn hard_state(&mut self, group: GroupId, state: HardState) -> &mut Self {
        self.durable(Change::HardState { group, state })
    }

    /// Records a hard state of which only the commit index is new: it needs no sync, peers know it too.
    pub fn commit(&mut self, group: GroupId, state: HardState) -> &mut Self {
        self.changes.push(Change::HardState { group, state });
        self
    }

    /// Drops the entries at `from` and after.
    pub fn truncate(&mut self, group: GroupId, from: u64) -> &mut Self {
        self.durable(Change::Truncate { group, from })
    }

    /// Drops the entries up to and including `at`, which the caller has made durable elsewhere. Beyond the end of the
    /// log it empties the log, which then goes on after `at`. Needs no sync: older facts are only less tidy.
    pub fn compact(&mut self, group: GroupId, at: LogPosition) -> &mut Self {
        self.changes.push(Change::Compact { group, at });
        self
    }

    /// Creates a group whose log begins after `start`.
    pub fn create_group(&mut self, group: GroupId, start: LogPosition) -> &mut Self {
        self.durable(Change::CreateGroup { group, start })
    }

    /// Destroys a group for ever, also one that was never created here.
    pub fn tombstone(&mut self, group: GroupId) -> &mut Self {
        self.durable(Change::Tombstone { group })
    }

    fn durable(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self.needs_sync = true;
        self
    }
}

impl Change {
    pub(crate) fn group(&self) -> GroupId {
        match self {
            Change::Entries { group, .. }
            | Change::HardState { group, .. }
            | Change::Truncate { group, .. }
            | Change::Compact { group, .. }
            | Change::CreateGroup { group, .. }
            | Change::Tombstone { group }
            | Change::Facts { group, .. } => *group,
        }
    }
}

impl Encode for LogEntry {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.index.encode(encoder)?;
        self.term.encode(encoder)?;
        (self.kind as u8).encode(encoder)?;
        self.data.as_ref().encode(encoder)
    }
}

impl<Context> Decode<Context> for LogEntry {
    fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<LogEntry, DecodeError> {
        let index = u64::decode(decoder)?;
        let term = u64::decode(decoder)?;
        let kind = match u8::decode(decoder)? {
            0 => EntryKind::Normal,
            1 => EntryKind::ConfChange,
            found => {
                let allowed = &bincode::error::AllowedEnumVariants::Range { min: 0, max: 1 };
                return Err(DecodeError::UnexpectedVariant {
                    type_name: "EntryKind",
                    allowed,
                    found: found.into(),
                });
            }
        };
        let data = Bytes::from(Vec::<u8>::decode(decoder)?);
        Ok(LogEntry {
            index,
            term,
            kind,
            data,
        })
    }
}

impl<'de, Context> BorrowDecode<'de, Context> for LogEntry {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<LogEntry, DecodeError> {
        LogEntry::decode(decoder)
    }
}
