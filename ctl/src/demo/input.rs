//! What the demo loads, whom it shows it to, and what it asks about.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use covey_api::v1::PostKey;
use flate2::read::MultiGzDecoder;

use crate::args::WorldSize;
use crate::commands::{build_world, now_ms};
use crate::load::{Content, Format, FvecsOptions, HiggsOptions};
use crate::record::Record;
use crate::world::World;
use crate::world::dice::{Dice, Stream};

/// Dimension of the demo's content space: the default of `embedding.dim`.
pub(super) const DIM: usize = 128;

/// Viewers that the latency is measured with.
const VIEWERS: usize = 1000;

/// Recall queries.
pub(super) const QUERIES: usize = 200;

/// What the demo shows.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// A generated world.
    World(WorldSize),
    /// A file.
    File(PathBuf),
}

impl Wish {
    /// Names what is wished without its present, so that the next demo knows it again.
    pub(super) fn name(&self) -> String {
        match self {
            Wish::World(size) => {
                let WorldSize { users, posts, seed, .. } = size;
                format!("a world of {users} users and {posts} posts, seed {seed}")
            }
            Wish::File(path) => format!("the file {}", path.display()),
        }
    }

    /// Posts to expect, roughly.
    pub(super) fn posts(&self) -> u64 {
        match self {
            Wish::World(size) => size.posts,
            Wish::File(_) => 50_000,
        }
    }

    pub(super) fn any_age(&self) -> bool {
        matches!(self, Wish::File(_))
    }

    /// The input, with `until_ms` as the present of a world.
    pub(super) fn format(&self, until_ms: u64) -> Result<Format> {
        match self {
            Wish::World(size) => {
                let until = Some(size.until.unwrap_or(until_ms));
                Ok(Format::World(build_world(&WorldSize { until, ..size.clone() })?))
            }
            Wish::File(path) => recognised(path),
        }
    }
}

/// The format of a file, by its name or its first line.
fn recognised(path: &Path) -> Result<Format> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let path = path.to_owned();
    if name.contains(".fvecs") {
        let words = path.with_file_name(name.replace(".fvecs", ".words.txt"));
        return Ok(Format::Fvecs {
            options: FvecsOptions {
                words: words.is_file().then_some(words),
                dim: DIM,
                authors: 1_000,
                now_ms: now_ms(),
            },
            path,
        });
    }
    let line = first_line(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if line.starts_with('{') {
        return Ok(Format::Jsonl(path));
    }
    if line.contains("num_points") {
        return Ok(Format::HackerNews {
            path,
            own_history: true,
        });
    }
    if ["RT", "MT", "RE"].iter().any(|kind| line.ends_with(kind)) {
        return Ok(Format::Higgs {
            path,
            options: HiggsOptions { dim: DIM, before: None },
        });
    }
    bail!(
        "{} is none of the formats that the demo knows: jsonl, hackernews, higgs, fvecs; see docs/loaders.md",
        path.display()
    )
}

fn first_line(path: &Path) -> std::io::Result<String> {
    let mut reader = BufReader::new(File::open(path)?);
    let gzipped = reader.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let reader: Box<dyn Read> = if gzipped {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    let mut bytes = Vec::new();
    BufReader::new(reader.take(4096)).read_until(b'\n', &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// Whom to show feeds, and which posts to look for.
#[derive(Clone, Debug, Default)]
pub(super) struct Cast {
    /// The demo's viewer first.
    pub(super) viewers: Vec<u64>,
    /// Posts with a vector, spread over the input.
    pub(super) queries: Vec<PostKey>,
    /// What was loaded, if it was generated.
    pub(super) world: Option<Arc<World>>,
}

/// Reads the input once more and picks.
pub(super) fn cast(format: &Format) -> Result<Cast> {
    let mut sample = Sample::default();
    let mut active: HashMap<u64, u32> = HashMap::new();
    for row in format.open()?.rows {
        let Content::Record(record) = row.content else { continue };
        match *record {
            Record::Post(post) if post.repost_of.is_none() => sample.offer(PostKey {
                author_id: post.author_id,
                post_id: post.post_id,
            }),
            Record::Post(_) => {}
            Record::User(user) if user.edges.len() >= 5 => *active.entry(user.user_id).or_default() += 5,
            Record::User(_) => {}
            // Sessions of a world are long to simulate, and their viewers known without.
            Record::Action(_) if matches!(format, Format::World(_)) => break,
            Record::Action(action) => *active.entry(action.viewer_id).or_default() += 1,
        }
    }
    let viewers = match format {
        Format::World(world) => visitors(world).take(VIEWERS).map(|index| index + 1).collect(),
        _ => busiest(active),
    };
    let viewers = if viewers.is_empty() { vec![1] } else { viewers };
    Ok(Cast {
        viewers,
        queries: sample.kept,
        world: match format {
            Format::World(world) => Some(world.clone()),
            _ => None,
        },
    })
}

/// 0-based indexes of the visitors of a world, the latest first, each once and without bots: they have a history, and it is fresh.
pub(super) fn visitors(world: &World) -> impl Iterator<Item = u64> {
    let mut known = HashSet::new();
    let visits = (0..world.spec().sessions).rev().map(|index| world.visit(index).viewer);
    visits.filter(move |viewer| known.insert(*viewer) && !world.person(*viewer).bot)
}

fn busiest(active: HashMap<u64, u32>) -> Vec<u64> {
    let mut list: Vec<(u64, u32)> = active.into_iter().collect();
    list.sort_by_key(|(viewer, actions)| (std::cmp::Reverse(*actions), *viewer));
    list.into_iter().take(VIEWERS).map(|(viewer, _)| viewer).collect()
}

/// A uniform sample of a stream (reservoir, Vitter 1985), the same each time.
struct Sample {
    kept: Vec<PostKey>,
    offered: u64,
    dice: Dice,
}

impl Default for Sample {
    fn default() -> Sample {
        Sample {
            kept: Vec::new(),
            offered: 0,
            dice: Dice::new(1, Stream::Slate, 0),
        }
    }
}

impl Sample {
    fn offer(&mut self, key: PostKey) {
        self.offered += 1;
        if self.kept.len() < QUERIES {
            self.kept.push(key);
        } else if let Some(place) = self.kept.get_mut(self.dice.below(self.offered) as usize) {
            *place = key;
        }
    }
}

#[cfg(test)]
#[path = "input_test.rs"]
mod tests;
