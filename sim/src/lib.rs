//! The cluster in a deterministic simulator: faults, invariants, seeds.
