//! A message with the span in which it was sent.

use tracing::Span;

/// What travels through a mailbox: the message and its sender's span, because the receiver's thread has another current
/// span. The receiver works inside it: `traced.span.in_scope(…)`, or `future.instrument(traced.span)`.
#[derive(Debug, Clone)]
pub struct Traced<M> {
    /// What is sent.
    pub message: M,
    /// Where the sender was.
    pub span: Span,
}

impl<M> Traced<M> {
    /// Wraps `message` with the current span.
    pub fn new(message: M) -> Traced<M> {
        Traced {
            message,
            span: Span::current(),
        }
    }

    /// The same span around another message.
    pub fn map<N>(self, f: impl FnOnce(M) -> N) -> Traced<N> {
        Traced {
            message: f(self.message),
            span: self.span,
        }
    }
}
