//! Calls inside the cluster, and telemetry.

use std::time::Duration;

use crate::choice::choice;
use crate::section::section;
use crate::units::ByteSize;

section! {
    /// Calls and streams between the processes of the cluster.
    pub struct RpcConfig = "rpc" {
        /// Largest message; a longer announced length closes the connection.
        max_frame: ByteSize = "16MiB", in "4MiB"..="256MiB";
        /// Connections from one process to one node, per class of calls.
        connections: usize = 2, in 1..=64;
        /// Connections that a node accepts.
        max_connections: usize = 1024, in 8..=65_536;
        /// Time to open a connection.
        connect_timeout: Duration = "1s", in "10ms"..="60s";
        /// Time without traffic after which a call connection is closed.
        idle_timeout: Duration = "5m", in "1s"..="24h";
        /// Calls of one process on the way to one node; one more waits for its deadline or is refused.
        in_flight_per_node: usize = 256, in 1..=65_536;
        /// Query calls that a node works on at once.
        query_permits: usize = 256, in 1..=65_536;
        /// Write calls that a node works on at once.
        write_permits: usize = 256, in 1..=65_536;
        /// Bulk calls (status, hashes, exports) that a node works on at once.
        bulk_permits: usize = 16, in 1..=4096;
        /// Oldest state that a read is content with: a staler replica is asked only if there is no fresher one.
        max_staleness: Duration = "1s", in "100ms"..="1h";
        /// Retries and hedges allowed, as a share of first tries.
        retry_budget_ratio: f64 = 0.2, in 0.0..=1.0;
        /// Shortest pause before a retry; it doubles, with jitter.
        backoff_min: Duration = "10ms", in "1ms"..="10s";
        /// Longest pause before a retry.
        backoff_max: Duration = "500ms", in "1ms"..="60s";
        /// Quantile of a node's latency after which a read is also asked of another replica.
        hedge_quantile: f64 = 0.95, in 0.5..=1.0;
        /// Failed calls in a row after which a node is left alone for a while.
        breaker_failures: usize = 5, in 1..=1000;
        /// How long it is left alone.
        breaker_open: Duration = "1s", in "10ms"..="60s";
    }
}

choice! {
    /// How log lines look.
    pub enum LogFormat {
        /// For people.
        Human = "human",
        /// One JSON object per line.
        Json = "json",
    }
}

section! {
    /// Traces and logs.
    pub struct TelemetryConfig = "telemetry" {
        /// OTLP collector over gRPC, such as http://127.0.0.1:4317. Empty: no traces are sent.
        otlp_endpoint: String = "", in ..;
        /// Share of requests that are traced.
        sample_ratio: f64 = 1.0, in 0.0..=1.0;
        /// Spans that wait to be sent; when full, new ones are dropped and counted.
        span_queue: usize = 8192, in 64..=1_000_000;
        /// Time for one batch of spans to be sent.
        export_timeout: Duration = "3s", in "100ms"..="60s";
        /// What is logged, in the syntax of tracing's EnvFilter: info, or info,covey_node=debug.
        log: String = "info", in ..;
        /// How log lines look.
        log_format: LogFormat = "human", in ..;
        /// Requests slower than this are logged.
        slow_request: Duration = "500ms", in "1ms"..="60s";
        /// How often a process logs its statistics.
        stats_interval: Option<Duration> = "5s", in "1s"..="1h";
    }
}
