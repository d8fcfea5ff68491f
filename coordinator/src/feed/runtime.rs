//! Time and tasks of the pipeline: the process's clock, tokio's timers and tasks.

use std::sync::Arc;
use std::time::Duration;

use covey_env::Clock;
use covey_pipeline::{Spawner, Timer};
use futures::future::BoxFuture;

/// The clock of [`covey_env::Env`] with tokio's timers, which the simulator controls too.
pub(crate) struct EnvTimer(pub(crate) Arc<dyn Clock>);

impl Timer for EnvTimer {
    fn now(&self) -> Duration {
        self.0.monotonic().0
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Side effects run on the runtime of the feed actor that served the request.
pub(crate) struct TokioSpawner;

impl Spawner for TokioSpawner {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // How it ends is counted by the pipeline.
        drop(tokio::spawn(task));
    }
}
