//! Formulas that posts are ordered by: pure functions of a request and a candidate.

pub(crate) mod l1;
