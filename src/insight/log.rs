//! The log: one JSON object a line, one file a day and environment.
//!
//! Takes events, appends them to `ENV-YYYY-MM-DD.jsonl`; reads them back for `koppel logs`. Promises files that only
//! their owner reads, no control character in a line, and that what is older than the keep time is deleted at start.
//! A log that cannot be written never stops a run: it says so once.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Event, Journal};
use crate::value::shown_json;

/// Writes the log of one environment.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    environment: String,
    open: Mutex<Option<(Date, File)>>,
    complained: AtomicBool,
}

/// Which lines of the log are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this run.
    pub run: Option<String>,
    /// Of this record.
    pub key: Option<String>,
    /// Not older than this.
    pub since: Option<Timestamp>,
}

impl Log {
    /// Opens the log in a folder, which is made, and deletes what is older than `keep` before `now`.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path, environment: &str, keep: Duration, now: Timestamp) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let oldest = day(now.saturating_sub(keep).unwrap_or(Timestamp::MIN));
        for (path, date) in files(folder, environment) {
            if date < oldest {
                fs::remove_file(path)?;
            }
        }
        let (folder, environment) = (folder.to_owned(), environment.to_owned());
        Ok(Self { folder, environment, open: Mutex::new(None), complained: AtomicBool::new(false) })
    }

    fn write(&self, event: &Event) -> io::Result<()> {
        let mut line = shown_json(&serde_json::to_string(event)?).into_owned();
        line.push('\n');
        let today = day(event.at);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_none_or(|(date, _)| *date != today) {
            *open = Some((today, private_file(&self.folder.join(format!("{}-{today}.jsonl", self.environment)))?));
        }
        // One call for a whole line: lines of two threads never mix, and a crash cuts at most the last one.
        open.as_mut().map_or(Ok(()), |(_, file)| file.write_all(line.as_bytes()))
    }
}

impl Journal for Log {
    fn record(&self, event: &Event) {
        if let Err(error) = self.write(event)
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            // Standard error may be closed as well; then nobody is there to be told.
            let _ = writeln!(io::stderr(), "the log in {} cannot be written: {error}", self.folder.display());
        }
    }
}

/// The events of the log of an environment, oldest first. Lines that cannot be read are counted, not shown.
///
/// # Errors
/// A file of the log cannot be read.
pub fn read(folder: &Path, environment: &str, wanted: &Wanted) -> io::Result<(Vec<Event>, usize)> {
    let mut all = files(folder, environment);
    all.sort_by_key(|(_, date)| *date);
    let (mut events, mut unreadable) = (Vec::new(), 0);
    for (path, date) in all {
        if wanted.since.is_some_and(|since| date < day(since)) {
            continue;
        }
        // Bytes, since a crash may cut a line in the middle of a character.
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            match serde_json::from_slice::<Event>(&line?) {
                Ok(event) if wanted.fits(&event) => events.push(event),
                Ok(_) => {}
                Err(_) => unreadable += 1,
            }
        }
    }
    Ok((events, unreadable))
}

impl Wanted {
    fn fits(&self, event: &Event) -> bool {
        self.run.as_ref().is_none_or(|run| **run == *event.run)
            && self.key.as_ref().is_none_or(|key| event.key.as_deref() == Some(key))
            && self.since.is_none_or(|since| event.at >= since)
    }
}

/// Files of the log with their days.
fn files(folder: &Path, environment: &str) -> Vec<(PathBuf, Date)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let dated = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix(environment)?.strip_prefix('-')?.strip_suffix(".jsonl")?;
        let date = name.parse().ok()?;
        Some((path, date))
    };
    entries.flatten().filter_map(|entry| dated(entry.path())).collect()
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The Amsterdam day of a moment: the day on which a person looks for it.
fn day(at: Timestamp) -> Date {
    TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC).to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::EventKind;

    fn event(at: &str, run: &str, reason: &str) -> Event {
        Event {
            at: at.parse().unwrap(),
            run: run.into(),
            key: Some("7".into()),
            kind: EventKind::Held,
            write: None,
            entity: None,
            target_key: None,
            reason: Some(reason.into()),
            place: Some("orders.flow:75".into()),
            fields: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_back_by_run_key_and_time() {
        let place = tempfile::tempdir().unwrap();
        let now = "2026-03-14T12:00:00Z".parse().unwrap();
        let log = Log::open(place.path(), "test", Duration::from_hours(24), now).unwrap();
        let events = [
            event("2026-03-14T22:30:00Z", "orders", "first\u{1b}[2J\n\u{9b}x"),
            event("2026-03-14T23:30:00Z", "orders", "after midnight in Amsterdam"),
            event("2026-03-14T23:31:00Z", "paid", "another run"),
        ];
        for event in &events {
            log.record(event);
        }
        let (all, unreadable) = read(place.path(), "test", &Wanted::default()).unwrap();
        assert_eq!((all.as_slice(), unreadable), (events.as_slice(), 0));
        let wanted = Wanted { run: Some("orders".into()), key: Some("7".into()), since: Some(events[1].at) };
        assert_eq!(read(place.path(), "test", &wanted).unwrap().0, events[1..2]);
        assert!(read(place.path(), "other", &Wanted::default()).unwrap().0.is_empty());
        let first = fs::read_to_string(place.path().join("test-2026-03-14.jsonl")).unwrap();
        assert!(!first.trim_end().chars().any(char::is_control), "{first:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(place.path().join("test-2026-03-15.jsonl")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_line_that_was_cut_within_a_character_costs_that_line_only() {
        let place = tempfile::tempdir().unwrap();
        let now = "2026-03-14T12:00:00Z".parse().unwrap();
        let log = Log::open(place.path(), "live", Duration::from_hours(24), now).unwrap();
        log.record(&event("2026-03-14T12:00:00Z", "orders", "before"));
        let path = place.path().join("live-2026-03-14.jsonl");
        let cut = [fs::read(&path).unwrap(), b"{\"reason\":\"\xe2\x80\n".to_vec()].concat();
        fs::write(&path, cut).unwrap();
        log.record(&event("2026-03-14T12:00:01Z", "orders", "after"));
        let (all, unreadable) = read(place.path(), "live", &Wanted::default()).unwrap();
        assert_eq!((all.len(), unreadable), (2, 1));
    }

    #[test]
    fn what_is_older_than_the_keep_time_is_deleted_at_start() {
        let place = tempfile::tempdir().unwrap();
        for name in ["live-2026-02-27.jsonl", "live-2026-02-28.jsonl", "other-2020-01-01.jsonl", "live-notes.jsonl"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        let keep = Duration::from_hours(336);
        Log::open(place.path(), "live", keep, "2026-03-14T12:00:00Z".parse().unwrap()).unwrap();
        let mut left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["live-2026-02-28.jsonl", "live-notes.jsonl", "other-2020-01-01.jsonl"]);
    }

    #[test]
    fn a_cut_line_is_counted_and_the_rest_is_read() {
        let place = tempfile::tempdir().unwrap();
        let line = serde_json::to_string(&event("2026-03-14T12:00:00Z", "orders", "x")).unwrap();
        fs::write(place.path().join("live-2026-03-14.jsonl"), format!("{line}\n{{\"at\":\"2026\n{line}\n")).unwrap();
        let (events, unreadable) = read(place.path(), "live", &Wanted::default()).unwrap();
        assert_eq!((events.len(), unreadable), (2, 1));
    }
}
