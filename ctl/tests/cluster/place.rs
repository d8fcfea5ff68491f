//! Directories, ports and configurations of test clusters.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The directory of this run. Nobody drops a static, so a shell that waits for the end of this process removes it;
/// with `COVEY_KEEP_TEST_DIR` in the environment it stays.
fn root() -> &'static Path {
    static ROOT: OnceLock<(PathBuf, Option<Child>)> = OnceLock::new();
    let (dir, _janitor) = ROOT.get_or_init(|| {
        let dir = tempfile::Builder::new().prefix("covey-cluster-").tempdir();
        let dir = dir.expect("a temporary directory can be made").keep();
        let janitor = std::env::var_os("COVEY_KEEP_TEST_DIR").is_none().then(|| {
            Command::new("sh")
                .args(["-c", "trap '' INT TERM; read -r _; sleep 1; rm -rf -- \"$0\""])
                .arg(&dir)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("sh runs")
        });
        (dir, janitor)
    });
    dir
}

/// A new directory of this run.
pub(crate) fn directory(name: &str) -> PathBuf {
    let dir = root().join(name);
    fs::create_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

/// `N` free ports of 127.0.0.1. They lie below those that the kernel gives to outgoing connections: one of these could
/// otherwise take the port of a process that is down for a moment.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = std::process::id() as u16 % 400 * 50;
    std::array::from_fn(|_| {
        let mut candidates = (0..20_000).map(|_| 11_000 + (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000);
        let free = candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        free.expect("a port is free")
    })
}

/// What a test chooses of a configuration; the rest is the same for all.
pub(crate) struct Settings<'a> {
    pub(crate) name: &'a str,
    pub(crate) shards: u16,
    pub(crate) replication: usize,
    pub(crate) nodes: &'a [u16],
    /// HTTP and gRPC.
    pub(crate) coordinator: [u16; 2],
    /// Further lines, sections included.
    pub(crate) more: &'a str,
}

/// Times are long: the machine may be busy with other things, and no test is about how fast it is.
const PATIENT: &str = "\n[retention]\nwindow = \"off\"\n
[feed]\nmax_post_age = \"off\"\nhydrate_timeout = \"8s\"\nverdict_timeout = \"8s\"
[feed.in_network]\ntimeout = \"8s\"
[feed.out_of_network]\ntimeout = \"8s\"
[feed.popular]\ntimeout = \"8s\"
[feed.new]\ntimeout = \"8s\"\n[feed.active]\ntimeout = \"8s\"\n[feed.similar_to_recent]\ntimeout = \"8s\"
[rpc]\nretry_budget_ratio = 1.0\n";

/// Text of a cluster.toml whose data lies below `dir`.
pub(crate) fn config(dir: &Path, settings: &Settings<'_>) -> String {
    let Settings {
        name,
        shards,
        replication,
        nodes,
        coordinator: [http, grpc],
        more,
    } = settings;
    let mut text = format!(
        "[cluster]\nname = {name:?}\nshards = {shards}\nreplication = {replication}\ninsecure_loopback = true\n\
         data_dir = {:?}\n",
        dir.join("data").display().to_string()
    );
    for (id, port) in (1..).zip(nodes.iter()) {
        text.push_str(&format!(
            "\n[[node]]\nid = {id}\nlisten = \"127.0.0.1:{port}\"\nzone = \"z{id}\"\n"
        ));
    }
    text.push_str(&format!(
        "\n[coordinator]\nhttp_listen = \"127.0.0.1:{http}\"\ngrpc_listen = \"127.0.0.1:{grpc}\"\n\
         request_deadline = \"20s\"\n"
    ));
    text + PATIENT + more
}

/// Writes `text` as a cluster.toml and returns its path.
pub(crate) fn write_config(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("cluster.toml");
    fs::write(&path, text).expect("a configuration can be written");
    path
}

/// What is in a directory, in the order of names.
pub(crate) fn children(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("it is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths
}
