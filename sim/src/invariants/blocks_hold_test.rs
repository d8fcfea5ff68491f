//! A post that must not be shown is seen, and so is a verdict that is wrong.

use covey_shared::ids::{PostId, Version};

use super::*;

const AUTHOR: UserId = UserId(1);
const VIEWER: UserId = UserId(2);
const KEY: PostKey = PostKey {
    author: AUTHOR,
    post: PostId(9),
};

fn history(blocks: bool, there: bool) -> History {
    let mut history = History::default();
    history.blocks.ask((AUTHOR, VIEWER), Version(1), blocks);
    history.blocks.acknowledge((AUTHOR, VIEWER), Version(1));
    history.posts.ask(KEY, Version(1), there);
    history.posts.acknowledge(KEY, Version(1));
    history
}

fn asked(history: &History) -> Asked {
    Asked {
        viewer: VIEWER,
        blocks: history.blocks.clone(),
        posts: history.posts.clone(),
    }
}

fn verdict(blocks: bool, exists: bool) -> Verdict {
    Verdict {
        key: KEY,
        exists,
        labels: 0,
        author_blocks_viewer: blocks,
        post: None,
        screen_name: String::new(),
    }
}

#[test]
fn only_what_may_be_shown_is_shown() {
    for (blocks, there) in [(false, true), (true, true), (false, false)] {
        let mut history = history(blocks, there);
        let asked = asked(&history);
        blocks_hold(&mut history, &asked, &[KEY]);
        assert_eq!(history.violations.is_empty(), !blocks && there, "{blocks} {there}");
    }
    let mut history = history(false, true);
    let asked = asked(&history);
    history.blocks.ask((AUTHOR, VIEWER), Version(2), true);
    blocks_hold(&mut history, &asked, &[KEY]);
    assert!(history.violations.is_empty(), "the block may have come later");
}

#[test]
fn a_verdict_says_what_is_known() {
    for (says_block, says_there) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut history = history(true, true);
        let asked = asked(&history);
        verdicts_are_right(&mut history, &asked, &[KEY], &[verdict(says_block, says_there)]);
        assert_eq!(history.violations.is_empty(), says_block && says_there);
    }
    let mut history = history(false, true);
    let asked = asked(&history);
    verdicts_are_right(&mut history, &asked, &[KEY], &[]);
    assert_eq!(
        history.violations.len(),
        1,
        "a complete answer has a verdict on each post"
    );
}
