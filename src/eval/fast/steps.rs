//! What mostly stands between two values of a record: learned once, compared from then on.
//!
//! Takes what was read between two values, gives it back where the same bytes follow the same value. A vendor writes
//! the keys of its records in the same order again and again, so that one comparison does the work of reading a key
//! and looking it up. What was learned only saves work: every byte is compared, and what a step does follows from
//! where it begins and from its bytes alone.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use wide::u8x16;

use super::{layout::Leaf, scan::CHUNK};

/// Where a reader stands between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// In which object.
    pub(super) node: u16,
    /// In so many objects within it, one in another, that nobody wants.
    pub(super) unwanted: u8,
    /// Right behind a brace.
    pub(super) first: bool,
}

impl State {
    /// At the beginning of an object.
    pub(super) fn inside(node: u16) -> Self {
        Self { node, unwanted: 0, first: true }
    }

    /// Behind an object, in the one around it.
    pub(super) fn behind(node: u16) -> Self {
        Self { node, unwanted: 0, first: false }
    }
}

/// What is done behind the bytes of a step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// The value was part of the step, and a blank goes into the register.
    Blank(u16),
    /// So was this one, no or yes.
    Bool(u16, bool),
    /// Rows that are none.
    NoRows {
        register: u16,
        width: u16,
    },
    /// A text follows, from behind its quote on, and goes into the register as it stands.
    Text(u16),
    /// A text follows, from behind its quote on, that is read as something else.
    Read(u16, Leaf),
    Number(u16, Leaf),
    /// Rows follow, from behind their bracket on.
    Rows {
        node: u16,
        register: u16,
        width: u16,
    },
    /// Texts follow, from behind their bracket on; how many goes into the register.
    Texts(u16),
    /// An amount is over: it goes into the register, its parts stand behind that one. `true`: its currency was part of the
    /// step, and is the euro.
    Amount(u16, bool),
    /// A text that nobody wants, from behind its quote on.
    PassText,
    /// Any other value that nobody wants.
    Pass,
    /// The record, or the row, is over.
    End,
}

/// The bytes from behind one value to the next one. Two lines of the processor's memory each.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Step {
    text: Expected,
    pub(super) deed: Deed,
    /// Where the reader stands behind the value.
    pub(super) then: State,
    /// What has followed it, the most usual ones first; [`NONE`] where there is no other one yet.
    next: [u16; NEXT],
}

/// All steps of a layout.
#[derive(Debug)]
pub(super) struct Steps {
    /// The first ones are the braces with which objects begin, by node.
    all: Vec<Step>,
    known: HashMap<(State, Box<[u8]>), u16, FixedState>,
}

/// There are at most so many steps, of so many bytes, and so many that follow one: vendors have fewer, nonsense has no
/// end.
const STEPS: usize = 1024;
const LONGEST: usize = 1024;
const NEXT: usize = 8;
/// No step.
pub(super) const NONE: u16 = u16::MAX;

impl Steps {
    /// Nothing is learned yet of so many objects.
    pub(super) fn new(nodes: u16) -> Self {
        let brace =
            |node| Step { text: Expected::new(&[]), deed: Deed::End, then: State::inside(node), next: [NONE; NEXT] };
        Self { all: (0..nodes).map(brace).collect(), known: HashMap::default() }
    }

    /// A step by its number.
    pub(super) fn get(&self, number: u16) -> Option<&Step> {
        self.all.get(usize::from(number))
    }

    /// The step of this number, where these bytes begin with it.
    #[inline]
    pub(super) fn expected(&self, number: u16, bytes: &[u8]) -> Option<&Step> {
        self.get(number).filter(|step| step.text.begins(bytes))
    }

    /// The number of the step that follows a step where it is not the usual one; it becomes more usual. None: none that
    /// is known.
    #[inline(never)]
    pub(super) fn follow_rarely(&mut self, number: u16, bytes: &[u8]) -> Option<u16> {
        let next = self.get(number)?.next;
        // The first one was tried.
        let place = 1 + next.iter().skip(1).position(|next| self.expected(*next, bytes).is_some())?;
        self.all.get_mut(usize::from(number))?.next.swap(place - 1, place);
        next.get(place).copied()
    }

