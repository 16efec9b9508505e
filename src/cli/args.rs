//! What can be typed: verbs and their options, as clap reads them.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// The environment of real accounts.
pub(super) const LIVE: &str = "live";

/// Keeps Jortt and AFAS Profit in step, as the flows of a project say.
#[derive(Debug, Parser)]
#[command(name = "koppel", version, about, disable_help_subcommand = true)]
pub(super) struct Args {
    /// The environment: sections [env.NAME…] of koppel.toml win, and the ledger is its own.
    #[arg(long, global = true, value_name = "NAME", default_value = LIVE)]
    pub(super) env: String,
    /// The folder with koppel.toml; without it this folder, or else ./flows.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Tell all mistakes in the flows.
    Check(CheckArgs),
    /// Write the flows in their one form: indent, columns, blank lines, the vendor's labels.
    Fmt(FmtArgs),
    /// Show a rule with a wrong and a right example, or all rules.
    Explain(ExplainArgs),
    /// Run the tests of the flows.
    Test(TestArgs),
    /// Show what would happen with every record, and send nothing.
    Plan(RunArgs),
    /// Decide records that stand in a file, a line of JSON each, without any connection.
    Eval(EvalArgs),
    /// Run the flows once.
    Run(RunArgs),
    /// Run the flows on their schedule; edited flows are taken over when they check and their tests pass.
    Serve(ServeArgs),
    /// Print the functions of the language, or what a flow does.
    Docs(DocsArgs),
    /// Tell what became of the records so far.
    Status(StatusArgs),
    /// List what is held, failed or in doubt, why, and what to type about it.
    Holds(HoldsArgs),
    /// Decide records again at the next poll.
    Retry(RetryArgs),
    /// Lift the seal of a record that was done, so that it may make what it has not made yet.
    Redo(RedoArgs),
    /// Say whether a write in doubt happened, where only a person can see it.
    Settle(SettleArgs),
    /// Show the log.
    Logs(LogsArgs),
    /// Start a Jortt and an AFAS on this machine, to try flows against.
    Sandbox(SandboxArgs),
    /// The entities and fields of the two systems.
    #[command(subcommand)]
    Schema(SchemaVerb),
}

