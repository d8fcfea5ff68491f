//! A written value and the types that a key can have.

use std::fmt;
use std::ops::{RangeFull, RangeInclusive};
use std::time::Duration;

use crate::units::{Address, ByteSize, Secret, parse_bytes, parse_duration, show_duration};

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Lit {
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A quoted text.
    Text(String),
    /// true or false.
    Bool(bool),
    /// From the environment, where nothing is quoted.
    Bare(String),
    /// A list, table or date; no key has such a value. Holds its name for the error.
    Other(&'static str),
}

impl Lit {
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Bare(text) => Some(text),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            // Exact below 2^53; every range of a number with a point ends far below.
            Self::Int(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            Self::Bare(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Bare(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Lit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Text(text) | Self::Bare(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Other(kind) => write!(f, "a {kind}"),
        }
    }
}

impl From<i64> for Lit {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}
impl From<f64> for Lit {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}
impl From<bool> for Lit {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<&str> for Lit {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The allowed values of a key, both ends included.
#[derive(Clone, Debug)]
pub struct Range(Option<(Lit, Lit)>);

impl<T: Into<Lit> + Clone> From<RangeInclusive<T>> for Range {
    fn from(range: RangeInclusive<T>) -> Self {
        Self(Some((range.start().clone().into(), range.end().clone().into())))
    }
}
impl From<RangeFull> for Range {
    fn from(_: RangeFull) -> Self {
        Self(None)
    }
}

impl Range {
    /// "10ms to 10s", or `None` if the type alone says what is allowed.
    pub(crate) fn show<T: Setting>(&self) -> Option<String> {
        let bare = |lit: &Lit| T::from_lit(lit).map_or_else(|why| why, |v| v.to_toml().replace('"', ""));
        self.0.as_ref().map(|(lo, hi)| format!("{} to {}", bare(lo), bare(hi)))
    }

    pub(crate) fn check<T: Setting>(&self, lit: &Lit, value: &T) -> Result<(), String> {
        let Some((lo, hi)) = &self.0 else { return Ok(()) };
        let ends = (T::from_lit(lo), T::from_lit(hi));
        let (Ok(lo), Ok(hi)) = ends else {
            return Err(format!("its declared range {lo} to {hi} cannot be read"));
        };
        if value.within(&lo, &hi) {
            return Ok(());
        }
        Err(format!(
            "{lit} is out of range: {}",
            self.show::<T>().unwrap_or_default()
        ))
    }
}

/// A type that a key can have.
pub trait Setting: Sized + PartialOrd {
    /// What to write, in words: "duration", "bytes", "whole number".
    fn unit() -> String;
    /// Reads a written value; the error says what would be right.
    fn from_lit(lit: &Lit) -> Result<Self, String>;
    /// As written in the file.
    fn to_toml(&self) -> String;
    /// Whether it lies between both ends.
    fn within(&self, lo: &Self, hi: &Self) -> bool {
        self >= lo && self <= hi
    }
}

macro_rules! whole_number {
    ($($int:ty),+) => { $(
        impl Setting for $int {
            fn unit() -> String {
                "whole number".into()
            }
            fn from_lit(lit: &Lit) -> Result<Self, String> {
                let number = lit.as_int().ok_or_else(|| format!("{lit} is not a whole number"))?;
                number.try_into().map_err(|_| format!("{number} is out of range"))
            }
            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}
whole_number!(u16, u32, u64, usize);

impl Setting for f64 {
    fn unit() -> String {
        "number".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        lit.as_number()
            .filter(|x| x.is_finite())
            .ok_or_else(|| format!("{lit} is not a number"))
    }
    fn to_toml(&self) -> String {
        format!("{self:?}")
    }
}

impl Setting for bool {
    fn unit() -> String {
        "true or false".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        match (lit, lit.as_text()) {
            (Lit::Bool(b), _) => Ok(*b),
            (Lit::Bare(_), Some("true")) => Ok(true),
            (Lit::Bare(_), Some("false")) => Ok(false),
            _ => Err(format!("{lit} is not true or false")),
        }
    }
    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn unit() -> String {
        "text".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        lit.as_text()
            .map(str::to_owned)
            .ok_or_else(|| format!("{lit} is not a quoted text"))
    }
    fn to_toml(&self) -> String {
        format!("\"{}\"", self.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl Setting for Duration {
    fn unit() -> String {
        "duration".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        let hint =
            || format!("{lit} is not a duration; write a whole number and a unit: \"500ms\", \"2s\", \"5m\", \"48h\"");
        lit.as_text().and_then(parse_duration).ok_or_else(hint)
    }
    fn to_toml(&self) -> String {
        format!("\"{}\"", show_duration(*self))
    }
}

impl Setting for Option<Duration> {
    fn unit() -> String {
        "duration or \"off\"".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        if lit.as_text() == Some("off") {
            return Ok(None);
        }
        Duration::from_lit(lit)
            .map(Some)
            .map_err(|why| format!("{why}, or \"off\""))
    }
    fn to_toml(&self) -> String {
        self.map_or_else(|| "\"off\"".into(), |span| span.to_toml())
    }
    fn within(&self, lo: &Self, hi: &Self) -> bool {
        self.is_none() || (self >= lo && self <= hi)
    }
}

impl Setting for ByteSize {
    fn unit() -> String {
        "bytes".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        let hint = || {
            format!("{lit} is not a size; write a whole number and a unit: \"512B\", \"64KiB\", \"64MiB\", \"2GiB\"")
        };
        lit.as_text().and_then(parse_bytes).ok_or_else(hint)
    }
    fn to_toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Setting for Address {
    fn unit() -> String {
        "host:port".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        lit.as_text()
            .and_then(Self::parse)
            .ok_or_else(|| format!("{lit} is not host:port, such as \"127.0.0.1:7101\""))
    }
    fn to_toml(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Setting for Secret {
    fn unit() -> String {
        "secret text".into()
    }
    fn from_lit(lit: &Lit) -> Result<Self, String> {
        // The value is not repeated: an error ends up in a log.
        lit.as_text()
            .map(Self::new)
            .ok_or_else(|| "is not a quoted text".to_owned())
    }
    fn to_toml(&self) -> String {
        if self.is_empty() {
            "\"\"".into()
        } else {
            "\"<hidden>\"".into()
        }
    }
}
