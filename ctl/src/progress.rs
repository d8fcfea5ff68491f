//! Progress of long steps on stderr: a bar with rate and time left on a terminal, a line every few seconds elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::load::Total;

/// Time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress of a load.
pub(crate) struct Meter {
    bar: ProgressBar,
    terminal: bool,
    length: Option<u64>,
    printed: Instant,
}

impl Meter {
    pub(crate) fn new(total: &Total, noun: &str) -> Meter {
        let terminal = std::io::stderr().is_terminal();
        let (length, shape) = match total {
            Total::Rows(rows) => (Some(*rows), format!("{{pos}}/{{len}} {noun}")),
            Total::Bytes(bytes, _) => (Some(*bytes), "{bytes}/{total_bytes}".to_owned()),
            Total::Unknown => (None, format!("{{pos}} {noun}")),
        };
        let target = if terminal {
            ProgressDrawTarget::stderr_with_hz(8)
        } else {
            ProgressDrawTarget::hidden()
        };
        let template = match length {
            Some(_) => format!("  {{bar:32}} {{percent:>3}} % · {shape} · {{msg}} · {{eta}} left"),
            None => format!("  {{spinner}} {shape} · {{msg}} · {{elapsed}}"),
        };
        let bar = ProgressBar::with_draw_target(length, target);
        bar.set_style(ProgressStyle::with_template(&template).expect("the template is well-formed"));
        Meter {
            bar,
            terminal,
            length,
            printed: Instant::now(),
        }
    }

    /// `position` is in the unit of the total.
    pub(crate) fn at(&mut self, position: u64, posts: u64, elapsed: Duration) {
        let rate = posts as f64 / elapsed.as_secs_f64().max(1e-9);
        let message = format!("{posts} posts, {rate:.0}/s");
        if self.terminal {
            // The number of rows of a world is an estimate.
            self.bar
                .set_position(self.length.map_or(position, |length| position.min(length)));
            self.bar.set_message(message);
        } else if self.printed.elapsed() >= LINE_EVERY {
            self.printed = Instant::now();
            eprintln!(
                "  {}{message}{}",
                percent(position, self.length),
                left(position, self.length, elapsed)
            );
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn percent(position: u64, length: Option<u64>) -> String {
    let share = |length: u64| {
        format!(
            "{:3.0} % · ",
            100.0 * position.min(length) as f64 / length.max(1) as f64
        )
    };
    length.map_or_else(String::new, share)
}

fn left(position: u64, length: Option<u64>, elapsed: Duration) -> String {
    match length {
        Some(length) if position > 0 && position < length => {
            let seconds = elapsed.as_secs_f64() * (length - position) as f64 / position as f64;
            format!(" · {seconds:.0} s left")
        }
        _ => String::new(),
    }
}

/// Lines on a terminal that are redrawn in place, all at once.
pub(crate) struct Live {
    block: ProgressBar,
}

impl Live {
    pub(crate) fn start() -> Live {
        let block = ProgressBar::new_spinner();
        block.set_style(ProgressStyle::with_template("{msg}").expect("the template is well-formed"));
        Live { block }
    }

    /// Shows these lines in place of the last ones.
    pub(crate) fn show(&self, lines: &[String]) {
        self.block.set_message(lines.join("\n"));
    }

    /// Leaves the terminal as it was.
    pub(crate) fn clear(&self) {
        self.block.finish_and_clear();
    }
}

/// A step of unknown length. On a terminal a spinner with the time passed; elsewhere one line at its start.
pub(crate) struct Spinner {
    bar: ProgressBar,
    what: String,
    terminal: bool,
}

impl Spinner {
    pub(crate) fn start(what: &str) -> Spinner {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(
            ProgressStyle::with_template("  {spinner} {msg} · {elapsed}").expect("the template is well-formed"),
        );
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        if !terminal {
            eprintln!("  {what} …");
        }
        Spinner {
            bar,
            what: what.to_owned(),
            terminal,
        }
    }

    /// Says more about where the step is.
    pub(crate) fn note(&self, detail: &str) {
        self.bar.set_message(format!("{}: {detail}", self.what));
    }

    /// The step is over.
    pub(crate) fn done(self, took: Duration) {
        self.bar.finish_and_clear();
        if self.terminal {
            eprintln!("  {} ({:.1} s)", self.what, took.as_secs_f64());
        }
    }
}
