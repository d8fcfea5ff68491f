//! The binary `covey`.

fn main() {}
