//! Prints the shipped `cluster.toml`: `cargo run -p covey-config --example cluster_toml > cluster.toml`.

fn main() {
    print!("{}", covey_config::Config::default().to_toml());
}
