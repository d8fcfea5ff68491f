//! How a log line looks: for people, or one JSON object per line. Both carry the trace id.

use std::fmt::{self, Write};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::context::trace_id_hex;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: time, level, target, message, fields.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self {
            LogFormat::Human => human(writer, event),
            LogFormat::Json => json(writer, event),
        }
    }
}

fn human(mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let (dim, colour, off) = if writer.has_ansi_escapes() {
        ("\x1b[2m", colour_of(*event.metadata().level()), "\x1b[0m")
    } else {
        ("", "", "")
    };
    let (level, target) = (event.metadata().level(), event.metadata().target());
    write!(
        writer,
        "{dim}{}{off} {colour}{level:>5}{off} {dim}{target}{off}: ",
        now()?
    )?;
    let mut fields = HumanFields::default();
    event.record(&mut fields);
    write!(writer, "{}{}", OneLine(&fields.message), OneLine(&fields.rest))?;
    if let Some(trace) = trace_id_hex() {
        write!(writer, " {dim}trace={trace}{off}")?;
    }
    writeln!(writer)
}

fn json(mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
    let mut fields = JsonFields(Map::new());
    event.record(&mut fields);
    let mut line = Map::new();
    line.insert("time".into(), now()?.into());
    line.insert("level".into(), event.metadata().level().as_str().into());
    line.insert("target".into(), event.metadata().target().into());
    line.insert("message".into(), fields.0.remove("message").unwrap_or_default());
    if let Some(trace) = trace_id_hex() {
        line.insert("trace_id".into(), trace.into());
    }
    if !fields.0.is_empty() {
        line.insert("fields".into(), Value::Object(fields.0));
    }
    writeln!(writer, "{}", Value::Object(line))
}

/// UTC with milliseconds. The logger's own clock: a log line is for people and never feeds a decision.
fn now() -> Result<String, fmt::Error> {
    let mut text = String::new();
    SystemTime.format_time(&mut Writer::new(&mut text))?;
    // From "2026-01-02T03:04:05.678901Z": people do not need microseconds.
    let millis = text.get(..23).unwrap_or(&text);
    Ok(format!("{millis}Z"))
}

fn colour_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

/// Text on one line: a line break in a message must not forge a log line.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '\n' => f.write_str("\\n")?,
                control if control.is_control() => write!(f, "{}", control.escape_default())?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct HumanFields {
    message: String,
    rest: String,
}

impl Visit for HumanFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        let plain = !value.is_empty() && !value.contains([' ', '=', '"']);
        match field.name() {
            "message" => self.message.push_str(value),
            name if plain => _ = write!(self.rest, " {name}={value}"),
            name => _ = write!(self.rest, " {name}={value:?}"),
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut source = value.source();
        while let Some(cause) = source {
            _ = write!(text, ": {cause}");
            source = cause.source();
        }
        self.record_str(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => _ = write!(self.message, "{value:?}"),
            name => _ = write!(self.rest, " {name}={value:?}"),
        }
    }
}

struct JsonFields(Map<String, Value>);

impl JsonFields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for JsonFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
#[path = "format_test.rs"]
mod tests;
