//! Compiles the protocol without an outside compiler, and keeps its descriptors for gRPC reflection.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 6] = [
    "envoy/service/discovery/v3/discovery.proto",
    "outrigger/intent/v1/intent.proto",
    "outrigger/registry/v1/registry.proto",
    "outrigger/rollout/v1/rollout.proto",
    "outrigger/snapshot/v1/snapshot.proto",
    "outrigger/snapshot/v1/snapshots.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = protox::compile(FILES, ["proto"])?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_transport(false)
        // They hold secrets; see `proto`.
        .skip_debug([
            ".outrigger.snapshot.v1.Keyring.Key",
            ".outrigger.intent.v1.PlanRequest",
            ".outrigger.intent.v1.PublishRequest",
            ".outrigger.rollout.v1.StartRequest",
        ])
        .include_file("packages.rs")
        .compile_fds(descriptors)?;
    Ok(())
}
