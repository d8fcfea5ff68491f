//! `world`: the generated world, streamed straight into the cluster. Users first, then posts level by level, so that a
//! post is written after what it refers to, then actions.

use std::sync::Arc;

use crate::load::source::{Row, Source, Total};
use crate::record::Record;
use crate::world::{LEVELS, World};

/// All records of a world. Their number is not known beforehand: sessions differ in length; users and posts are counted.
pub(crate) fn open(world: Arc<World>) -> Source {
    let spec = world.spec();
    // A session leaves about 28 actions: good enough for a time left.
    let total = Total::Rows(spec.users + spec.posts + spec.sessions * 28);
    let rows = records(world)
        .zip(1..)
        .map(|(record, number)| Row::record(number, record));
    Source {
        rows: Box::new(rows),
        total,
    }
}

/// The records in the order in which they are written.
pub fn records(world: Arc<World>) -> impl Iterator<Item = Record> + Send {
    let (users, posts) = (world.spec().users, world.spec().posts);
    let (w1, w2) = (Arc::clone(&world), Arc::clone(&world));
    let users = (0..users).map(move |index| Record::User(w1.user(index)));
    let posts = (0..LEVELS).flat_map(move |level| {
        let world = Arc::clone(&w2);
        let chosen = Arc::clone(&w2);
        (0..posts)
            .filter(move |index| chosen.level(*index) == level)
            .map(move |index| Record::Post(world.post(index)))
    });
    users
        .chain(posts)
        .chain(World::sessions(world).flatten().map(Record::Action))
}
