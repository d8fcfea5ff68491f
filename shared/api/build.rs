//! Generates messages, gRPC service, JSON codec and descriptors from the protobuf file.
#![allow(clippy::disallowed_methods, reason = "a build script writes its output to files")]

use std::error::Error;
use std::path::PathBuf;

use protox::prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto/covey.proto");
    let descriptors = protox::compile(["covey.proto"], ["proto"])?;
    let encoded = descriptors.encode_to_vec();
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), &encoded)?;
    // Ordered maps: the same reply is the same bytes.
    tonic_prost_build::configure()
        .btree_map(".")
        .codec_path("crate::codec::Codec")
        .compile_fds(descriptors)?;
    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .btree_map(["."])
        .preserve_proto_field_names()
        .build(&[".covey.v1"])?;
    Ok(())
}
