//! Child processes that end with the test process, whatever happens to it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Deadline of everything that should take little time: generous, as other work may keep the machine busy.
pub(crate) const SOON: Duration = Duration::from_secs(240);

type Job = Box<dyn FnOnce() + Send>;

/// A binary that was built beside this test.
pub(crate) fn binary(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("a running program knows its file");
    let target = me
        .parent()
        .and_then(Path::parent)
        .expect("tests lie in target/debug/deps");
    let path = target.join(name);
    assert!(
        path.is_file(),
        "{} is not there. These tests start real processes: run them by `./dev test`, which builds the binaries first, \
         or run `cargo build --workspace --bins` before",
        path.display()
    );
    path
}

/// Starts a program under a leash: the kernel kills it when the thread that started it ends. Tests have threads that end
/// early, so one thread, which lives as long as the process, starts all.
fn spawn(mut command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<SyncSender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, inbox) = sync_channel::<Job>(16);
        thread::spawn(move || inbox.into_iter().for_each(|job| job()));
        jobs
    });
    let (reply, child) = sync_channel(1);
    let job = Box::new(move || _ = reply.send(command.spawn()));
    starter.send(job).expect("the starter never ends");
    child.recv().expect("the starter answers")
}

/// The command behind a leash.
fn leashed(program: &Path, args: &[String]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(args);
    command
        .envs([("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")])
        // Tests run on full disks too.
        .env("COVEY__STORAGE__MIN_FREE_DISK_RATIO", "0.0")
        .stdin(Stdio::null());
    command
}

fn started(command: Command) -> Child {
    spawn(command).unwrap_or_else(|error| panic!("setpriv (of util-linux) does not start: {error}"))
}

/// Runs a program that should end by itself; its status, and all that it said.
pub(crate) fn run_to_end(program: &Path, args: &[String], env: &[(&str, &str)]) -> (ExitStatus, String) {
    let mut command = leashed(program, args);
    command
        .envs(env.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = started(command);
    let mut pipe = child.stderr.take().expect("stderr is piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
    let status = wait(&mut child);
    if status.is_none() {
        _ = child.kill();
    }
    let text = reader
        .join()
        .expect("the reader does not panic")
        .expect("stderr is text");
    let status = status.unwrap_or_else(|| panic!("{} {args:?} did not end; it said:\n{text}", program.display()));
    (status, text)
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let since = Instant::now();
    while since.elapsed() < SOON {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Looks until `done` says so; panics with `what`, and what `state` shows, after a long time.
pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Result<T, String>) -> T {
    let since = Instant::now();
    loop {
        match done() {
            Ok(value) => return value,
            Err(state) if since.elapsed() > SOON => panic!("{what} did not happen in {SOON:?}: {state}"),
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The same for what is asked by calls.
pub(crate) async fn eventually<T>(what: &str, mut done: impl AsyncFnMut() -> Result<T, String>) -> T {
    let since = Instant::now();
    loop {
        match done().await {
            Ok(value) => return value,
            Err(state) if since.elapsed() > SOON => panic!("{what} did not happen in {SOON:?}: {state}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// A program that can be killed and started again. Its log lines go to one file.
pub(crate) struct Process {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    pub(crate) fn new(name: &str, program: &str, args: Vec<String>, log: PathBuf) -> Process {
        Process {
            name: name.to_owned(),
            program: binary(program),
            args,
            log,
            child: None,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn start(&mut self) {
        let log: File = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("a log can be written");
        let mut command = leashed(&self.program, &self.args);
        command
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log);
        self.child = Some(started(command));
    }

    /// What `systemctl stop` does, and waits for the end.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a child has a pid");
        kill_process(pid, Signal::TERM).expect("a child can be stopped");
        let ended = until("the end of a stopped process", || {
            let ended = child.try_wait().expect("a child can be waited for");
            ended.ok_or_else(|| format!("{} still runs", self.name))
        });
        assert!(
            ended.success(),
            "{} ended ({ended}) when it was stopped; its log ends with:\n{}",
            self.name,
            self.log_tail()
        );
    }

    /// Until it has ended by itself, and well.
    pub(crate) fn wait_for_end(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let status = wait(&mut child);
        let ended = status.is_some_and(|status| status.success());
        assert!(
            ended,
            "{} ({status:?}); its log ends with:\n{}",
            self.name,
            self.log_tail()
        );
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            _ = child.wait();
        }
    }

    /// Panics with the end of its log if the process has ended by itself.
    pub(crate) fn assert_alive(&mut self) {
        let ended = self
            .child
            .as_mut()
            .map(|child| child.try_wait().expect("a child can be waited for"));
        if let Some(Some(status)) = ended {
            panic!(
                "{} ended ({status}); its log ends with:\n{}",
                self.name,
                self.log_tail()
            );
        }
    }

    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(&self.log).expect("a log can be read");
        String::from_utf8_lossy(&log).into_owned()
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
