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

/// Some programs of Windows write it before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

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
            pieces.line += memchr::memchr_iter(b'\n', piece.lines()).count() as u64;
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
    /// The lines, and room behind them that is kept: what is made again for each piece costs as much as to read it.
    room: Vec<u8>,
    /// So much of it is lines.
    length: usize,
    out: Output,
    tally: Tally,
}

impl Piece {
    fn lines(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }

    /// Gives the place of the line behind its own.
    fn decide(&mut self, worker: &mut Decider<'_>) -> u64 {
        let lines = self.room.get(..self.length).unwrap_or_default();
        let (tally, next) = worker.chunk(self.first, lines, &mut self.out);
        self.tally = tally;
        next
    }

    fn hand_over(&mut self, to: &mut dyn io::Write) -> Result<Tally, LinesError> {
        to.write_all(self.out.written()).map_err(LinesError::Write)?;
        self.length = 0;
        self.out.clear();
        Ok(self.tally)
    }

    /// Adds up to so many bytes of a stream, fewer only at its end. Gives how many.
    fn read(&mut self, from: &mut impl Read, most: usize) -> io::Result<usize> {
        let end = self.length + most;
        self.room.resize(self.room.len().max(end), 0);
        let mut rest = self.room.get_mut(self.length..end).unwrap_or_default();
        let mut got = 0;
        while !rest.is_empty() {
            match from.read(rest) {
                Ok(0) => break,
                Ok(count) => {
                    got += count;
                    rest = rest.get_mut(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.length += got;
        Ok(got)
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
        // Reading from memory cannot fail.
        let _ = piece.read(&mut self.rest.as_slice(), self.rest.len());
        self.rest.clear();
        while !self.ended {
            let known = piece.length;
            let got = piece.read(&mut self.from, PIECE).map_err(LinesError::Read)?;
            self.ended = got < PIECE;
            if self.line == 1 && known == 0 && piece.lines().starts_with(BYTE_ORDER_MARK) {
                piece.room.copy_within(BYTE_ORDER_MARK.len()..piece.length, 0);
                piece.length -= BYTE_ORDER_MARK.len();
            }
            if self.ended {
                break;
            }
            let fresh = piece.lines().get(known..).unwrap_or_default();
            if let Some(end) = memchr::memrchr(b'\n', fresh) {
                self.rest.extend_from_slice(fresh.get(end + 1..).unwrap_or_default());
                piece.length = known + end + 1;
                break;
            }
            if piece.length > LONGEST {
                return Err(LinesError::TooLong(self.line));
            }
        }
        piece.first = self.line;
        Ok(piece.length > 0)
    }
}
