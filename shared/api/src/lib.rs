//! The public API: protobuf messages, gRPC service and canonical JSON.
