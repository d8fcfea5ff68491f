//! The simulator swallows panics of tasks; this keeps them, so that a run with one fails.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static CAUGHT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Records panics of this thread from now on; panics of other threads are reported as usual.
pub(crate) fn record() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            usual(info);
            CAUGHT.with_borrow_mut(|caught| caught.push(info.to_string()));
        }));
    });
    CAUGHT.with_borrow_mut(Vec::clear);
}

/// How many panics there are that nobody has taken.
pub(crate) fn count() -> usize {
    CAUGHT.with_borrow(Vec::len)
}

/// Panics of this thread since [`record`].
pub(crate) fn take() -> Vec<String> {
    CAUGHT.with_borrow_mut(std::mem::take)
}
