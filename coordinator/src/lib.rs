//! A stateless coordinator: the API, the feed pipeline, fan-out and merge.
