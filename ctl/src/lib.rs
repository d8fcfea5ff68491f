//! covey, the command line: demo, world, load, search, feed, status.

pub mod world;
