//! `covey world`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::{Outcome, now_ms};
use crate::args::{WorldArgs, WorldSize};
use crate::load::world_records;
use crate::render::text::count;
use crate::world::{SpecError, World, WorldSpec};

/// The world of these arguments.
pub(crate) fn build(size: &WorldSize) -> Result<Arc<World>, SpecError> {
    let spec = WorldSpec {
        users: size.users,
        posts: size.posts,
        sessions: size.sessions.unwrap_or(size.users * 2 / 5),
        seed: size.seed,
        hours: size.hours,
        now_ms: size.until.unwrap_or_else(now_ms),
    };
    World::new(spec).map(Arc::new)
}

pub(super) fn run(args: &WorldArgs) -> Result<Outcome> {
    let world = build(&args.size)?;
    let spec = world.spec().clone();
    let started = Instant::now();
    let written = if args.out == Path::new("-") {
        write(world, BufWriter::new(io::stdout().lock()))
    } else {
        let file = File::create(&args.out).with_context(|| format!("cannot write {}", args.out.display()))?;
        write(world, BufWriter::new(file))
    };
    match written {
        Ok(lines) => {
            let took = started.elapsed().as_secs_f64();
            eprintln!(
                "{} lines in {took:.1} s: {} users, {} posts, seed {}, until {}",
                count(lines),
                count(spec.users),
                count(spec.posts),
                spec.seed,
                spec.now_ms
            );
            Ok(Outcome::Done)
        }
        // Somebody like `head` has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Done),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", args.out.display())),
    }
}

fn write(world: Arc<World>, mut out: impl Write) -> io::Result<u64> {
    let mut lines = 0;
    for record in world_records(world) {
        writeln!(out, "{}", record.to_json())?;
        lines += 1;
    }
    out.flush()?;
    Ok(lines)
}
