//! The demo's processes: started with their logs in files, watched, and stopped without exception.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// Time for a process to end by itself after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Of a log, in an error.
const LOG_TAIL: u64 = 2_000;

/// One started process.
struct Process {
    name: String,
    log: PathBuf,
    child: Child,
    /// Its end was reported.
    mourned: bool,
}

/// All of them, in the order in which they were started. Dropping kills what still runs.
pub(super) struct Processes {
    list: Vec<Process>,
    /// Begun by an earlier start.
    logs: BTreeSet<PathBuf>,
    /// Kills the children when this process dies, however it dies; `None` where util-linux is missing.
    leash: Option<&'static str>,
}

impl Processes {
    pub(super) async fn new() -> Processes {
        let probe = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "true"])
            .stderr(Stdio::null())
            .status()
            .await;
        Processes {
            list: Vec::new(),
            logs: BTreeSet::new(),
            leash: probe.is_ok_and(|status| status.success()).then_some("setpriv"),
        }
    }

    /// Starts `program` with its output in `log`, which begins anew with the first start. Called from the main thread only: the leash is tied to the thread.
    pub(super) fn start(&mut self, name: &str, program: &Path, args: &[String], log: &Path) -> Result<()> {
        // Lives of one run follow each other: what the ones before said is wanted when something went wrong.
        let again = !self.logs.insert(log.to_owned());
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true).append(again).truncate(!again);
        let file = options
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = match self.leash {
            Some(leash) => {
                let mut command = Command::new(leash);
                command.args(["--pdeathsig", "TERM", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(args)
            // Our pools own the threads; BLAS and OpenMP must not add their own.
            .envs([("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")])
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("cannot share a log file")?)
            .stderr(file)
            // Ctrl-C in the terminal is for the demo, which stops them in order.
            .process_group(0)
            .kill_on_drop(true);
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        self.list.push(Process {
            name: name.to_owned(),
            log: log.to_owned(),
            child,
            mourned: false,
        });
        Ok(())
    }

    /// An error, with the end of its log, if any has ended.
    pub(super) fn all_alive(&mut self) -> Result<()> {
        match self.newly_dead()? {
            Some(obituary) => Err(anyhow!(
                "{obituary}\nIf what an earlier demo left is at fault, begin anew with --fresh"
            )),
            None => Ok(()),
        }
    }

    /// Tells of one that has ended since the last look, once.
    pub(super) fn newly_dead(&mut self) -> Result<Option<String>> {
        for process in &mut self.list {
            if process.mourned {
                continue;
            }
            if let Some(status) = process.child.try_wait().context("cannot look after a process")? {
                process.mourned = true;
                return Ok(Some(obituary(process, status)));
            }
        }
        Ok(None)
    }

    /// Name and process id of each.
    pub(super) fn roll(&self) -> Vec<(String, u32)> {
        let id = |process: &Process| Some((process.name.clone(), process.child.id()?));
        self.list.iter().filter_map(id).collect()
    }

    /// The coordinators first, as they depend on the nodes, in whatever order they were started; all have ended when this returns.
    pub(super) async fn stop(&mut self) {
        let all = std::mem::take(&mut self.list).into_iter();
        let (nodes, coordinators): (Vec<Process>, _) = all.partition(|process| process.name.starts_with("node"));
        for alike in [coordinators, nodes] {
            // They do not depend on each other: they get ready to stop at the same time.
            alike.iter().for_each(|process| terminate(&process.child));
            for process in alike {
                process.stop().await;
            }
        }
    }

    /// Kills the one of this name, if there is one: it cannot write what it holds.
    pub(super) async fn kill_one(&mut self, name: &str) {
        if let Some(at) = self.list.iter().position(|process| process.name == name) {
            let mut process = self.list.remove(at);
            if let Err(error) = process.child.kill().await {
                eprintln!("{name} cannot be killed: {error}");
            }
        }
    }

    /// Sends a signal to the one of this name.
    pub(super) fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let process = self.list.iter().find(|process| process.name == name);
        let pid = process.and_then(|process| Pid::from_raw(process.child.id()? as i32));
        let pid = pid.with_context(|| format!("{name} does not run"))?;
        kill_process(pid, signal).with_context(|| format!("cannot send a signal to {name}"))
    }

    /// Stops the one of this name, if there is one.
    pub(super) async fn stop_one(&mut self, name: &str) {
        if let Some(at) = self.list.iter().position(|process| process.name == name) {
            self.list.remove(at).stop().await;
        }
    }
}

impl Process {
    /// SIGTERM, and SIGKILL if that is not enough. How it ended, if that could be seen.
    async fn stop(mut self) -> Option<ExitStatus> {
        terminate(&self.child);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            eprintln!("{} did not stop in {} s: killed", self.name, GRACE.as_secs());
            if let Err(error) = self.child.kill().await {
                eprintln!("{} cannot be killed: {error}", self.name);
            }
        }
        self.child.try_wait().ok().flatten()
    }
}

fn terminate(child: &Child) {
    let Some(pid) = child.id().and_then(|id| Pid::from_raw(id as i32)) else {
        return;
    };
    // One that stands still hears SIGTERM only when it goes on. It may have ended this moment; the wait that follows sees that.
    for signal in [Signal::TERM, Signal::CONT] {
        let _ = kill_process(pid, signal);
    }
}

fn obituary(process: &Process, status: ExitStatus) -> String {
    let tail = log_tail(&process.log).unwrap_or_default();
    let end = match tail.trim() {
        "" => "it logged nothing".to_owned(),
        tail => format!("the end of {}:\n{tail}", process.log.display()),
    };
    format!("{} ended ({status}); {end}", process.name)
}

fn log_tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line is probably cut.
    Ok(match text.split_once('\n') {
        Some((_, rest)) if length > LOG_TAIL => rest.to_owned(),
        _ => text,
    })
}

/// A binary that was built together with this one.
pub(super) fn sibling(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe().context("cannot find the directory of this program")?;
    let path = me.with_file_name(name);
    if !path.is_file() {
        bail!(
            "{} is not there; build it with `./dev build` or `cargo build --workspace --bins`",
            path.display()
        );
    }
    Ok(path)
}

#[cfg(test)]
#[path = "processes_test.rs"]
mod tests;
