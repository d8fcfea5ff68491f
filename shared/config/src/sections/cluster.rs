//! The cluster as a whole, and its coordinators.

use std::time::Duration;

use covey_shared::ids::ClusterId;

use crate::section::section;
use crate::units::{Address, ByteSize, Secret};

section! {
    /// The cluster as a whole. Its name, shards and replication are fixed when the first node starts.
    pub struct ClusterConfig = "cluster" {
        /// Name of the cluster; its hash is the cluster id. Peers and data directories of another cluster are refused.
        name: String = "covey", in ..;
        /// Raft groups that the 16384 slots are divided among.
        shards: u32 = 8, in 1..=1024;
        /// Copies of each shard: 1, 3 or 5.
        replication: u32 = 3, in 1..=5;
        /// Plain TCP inside the cluster. Every address must then be a loopback address.
        insecure_loopback: bool = true, in ..;
        /// Where nodes keep their data, each in node-1, node-2, …; relative to the working directory.
        data_dir: String = "data", in ..;
    }
}

impl ClusterConfig {
    /// Identity of the cluster: peers and data directories of another one are refused.
    pub fn id(&self) -> ClusterId {
        ClusterId(xxhash_rust::xxh3::xxh3_64(self.name.as_bytes()))
    }
}

section! {
    /// What the cluster does by itself, and how much of it at once.
    pub struct OperationsConfig = "operations" {
        /// A node that does not answer for so long is given up: its replicas are made anew on others. Off: never.
        max_down: Option<Duration> = "10m", in "5s"..="7d";
        /// Moves of replicas at once, of those that other operations begin; at most one to each node.
        moves: usize = 2, in 1..=64;
        /// Time for one of them; it is taken back then, and begun again.
        move_limit: Duration = "1h", in "10s"..="7d";
    }
}

section! {
    /// Coordinators: they take requests and hold no data. Start any number; their address flags win over these keys.
    pub struct CoordinatorConfig = "coordinator" {
        /// JSON over HTTP.
        http_listen: Address = "127.0.0.1:7180", in ..;
        /// gRPC.
        grpc_listen: Address = "127.0.0.1:7181", in ..;
        /// Feed actors, each on a thread of its own.
        workers: usize = 2, in 1..=256;
        /// Requests in work at once; one more is refused with a retry hint.
        max_in_flight: usize = 256, in 1..=65_536;
        /// Messages that wait in the mailbox of one actor.
        mailbox: usize = 1024, in 16..=65_536;
        /// Time for a request that names no deadline.
        request_deadline: Duration = "2s", in "10ms"..="60s";
        /// Longest time that a request may ask for.
        max_request_deadline: Duration = "30s", in "10ms"..="10m";
        /// Largest body of a request.
        max_body: ByteSize = "8MiB", in "64KiB"..="64MiB";
        /// Items that ingest sends to one shard in one entry.
        ingest_batch: usize = 500, in 1..=1000;
        /// How long ingest waits for more items before it sends a batch.
        ingest_linger: Duration = "2ms", in "0ms"..="1s";
        /// Ranked reserve of a session, for its next page: how long it is kept.
        reserve_ttl: Duration = "180s", in "1s"..="1h";
        /// Sessions whose reserve is kept at once.
        reserve_sessions: usize = 10_000, in 0..=1_000_000;
        /// Signs cursors and session tokens; the same on every coordinator. Better set by COVEY__COORDINATOR__CURSOR_SECRET.
        cursor_secret: Secret = "", in ..;
        /// A file that holds the cursor secret, if that is not set itself. With neither, a key known to everybody is used.
        cursor_secret_file: String = "", in ..;
        /// Time for the requests in work when a process is told to stop.
        shutdown_grace: Duration = "5s", in "0s"..="10m";
    }
}
