//! Values with a unit: durations, byte sizes, addresses, secrets.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// That many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// As a number of bytes.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// As a capacity in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).expect("a byte size fits a 64-bit address space")
    }
}

const BYTE_UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];
const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// The largest unit that gives a whole number. Zero and short spans stay readable: 48h, not 2d.
fn in_units(value: u64, units: &[(&str, u64)]) -> String {
    let (name, size) = units
        .iter()
        .find(|(_, size)| value >= *size && value.is_multiple_of(*size))
        .copied()
        .unwrap_or_else(|| {
            let last = units.last().expect("a list of units is never empty");
            *last
        });
    format!("{}{name}", value / size)
}

/// Splits "64MiB" into number and unit and multiplies. `None` if there is no such unit or the product does not fit.
fn parse_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*size)
}

pub(crate) fn parse_bytes(text: &str) -> Option<ByteSize> {
    parse_units(text, &BYTE_UNITS).map(ByteSize)
}

pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    parse_units(text, &TIME_UNITS).map(Duration::from_millis)
}

pub(crate) fn show_duration(span: Duration) -> String {
    let millis =
        u64::try_from(span.as_millis()).expect("a configured duration is shorter than the age of the universe");
    in_units(millis, &TIME_UNITS[1..])
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_units(self.0, &BYTE_UNITS))
    }
}

/// `host:port`; the host is a name, an IPv4 address or an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    colon: usize,
}

impl Address {
    /// Takes `host:port` apart; `None` if there is no host or the port is not a number up to 65535.
    pub fn parse(text: &str) -> Option<Self> {
        let colon = text.rfind(':')?;
        text[colon + 1..].parse::<u16>().ok()?;
        let host = &text[..colon];
        let bracketed = host.starts_with('[') && host.ends_with(']');
        let plain = !host.is_empty() && !host.contains([':', '[', ']', '/', ' ']);
        let valid = if bracketed {
            host[1..host.len() - 1].parse::<IpAddr>().is_ok()
        } else {
            plain
        };
        valid.then(|| Self {
            text: text.to_owned(),
            colon,
        })
    }

    /// `host:port`, as sockets take it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, without brackets.
    pub fn host(&self) -> &str {
        self.text[..self.colon].trim_start_matches('[').trim_end_matches(']')
    }

    /// The port; 0 lets the system choose one.
    pub fn port(&self) -> u16 {
        self.text[self.colon + 1..]
            .parse()
            .expect("the port was checked when the address was parsed")
    }

    /// Whether traffic to it cannot leave the machine.
    pub fn is_loopback(&self) -> bool {
        self.host() == "localhost" || self.host().parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is never printed: not by `Debug`, not by `config show`, not in an error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text, without white space at its ends (files end with a newline).
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() {
            "Secret(none)"
        } else {
            "Secret(hidden)"
        })
    }
}

#[cfg(test)]
#[path = "units_test.rs"]
mod tests;
