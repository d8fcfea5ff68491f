//! Where a demo lives: its directory, its ports, the cluster.toml made for it, and what is already loaded.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// Nodes of the demo.
pub(super) const NODES: usize = 3;

/// Shards of the demo.
pub(super) const SHARDS: u64 = 8;

/// Ports tried first: the defaults, so that other commands find the demo without --server.
const USUAL: Ports = Ports {
    nodes: [7101, 7102, 7103],
    http: 7180,
    grpc: 7181,
};

/// Loopback ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) nodes: [u16; NODES],
    pub(super) http: u16,
    pub(super) grpc: u16,
}

impl Ports {
    /// The usual ones if all are free, else five that the system chooses.
    pub(super) fn free() -> Result<Ports> {
        let all = |ports: &Ports| {
            ports
                .nodes
                .into_iter()
                .chain([ports.http, ports.grpc])
                .collect::<Vec<u16>>()
        };
        let bind = |port: u16| TcpListener::bind(("127.0.0.1", port));
        // Held until all are known, so that no port is given twice.
        let usual: io::Result<Vec<TcpListener>> = all(&USUAL).into_iter().map(bind).collect();
        if usual.is_ok() {
            return Ok(USUAL);
        }
        let chosen: io::Result<Vec<TcpListener>> = (0..NODES + 2).map(|_| bind(0)).collect();
        let chosen = chosen.context("cannot listen on a port of 127.0.0.1")?;
        let ports: io::Result<Vec<u16>> = chosen.iter().map(|l| Ok(l.local_addr()?.port())).collect();
        let [a, b, c, http, grpc] = ports?[..] else {
            unreachable!("five ports were asked for")
        };
        Ok(Ports {
            nodes: [a, b, c],
            http,
            grpc,
        })
    }
}

/// What the data directory holds, and how it got there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Holding {
    /// What was asked for; another wish needs another directory.
    pub(super) wish: String,
    /// The present of the loaded data, in milliseconds since the Unix epoch.
    pub(super) until_ms: u64,
    /// The load came to its end.
    pub(super) complete: bool,
    /// Posts per second while it was loaded.
    pub(super) ingest_per_s: f64,
}

impl Holding {
    /// Nothing of `wish` yet.
    pub(super) fn wished(wish: String, until_ms: u64) -> Holding {
        Holding {
            wish,
            until_ms,
            ..Holding::default()
        }
    }
}

/// The directory of a demo.
#[derive(Clone, Debug)]
pub(super) struct Place {
    dir: PathBuf,
}

impl Place {
    /// Makes the directory. With `fresh`, what an earlier demo left in it goes first.
    pub(super) fn open(dir: &Path, fresh: bool) -> Result<Place> {
        let make = |dir: &Path| {
            fs::create_dir_all(dir)
                .with_context(|| format!("cannot create {}; name another place with --dir", dir.display()))
        };
        make(dir)?;
        let dir = dir
            .canonicalize()
            .with_context(|| format!("cannot use {}", dir.display()))?;
        let place = Place { dir };
        if fresh {
            place.clear()?;
        }
        make(&place.data())?;
        make(&place.logs())?;
        Ok(place)
    }

    /// As [`Place::open`], for a run that begins with nothing.
    pub(super) fn open_new(dir: &Path, fresh: bool) -> Result<Place> {
        let place = Place::open(dir, fresh)?;
        if place.config().exists() {
            bail!(
                "{} holds an earlier run; begin anew with --fresh, or name another place with --dir",
                dir.display()
            );
        }
        Ok(place)
    }

    /// Removes only what a demo makes: the directory may be somebody's home.
    fn clear(&self) -> Result<()> {
        let gone = |result: io::Result<()>| match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        for dir in [self.data(), self.logs()] {
            gone(fs::remove_dir_all(&dir)).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
        for file in [self.config(), self.holding_file(), self.load_state()] {
            gone(fs::remove_file(&file)).with_context(|| format!("cannot remove {}", file.display()))?;
        }
        Ok(())
    }

    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("cluster.toml")
    }

