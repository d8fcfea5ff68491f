//! Calls and framed streams between the processes of a cluster.
