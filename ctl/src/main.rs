//! The binary `covey`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use covey_ctl::args::Cli;
use covey_ctl::client::ClientError;
use covey_ctl::commands::{self, Outcome};
use covey_ctl::load::{self, LoadError};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(commands::run(cli));
            // What was interrupted may compute for a while yet; nobody wants it any more.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(outcome) => ExitCode::from(code(outcome)),
        Err(error) => {
            eprintln!("covey: {}", sentence(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

/// The error and what caused it, without saying the same twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// What the help promises.
fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Done => 0,
        Outcome::NotGood => 1,
        Outcome::StillRunning => 3,
        Outcome::Interrupted => 130,
    }
}

/// 2 = an operation is refused; 3 = no coordinator answers; 130 = interrupted; 1 = anything else. Usage errors end in clap, with 2.
fn exit_code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        match cause.downcast_ref() {
            Some(ClientError::Unreachable { .. }) => return 3,
            Some(ClientError::Denied { .. }) => return 2,
            _ => {}
        }
        if let Some(load::Error::Load(LoadError::Interrupted { .. })) = cause.downcast_ref() {
            return 130;
        }
    }
    1
}