    fn holding_file(&self) -> PathBuf {
        self.dir.join("demo.json")
    }

    /// Checkpoint of a load that was interrupted.
    pub(super) fn load_state(&self) -> PathBuf {
        self.dir.join("load.covey-state")
    }

    /// What lies here, if it is what is wished; an error if it is something else.
    pub(super) fn holding(&self, wish: &str) -> Result<Option<Holding>> {
        let path = self.holding_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let found: Holding = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; start over with --fresh", path.display()))?;
        if found.wish != wish {
            bail!(
                "{} holds {}, not {wish}; start over with --fresh, or name another place with --dir",
                self.dir.display(),
                found.wish
            );
        }
        Ok(Some(found))
    }

    pub(super) fn remember(&self, holding: &Holding) -> Result<()> {
        let path = self.holding_file();
        let text = serde_json::to_string(holding)? + "\n";
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes the cluster.toml of this start.
    pub(super) fn write_config(&self, ports: &Ports, choice: &Choice) -> Result<()> {
        let path = self.config();
        fs::write(&path, config_text(&self.data(), ports, choice))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// What the demo's cluster.toml depends on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// Where spans go.
    pub(super) otlp: String,
    /// Posts expected: decides when a segment is sealed.
    pub(super) posts: u64,
    /// Keep and show posts of any age: real files are old, even moved in time.
    pub(super) any_age: bool,
    /// Show what was served a moment ago again: feeds are compared, and not read.
    pub(super) again: bool,
}

/// Rows of a sealed segment: about a sixth of a shard, so that at most that much is scanned without an index; not fewer
/// than faiss trains on.
fn seal_rows(posts: u64) -> u64 {
    let sixth = posts / SHARDS / 6;
    (sixth / 2 + 1).next_power_of_two().clamp(1024, 8192)
}

fn config_text(data: &Path, ports: &Ports, choice: &Choice) -> String {
    let seal = seal_rows(choice.posts);
    let mut text = format!(
        "# Written by `covey demo` at each start. `cluster.toml` at the root of the project has every key.\n\
         [cluster]\nname = \"demo\"\nshards = {SHARDS}\nreplication = {NODES}\ninsecure_loopback = true\ndata_dir = {}\n",
        quoted(&data.display().to_string())
    );
    for (number, port) in ports.nodes.iter().enumerate() {
        let zone = char::from(b'a' + number as u8);
        text.push_str(&format!(
            "\n[[node]]\nid = {}\nlisten = \"127.0.0.1:{port}\"\nzone = \"{zone}\"\n",
            number + 1
        ));
    }
    text.push_str(&format!(
        "\n[coordinator]\nhttp_listen = \"127.0.0.1:{}\"\ngrpc_listen = \"127.0.0.1:{}\"\n",
        ports.http, ports.grpc
    ));
    text.push_str(&format!(
        "\n# Small segments for a small world, so that the indexes have something to do.\n\
         [ann]\nseal_rows = {seal}\nmin_train_rows = {seal}\n"
    ));
    // The world covers the last two days; it should not shrink while one looks at it.
    let window = if choice.any_age { "off" } else { "96h" };
    text.push_str(&format!("\n[retention]\nwindow = \"{window}\"\n\n[feed]\n"));
    if choice.any_age {
        text.push_str("max_post_age = \"off\"\n");
    }
    if choice.again {
        text.push_str("served_suppression = \"0ms\"\n");
    }
    text.push_str(&format!("\n[telemetry]\notlp_endpoint = {}\n", quoted(&choice.otlp)));
    text
}

/// As a TOML string: the escapes of JSON are among those of TOML.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text has a JSON form")
}

#[cfg(test)]
#[path = "place_test.rs"]
mod tests;
