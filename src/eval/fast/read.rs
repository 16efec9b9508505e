//! Reads a record of the wire into registers by comparing instead of parsing.
//!
//! Takes a line of JSON, gives the registers of its record. From value to value it goes by steps that were learned
//! ([`super::steps`]); where none of them fits, what stands between the values is read as JSON has it, and learned. None
//! for whatever is unusual or wrong (a key twice, a number of thirty digits, a value of another kind, no JSON): the
//! plain decoder reads the line then, and has the last word.

use std::ops::Range;

use serde_json::value::RawValue;

use super::{
    super::output::Output,
    layout::{Layout, Leaf, Spelling, Want},
    scan::{string_end, unescape},
    steps::{Deed, NONE, State, Step, Steps},
    texts::{LINE, MADE},
    value::{self, DIGITS, Kind, Quick, day, number},
};
use crate::schema::{Kind as Type, normalise};

/// What was learned so far; for one thread and one layout.
#[derive(Debug)]
pub(super) struct Reader {
    steps: Steps,
}

/// Deeper than any vendor, and less deep than what the plain decoder refuses: a bit each.
const DEPTH: u32 = 60;

/// The end of most amounts.
const EURO_ENDS: &[u8] = b"\"EUR\"}";

struct Cursor<'a, 'r> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    layout: &'r Layout,
    registers: &'r mut Vec<Quick>,
    /// Texts that had escapes, and normal forms.
    made: &'r mut Output,
}

impl Reader {
    /// Nothing is learned yet.
    pub(super) fn new(layout: &Layout) -> Self {
        // A layout numbers its nodes with as much.
        Self { steps: Steps::new(u16::try_from(layout.nodes.len()).unwrap_or(NONE)) }
    }

    /// Fills the registers from `base` on with the record that begins here in a text, and tells where its line ends.
    /// None: read it plainly.
    pub(super) fn record(
        &mut self,
        layout: &Layout,
        text: &str,
        begin: usize,
        (registers, base): (&mut Vec<Quick>, usize),
        made: &mut Output,
    ) -> Option<usize> {
        registers.truncate(base);
        registers.extend_from_slice(&layout.unset);
        let mut cursor = Cursor { text, bytes: text.as_bytes(), at: begin, layout, registers, made };
        cursor.space();
        cursor.expect(b'{')?;
        cursor.members(&mut self.steps, 0, base)?;
        cursor.space();
        matches!(cursor.peek(), None | Some(b'\n')).then_some(cursor.at)
    }
}

