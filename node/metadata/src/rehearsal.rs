//! What an operation would do, without doing it.

use covey_shared::metadata::{MAX_LIMIT_MS, Operation, OperationFault, Start};

use crate::filling;
use crate::moving::Move;
use crate::placement::{Asked, Choice, Outlook};
use crate::schedule::{SCHEDULER, Sights};
use crate::state::Metadata;

impl Metadata {
    /// What an operation would begin, as things stand: itself, then the moves that it would take.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn rehearse(&self, what: Operation, sights: &Sights<'_>) -> Result<Vec<Operation>, OperationFault> {
        let start = Start {
            what,
            by: SCHEDULER.to_owned(),
            parent: None,
            limit_ms: MAX_LIMIT_MS,
        };
        self.admit(sights.now, &start)?;
        let mut all = vec![what];
        if let Operation::Add { node } = what {
            let mut outlook = Outlook::new(self, sights);
            while let Some(Move { shard, from, to }) = filling::moves(node, &outlook).into_iter().next() {
                outlook.expect(&Move { shard, from, to });
                all.push(Operation::Move { shard, from, to });
            }
            return Ok(all);
        }
        let (Operation::Drain { node: from } | Operation::Repair { node: from }) = what else {
            return Ok(all);
        };
        let mut outlook = Outlook::new(self, sights);
        if matches!(what, Operation::Repair { .. }) && outlook.heard(from) {
            // It would be taken back at once.
            return Err(OperationFault::NotAway(from));
        }
        for shard in outlook.on(from) {
            let Some(descriptor) = outlook.shard(shard) else {
                continue;
            };
            let choice = match outlook.target(descriptor, from, Asked::Soon) {
                // There is room, so somebody will take it once he is there.
                Choice::Nobody => outlook.target(descriptor, from, Asked::InPrinciple),
                choice => choice,
            };
            if let Choice::Node(to) = choice {
                outlook.expect(&Move { shard, from, to });
                all.push(Operation::Move { shard, from, to });
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
#[path = "rehearsal_test.rs"]
mod tests;
