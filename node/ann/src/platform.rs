//! What the process must find before it may use faiss: the CPU, and one thread per search.

use crate::error::AnnError;
use crate::faiss;

/// Set to 1 to see the error of a CPU without AVX2.
pub const SIMULATE_NO_AVX2: &str = "COVEY_SIMULATE_NO_AVX2";

/// Read by OpenMP and OpenBLAS when they are loaded, before `main`: setting them later has no effect.
const THREAD_VARIABLES: [&str; 2] = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"];
/// Marks a process that restarted itself, so that it does so only once.
const RESTARTED: &str = "COVEY_RESTARTED_FOR_THREADS";

/// Refuses a CPU without AVX2, FMA, F16C or POPCNT, and a faiss that was compiled without AVX2 (5 to 13 times slower).
/// Call it first in `main`: without it the process would die of an illegal instruction at its first search.
///
/// # Errors
/// [`AnnError::CpuUnsupported`] or [`AnnError::SlowFaiss`].
pub fn check_cpu() -> Result<(), AnnError> {
    let simulated = std::env::var_os(SIMULATE_NO_AVX2).is_some_and(|value| value == "1");
    let missing = missing_instructions(simulated);
    if !missing.is_empty() {
        return Err(AnnError::CpuUnsupported {
            missing: missing.join(", "),
        });
    }
    let options = faiss::compile_options()?;
    if options.contains("AVX2") || options.contains("AVX512") {
        Ok(())
    } else {
        Err(AnnError::SlowFaiss { options })
    }
}

#[cfg(target_arch = "x86_64")]
fn missing_instructions(simulated: bool) -> Vec<&'static str> {
    let found = [
        ("AVX2", is_x86_feature_detected!("avx2") && !simulated),
        ("FMA", is_x86_feature_detected!("fma")),
        ("F16C", is_x86_feature_detected!("f16c")),
        ("POPCNT", is_x86_feature_detected!("popcnt")),
    ];
    found
        .iter()
        .filter(|(_, found)| !found)
        .map(|(name, _)| *name)
        .collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn missing_instructions(_simulated: bool) -> Vec<&'static str> {
    vec!["x86-64"]
}

/// Makes sure that faiss and BLAS start no thread teams: a search belongs to the thread of its pool. If the environment
/// does not say so, the process replaces itself, once, by the same program with the two variables set.
/// Call it before anything is opened.
///
/// # Errors
/// The restart failed, or did not help.
pub fn ensure_single_threaded_env() -> Result<(), AnnError> {
    let Some(variable) = THREAD_VARIABLES
        .into_iter()
        .find(|name| std::env::var_os(name).is_none_or(|v| v != "1"))
    else {
        return Ok(());
    };
    if std::env::var_os(RESTARTED).is_some() {
        return Err(AnnError::ThreadEnvironment { variable });
    }
    Err(AnnError::Restart(restart()))
}

/// Returns only if it failed.
#[cfg(unix)]
fn restart() -> std::io::Error {
    use std::os::unix::process::CommandExt;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command
        .args(arguments)
        .env(RESTARTED, "1")
        .envs(THREAD_VARIABLES.map(|name| (name, "1")))
        .exec()
}

#[cfg(not(unix))]
fn restart() -> std::io::Error {
    std::io::Error::from(std::io::ErrorKind::Unsupported)
}

#[cfg(test)]
#[path = "platform_test.rs"]
mod tests;
