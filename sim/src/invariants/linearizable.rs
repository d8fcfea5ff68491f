//! What clients were told of a post that they share could come from one post on one machine.

use covey_shared::ids::PostKey;

use crate::history::History;
use crate::linearizable::{HotPost, Operation, Verdict, check};

/// Operations that are shown behind the last one that fits.
const SHOWN: usize = 8;

/// Checks all shared posts, when everything has been said. Returns how many histories nobody can judge in reasonable time.
pub(crate) fn linearizable(history: &mut History) -> usize {
    let mut undecided = 0;
    let mut broken = Vec::new();
    for (key, operations) in &history.shared_posts {
        match check(operations) {
            Verdict::Linearizable => {}
            Verdict::GivenUp => undecided += 1,
            Verdict::Broken(fits) => broken.push(in_words(*key, operations, &fits)),
        }
    }
    history.violations.extend(broken);
    undecided
}

fn in_words(key: PostKey, operations: &[Operation<HotPost>], fits: &[usize]) -> String {
    let line = |at: &usize| format!("\n    {:?}", operations[*at]);
    let last: String = fits.iter().rev().take(SHOWN).rev().map(line).collect();
    let rest = (0..operations.len()).filter(|at| !fits.contains(at) && operations[*at].answer.is_some());
    let rest: String = rest.take(SHOWN).map(|at| line(&at)).collect();
    format!("{key:?} is not linearizable: after{last}\n  nothing fits of{rest}")
}
