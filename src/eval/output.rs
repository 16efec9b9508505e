//! Bytes that are written one behind the other, a few of them at a time.
//!
//! Takes pieces of a line, gives them all. Whatever is short is copied as one piece of a fixed length, which is a few
//! instructions where its own length would be a call; what that has too much is written over by what comes next. For
//! this there is always room behind the last byte that counts, and it is kept when everything is taken away.

use std::io;

/// What was written, with room behind it.
#[derive(Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// What stands behind this was not written, or taken back.
    end: usize,
}

/// How many bytes are copied at a time: most keys and texts are shorter.
pub(super) const PIECE: usize = 32;

/// So much room is made at least.
const ROOM: usize = 1024;

impl Output {
    /// All that was written.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.end).unwrap_or_default()
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// How much was written.
    pub(super) fn len(&self) -> usize {
        self.end
    }

    /// Takes back what was written behind this place.
    pub(super) fn truncate(&mut self, end: usize) {
        self.end = self.end.min(end);
    }

    /// All that was written, and what stands behind it.
    pub(super) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written from a place on.
    pub(super) fn from(&mut self, start: usize) -> &mut [u8] {
        self.bytes.get_mut(start..self.end).unwrap_or_default()
    }

    /// The byte at a place that was written to.
    pub(super) fn byte(&mut self, place: usize) -> Option<&mut u8> {
        self.bytes.get_mut(..self.end)?.get_mut(place)
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        self.piece(&[byte], 1);
    }

    /// A few bytes that are known beforehand.
    #[inline]
    pub(super) fn word<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.piece(bytes, N);
    }

    /// The first so many of these.
    #[inline]
    pub(super) fn piece<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        match self.bytes.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => *place = *bytes,
            None => return self.cut(bytes.get(..length).unwrap_or_default()),
        }
        self.end += length;
    }

    /// The first so many of these, of those, and a byte behind both: one look for room. None: nothing was written, there
    /// is no room, or more is wanted than there is.
    #[inline]
    pub(super) fn pieces(
        &mut self,
        (first, length): (&[u8; PIECE], usize),
        (second, more): (&[u8; PIECE], usize),
        last: u8,
    ) -> Option<()> {
        if length > PIECE || more > PIECE {
            return None;
        }
        let place: &mut [u8; 3 * PIECE] = self.bytes.get_mut(self.end..)?.first_chunk_mut()?;
        *place.first_chunk_mut()? = *first;
        *place.get_mut(length..)?.first_chunk_mut()? = *second;
        *place.get_mut(length + more)? = last;
        self.end += length + more + 1;
        Some(())
    }

    /// Any bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        match self.bytes.get_mut(self.end..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => place.copy_from_slice(bytes),
            None => return self.cut(bytes),
        }
        self.end += bytes.len();
    }

    /// So many of these bytes, from a place on.
    #[inline]
    pub(super) fn part(&mut self, all: &[u8], start: usize, length: usize) {
        let from = all.get(start..).unwrap_or_default();
        match from.first_chunk::<PIECE>() {
            Some(piece) if length <= PIECE => self.piece(piece, length),
            _ => self.bytes(from.get(..length).unwrap_or(from)),
        }
    }

    /// So many bytes once more that were written from a place on.
    #[inline]
    pub(super) fn again(&mut self, start: usize, length: usize) {
        match self.bytes.get(start..).and_then(<[u8]>::first_chunk::<PIECE>) {
            Some(piece) if length <= PIECE => {
                let piece = *piece;
                self.piece(&piece, length);
            }
            _ => {
                let bytes = self.bytes.get(start..start + length).unwrap_or_default().to_vec();
                self.bytes(&bytes);
            }
        }
    }

    /// There is no room for these bytes: some is made.
    #[cold]
    fn cut(&mut self, bytes: &[u8]) {
        self.bytes.truncate(self.end);
        self.bytes.extend_from_slice(bytes);
        self.end = self.bytes.len();
        self.bytes.resize(self.end + self.end.max(ROOM), 0);
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_stands_there_in_its_order(parts in proptest::collection::vec(("[a-z]{0,80}", 0usize..4), 0..400)) {
            let (mut output, mut whole) = (Output::default(), String::new());
            for round in 0..2 {
                for (text, way) in &parts {
                    match way {
                        0 => output.bytes(text.as_bytes()),
                        1 => output.part(format!("xx{text}{}", "y".repeat(PIECE)).as_bytes(), 2, text.len()),
                        2 => {
                            let padded = format!("{text}{}", "y".repeat(PIECE));
                            let piece = padded.as_bytes().first_chunk().unwrap();
                            let length = text.len().min(PIECE);
                            if output.pieces((piece, length), (piece, length), b'!').is_none() {
                                output.bytes(&[&piece[..length], &piece[..length], b"!"].concat());
                            }
                            whole = format!("{whole}{0}{0}!", &text[..length]);
                        }
                        _ => output.part(text.as_bytes(), 0, text.len()),
                    }
                    output.push(b'|');
                    whole = if *way == 2 { format!("{whole}|") } else { format!("{whole}{text}|") };
                    output.bytes(b"taken back");
                    output.truncate(whole.len());
                    prop_assert_eq!(output.len(), whole.len());
                }
                prop_assert_eq!(str::from_utf8(output.written()), Ok(&*whole), "round {}", round);
                output.clear();
                whole.clear();
            }
        }
    }
}
