//! What containers take that do not say it themselves.

/// Most entries of a node of the standard library's B-tree; every node but the root has at least [`LEAST`].
const MOST: usize = 11;
const LEAST: usize = 5;

/// Bytes of a `BTreeMap` or `BTreeSet` at most, with `len` entries of `T` (key and value): as if no node was fuller than it
/// must be. For small trees only, which is why the bound is good enough.
pub(crate) const fn tree_bytes<T>(len: usize) -> usize {
    // Parent, length and place in the parent; every node but a leaf has a pointer to each child.
    let leaf = MOST * size_of::<T>() + 16;
    let children = (MOST + 1) * size_of::<usize>();
    len.div_ceil(LEAST) * leaf + len.div_ceil(LEAST * (LEAST + 1)) * children
}
