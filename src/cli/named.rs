//! Records that are named on the command line, and what a person wishes of them.
//!
//! Takes `RUN/KEY` as it was typed, gives the record in the ledger; takes wishes, writes them for the process that has
//! the ledger. Promises that a name that is not known is told with what to type instead, and that nothing that cannot
//! be taken back happens without a yes.

use std::{
    io::{self, BufRead, IsTerminal as _, Write},
    path::PathBuf,
    sync::Arc,
};

use super::{
    args::{Args, LIVE, OfSandbox},
    place,
    report::{quoted, typed},
    runtime,
    say::{Ended, Said, Stop},
    target,
};
use crate::{
    ledger::{Holder, LedgerError, Places, View, Wish},
    project::{Project, listed, nearest},
};

/// A ledger, and the project that it belongs to.
pub(super) struct Desk {
    pub(super) project: Project,
    pub(super) view: View,
    /// Where it is.
    pub(super) places: Places,
    /// Where the log is, and the name that its files begin with.
    pub(super) log: (PathBuf, String),
    /// Is it that of a sandbox?
    pub(super) sandbox: bool,
    /// What was typed, for what is to be typed instead.
    verb: &'static str,
    /// The options that lead to this ledger, as they are typed behind every verb.
    options: String,
}

/// A record that the ledger knows.
pub(super) struct Named {
    pub(super) run: Arc<str>,
    pub(super) key: Arc<str>,
}

impl Named {
    /// As it is typed.
    pub(super) fn typed(&self) -> String {
        typed(&self.run, &self.key)
    }
}

impl Desk {
    /// Opens the ledger that a verb is about, and about which runs or records.
    pub(super) fn open(args: &Args, of: &OfSandbox, verb: &'static str, typed: &[String]) -> Result<Self, Stop> {
        let project = place::project(args)?;
        let (places, log) = runtime()?.block_on(target::places_of(&project, of.sandbox.as_deref()))?;
        let Some(view) = View::open(&places.ledger)? else {
            let names = typed.iter().map(|what| what.split_once('/').map_or(&**what, |(run, _)| run));
            let runs = runs_of(&project, None)?;
            let unknown = names.into_iter().find_map(|name| run_of(&runs, name).err());
            return Err(unknown.unwrap_or_else(|| Stop::Setup(NOTHING_YET.to_owned())));
        };
        let mut options = String::new();
        let folder = args.project.as_ref().map(|folder| folder.display().to_string());
        let env = Some(&args.env).filter(|env| *env != LIVE);
        for (name, value) in [("project", &folder), ("env", &env.cloned()), ("sandbox", &of.sandbox)] {
            options.extend(value.iter().map(|value| format!(" --{name}={}", quoted(value))));
        }
        Ok(Self { project, view, places, log, sandbox: of.sandbox.is_some(), verb, options })
    }

    /// A command as it is typed: `koppel retry orders/10023 --env test`.
    pub(super) fn command(&self, words: &str) -> String {
        format!("koppel {words}{}", self.options)
    }

    /// A run by its name.
    pub(super) fn run(&self, name: &str) -> Result<Arc<str>, Stop> {
        run_of(&self.runs()?, name)
    }

    fn runs(&self) -> Result<Vec<Arc<str>>, Stop> {
        runs_of(&self.project, Some(&self.view))
    }

    /// A record by `RUN/KEY`.
    pub(super) fn record(&self, text: &str) -> Result<Named, Stop> {
        let runs = self.runs()?;
        let named = text.split_once('/').filter(|(run, _)| runs.iter().any(|own| **own == **run));
        let Some((run, key)) = named else {
            let of = self.view.runs_with(text)?;
            return Err(match (&of[..], text.split_once('/')) {
                ([], Some((run, _))) => self.run(run).err().unwrap_or(Stop::Closed),
                ([], None) if runs.iter().any(|run| **run == *text) => Stop::Usage(format!(
                    "which record of {text}?\n      {}\n      what waits:  {}",
                    self.command(&format!("{} {text}/KEY", self.verb)),
                    self.command(&format!("holds {text}"))
                )),
                ([], None) => Stop::Usage(format!(
                    "there is no record `{text}`\n      {}\n      what waits:  {}",
                    self.command(&format!("{} RUN/KEY", self.verb)),
                    self.command("holds")
                )),
                (of, _) => {
                    let ways: Vec<String> = of.iter().map(|run| self.instead(run, text)).collect();
                    Stop::Usage(format!("name the run of record {text} too\n{}", ways.join("\n")))
                }
            });
        };
        if !self.view.record(run, key)?.is_empty() {
            return Ok(Named { run: run.into(), key: key.into() });
        }
        let elsewhere = self.view.runs_with(key)?;
        if !elsewhere.is_empty() {
            let known: Vec<&str> = elsewhere.iter().map(|run| &**run).collect();
            let ways: Vec<String> = elsewhere.iter().map(|run| self.instead(run, key)).collect();
            return Err(Stop::Usage(format!(
                "record {key} is not of {run} but of {}\n{}",
                listed(&known),
                ways.join("\n")
            )));
        }
        let keys = self.view.keys(run)?;
        let near = nearest(key, keys.iter().map(|key| &**key)).map(|near| self.instead(run, near));
        let help =
            near.unwrap_or_else(|| format!("      what waits of it:  {}", self.command(&format!("holds {run}"))));
        Err(Stop::Usage(format!("{run} has no record `{key}`\n{help}")))
    }