impl<'a> Cursor<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// Not beyond the line.
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// What a record or a row has, from behind its brace to behind the other one. Where we are is a variable of its own
    /// here: a step begins where the one before ends, and in memory each would wait for the other one to be stored.
    fn members(&mut self, steps: &mut Steps, node: u16, base: usize) -> Option<()> {
        let bytes = self.bytes;
        let mut at = self.at;
        let mut state = State::inside(node);
        // The step behind which we are, and the one that mostly follows.
        let (mut number, mut usual) = (node, steps.get(node).map_or(NONE, Step::usual));
        loop {
            let here = bytes.get(at..)?;
            let learned;
            let deed = if let Some(step) = steps.expected(usual, here) {
                at += step.length();
                (number, usual) = (usual, step.usual());
                &step.deed
            } else if let Some(step) = steps.follow_rarely(number, here).and_then(|next| {
                number = next;
                steps.get(next)
            }) {
                at += step.length();
                usual = step.usual();
                &step.deed
            } else {
                let from = steps.get(number).map_or(state, |step| step.then);
                self.at = at;
                let (deed, then) = self.between(from)?;
                number = steps.learn(number, from, bytes.get(at..self.at)?, deed, then).unwrap_or(NONE);
                usual = steps.get(number).map_or(NONE, Step::usual);
                state = then;
                at = self.at;
                learned = deed;
                &learned
            };
            match *deed {
                Deed::Blank(register) => self.set(base, register, Quick::BLANK)?,
                Deed::Bool(register, yes) => self.set(base, register, Quick::bool(yes))?,
                Deed::NoRows { register, width } => {
                    self.set(base, register, Quick::list(0, 0, usize::from(width))?)?;
                }
                Deed::Text(register) => {
                    let (value, behind) = self.string(at)?;
                    at = behind;
                    self.set(base, register, value)?;
                }
                Deed::Read(register, leaf) => {
                    let (value, behind) = match spelled(leaf, bytes.get(at..)?) {
                        Some((value, length)) => (value, at + length),
                        None => self.read(leaf, at)?,
                    };
                    at = behind;
                    self.set(base, register, value)?;
                }
                Deed::Number(register, leaf) => {
                    let (value, behind) = self.number(leaf, at)?;
                    at = behind;
                    self.set(base, register, value)?;
                }
                Deed::Rows { node, register, width } => {
                    self.at = at;
                    let rows = self.rows(steps, node, usize::from(width))?;
                    at = self.at;
                    self.set(base, register, rows)?;
                }
                Deed::Texts(register) => {
                    self.at = at;
                    let texts = self.texts()?;
                    at = self.at;
                    self.set(base, register, texts)?;
                }
                Deed::Amount(register, is_euro) => self.amount(base + usize::from(register), is_euro)?,
                Deed::PassText => at = self.pass_string(at)?,
                Deed::Pass => {
                    self.at = at;
                    self.pass()?;
                    at = self.at;
                }
                Deed::End => {
                    self.at = at;
                    return Some(());
                }
            }
        }
    }

    /// Reads what stands between two values as JSON has it. What is empty or an object, and what nobody wants, is no
    /// value here.
    fn between(&mut self, mut state: State) -> Option<(Deed, State)> {
        let mut is_euro = false;
        loop {
            self.space();
            let State { node, unwanted, first } = state;
            let own = self.layout.nodes.get(usize::from(node))?;
            match self.peek()? {
                b'}' if unwanted > 0 => {
                    self.at += 1;
                    state = State { unwanted: unwanted - 1, first: false, ..state };
                    continue;
                }
                b'}' => {
                    self.at += 1;
                    if own.around == node {
                        return Some((Deed::End, state));
                    }
                    state = State::behind(own.around);
                    if let Some(register) = own.amount {
                        return Some((Deed::Amount(register, is_euro), state));
                    }
                    continue;
                }
                b',' if !first => {
                    self.at += 1;
                    self.space();
                }
                _ if first => {}
                _ => return None,
            }
            let key = self.key()?;
            state.first = false;
            let want = if unwanted > 0 { Want::Skip } else { own.want(key) };
            let deed = match (self.peek()?, want) {
                (b'n', want) => {
                    self.word("null")?;
                    match want {
                        Want::Skip => continue,
                        // Only an amount must be there.
                        Want::Leaf(_, Leaf::Amount) => return None,
                        Want::Leaf(register, _) | Want::Object(_, register) | Want::Money(_, register) => {
                            Deed::Blank(register)
                        }
                        Want::Rows { register, width, .. } => Deed::NoRows { register, width },
                        Want::Texts(register) => Deed::NoRows { register, width: 0 },
                    }
                }
                (b'[', Want::Skip) if self.word("[]").is_some() => continue,
                (b'{', Want::Skip) if u32::from(unwanted) < DEPTH => {
                    self.at += 1;
                    state = State { unwanted: unwanted + 1, first: true, ..state };
                    continue;
                }
                (b't', Want::Skip) => {
                    self.word("true")?;
                    continue;
                }
                (b'f', Want::Skip) => {
                    self.word("false")?;
                    continue;
                }
                // Of other texts one follows another; the currency of an amount is mostly this one.
                (b'"', Want::Skip) if self.word("\"EUR\"").is_some() => continue,
                (b'"', Want::Skip) => {
                    self.at += 1;
                    Deed::PassText
                }
                (_, Want::Skip) => Deed::Pass,
                (b'"', Want::Leaf(_, Leaf::Currency)) if self.bytes.get(self.at..)?.starts_with(EURO_ENDS) => {
                    // To the brace, behind which the amount is over.
                    self.at += EURO_ENDS.len() - 1;
                    is_euro = true;
                    continue;
                }
                (b'{', Want::Money(inner, _)) => {
                    self.at += 1;
                    // When it is over something stands in its register, so that it is not taken twice.
                    state = State::inside(inner);
                    continue;
                }
                (b'"', Want::Leaf(register, leaf)) => {
                    self.at += 1;
                    if leaf == Leaf::Text(Spelling::AsItStands) {
                        Deed::Text(register)
                    } else {
                        Deed::Read(register, leaf)
                    }
                }
                (b't', Want::Leaf(register, Leaf::Bool)) => self.word("true").map(|()| Deed::Bool(register, true))?,
                (b'f', Want::Leaf(register, Leaf::Bool)) => self.word("false").map(|()| Deed::Bool(register, false))?,
                (b'-' | b'0'..=b'9', Want::Leaf(register, leaf)) => Deed::Number(register, leaf),
                (b'{', Want::Object(inner, register)) => {
                    self.at += 1;
                    state = State::inside(inner);
                    // Something stands in its register then, so that it is not taken twice.
                    Deed::Blank(register)
                }
                (b'[', Want::Texts(register)) => {
                    self.at += 1;
                    Deed::Texts(register)
                }
                (b'[', Want::Rows { node, register, width }) => {
                    self.at += 1;
                    Deed::Rows { node, register, width }
                }
                _ => return None,
            };
            return Some((deed, state));
        }
    }

    /// A key and its colon, to its value.
    fn key(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.at;
        let (end, escaped) = string_end(self.bytes, start)?;
        self.at = end + 1;
        self.space();
        self.expect(b':')?;
        self.space();
        if escaped { None } else { self.text.get(start..end) }
    }

    /// None: somebody has put a value there already.
    fn set(&mut self, base: usize, register: u16, value: Quick) -> Option<()> {
        let place = self.registers.get_mut(base + usize::from(register))?;
        if place.kind() != Kind::UNSET {
            return None;
        }
        *place = value;
        Some(())
    }

    /// A text from behind its first quote on, and what is behind it.
    #[expect(clippy::inline_always, reason = "measured: there are as many texts as all other values together")]
    #[inline(always)]
    fn string(&mut self, start: usize) -> Option<(Quick, usize)> {
        let (end, escaped) = string_end(self.bytes, start)?;
        let value =
            if escaped { self.unescaped(start..end)? } else { Quick::plain(self.bytes.get(start..end)?, LINE, start) };
        Some((value, end + 1))
    }

    #[inline(never)]
    fn unescaped(&mut self, text: Range<usize>) -> Option<Quick> {
        let start = self.made.len();
        let plain = unescape(self.text.get(text)?, self.made)?;
        let value = Quick::plain(self.made.written().get(start..)?, MADE, start);
        Some(if plain { value } else { value.with_escapes() })
    }

    /// A number, and what is behind it.
    fn number(&self, leaf: Leaf, start: usize) -> Option<(Quick, usize)> {
        let (digits, scale, length) = number(self.bytes.get(start..)?)?;
        let behind = start + length;
        let value = match leaf {
            // Points and signs are part of a code, but not of every kind of it.
            Leaf::Text(Spelling::AsItStands) => Quick::plain(self.bytes.get(start..behind)?, LINE, start),
            _ => numeric(leaf, digits, scale)?,
        };
        Some((value, behind))
    }

    /// A text from behind its first quote on, as a field of this kind has it, and what is behind it.
    #[inline(never)]
    fn read(&mut self, leaf: Leaf, start: usize) -> Option<(Quick, usize)> {
        let (value, behind) = self.string(start)?;
        self.read_as(leaf, value).map(|value| (value, behind))
    }

    fn read_as(&mut self, leaf: Leaf, value: Quick) -> Option<Quick> {
        if value.is_blank() {
            return (!matches!(leaf, Leaf::Amount | Leaf::Currency)).then_some(value);
        }
        let (start, length) = value.span();
        let made;
        let text = if value.extra() == LINE {
            self.text.get(start..start + length)?
        } else {
            made = str::from_utf8(self.made.written().get(start..start + length)?).ok()?.to_owned();
            &made
        };
        match leaf {
            Leaf::Text(spelling) => {
                let (is_normal, kind) = match spelling {
                    Spelling::AsItStands => (true, &Type::Text),
                    Spelling::Email => {
                        (text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()), &Type::Email)
                    }
                    Spelling::Upper => (text.bytes().all(|byte| byte.is_ascii_uppercase()), &Type::Country),
                    Spelling::Number => {
                        (text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), &Type::Iban)
                    }
                };
                if is_normal {
                    return Some(value);
                }
                let normal = normalise(kind, text);
                Quick::of(&normal, MADE, self.made)
            }
            Leaf::Bool => None,
            Leaf::Date => match text.as_bytes().split_first_chunk() {
                // Of a moment the day that stands there.
                Some((date, [] | [b'T', b'0'..=b'9', b'0'..=b'9', ..])) => day(date),
                _ => None,
            },
            Leaf::Currency => value::currency(text).map(|code| Quick::int(i64::from(code))),
            _ => {
                let (digits, scale, length) = number(text.as_bytes())?;
                if length == text.len() { numeric(leaf, digits, scale) } else { None }
            }
        }
    }

    /// Puts an amount into its register, of the amount and the currency behind that, each of which was there once.
    fn amount(&mut self, register: usize, is_euro: bool) -> Option<()> {
        let [place, amount, currency] = self.registers.get_mut(register..register + 3)? else { return None };
        if !place.is_unset() || (is_euro && !currency.is_unset()) {
            return None;
        }
        let code = if currency.is_blank() { value::EUR } else { u32::try_from(currency.number()).ok()? };
        if amount.kind() != Kind::DECIMAL {
            return None;
        }
        *place = Quick::money(amount.number(), amount.scale(), code);
        Some(())
    }

    /// Texts that are none of them blank, from behind a bracket to behind the other one. Only how many they are is known
    /// then.
    fn texts(&mut self) -> Option<Quick> {
        self.space();
        let mut count = 0;
        if self.expect(b']').is_none() {
            loop {
                self.space();
                self.expect(b'"')?;
                self.peek().filter(u8::is_ascii_alphanumeric)?;
                self.at = self.pass_string(self.at)?;
                count += 1;
                self.space();
                if self.expect(b',').is_none() {
                    self.expect(b']')?;
                    break;
                }
            }
        }
        Quick::list(0, count, 0)
    }

    /// From behind a bracket to behind the other one.
    fn rows(&mut self, steps: &mut Steps, node: u16, width: usize) -> Option<Quick> {
        let first = self.registers.len();
        self.space();
        if self.expect(b']').is_some() {
            return Quick::list(first, 0, width);
        }
        let mut count = 0;
        loop {
            self.space();
            self.expect(b'{')?;
            let base = self.registers.len();
            self.registers.resize(base + width, Quick::UNSET);
            self.members(steps, node, base)?;
            count += 1;
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Quick::list(first, count, width);
                }
                _ => return None,
            }
        }
    }

    /// A text that nobody wants, from behind its first quote on to behind the other one: its escapes must be right all
    /// the same.
    #[inline]
    fn pass_string(&mut self, start: usize) -> Option<usize> {
        let (end, escaped) = string_end(self.bytes, start)?;
        if escaped {
            self.pass_escapes(start..end)?;
        }
        Some(end + 1)
    }

    #[inline(never)]
    fn pass_escapes(&mut self, text: Range<usize>) -> Option<()> {
        let known = self.made.len();
        unescape(self.text.get(text)?, self.made)?;
        self.made.truncate(known);
        Some(())
    }

    /// Any value that nobody wants.
    fn pass(&mut self) -> Option<()> {
        // What is open: a bit each, set for an object, the innermost one lowest.
        let (mut open, mut depth) = (0_u64, 0);
        loop {
            let bracket = self.peek()?;
            match bracket {
                b'"' => {
                    self.at = self.pass_string(self.at + 1)?;
                }
                b'n' => self.word("null")?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'{' | b'[' => {
                    self.at += 1;
                    depth += 1;
                    if depth > DEPTH {
                        return None;
                    }
                    open = open << 1 | u64::from(bracket == b'{');
                    self.space();
                    if !matches!(self.peek()?, b'}' | b']') {
                        if bracket == b'{' {
                            self.pass_key()?;
                        }
                        continue;
                    }
                }
                _ => self.pass_number()?,
            }
            loop {
                if depth == 0 {
                    return Some(());
                }
                self.space();
                let in_object = open & 1 == 1;
                match self.peek()? {
                    b',' => {
                        self.at += 1;
                        self.space();
                        if in_object {
                            self.pass_key()?;
                        }
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ => return None,
                }
                self.at += 1;
                depth -= 1;
                open >>= 1;
            }
        }
    }

    /// A key that nobody wants, to its value.
    fn pass_key(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.at = self.pass_string(self.at)?;
        self.space();
        self.expect(b':')?;
        self.space();
        Some(())
    }

    /// A number that nobody wants.
    fn pass_number(&mut self) -> Option<()> {
        if let Some((.., length)) = self.bytes.get(self.at..).and_then(number) {
            self.at += length;
            return Some(());
        }
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        serde_json::from_str::<&RawValue>(self.text.get(start..self.at)?).ok().map(|_| ())
    }
}

