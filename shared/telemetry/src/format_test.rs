//! What log lines look like.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::layer::SubscriberExt;

use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, log: impl FnOnce()) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = tracing_subscriber::fmt::layer()
        .event_format(format)
        .with_ansi(false)
        .with_writer(move || writer.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn human_line_has_time_level_target_message_and_fields() {
    let text = logged(
        LogFormat::Human,
        || tracing::info!(target: "covey", shard = 7, zone = "eu west", "split done"),
    );
    let (time, rest) = text.split_once(' ').unwrap();
    assert_eq!(time.len(), "2026-01-02T03:04:05.678Z".len(), "{text}");
    assert_eq!(rest, " INFO covey: split done shard=7 zone=\"eu west\"\n");
}

#[test]
fn a_line_break_in_a_value_stays_on_its_line() {
    let name = "x\n2026-01-02T03:04:05.678Z ERROR forged";
    let text = logged(LogFormat::Human, || tracing::warn!(%name, "user {name}"));
    assert_eq!(text.lines().count(), 1, "{text}");
    let text = logged(LogFormat::Json, || tracing::warn!(%name, "user {name}"));
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn json_line_is_one_object_with_typed_fields() {
    let text = logged(
        LogFormat::Json,
        || tracing::error!(target: "covey", shard = 7, ok = false, "a \"word\""),
    );
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["target"], "covey");
    assert_eq!(line["message"], "a \"word\"");
    assert_eq!(line["fields"]["shard"], 7);
    assert_eq!(line["fields"]["ok"], false);
}
