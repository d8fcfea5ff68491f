//! Calls that would break the simulator, a bound, or memory safety; and where they are allowed, with the reason.

use crate::scan::{Source, find_word, line_of};
use crate::shape::used_paths;
use crate::workspace::{Finding, Workspace, finding};

/// Path prefix that may use banned calls, the group of calls (`*` for all), and why.
type Exception = (&'static str, &'static str, &'static str);

/// Group, what is banned, what to do instead.
type Ban = (&'static str, &'static str, &'static str);

const SEAMS: [Ban; 18] = [
    ("fs", "std::fs", "use the disk of Env"),
    ("fs", "tokio::fs", "use the disk of Env"),
    ("fs", "std::os::unix::fs", "use the disk of Env"),
    ("net", "tokio::net", "use the network of Env"),
    ("net", "std::net::TcpListener", "use the network of Env"),
    ("net", "std::net::TcpStream", "use the network of Env"),
    ("net", "std::net::UdpSocket", "use the network of Env"),
    ("time", "Instant::now", "use the clock of Env"),
    ("time", "SystemTime::now", "use the clock of Env"),
    ("thread", "thread::spawn", "use the spawner of Env"),
    ("thread", "thread::Builder", "use the spawner of Env"),
    ("thread", "thread::sleep", "sleep on the clock of Env"),
    ("thread", "spawn_blocking", "use the spawner of Env"),
    ("chance", "rand::rng", "use the randomness of Env: a seed repeats a run"),
    (
        "chance",
        "rand::random",
        "use the randomness of Env: a seed repeats a run",
    ),
    ("chance", "OsRng", "use the randomness of Env: a seed repeats a run"),
    (
        "chance",
        "from_os_rng",
        "use the randomness of Env: a seed repeats a run",
    ),
    ("env", "env::set_var", "pass the value: not safe with threads"),
];

const SEAM_EXCEPTIONS: [Exception; 8] = [
    ("shared/env/src/production/", "*", "the production form of Env"),
    ("sim/", "*", "the simulated form of Env, and a tool"),
    ("ctl/", "*", "a tool for people: it never runs in the simulator"),
    ("shared/tidy/src/", "*", "reads the repository"),
    ("shared/api/build.rs", "fs", "a build script writes its output to files"),
    (
        "shared/config/src/load.rs",
        "fs",
        "the configuration is read once, before there is an Env",
    ),
    (
        "shared/telemetry/src/process.rs",
        "fs",
        "reads /proc/self, which no simulator has",
    ),
    (
        "shared/telemetry/src/panic_test.rs",
        "thread",
        "the panic hook is shown on a named thread",
    ),
];

const UNBOUNDED: [Ban; 7] = [
    ("queue", "unbounded_channel", "use channel(capacity)"),
    ("queue", "UnboundedSender", "use channel(capacity)"),
    ("queue", "mpsc::unbounded", "use channel(capacity)"),
    ("queue", "std::sync::mpsc::channel", "use sync_channel(capacity)"),
    ("queue", "std::sync::mpsc::Sender", "use SyncSender"),
    ("queue", "mpsc::channel()", "use sync_channel(capacity)"),
    (
        "queue",
        ".do_send(",
        "use try_send or send: do_send ignores the mailbox's limit",
    ),
];

const UNSAFE_HOMES: [&str; 2] = ["node/store/src/rows/mmap", "node/ann/src/faiss/"];

const UNFINISHED: [Ban; 8] = [
    ("", "todo!", "do it, or leave it out"),
    ("", "unimplemented!", "do it, or leave it out"),
    ("", "dbg!", "use tracing"),
    (
        "",
        "#[ignore",
        "a test that does not run proves nothing: make it fast or remove it",
    ),
    ("", "static mut", "pass the state"),
    ("", "lazy_static!", "pass the state"),
    ("", "allow(dead_code", "remove the dead code"),
    ("", "allow(clippy::too_many", "split it: the limit is the rule"),
];

/// Time, chance, files, network and threads come from Env, so that the simulator runs the production code.
pub fn seams(workspace: &Workspace) -> Vec<Finding> {
    let excepted = |path: &str, group: &str| {
        SEAM_EXCEPTIONS
            .iter()
            .any(|(prefix, allowed, _)| path.starts_with(prefix) && (*allowed == "*" || *allowed == group))
    };
    hits(workspace, &SEAMS, excepted)
}

/// Every queue and mailbox has a bound.
pub fn unbounded(workspace: &Workspace) -> Vec<Finding> {
    hits(workspace, &UNBOUNDED, |_, _| false)
}

/// `unsafe` lives in the memory map and in the faiss module, each block with a SAFETY note.
pub fn unsafe_code(workspace: &Workspace) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, source) in &workspace.rust {
        for at in find_word(&source.code, "unsafe") {
            let line = line_of(&source.code, at);
            if !UNSAFE_HOMES.iter().any(|home| path.starts_with(home)) {
                let message = format!(
                    "unsafe code outside {}: move it there or do without",
                    UNSAFE_HOMES.join(" and ")
                );
                out.push(finding(path, line, message));
            } else if source.code[at..]
                .trim_start_matches("unsafe")
                .trim_start()
                .starts_with('{')
                && !has_note(source, line)
            {
                out.push(finding(
                    path,
                    line,
                    "an unsafe block without a `// SAFETY:` note: say why it is sound",
                ));
            }
        }
    }
    out
}

/// The comment may stand on the lines above the statement that holds the block.
fn has_note(source: &Source, line: usize) -> bool {
    let above = line.saturating_sub(12);
    source
        .comments
        .lines()
        .skip(above)
        .take(line - above)
        .any(|text| text.contains("SAFETY:"))
}

/// Nothing is left half done, hidden or switched off.
pub fn unfinished(workspace: &Workspace) -> Vec<Finding> {
    hits(workspace, &UNFINISHED, |_, _| false)
}

fn hits(workspace: &Workspace, bans: &[Ban], excepted: impl Fn(&str, &str) -> bool) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, source) in &workspace.rust {
        let used = used_paths(source);
        for (_, banned, instead) in bans.iter().filter(|(group, ..)| !excepted(path, group)) {
            let mut lines: Vec<_> = find_word(&source.code, banned)
                .map(|at| line_of(&source.code, at))
                .collect();
            lines.extend(
                used.iter()
                    .filter(|(used, _)| is_inside(used, banned))
                    .map(|(_, line)| *line),
            );
            lines.sort_unstable();
            lines.dedup();
            out.extend(
                lines
                    .into_iter()
                    .map(|line| finding(path, line, format!("`{banned}` is banned: {instead}"))),
            );
        }
    }
    out
}

/// `std::fs::File` is inside `std::fs`; `std::fs_extra` is not.
fn is_inside(path: &str, banned: &str) -> bool {
    path.strip_prefix(banned)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[cfg(test)]
#[path = "banned_test.rs"]
mod tests;