/// A value as its text mostly stands, from behind its first quote on, and how far it goes.
fn spelled(leaf: Leaf, bytes: &[u8]) -> Option<(Quick, usize)> {
    match leaf {
        Leaf::Text(_) | Leaf::Bool => None,
        Leaf::Date => match bytes.split_first_chunk()? {
            (date, [b'"', ..]) => Some((day(date)?, date.len() + 1)),
            _ => None,
        },
        Leaf::Currency => match bytes {
            [b'E', b'U', b'R', b'"', ..] => Some((Quick::int(i64::from(value::EUR)), 4)),
            _ => None,
        },
        _ => {
            let (digits, scale, length) = number(bytes)?;
            (bytes.get(length) == Some(&b'"')).then_some((numeric(leaf, digits, scale)?, length + 1))
        }
    }
}

fn numeric(leaf: Leaf, number: i64, scale: u8) -> Option<Quick> {
    match leaf {
        Leaf::Int => {
            let whole = value::power(scale)?;
            (number % whole == 0).then_some(Quick::int(number / whole))
        }
        Leaf::Decimal | Leaf::Amount => Some(Quick::decimal(number, scale)),
        Leaf::PercentPoints => (scale + 2 <= DIGITS).then_some(Quick::decimal(number, scale + 2)),
        Leaf::Euro => Some(Quick::money(number, scale, value::EUR)),
        Leaf::Text(_) | Leaf::Bool | Leaf::Currency | Leaf::Date => None,
    }
}
