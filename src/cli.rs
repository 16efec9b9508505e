//! The command line: reads what was typed, calls the rooms, says what came of it.
//!
//! Takes arguments, gives lines on standard output and an exit code: 0 fine, 1 mistakes in flows, 2 some records held,
//! failed or in doubt, 3 connection or set-up, 64 usage. One file a verb, all of them thin. Promises that output for
//! programs (`--json`) is one object a line, and that colour and progress bars are for terminals only.

mod args;
mod check;
mod docs;
mod eval;
mod explain;
mod fix;
mod fmt;
mod holds;
mod logs;
mod named;
mod place;
mod plan;
mod ready;
mod redo;
mod report;
mod retry;
mod run;
mod sandbox;
mod say;
mod schema;
mod serve;
mod settle;
mod status;
mod target;
mod test;
mod told;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Verb};
use say::{Ended, Said, Stop};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // A closed pipe is no mistake; the exit code still tells.
            let _ = error.print();
            return if error.use_stderr() { Ended::Usage } else { Ended::Fine }.into();
        }
    };
    match say(&args) {
        Ok(ended) => ended.into(),
        Err(stop) => say::stopped(&stop),
    }
}

fn say(args: &Args) -> Said {
    match &args.verb {
        Verb::Check(check) => check::check(args, check),
        Verb::Fmt(fmt) => fmt::fmt(args, fmt),
        Verb::Explain(asked) => explain::explain(asked),
        Verb::Logs(logs) => logs::logs(args, logs),
        Verb::Sandbox(sandbox) => sandbox::sandbox(sandbox),
        Verb::Schema(verb) => schema::schema(verb),
        Verb::Test(test) => test::test(args, test),
        Verb::Plan(plan) => plan::plan(args, plan),
        Verb::Run(run) => run::run(args, run),
        Verb::Serve(serve) => serve::serve(args, serve),
        Verb::Eval(asked) => eval::eval(args, asked),
        Verb::Docs(asked) => docs::docs(args, asked),
        Verb::Status(status) => status::status(args, status),
        Verb::Holds(holds) => holds::holds(args, holds),
        Verb::Retry(retry) => retry::retry(args, retry),
        Verb::Redo(redo) => redo::redo(args, redo),
        Verb::Settle(settle) => settle::settle(args, settle),
    }
}

/// The threads that the network needs; verbs that need none make none.
fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Stop::Setup(format!("koppel cannot start its threads: {error}")))
}

/// Passes the wish to end on to the engine. The second wish ends at once: the ledger stands that.
fn stopper() -> crate::engine::Stop {
    let (stopper, stop) = crate::engine::Stop::new();
    tokio::spawn(async move {
        asked_to_stop().await;
        stopper.stop();
        asked_to_stop().await;
        std::process::exit(130);
    });
    stop
}

/// Until a person (SIGINT) or the system (SIGTERM) asks to stop.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the system ends the program by itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
