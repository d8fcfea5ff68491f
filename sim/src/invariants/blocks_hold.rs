//! Whoever has seen a block is never shown a post of the one who blocks, nor one that was deleted.

use covey_shared::ids::{PostKey, UserId};
use covey_shared::wire::Verdict;

use crate::fates::Fates;
use crate::history::History;

/// Who blocks whom.
pub(crate) type Block = (UserId, UserId);

/// What was known when a feed or verdicts were asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    /// For whom.
    pub(crate) viewer: UserId,
    /// Blocks at that time.
    pub(crate) blocks: Fates<Block>,
    /// Posts at that time.
    pub(crate) posts: Fates<PostKey>,
}

/// Checks posts that were shown.
pub(crate) fn blocks_hold(history: &mut History, asked: &Asked, shown: &[PostKey]) {
    let mut broken = Vec::new();
    for key in shown {
        let block = (key.author, asked.viewer);
        if history.blocks.steady(&asked.blocks, block) == Some(true) {
            broken.push(format!(
                "{key:?} is shown to {:?}, whom its author blocks",
                asked.viewer
            ));
        }
        if history.posts.steady(&asked.posts, *key) == Some(false) {
            broken.push(format!("{key:?} is shown to {:?}, and deleted", asked.viewer));
        }
    }
    history.violations.extend(broken);
}

/// Checks verdicts on posts: they say what was last acknowledged, of every post of which the answer says that it is complete.
pub(crate) fn verdicts_are_right(history: &mut History, asked: &Asked, keys: &[PostKey], verdicts: &[Verdict]) {
    let mut broken = Vec::new();
    for key in keys {
        let verdict = verdicts.iter().find(|verdict| verdict.key == *key);
        let blocks = history.blocks.steady(&asked.blocks, (key.author, asked.viewer));
        let exists = history.posts.steady(&asked.posts, *key);
        let says = verdict.map(|verdict| (verdict.author_blocks_viewer, verdict.exists));
        let wrong = |known: Option<bool>, said: Option<bool>| known.is_some() && known != said;
        if wrong(blocks, says.map(|says| says.0)) || wrong(exists, says.map(|says| says.1)) {
            broken.push(format!(
                "{key:?} to {:?}: the verdict (blocked, there) is {says:?}, known is {blocks:?}, {exists:?}",
                asked.viewer
            ));
        }
    }
    history.violations.extend(broken);
}

#[cfg(test)]
#[path = "blocks_hold_test.rs"]
mod tests;
