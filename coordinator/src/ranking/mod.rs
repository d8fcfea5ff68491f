//! What posts are ordered by: pure functions of a request and a candidate, and the seam to a ranking model.

pub(crate) mod l1;
pub(crate) mod predictions;
pub(crate) mod ranker;
pub(crate) mod weighted_score;