    fn instead(&self, run: &str, key: &str) -> String {
        let more = if self.verb == "settle" { " …" } else { "" };
        format!("      {}", self.command(&format!("{} {}{more}", self.verb, typed(run, key))))
    }

    /// Who works with the ledger now.
    pub(super) fn holder(&self) -> Result<Option<Holder>, Stop> {
        Ok(self.view.holder()?)
    }

    /// Writes wishes, and says who carries them out.
    pub(super) fn wish(&self, out: &mut impl Write, wishes: &[Wish]) -> Said {
        // A word about a write is heard by every run; the rest only by its own.
        let heard = |wish: &&Wish| wish.write.is_some() || self.project.runs.iter().any(|run| run.name == wish.run);
        if let Some(wish) = wishes.iter().find(|wish| !heard(wish)) {
            let text = format!("{} is no run of this project any more: nobody decides its records", wish.run);
            return Err(Stop::Usage(text));
        }
        self.view.wish(wishes)?;
        let who = match self.holder()? {
            Some(Holder(Some(pid))) => format!("process {pid} carries that out at its next poll"),
            Some(Holder(None)) => "the process that runs now carries that out at its next poll".to_owned(),
            None => "the next koppel run, or koppel serve, carries that out".to_owned(),
        };
        writeln!(out, "{who}\n      what came of it:  {}", self.command("holds"))?;
        out.flush()?;
        Ok(Ended::Fine)
    }
}

/// What is told where there is no ledger.
pub(super) const NOTHING_YET: &str = "nothing has run yet:  koppel run";

/// The runs of the project, and those that its ledger remembers.
pub(super) fn runs_of(project: &Project, view: Option<&View>) -> Result<Vec<Arc<str>>, Stop> {
    let mut runs: Vec<Arc<str>> = project.runs.iter().map(|run| run.name.clone()).collect();
    for run in view.map(View::runs).transpose()?.unwrap_or_default() {
        if !runs.contains(&run) {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// The run of this name among these.
pub(super) fn run_of(runs: &[Arc<str>], name: &str) -> Result<Arc<str>, Stop> {
    if let Some(run) = runs.iter().find(|run| ***run == *name) {
        return Ok(run.clone());
    }
    let known: Vec<&str> = runs.iter().map(|run| &**run).collect();
    let near = nearest(name, known.iter().copied()).map(|near| format!("{near}?"));
    let help = near.unwrap_or_else(|| format!("there are: {}", listed(&known)));
    Err(Stop::Usage(format!("there is no run `{name}`\n      {help}")))
}

/// Does the person want that? Asked on a terminal; elsewhere only `--yes` is a yes.
pub(super) fn agreed(out: &mut impl Write, yes: bool) -> Result<bool, Stop> {
    if yes {
        return Ok(true);
    }
    if !somebody_there() {
        out.flush()?;
        let text = "this is asked first, and nobody can answer here\n      if it is meant, add --yes";
        return Err(Stop::Usage(text.to_owned()));
    }
    write!(out, "go on? [y/N] ")?;
    out.flush()?;
    let agreed = answer(&mut io::stdin().lock())?;
    if !agreed {
        writeln!(out, "nothing was changed")?;
        out.flush()?;
    }
    Ok(agreed)
}

/// Can somebody answer?
pub(super) fn somebody_there() -> bool {
    io::stdin().is_terminal()
}

/// Only a clear yes is one.
fn answer(input: &mut impl BufRead) -> io::Result<bool> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(["y", "yes", "j", "ja"].contains(&line.trim().to_lowercase().as_str()))
}

impl From<LedgerError> for Stop {
    fn from(error: LedgerError) -> Self {
        Self::Setup(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        let answered = |text: &str| answer(&mut text.as_bytes()).unwrap();
        assert!(["y\n", "Yes\n", " ja \n", "J"].into_iter().all(answered));
        assert!(!["\n", "", "n\n", "yess\n", "ok\n"].into_iter().any(answered));
    }
}
