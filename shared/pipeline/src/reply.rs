//! What components answer with: a reply may be waited for, and an update may be applied later, in list order.

use futures::future::{BoxFuture, ready as ready_future};

use crate::{ComponentError, RowError};

/// The answer of a component, to be waited for within its budget. Dropped, unfinished, when the budget is used up.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, ComponentError>>;

/// The reply of a component that has its answer at once.
pub fn ready<'a, T: Send + 'a>(answer: T) -> Reply<'a, T> {
    Box::pin(ready_future(Ok(answer)))
}

/// A change of the query that a query hydrator asks for.
pub struct QueryUpdate<Q>(Box<dyn FnOnce(&mut Q) + Send>);

impl<Q> QueryUpdate<Q> {
    /// `apply` should set the fields that the hydrator owns, and no others.
    pub fn new(apply: impl FnOnce(&mut Q) + Send + 'static) -> Self {
        Self(Box::new(apply))
    }

    pub(crate) fn apply(self, query: &mut Q) {
        (self.0)(query);
    }
}

/// Stores the rows of a batch in their candidates.
type Apply<C> = Box<dyn FnOnce(&mut [C]) + Send>;

/// One value, or error, per candidate, in the order of the candidates, with the way to store a value.
pub struct Rows<C> {
    len: usize,
    failed: Vec<(usize, RowError)>,
    apply: Apply<C>,
}

impl<C> Rows<C> {
    /// `set` stores a value in its candidate; it is called for the rows that have one.
    pub fn new<T: Send + 'static>(rows: Vec<Result<T, RowError>>, set: impl Fn(&mut C, T) + Send + 'static) -> Self {
        let failed = rows
            .iter()
            .enumerate()
            .filter_map(|(i, row)| Some((i, *row.as_ref().err()?)))
            .collect();
        let len = rows.len();
        let apply = move |candidates: &mut [C]| {
            for (candidate, row) in candidates.iter_mut().zip(rows) {
                if let Ok(value) = row {
                    set(candidate, value);
                }
            }
        };
        Self {
            len,
            failed,
            apply: Box::new(apply),
        }
    }

    /// As [`Rows::new`], when every row has a value.
    pub fn all<T: Send + 'static>(values: Vec<T>, set: impl Fn(&mut C, T) + Send + 'static) -> Self {
        Self::new(values.into_iter().map(Ok).collect(), set)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Positions without a value, ascending.
    pub(crate) fn failed(&self) -> &[(usize, RowError)] {
        &self.failed
    }

    pub(crate) fn apply(self, candidates: &mut [C]) {
        assert_eq!(
            candidates.len(),
            self.len,
            "rows are checked against their candidates before they are applied"
        );
        (self.apply)(candidates);
    }
}
