//! A panic ends the process: a dead actor behind a live port is worse than a crash.

use std::backtrace::Backtrace;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

/// How long the last spans may take. The process is broken: whoever restarts it should not wait.
const FLUSH: Duration = Duration::from_secs(2);

pub(crate) fn install(process: &'static str, provider: SdkTracerProvider) {
    std::panic::set_hook(Box::new(move |info| {
        report(process, info);
        _ = provider.shutdown_with_timeout(FLUSH);
        std::process::abort();
    }));
}

fn report(process: &str, info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a text");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    tracing::error!(process, thread, location, "panic: {message}");
    // The backtrace has many lines, so it goes past the log format. Nothing can be done if stderr is closed.
    let backtrace = Backtrace::force_capture();
    _ = writeln!(
        std::io::stderr(),
        "{process} panicked in {thread} at {location}: {message}\n{backtrace}"
    );
}

#[cfg(test)]
#[path = "panic_test.rs"]
mod tests;
