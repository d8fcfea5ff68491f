//! Requests to a cluster in trouble: each with a deadline, and sent again while that can help.

use std::time::{Duration, Instant};

use tonic::{Request, Status};

use crate::load::is_worth_a_retry;

/// Time for the cluster to take something up, or to answer at all: longer than several elections.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before a request is sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// A request whose answer must be there in `limit`.
pub(super) fn in_time<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

/// Asks until there is an answer.
///
/// # Errors
/// What was said last: at once if asking again cannot help, else once it has lasted too long.
pub(super) async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Status>) -> Result<T, Status> {
    let started = Instant::now();
    loop {
        match ask().await {
            Err(status) if is_worth_waiting(&status, started.elapsed()) => tokio::time::sleep(AGAIN).await,
            ended => return ended,
        }
    }
}

fn is_worth_waiting(status: &Status, waited: Duration) -> bool {
    is_worth_a_retry(status.code()) && waited < PATIENCE
}

#[cfg(test)]
#[path = "patient_test.rs"]
mod tests;
