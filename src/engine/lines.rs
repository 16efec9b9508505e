//! Decides a stream of lines on one or more threads, in its order, without any connection.
//!
//! Takes bytes and workers, gives their lines and counts. Promises that memory stays as it is however long the stream:
//! there is a fixed number of pieces, and each goes round. Piece by piece goes to each worker in turn and is taken back
//! in the same turn, which keeps the order without sorting.

use std::{
    io::{self, Read},
    sync::mpsc,
    thread,
};

use serde_json::Value as Json;

use crate::{
    connector::Bodies,
    eval::{
        lines::{Decider, Lines, Tally},
        output::Output,
    },
    value::{EntityName, Write},
};

/// A piece is cut behind the last line end before this.
const PIECE: usize = 256 * 1024;

/// A longer line is no record of anything.
const LONGEST: usize = 64 * 1024 * 1024;

/// Pieces for each worker: one that is read, one in work, one that is written.
const PIECES: usize = 3;

/// What ends a stream before its end.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The input cannot be read.
    #[error("the input cannot be read: {0}")]
    Read(io::Error),
    /// Nobody takes what comes out.
    #[error("the output cannot be written: {0}")]
    Write(io::Error),
    /// A line is too long to be held in memory.
    #[error("line {0} is longer than {mb} MB", mb = LONGEST / 1024 / 1024)]
    TooLong(u64),
}

/// Decides all lines of `from`; each worker is a thread. Without workers nothing is read.
///
/// # Errors
/// Input or output; what was decided until then is written.
pub fn lines(
    from: impl Read + Send + 'static,
    to: &mut dyn io::Write,
    workers: Vec<Lines>,
) -> Result<Tally, LinesError> {
    let mut tally = Tally::default();
    let mut pieces = Pieces { from, rest: Vec::new(), line: 1, ended: false };
    if let [worker] = workers.as_slice() {
        let lane = worker.lane();
        let mut worker = worker.decider(lane.as_ref());
        let mut piece = Piece::default();
        while pieces.fill(&mut piece)? {
            pieces.line = piece.decide(&mut worker);
            tally += piece.hand_over(to)?;
        }
        return Ok(tally);
    }
    let (give_back, free) = mpsc::channel();
    for _ in 0..workers.len() * PIECES {
        // The other end is here still.
        let _ = give_back.send(Piece::default());
    }
    let (mut begin, mut finished, mut threads) = (Vec::new(), Vec::new(), Vec::new());
    for worker in workers {
        let (to_worker, todo) = mpsc::channel::<Piece>();
        let (hand_in, done) = mpsc::channel();
        begin.push(to_worker);
        finished.push(done);
        threads.push(thread::spawn(move || {
            let lane = worker.lane();
            let mut worker = worker.decider(lane.as_ref());
            for mut piece in todo {
                piece.decide(&mut worker);
                if hand_in.send(piece).is_err() {
                    break;
                }
            }
        }));
    }
    // Not waited for when the output is gone: it may be a person that is read from.
    let reader = thread::spawn(move || {
        for to_worker in begin.iter().cycle() {
            let Ok(mut piece) = free.recv() else { break };
            if !pieces.fill(&mut piece)? {
                break;
            }
            pieces.line += memchr::memchr_iter(b'\n', &piece.lines).count() as u64;
            if to_worker.send(piece).is_err() {
                break;
            }
        }
        Ok(())
    });
    for done in finished.iter().cycle() {
        let Ok(mut piece) = done.recv() else { break };
        tally += piece.hand_over(to)?;
        // When all is read nobody takes it any more.
        let _ = give_back.send(piece);
    }
    drop(give_back);
    for thread in threads {
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(tally)
}

impl crate::eval::lines::Bodies for Bodies {
    fn body(&self, write: &Write) -> Result<Json, String> {
        Self::body(self, write)
    }

    fn is_bare(&self, entity: &EntityName) -> bool {
        Self::is_bare(self, entity)
    }
}

/// Some whole lines, and what became of them.
#[derive(Default)]
struct Piece {
    /// The place of the first line.
    first: u64,
    lines: Vec<u8>,
    out: Output,
    tally: Tally,
}

impl Piece {
    /// Gives the place of the line behind its own.
    fn decide(&mut self, worker: &mut Decider<'_>) -> u64 {
        let (tally, next) = worker.chunk(self.first, &self.lines, &mut self.out);
        self.tally = tally;
        next
    }

    fn hand_over(&mut self, to: &mut dyn io::Write) -> Result<Tally, LinesError> {
        to.write_all(self.out.written()).map_err(LinesError::Write)?;
        self.lines.clear();
        self.out.clear();
        Ok(self.tally)
    }
}

/// Cuts a stream.
struct Pieces<R> {
    from: R,
    /// The beginning of a line that belongs to the next piece.
    rest: Vec<u8>,
    /// The place of its line; whoever takes a piece moves it on.
    line: u64,
    ended: bool,
}

impl<R: Read> Pieces<R> {
    /// The next lines; no when there are none.
    fn fill(&mut self, piece: &mut Piece) -> Result<bool, LinesError> {
        let lines = &mut piece.lines;
        lines.append(&mut self.rest);
        while !self.ended {
            let known = lines.len();
            let got = (&mut self.from).take(PIECE as u64).read_to_end(lines).map_err(LinesError::Read)?;
            self.ended = got < PIECE;
            if self.line == 1 && known == 0 && lines.starts_with(b"\xEF\xBB\xBF") {
                lines.drain(..3);
            }
            if self.ended {
                break;
            }
            let fresh = lines.get(known..).unwrap_or_default();
            if let Some(end) = fresh.iter().rposition(|byte| *byte == b'\n') {
                self.rest.extend(lines.drain(known + end + 1..));
                break;
            }
            if lines.len() > LONGEST {
                return Err(LinesError::TooLong(self.line));
            }
        }
        piece.first = self.line;
        Ok(!lines.is_empty())
    }
}
