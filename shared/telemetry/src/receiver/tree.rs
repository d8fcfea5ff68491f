//! Whether a trace is whole.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::ReceivedSpan;

/// What is wrong with a trace.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TreeError {
    /// No spans.
    #[error("the trace has no spans: was it sampled, and did the processes flush?")]
    Empty,
    /// Spans of several traces were given.
    #[error("span {name:?} belongs to another trace")]
    OtherTrace {
        /// The span.
        name: String,
    },
    /// An id occurs twice.
    #[error("two spans have the id of {name:?}")]
    DuplicateId {
        /// The second one.
        name: String,
    },
    /// A trace begins in one place.
    #[error("the trace has {} roots: {}", names.len(), names.join(", "))]
    Roots {
        /// The roots.
        names: Vec<String>,
    },
    /// The parent of a span did not arrive: a context was not passed on, or the parent was dropped.
    #[error("the parent of {service}/{name} did not arrive")]
    Orphan {
        /// Its process.
        service: String,
        /// The span.
        name: String,
    },
    /// Spans are their own ancestors.
    #[error("{unreached} spans cannot be reached from the root")]
    Cycle {
        /// How many.
        unreached: usize,
    },
}

/// Checks that `spans` are one whole tree and returns its root. `external` is a parent outside of the spans, such as a
/// client that sent a `traceparent` without exporting its own span; the root may have it.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_tree(spans: &[ReceivedSpan], external: Option<[u8; 8]>) -> Result<&ReceivedSpan, TreeError> {
    let trace = spans.first().ok_or(TreeError::Empty)?.trace_id;
    let mut ids = BTreeSet::new();
    for span in spans {
        let name = span.name.clone();
        if span.trace_id != trace {
            return Err(TreeError::OtherTrace { name });
        }
        if !ids.insert(span.span_id) {
            return Err(TreeError::DuplicateId { name });
        }
    }
    let mut roots = Vec::new();
    let mut children: BTreeMap<[u8; 8], Vec<&ReceivedSpan>> = BTreeMap::new();
    for span in spans {
        match span.parent {
            Some(parent) if ids.contains(&parent) => children.entry(parent).or_default().push(span),
            parent if parent.is_none() || parent == external => roots.push(span),
            _ => {
                return Err(TreeError::Orphan {
                    service: span.service.clone(),
                    name: span.name.clone(),
                });
            }
        }
    }
    let [root] = roots[..] else {
        let names = roots.iter().map(|root| root.name.clone()).collect();
        return Err(TreeError::Roots { names });
    };
    let mut reached = 0;
    let mut open = vec![root];
    while let Some(span) = open.pop() {
        reached += 1;
        open.extend(children.remove(&span.span_id).unwrap_or_default());
    }
    match spans.len() - reached {
        0 => Ok(root),
        unreached => Err(TreeError::Cycle { unreached }),
    }
}

#[cfg(test)]
#[path = "tree_test.rs"]
mod tests;
