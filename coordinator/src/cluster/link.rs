//! What a coordinator knows about its way to one node: window, latency, breaker. No actor, no clock of its own.

use std::time::Duration;

use covey_env::Monotonic;
use covey_rpc::CallError as RpcError;

use crate::cluster::port::CallError;

/// Weight of a new sample in the mean latency.
const MEAN_WEIGHT: f64 = 0.1;
/// Relative step of the quantile estimate.
const QUANTILE_STEP: f64 = 0.1;
/// A time-out counts against the node only if it had at least this long; shorter ones are the caller's hurry.
const FAIR_WAIT: Duration = Duration::from_millis(100);

/// Bounds of a link, from `[rpc]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkLimits {
    /// Calls on the way at once.
    pub(crate) window: usize,
    /// Failures in a row that open the breaker.
    pub(crate) breaker_failures: usize,
    /// How long it stays open.
    pub(crate) breaker_open: Duration,
    /// Quantile of the latency that [`LinkView::hedge_after`] estimates.
    pub(crate) hedge_quantile: f64,
}

/// How a call ended, as far as the link is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    /// A reply came; whatever it says, the node lives.
    Answered,
    /// The node did not answer.
    Failed,
    /// Says nothing about the node: cancelled, or never sent.
    Neutral,
}

impl CallEnd {
    pub(crate) fn of<T>(result: &Result<T, CallError>, took: Duration) -> CallEnd {
        match result {
            Ok(_) | Err(CallError::WrongReply) => CallEnd::Answered,
            Err(CallError::Rpc(error)) if error.is_down() => CallEnd::Failed,
            Err(CallError::Rpc(RpcError::Timeout { .. })) if took >= FAIR_WAIT => CallEnd::Failed,
            Err(CallError::Rpc(RpcError::Overloaded { .. } | RpcError::Wire { .. })) => CallEnd::Answered,
            Err(_) => CallEnd::Neutral,
        }
    }
}

/// A link as replica choice sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LinkView {
    /// Mean time of a call in seconds; 0 before the first.
    pub(crate) latency: f64,
    /// Calls on the way.
    pub(crate) in_flight: usize,
    /// The breaker lets calls through.
    pub(crate) available: bool,
    /// The node has answered since its last failure.
    pub(crate) alive: bool,
    /// After this long a read is also asked of another replica.
    pub(crate) hedge_after: Duration,
}

/// State of one link.
#[derive(Debug)]
pub(crate) struct LinkState {
    limits: LinkLimits,
    in_flight: usize,
    mean: f64,
    quantile: f64,
    failures: usize,
    open_until: Monotonic,
    probing: bool,
    alive: bool,
}

impl LinkState {
    pub(crate) fn new(limits: LinkLimits) -> LinkState {
        LinkState {
            limits,
            in_flight: 0,
            mean: 0.0,
            quantile: 0.0,
            failures: 0,
            open_until: Monotonic::default(),
            probing: false,
            alive: false,
        }
    }

    fn broken(&self) -> bool {
        self.failures >= self.limits.breaker_failures
    }

    /// Takes a place in the window. Through a broken link goes one call at a time, once its pause is over.
    pub(crate) fn begin(&mut self, now: Monotonic) -> Result<(), CallError> {
        if self.broken() && (now < self.open_until || self.probing) {
            return Err(CallError::BreakerOpen);
        }
        if self.in_flight >= self.limits.window {
            return Err(CallError::WindowFull);
        }
        self.probing = self.broken();
        self.in_flight += 1;
        Ok(())
    }

    /// Gives the place back.
    pub(crate) fn end(&mut self, now: Monotonic, took: Duration, end: CallEnd) {
        self.in_flight -= 1;
        self.probing = false;
        match end {
            CallEnd::Answered => {
                self.failures = 0;
                self.alive = true;
                self.learn(took.as_secs_f64());
            }
            CallEnd::Failed => {
                self.failures += 1;
                self.alive = false;
                if self.broken() {
                    self.open_until = now.plus(self.limits.breaker_open);
                }
            }
            // A call given up after a long wait, as when a hedge won, was slow: the next read should go elsewhere.
            CallEnd::Neutral if took.as_secs_f64() > self.mean => {
                self.mean += MEAN_WEIGHT * (took.as_secs_f64() - self.mean);
            }
            CallEnd::Neutral => {}
        }
    }

    fn learn(&mut self, took: f64) {
        if self.mean == 0.0 {
            self.mean = took;
            self.quantile = took * 2.0;
            return;
        }
        self.mean += MEAN_WEIGHT * (took - self.mean);
        // A step up for each sample above and a smaller one down for each below balance where a share `p` lies below.
        let p = self.limits.hedge_quantile;
        let step = if took > self.quantile {
            QUANTILE_STEP * p
        } else {
            -QUANTILE_STEP * (1.0 - p)
        };
        self.quantile *= 1.0 + step;
    }

    pub(crate) fn view(&self, now: Monotonic) -> LinkView {
        LinkView {
            latency: self.mean,
            in_flight: self.in_flight,
            available: !self.broken() || (now >= self.open_until && !self.probing),
            alive: self.alive,
            hedge_after: Duration::from_secs_f64(self.quantile),
        }
    }
}

#[cfg(test)]
#[path = "link_test.rs"]
mod tests;