    /// Keeps what was read behind a step. None: there is too much already.
    pub(super) fn learn(&mut self, after: u16, from: State, text: &[u8], deed: Deed, then: State) -> Option<u16> {
        let key = (from, Box::from(text));
        let number = match self.known.get(&key) {
            Some(number) => *number,
            None if self.all.len() < STEPS && text.len() <= LONGEST => {
                let number = u16::try_from(self.all.len()).ok()?;
                self.all.push(Step { text: Expected::new(text), deed, then, next: [NONE; NEXT] });
                self.known.insert(key, number);
                number
            }
            None => return None,
        };
        // What could not be kept has no followers; where there are too many, the least usual one makes room.
        if let Some(step) = self.all.get_mut(usize::from(after)) {
            let free = step.next.iter().position(|next| *next == NONE).unwrap_or(NEXT - 1);
            if let Some(place) = step.next.get_mut(free) {
                *place = number;
            }
        }
        Some(number)
    }
}

impl Step {
    /// How many bytes it has.
    pub(super) fn length(&self) -> usize {
        self.text.length
    }

    /// The number of the step that mostly follows.
    pub(super) fn usual(&self) -> u16 {
        let [usual, ..] = self.next;
        usual
    }
}

/// Bytes that are compared sixteen at a time: most of them are a key with its quotes, short and as it was.
#[derive(Debug)]
struct Expected {
    /// The first sixteen, and which of them there are.
    first: u8x16,
    mask: u8x16,
    length: usize,
    /// The last sixteen of more than that.
    last: u8x16,
    /// The second sixteen of more than twice that, and those behind them, as many whole sixteens as there are.
    second: u8x16,
    more: Box<[u8x16]>,
}

/// A bit for each of sixteen bytes.
const ALL: u32 = 0xffff;

impl Expected {
    fn new(text: &[u8]) -> Self {
        let (mut first, mut mask) = ([0; CHUNK], [0; CHUNK]);
        for ((first, mask), byte) in first.iter_mut().zip(&mut mask).zip(text) {
            (*first, *mask) = (*byte, u8::MAX);
        }
        let (chunks, _) = text.as_chunks::<CHUNK>();
        Self {
            first: first.into(),
            mask: mask.into(),
            length: text.len(),
            last: text.last_chunk().copied().unwrap_or_default().into(),
            second: chunks.get(1).copied().unwrap_or_default().into(),
            more: chunks.iter().skip(2).map(|chunk| (*chunk).into()).collect(),
        }
    }

    /// Do these bytes begin so? Not told where they are nearly over: no then.
    #[inline]
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(first) = bytes.first_chunk::<CHUNK>() else { return false };
        same(u8x16::from(*first) & self.mask, self.first)
            && (self.length <= CHUNK || stands(bytes, self.length - CHUNK, self.last))
            && (self.length <= 2 * CHUNK || stands(bytes, CHUNK, self.second))
            && (self.length <= 3 * CHUNK || self.goes_on(bytes))
    }

    #[inline(never)]
    fn goes_on(&self, bytes: &[u8]) -> bool {
        self.more.iter().enumerate().all(|(place, own)| stands(bytes, (place + 2) * CHUNK, *own))
    }
}

#[inline]
fn same(one: u8x16, other: u8x16) -> bool {
    one.simd_eq(other).to_bitmask() == ALL
}

/// Do these sixteen stand there?
#[inline]
fn stands(bytes: &[u8], at: usize, own: u8x16) -> bool {
    bytes.get(at..).and_then(<[u8]>::first_chunk).is_some_and(|chunk| same(u8x16::from(*chunk), own))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_expected_as_they_stood(text in "[ab]{1,90}", other in "[ab]{1,90}", at in 0usize..90) {
            let expected = Expected::new(text.as_bytes());
            let behind = "0123456789abcdef";
            let whole = format!("{text}{behind}");
            prop_assert!(expected.begins(whole.as_bytes()));
            let there = format!("{other}{behind}");
            prop_assert_eq!(expected.begins(there.as_bytes()), there.starts_with(&text));
            let mut changed = text.clone().into_bytes();
            if let Some(byte) = changed.get_mut(at) {
                *byte = b'c';
                changed.extend_from_slice(behind.as_bytes());
                prop_assert!(!expected.begins(&changed));
            }
        }
    }
}