#[derive(Debug, ClapArgs)]
pub(super) struct CheckArgs {
    /// Only what is wrong in these files or folders.
    pub(super) paths: Vec<PathBuf>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    /// One SARIF 2.1.0 log, for code hosts and editors.
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    pub(super) sarif: bool,
    /// Write the repairs that are certain into the files.
    #[arg(long, conflicts_with = "watch")]
    pub(super) fix: bool,
    /// Take over what differs from flow.lock: changed fields of the systems, number formulas that are meant.
    #[arg(long, conflicts_with = "watch")]
    pub(super) accept: bool,
    /// Check again at every save.
    #[arg(long)]
    pub(super) watch: bool,
    /// Warnings count as errors.
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct FmtArgs {
    /// Files or folders; without them the whole project.
    pub(super) paths: Vec<PathBuf>,
    /// Write nothing, and show what would change.
    #[arg(long)]
    pub(super) check: bool,
    /// Read standard input and write standard output.
    #[arg(long, conflicts_with_all = ["paths", "check"])]
    pub(super) stdin: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ExplainArgs {
    /// The code of a rule (F202) or its name (unknown-field); without it all rules.
    pub(super) code: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct TestArgs {
    /// Only tests with this in their name or in that of their flow.
    pub(super) name: Option<String>,
    /// List what no test reaches, with its place.
    #[arg(long, conflicts_with = "json")]
    pub(super) coverage: bool,
    /// Write a test for something that no test reaches: the first, or what stands at this place.
    #[arg(long, value_name = "FILE:LINE", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with_all = ["name", "coverage", "json"])]
    pub(super) suggest: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RunArgs {
    /// Which runs; without names all of them, in the order of koppel.toml.
    #[arg(value_name = "RUN")]
    pub(super) runs: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Stay until nothing is in doubt; after a lost ledger first until it may make something.
    #[arg(long)]
    pub(super) wait: bool,
    #[command(flatten)]
    pub(super) sandbox: InSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct EvalArgs {
    /// A run, or a flow by its name or its file.
    pub(super) flow: String,
    /// The records, a line of JSON each, as the system sends them; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) input: PathBuf,
    /// JSON with the rows that look-ups find, by system and entity; what is not given is empty.
    #[arg(long, value_name = "FILE")]
    pub(super) given: Option<PathBuf>,
    /// How many threads decide; without it as many as there are cores.
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) sandbox: InSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DocsArgs {
    /// A flow by its name or its file; without it the functions.
    pub(super) flow: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct StatusArgs {
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

/// Whose ledger a verb looks into.
#[derive(Debug, ClapArgs)]
pub(super) struct OfSandbox {
    /// The runs against this sandbox.
    #[arg(long, value_name = "URL")]
    pub(super) sandbox: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct HoldsArgs {
    /// Of these runs; without names of all.
    #[arg(value_name = "RUN")]
    pub(super) runs: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RetryArgs {
    /// What is held or failed of a run, or one record.
    #[arg(value_name = "RUN[/KEY]")]
    pub(super) what: Vec<String>,
    /// What is held or failed of all runs.
    #[arg(long, conflicts_with_all = ["what", "failed"])]
    pub(super) all: bool,
    /// Only what is failed.
    #[arg(long)]
    pub(super) failed: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct RedoArgs {
    /// The record.
    #[arg(value_name = "RUN/KEY", required_unless_present = "changed")]
    pub(super) record: Option<String>,
    /// All records of a run that were done, where its flow as it is now would do more.
    #[arg(long, value_name = "RUN", conflicts_with = "record")]
    pub(super) changed: Option<String>,
    /// Go on without asking.
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SettleArgs {
    /// The record.
    #[arg(value_name = "RUN/KEY")]
    pub(super) record: String,
    /// It is there, under this number.
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "", conflicts_with = "did_not_happen")]
    pub(super) happened: Option<String>,
    /// It is not there.
    #[arg(long)]
    pub(super) did_not_happen: bool,
    /// Which write, where several are in doubt.
    #[arg(long, value_name = "NAME")]
    pub(super) write: Option<String>,
    /// Go on without asking.
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

#[derive(Debug, ClapArgs)]
pub(super) struct LogsArgs {
    /// Of this run.
    #[arg(long, value_name = "RUN")]
    pub(super) run: Option<String>,
    /// Of this record.
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
    /// Of the last 30s, 5m, 2h or 14d.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) since: Option<std::time::Duration>,
    /// The lines as they are stored.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) of: OfSandbox,
}

/// Against which world a verb works.
#[derive(Debug, ClapArgs)]
pub(super) struct InSandbox {
    /// Against the built-in Jortt and AFAS; with =URL against a sandbox that runs already.
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(super) sandbox: Option<String>,
    /// How many invoices the built-in sandbox has.
    #[arg(long, value_name = "N", requires = "sandbox")]
    pub(super) size: Option<usize>,
    /// The same number gives the same data.
    #[arg(long, value_name = "N", requires = "sandbox")]
    pub(super) seed: Option<u64>,
    /// Add the hard cases: what is held, skipped or refused.
    #[arg(long, requires = "sandbox")]
    pub(super) awkward: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SandboxArgs {
    /// The port on this machine; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) port: u16,
    /// How many invoices Jortt starts with.
    #[arg(long, value_name = "N")]
    pub(super) size: Option<usize>,
    /// The same number gives the same data.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Add the hard cases: what is held, skipped or refused.
    #[arg(long)]
    pub(super) awkward: bool,
    /// Refuse too many calls, as the vendors do.
    #[arg(long, value_name = "WHETHER", value_enum, default_value_t = Limits::On)]
    pub(super) limits: Limits,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Limits {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
pub(super) enum SchemaVerb {
    /// Make the compact schemas again from the vendors' own files.
    Import {
        /// Which system: jortt or afas; without it both.
        system: Option<String>,
        /// The folder with a folder for each system, as koppel's own sources have it.
        #[arg(long, value_name = "DIR", default_value = "stdlib")]
        stdlib: PathBuf,
    },
    /// Show the fields of an entity: `afas.FbSales`, `jortt.invoices`.
    Show {
        /// The entity.
        entity: String,
    },
}

fn time(text: &str) -> Result<std::time::Duration, String> {
    crate::project::duration(text).ok_or_else(|| "write 30s, 5m, 2h or 14d".to_owned())
}
