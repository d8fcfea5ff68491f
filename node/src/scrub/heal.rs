//! Gets damaged rows from the other members of a group: each is asked for what is still missing.

use covey_embeddings::{DamagedRow, Repaired};
use covey_shared::ids::{NodeId, PostId};
use covey_shared::model::F16Vector;
use covey_shared::wire::MAX_VECTORS;
use futures::future::BoxFuture;

use crate::question::AskError;

/// Rows of these posts, from a member.
pub(super) type Ask<'a> =
    dyn Fn(NodeId, Vec<PostId>) -> BoxFuture<'a, Result<Vec<Option<F16Vector>>, AskError>> + Send + Sync + 'a;
/// Hands copies to who writes the vectors; `None` if the node stops, or that takes too long.
pub(super) type Put<'a> =
    dyn Fn(Vec<(DamagedRow, F16Vector)>) -> BoxFuture<'a, Option<Vec<Repaired>>> + Send + Sync + 'a;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Healed {
    /// Rows that a copy took the place of.
    pub(super) repaired: u64,
    /// Rows that are damaged still.
    pub(super) left: Vec<DamagedRow>,
}

/// Asks one member after the other. A copy that is not what was written is as good as none.
pub(super) async fn heal(rows: Vec<DamagedRow>, members: &[NodeId], ask: &Ask<'_>, put: &Put<'_>) -> Healed {
    let mut healed = Healed {
        repaired: 0,
        left: rows,
    };
    for member in members {
        let wanted = std::mem::take(&mut healed.left);
        let mut silent = false;
        for some in wanted.chunks(MAX_VECTORS) {
            if silent {
                healed.left.extend(some);
                continue;
            }
            match ask(*member, some.iter().map(|row| row.post).collect()).await {
                Ok(copies) if copies.len() == some.len() => take_over(some, copies, put, &mut healed).await,
                answer => {
                    let error = answer.err().unwrap_or(AskError::Answer);
                    let error = format!("{:#}", anyhow::Error::new(error));
                    tracing::warn!(node = member.0, error, "a member gives no copies of damaged vectors");
                    silent = true;
                    healed.left.extend(some);
                }
            }
        }
        if healed.left.is_empty() {
            break;
        }
    }
    healed
}

async fn take_over(rows: &[DamagedRow], copies: Vec<Option<F16Vector>>, put: &Put<'_>, healed: &mut Healed) {
    let (mut given, mut offered) = (Vec::new(), Vec::new());
    for (row, copy) in rows.iter().zip(copies) {
        match copy {
            Some(copy) => {
                given.push(*row);
                offered.push((*row, copy));
            }
            None => healed.left.push(*row),
        }
    }
    if given.is_empty() {
        return;
    }
    match put(offered).await {
        Some(outcomes) => {
            for (row, outcome) in given.into_iter().zip(outcomes) {
                match outcome {
                    Repaired::Done => healed.repaired += 1,
                    Repaired::DoesNotMatch => healed.left.push(row),
                    // Deleted or replaced meanwhile.
                    Repaired::NotDamaged | Repaired::NoSuchRow => {}
                }
            }
        }
        None => healed.left.extend(given),
    }
}

#[cfg(test)]
#[path = "heal_test.rs"]
mod tests;
