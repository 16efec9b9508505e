//! What a verb says and how it ends.
//!
//! Takes lines, gives them to standard output. Promises that a reader who closes the pipe (`| head`) ends a verb
//! quietly, that exit codes are made in one place, and that no text from outside steers the terminal.

use std::{
    io::{self, BufWriter, IsTerminal as _, Stdout, Write},
    process::ExitCode,
};

use crate::value::{shown_json, shown_lines};

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ended {
    /// All is well.
    Fine,
    /// Some records are held, failed or in doubt.
    Held,
    /// Mistakes in the flows.
    Mistakes,
    /// A connection or the set-up.
    Setup,
    /// The command line.
    Usage,
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Fine => 0,
            Ended::Mistakes => 1,
            Ended::Held => 2,
            Ended::Setup => 3,
            Ended::Usage => 64,
        }
        .into()
    }
}

/// Why a verb stopped before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody reads any more.
    Closed,
    /// Something that a person has to set right; what to do is in the text.
    Setup(String),
    /// A name on the command line that there is not.
    Usage(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Setup(error.to_string()) }
    }
}

/// What a verb gives back.
pub(super) type Said = Result<Ended, Stop>;

/// How what steers a terminal or hides is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Written out for people.
    Shown,
    /// Escaped as JSON does it.
    Json,
    /// As it is: files of the user, and what has its own colours.
    AsIs,
}

impl Form {
    /// For programs, or for people.
    pub(super) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Shown }
    }
}

/// Standard output, buffered.
pub(super) struct Out {
    inner: BufWriter<Stdout>,
    form: Form,
}

impl Write for Out {
    /// Takes all of it: whoever formats a text gives whole characters.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        match self.form {
            Form::AsIs => self.inner.write_all(bytes)?,
            Form::Shown => self.inner.write_all(shown_lines(&text).as_bytes())?,
            // Its lines end with what they end with.
            Form::Json => text.split_inclusive('\n').try_for_each(|line| {
                let (json, end) = line.strip_suffix('\n').map_or((line, ""), |json| (json, "\n"));
                self.inner.write_all(shown_json(json).as_bytes())?;
                self.inner.write_all(end.as_bytes())
            })?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Standard output for people; a verb flushes where a person waits.
pub(super) fn out() -> Out {
    out_in(Form::Shown)
}

/// Standard output in this form.
pub(super) fn out_in(form: Form) -> Out {
    Out { inner: BufWriter::new(io::stdout()), form }
}

/// May colour be used on standard output?
pub(super) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Columns of the terminal; 80 where there is none, and never so narrow that nothing can be read.
pub(super) fn width() -> usize {
    let columns = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    columns.clamp(40, 120)
}

/// Says why a verb stopped, and with which code.
pub(super) fn stopped(stop: &Stop) -> ExitCode {
    let (text, ended) = match stop {
        Stop::Closed => return Ended::Fine.into(),
        Stop::Setup(text) => (text, Ended::Setup),
        Stop::Usage(text) => (text, Ended::Usage),
    };
    // Standard error may be closed too; the exit code still tells.
    let _ = writeln!(io::stderr(), "{}", shown_lines(text));
    ended.into()
}
