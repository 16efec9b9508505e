//! Reads a record of the wire into registers by comparing instead of parsing.
//!
//! Takes a line of JSON, gives the registers of its record. A vendor writes the keys of its records in the same order
//! again and again: what stands between two values (comma, key, colon) is kept as it stood, and where the same follows
//! the same, one comparison does the work of reading a key and looking it up. What was learned only saves work: every
//! byte is compared or parsed. None for whatever is unusual or wrong (a key twice, a number of thirty digits, a value
//! of another kind, no JSON): the plain decoder reads the line then, and has the last word.

use super::{
    layout::{Layout, Leaf, Spelling, Want},
    value::{self, DIGITS, Kind, LINE, MADE, Quick, day, number},
};
use crate::schema::{Kind as Type, normalise};

/// What was learned so far; for one thread and one layout.
#[derive(Debug)]
pub(super) struct Reader {
    /// By node of the layout; behind them those of objects that nobody wants.
    objects: Vec<Learned>,
}

/// The texts between the values of an object.
#[derive(Debug, Default)]
struct Learned {
    steps: Vec<Step>,
    first: u16,
}

#[derive(Debug)]
struct Step {
    /// `,"customer_id":`; without the comma at the beginning of an object.
    text: Box<[u8]>,
    want: Want,
    /// What mostly follows.
    next: u16,
}

/// An object has at most so many steps, and so many objects are told apart: vendors have fewer, nonsense has no end.
const STEPS: usize = 128;
const OBJECTS: usize = 256;
/// No step.
const NONE: u16 = u16::MAX;
/// Deeper than any vendor, and less deep than what the plain decoder refuses.
const DEPTH: usize = 60;

/// What follows a value.
enum Next {
    End,
    Key { want: Want, step: u16 },
}

struct Cursor<'a, 'r> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    layout: &'r Layout,
    objects: &'r mut Vec<Learned>,
    registers: &'r mut Vec<Quick>,
    /// Texts that had escapes, and normal forms.
    made: &'r mut String,
}

impl Reader {
    /// Nothing is learned yet.
    pub(super) fn new(layout: &Layout) -> Self {
        Self { objects: layout.nodes.iter().map(|_| Learned::default()).collect() }
    }

    /// Fills the registers with a record. None: read it plainly.
    pub(super) fn record(
        &mut self,
        layout: &Layout,
        line: &str,
        registers: &mut Vec<Quick>,
        made: &mut String,
    ) -> Option<()> {
        registers.clear();
        registers.resize(layout.width, Quick::UNSET);
        let objects = &mut self.objects;
        let mut cursor = Cursor { text: line, bytes: line.as_bytes(), at: 0, layout, objects, registers, made };
        cursor.space();
        cursor.expect(b'{')?;
        cursor.object(0, 0, 0)?;
        cursor.space();
        (cursor.at == line.len()).then_some(())
    }
}

