//! The consensus library logs through slog; this forwards it to tracing.

use slog::{Drain, KV, Key, Level, Logger, Never, OwnedKVList, Record, Serializer, o};

struct Forward;

struct Fields(String);

impl Serializer for Fields {
    fn emit_arguments(&mut self, key: Key, value: &std::fmt::Arguments<'_>) -> slog::Result {
        use std::fmt::Write;
        write!(self.0, " {key}={value}").map_err(|_| slog::Error::Other)
    }
}

impl Drain for Forward {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        let mut fields = Fields(String::new());
        // A field that cannot be printed is left out; the message still goes through.
        let _ = record
            .kv()
            .serialize(record, &mut fields)
            .and_then(|()| values.serialize(record, &mut fields));
        let fields = fields.0;
        match record.level() {
            Level::Critical | Level::Error => tracing::error!(target: "raft", "{}{fields}", record.msg()),
            Level::Warning => tracing::warn!(target: "raft", "{}{fields}", record.msg()),
            // Elections of hundreds of groups: news for the curious only.
            Level::Info => tracing::debug!(target: "raft", "{}{fields}", record.msg()),
            Level::Debug | Level::Trace => tracing::trace!(target: "raft", "{}{fields}", record.msg()),
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        match level {
            Level::Critical | Level::Error | Level::Warning => true,
            Level::Info => tracing::enabled!(target: "raft", tracing::Level::DEBUG),
            Level::Debug | Level::Trace => tracing::enabled!(target: "raft", tracing::Level::TRACE),
        }
    }
}

/// A logger for one group.
pub(crate) fn logger(shard: u64) -> Logger {
    Logger::root(Forward, o!("shard" => shard))
}
