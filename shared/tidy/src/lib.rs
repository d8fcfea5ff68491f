//! House rules that a test enforces, over all files in git: `cargo test -p covey-tidy`.
//!
//! Limits that only stand on paper are broken within months. One rule is one function in `rules/`; each has a test that
//! shows it fire on a bad sample. A finding names file and line and says what to do. An exception is a line in that
//! rule's list, with its reason.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "this crate reads the repository; it is no part of the cluster"
)]

pub mod rules;
pub mod scan;
pub mod shape;
pub mod workspace;

#[cfg(test)]
#[path = "house_test.rs"]
mod house;