impl<'a> Cursor<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.bytes.get(self.at..)?.starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// The members of an object, from behind its brace to behind the other one.
    fn object(&mut self, node: usize, base: usize, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        let mut before = NONE;
        let mut first = true;
        loop {
            if self.peek()? == b'}' {
                self.at += 1;
                return Some(());
            }
            let learned = self.objects.get(node)?;
            let guess = if first {
                learned.first
            } else {
                learned.steps.get(usize::from(before)).map_or(NONE, |step| step.next)
            };
            let (want, step) = match learned.steps.get(usize::from(guess)) {
                Some(step) if begins(self.bytes, self.at, &step.text) => {
                    self.at += step.text.len();
                    (step.want, guess)
                }
                _ => match self.key(node, before, first)? {
                    Next::End => return Some(()),
                    Next::Key { want, step } => (want, step),
                },
            };
            match want {
                Want::Skip(own) => self.skip(node, step, own, depth)?,
                Want::Leaf(register, leaf) => {
                    let value = self.leaf(leaf)?;
                    self.set(base + usize::from(register), value)?;
                }
                Want::Object(own, register) => {
                    self.set(base + usize::from(register), Quick::BLANK)?;
                    if !self.null() {
                        self.expect(b'{')?;
                        self.object(usize::from(own), base, depth + 1)?;
                    }
                }
                Want::Money(own, register) => {
                    let register = usize::from(register);
                    let money = self.money(usize::from(own), base, register, depth)?;
                    self.set(base + register, money)?;
                }
                Want::Rows { node, register, width } => {
                    let rows = self.rows(usize::from(node), usize::from(width), depth)?;
                    self.set(base + usize::from(register), rows)?;
                }
            }
            (before, first) = (step, false);
        }
    }

    /// Reads a key as JSON has it, and learns it.
    fn key(&mut self, node: usize, before: u16, first: bool) -> Option<Next> {
        let start = self.at;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Next::End);
        }
        if !first {
            self.expect(b',')?;
            self.space();
        }
        self.expect(b'"')?;
        let from = self.at;
        let (end, escaped) = string_end(self.bytes, from)?;
        if escaped {
            return None;
        }
        self.at = end + 1;
        self.space();
        self.expect(b':')?;
        self.space();
        let key = self.text.get(from..end)?;
        let text = self.bytes.get(start..self.at)?;
        let want = self.layout.nodes.get(node).map_or(Want::Skip(None), |node| node.want(key));
        let learned = self.objects.get_mut(node)?;
        let place = match learned.steps.iter().position(|step| *step.text == *text) {
            Some(place) => place,
            None if learned.steps.len() < STEPS => {
                learned.steps.push(Step { text: text.into(), want, next: NONE });
                learned.steps.len() - 1
            }
            None => return Some(Next::Key { want, step: NONE }),
        };
        let want = learned.steps.get(place).map_or(want, |step| step.want);
        let step = u16::try_from(place).unwrap_or(NONE);
        if first {
            learned.first = step;
        } else if let Some(before) = learned.steps.get_mut(usize::from(before)) {
            before.next = step;
        }
        Some(Next::Key { want, step })
    }

    /// None: somebody has put a value there already.
    fn set(&mut self, register: usize, value: Quick) -> Option<()> {
        let place = self.registers.get_mut(register)?;
        if place.kind != Kind::Unset {
            return None;
        }
        *place = value;
        Some(())
    }

    fn null(&mut self) -> bool {
        self.peek() == Some(b'n') && self.word("null").is_some()
    }

    fn leaf(&mut self, leaf: Leaf) -> Option<Quick> {
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                self.of_text(leaf, text)
            }
            b'n' => {
                self.word("null")?;
                // Only an amount must be there.
                (leaf != Leaf::Amount).then_some(Quick::BLANK)
            }
            b't' if leaf == Leaf::Bool => self.word("true").map(|()| Quick::bool(true)),
            b'f' if leaf == Leaf::Bool => self.word("false").map(|()| Quick::bool(false)),
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                let text = self.digits()?;
                match leaf {
                    // Points and signs are part of a code, but not of every kind of it.
                    Leaf::Text(Spelling::AsItStands) => {
                        number(text)?;
                        Some(Quick::text(text, LINE, start).without_escapes())
                    }
                    Leaf::Text(_) | Leaf::Bool | Leaf::Date | Leaf::Currency => None,
                    _ => numeric(leaf, text),
                }
            }
            _ => None,
        }
    }

    fn of_text(&mut self, leaf: Leaf, value: Quick) -> Option<Quick> {
        if value.is_blank() {
            return (!matches!(leaf, Leaf::Amount | Leaf::Currency)).then_some(value);
        }
        let (start, length) = value.span();
        let all = if value.extra == LINE { self.text } else { self.made.as_str() };
        let text = all.get(start..start + length)?;
        match leaf {
            Leaf::Text(spelling) => {
                let (as_it_stands, normal) = match spelling {
                    Spelling::AsItStands => (true, &Type::Text),
                    Spelling::Email => {
                        (text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()), &Type::Email)
                    }
                    Spelling::Upper => (text.bytes().all(|byte| byte.is_ascii_uppercase()), &Type::Country),
                    Spelling::Number => {
                        (text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), &Type::Iban)
                    }
                };
                if as_it_stands {
                    return Some(value);
                }
                let normal = normalise(normal, text);
                Quick::of(&normal, MADE, self.made)
            }
            Leaf::Bool => None,
            Leaf::Date => match text.get(10..) {
                Some("") => day(text),
                // Of a moment the day that stands there.
                Some(time) => match time.as_bytes() {
                    [b'T', ten, one, ..] if ten.is_ascii_digit() && one.is_ascii_digit() => day(text.get(..10)?),
                    _ => None,
                },
                None => None,
            },
            Leaf::Currency => value::currency(text).map(|code| Quick::int(i64::from(code))),
            _ => numeric(leaf, text),
        }
    }

    fn money(&mut self, node: usize, base: usize, register: usize, depth: usize) -> Option<Quick> {
        if self.null() {
            return Some(Quick::BLANK);
        }
        self.expect(b'{')?;
        self.object(node, base, depth + 1)?;
        let amount = *self.registers.get(base + register + 1)?;
        let currency = *self.registers.get(base + register + 2)?;
        let currency = if currency.is_blank() { value::EUR } else { u32::try_from(currency.number).ok()? };
        (amount.kind == Kind::Decimal).then_some(Quick::money(amount.number, amount.scale, currency))
    }

    fn rows(&mut self, node: usize, width: usize, depth: usize) -> Option<Quick> {
        let first = self.registers.len();
        if self.null() {
            return Quick::list(first, 0, width);
        }
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Quick::list(first, 0, width);
        }
        let mut count = 0;
        loop {
            self.space();
            self.expect(b'{')?;
            let base = self.registers.len();
            self.registers.resize(base + width, Quick::UNSET);
            self.object(node, base, depth + 1)?;
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

    /// A value that nobody wants; `own` is the node of the objects in it.
    fn skip(&mut self, node: usize, step: u16, own: Option<u16>, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.pass_string(),
            b'n' => self.word("null"),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'{' | b'[' => {
                let own = match own {
                    Some(own) => own,
                    None => self.unwanted(node, step)?,
                };
                self.nested(usize::from(own), depth + 1)
            }
            _ => {
                let text = self.digits()?;
                (number(text).is_some() || serde_json::from_str::<serde_json::Number>(text).is_ok()).then_some(())
            }
        }
    }

    /// A node for the objects in a value that nobody wants, kept with its step.
    fn unwanted(&mut self, node: usize, step: u16) -> Option<u16> {
        if self.objects.len() >= OBJECTS {
            return None;
        }
        self.objects.push(Learned::default());
        let own = u16::try_from(self.objects.len() - 1).ok()?;
        if let Some(step) = self.objects.get_mut(node).and_then(|object| object.steps.get_mut(usize::from(step))) {
            step.want = Want::Skip(Some(own));
        }
        Some(own)
    }

    /// An object or list that nobody wants.
    fn nested(&mut self, own: usize, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        if self.expect(b'{').is_some() {
            return self.object(own, 0, depth);
        }
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            match self.peek()? {
                b'{' | b'[' => self.nested(own, depth + 1)?,
                _ => self.skip(own, NONE, None, depth)?,
            }
            self.space();
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A text; one that had escapes is made.
    fn string(&mut self) -> Option<Quick> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.bytes, start)?;
        self.at = end + 1;
        if !escaped {
            return Some(Quick::text(self.text.get(start..end)?, LINE, start).without_escapes());
        }
        let unescaped: String = serde_json::from_str(self.text.get(start - 1..=end)?).ok()?;
        let value = Quick::text(&unescaped, MADE, self.made.len());
        self.made.push_str(&unescaped);
        Some(value)
    }

    /// A text that nobody wants: its escapes must be right all the same.
    fn pass_string(&mut self) -> Option<()> {
        let start = self.at + 1;
        let (end, escaped) = string_end(self.bytes, start)?;
        self.at = end + 1;
        if escaped {
            serde_json::from_str::<String>(self.text.get(start - 1..=end)?).ok()?;
        }
        Some(())
    }

    /// What can be a number.
    fn digits(&mut self) -> Option<&'a str> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        self.text.get(start..self.at).filter(|text| !text.is_empty())
    }
}

