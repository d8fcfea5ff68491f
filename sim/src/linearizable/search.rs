//! The search for an order.

use std::collections::HashSet;

use super::{Operation, Specification};

/// Steps after which it gives up: many unknown outcomes at once have very many orders.
const MOST_STEPS: usize = 500_000;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none. The longest beginning of one, by position in the history: after it nothing fits.
    Broken(Vec<usize>),
    /// Nobody knows: the search took too long.
    GivenUp,
}

/// Which operations are in order already.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Done(Vec<u64>);

impl Done {
    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    fn flip(&mut self, at: usize) {
        self.0[at / 64] ^= 1 << (at % 64);
    }
}

/// One operation that was put in order, and what the object was before.
struct Step<State> {
    operation: usize,
    before: State,
}

/// Looks for an order of `history`, which is sorted by when the operations began.
pub(crate) fn check<S: Specification>(history: &[Operation<S>]) -> Verdict {
    debug_assert!(history.is_sorted_by_key(|operation| operation.begun));
    let mut done = Done(vec![0; history.len().div_ceil(64)]);
    let mut left = history.iter().filter(|operation| operation.answer.is_some()).count();
    let (mut state, mut steps) = (S::State::default(), Vec::<Step<S::State>>::new());
    let (mut seen, mut longest) = (HashSet::new(), Vec::new());
    let mut from = 0;
    for _ in 0..MOST_STEPS {
        if left == 0 {
            return Verdict::Linearizable;
        }
        match next::<S>(history, &done, from, &state) {
            Some((operation, after)) => {
                done.flip(operation);
                if !seen.insert((done.clone(), after.clone())) {
                    done.flip(operation);
                    from = operation + 1;
                    continue;
                }
                left -= usize::from(history[operation].answer.is_some());
                let before = std::mem::replace(&mut state, after);
                steps.push(Step { operation, before });
                if steps.len() > longest.len() {
                    longest = steps.iter().map(|step| step.operation).collect();
                }
                from = 0;
            }
            None => {
                let Some(Step { operation, before }) = steps.pop() else {
                    return Verdict::Broken(longest);
                };
                done.flip(operation);
                left += usize::from(history[operation].answer.is_some());
                state = before;
                from = operation + 1;
            }
        }
    }
    Verdict::GivenUp
}

/// The first operation from `from` on that can be the next one, and what the object is after it.
fn next<S: Specification>(
    history: &[Operation<S>],
    done: &Done,
    from: usize,
    state: &S::State,
) -> Option<(usize, S::State)> {
    let open = |at: &usize| !done.has(*at);
    let ended = |at: usize| history[at].answer.as_ref().map(|(ended, _)| *ended);
    // Whoever began later than one has ended comes behind that one.
    let first_end = (0..history.len()).filter(open).filter_map(ended).min()?;
    (from..history.len())
        .take_while(|at| history[*at].begun < first_end)
        .filter(open)
        .find_map(|at| {
            let Operation { call, answer, .. } = &history[at];
            let after = S::step(state, call, answer.as_ref().map(|(_, answer)| answer))?;
            Some((at, after))
        })
}
