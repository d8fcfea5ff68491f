//! Compiles the C++ shim against the headers of the faiss that faiss-sys built or was pointed to.

use std::path::Path;

fn main() {
    let root = std::env::var("DEP_FAISS_C_ROOT").expect("faiss-sys names its install prefix as `root`");
    println!("cargo:rerun-if-changed=src/faiss/shim.cpp");
    println!("cargo:rerun-if-env-changed=DEP_FAISS_C_ROOT");
    // The AVX2 flags come from CXXFLAGS_<target> in .cargo/config.toml, the same that faiss itself is compiled with.
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag("-fopenmp")
        .opt_level(2)
        .include(Path::new(&root).join("include"))
        .file("src/faiss/shim.cpp")
        .compile("covey_faiss_shim");
}