fn numeric(leaf: Leaf, text: &str) -> Option<Quick> {
    let (number, scale) = number(text)?;
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

/// Does this text stand at this place? Eight bytes at a time: they are a key and its quotes, short and mostly right.
fn begins(bytes: &[u8], at: usize, text: &[u8]) -> bool {
    let Some(there) = bytes.get(at..at + text.len()) else { return false };
    let (Some(last), Some(own)) = (there.last_chunk::<8>(), text.last_chunk::<8>()) else { return there == text };
    let (mut rest, mut wanted) = (there, text);
    while let (Some((eight, behind)), Some((own, more))) =
        (rest.split_first_chunk::<8>(), wanted.split_first_chunk::<8>())
    {
        if u64::from_ne_bytes(*eight) != u64::from_ne_bytes(*own) {
            return false;
        }
        (rest, wanted) = (behind, more);
    }
    u64::from_ne_bytes(*last) == u64::from_ne_bytes(*own)
}

/// Where a text of JSON ends, from behind its first quote on: the place of the other one, and whether it has escapes.
fn string_end(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        while let Some(eight) = bytes.get(at..at + 8).and_then(|eight| <[u8; 8]>::try_from(eight).ok()) {
            let found = special(u64::from_le_bytes(eight));
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                break;
            }
            at += 8;
        }
        match bytes.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// The high bit of each byte that is a quote, a backslash or a control character; right for the lowest one.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * 0x22));
    let backslash = zero(word ^ (ONES * 0x5c));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGH
}
