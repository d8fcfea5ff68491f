//! A node of the cluster: shard replicas, their log, stores and searches.
