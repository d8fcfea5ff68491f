//! What every request carries beside its message.

use covey_env::Monotonic;

/// Deadline and identity of a request.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// When the client stops waiting.
    pub deadline: Monotonic,
    /// Trace of the request: 32 hexadecimal digits.
    pub trace_id: String,
}
