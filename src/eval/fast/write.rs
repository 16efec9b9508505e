//! From registers to the body that AFAS takes: a template made once, filled in for each record.
//!
//! Takes the object that a write fills and, while its lines are lowered, the fields that they give; then the values of
//! a record. Gives the bytes that `schema::encode` and the envelope of the connector would give. None for a value that
//! its field does not take: the plain encoder says why.

use std::sync::Arc;

use super::{
    super::output::{Output, PIECE},
    scan::escape,
    texts::Texts,
    value::{EUR, Kind, Quick, currency, shortest},
};
use crate::schema::{Field, Form, Kind as Type, Object};

/// An element of the envelope.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// What stands on the element itself.
    attributes: Vec<Scalar>,
    scalars: Vec<Scalar>,
    objects: Vec<Part>,
}

/// A field with a value.
#[derive(Debug)]
struct Scalar {
    name: Arc<str>,
    /// `,"OrNu":"`, without its last quote where the value has none.
    key: Literal,
    out: usize,
    wire: Wire,
    /// All of it, where its value is always the same: `,"CuId":"EUR"`.
    fixed: Option<Literal>,
}

/// A field with fields of its own.
#[derive(Debug)]
struct Part {
    name: Arc<str>,
    /// `{"FbSalesLines":{"Element":`
    key: Literal,
    element: Element,
    /// The register of the list, where it has rows.
    rows: Option<usize>,
}

/// Bytes that are written again and again: most are few, and copied in one go with the zeros behind them.
#[derive(Debug)]
struct Literal {
    first: [u8; PIECE],
    length: usize,
    more: Box<[u8]>,
}

/// How a value is written, see `schema::encode`.
#[derive(Debug, Clone)]
enum Wire {
    Bool,
    Int,
    Number,
    NumberText,
    Fraction,
    Points(Option<u8>),
    /// An amount in the currency of the field of this name, once it is known where that stands.
    Amount(Option<Arc<str>>),
    AmountIn(Currency),
    Date,
    Text,
}

/// The currency that an amount must have.
#[derive(Debug, Clone, Copy)]
enum Currency {
    Euro,
    /// That of a field around it; `true`: of the record, not of the row.
    Field(usize, bool),
}

/// A body while its lines are lowered.
#[derive(Debug)]
pub(super) struct Outline {
    levels: Vec<Level>,
    /// The registers of the record, and of the row.
    widths: Vec<usize>,
}

#[derive(Debug)]
struct Level {
    object: Arc<Object>,
    element: Element,
}

impl Outline {
    /// Nothing is in it yet. None: the object is not one of AFAS.
    pub(super) fn new(object: &Arc<Object>) -> Option<Self> {
        (object.system() == "afas").then(|| Self { levels: Vec::new(), widths: vec![0] }.below(object))?
    }

    fn below(mut self, object: &Arc<Object>) -> Option<Self> {
        self.push(object)?;
        Some(self)
    }

    fn push(&mut self, object: &Arc<Object>) -> Option<()> {
        // A key that goes without a value as well.
        if object.fields.values().any(|field| field.form == Form::NullText) {
            return None;
        }
        self.levels.push(Level { object: object.clone(), element: Element::default() });
        Some(())
    }

    fn register(&mut self) -> Option<usize> {
        let width = self.widths.last_mut()?;
        *width += 1;
        Some(*width - 1)
    }

    /// The field of a name that nothing in this object has yet.
    fn field(&self, name: &str) -> Option<Arc<Field>> {
        let level = self.levels.last()?;
        let field = level.object.field(name).filter(|field| field.instead.is_none())?;
        let Element { attributes, scalars, objects } = &level.element;
        let known = attributes.iter().chain(scalars).any(|scalar| *scalar.name == *name)
            || objects.iter().any(|part| *part.name == *name);
        (!known).then(|| field.clone())
    }

    /// The register of a field that gets a value.
    pub(super) fn value(&mut self, name: &str) -> Option<usize> {
        let field = self.field(name)?;
        let wire = match (&field.ty.kind, &field.form) {
            (Type::Bool, _) => Wire::Bool,
            (Type::Int, _) => Wire::Int,
            (Type::Decimal, Form::NumberText) => Wire::NumberText,
            (Type::Decimal, _) => Wire::Number,
            (Type::Percent, Form::PercentFraction) => Wire::Fraction,
            (Type::Percent, _) => Wire::Points(field.decimals.map(u8::try_from).transpose().ok()?),
            (Type::Money, Form::MoneyObject(_)) => return None,
            (Type::Money, Form::MoneyNumber(name)) => Wire::Amount(name.clone()),
            (Type::Money, _) => Wire::Amount(None),
            (Type::Date, _) => Wire::Date,
            (
                Type::Text
                | Type::Country
                | Type::Currency
                | Type::Email
                | Type::Iban
                | Type::VatNumber
                | Type::OneOf(_),
                _,
            ) => Wire::Text,
            _ => return None,
        };
        let out = self.register()?;
        let quote = if wire.is_quoted() { "\"" } else { "" };
        let key = Literal::new(format!(",{}:{quote}", serde_json::Value::from(&*field.wire)).as_bytes());
        let scalar = Scalar { name: field.name.clone(), key, out, wire, fixed: None };
        let element = &mut self.levels.last_mut()?.element;
        let attribute = field.wire.starts_with('@');
        if attribute {
            element.attributes.push(scalar);
        } else {
            element.scalars.push(scalar);
        }
        Some(out)
    }

    /// The field with this register has always this value.
    pub(super) fn fix(&mut self, out: usize, value: Quick, texts: &Texts<'_>) {
        let Some(element) = self.levels.last_mut().map(|level| &mut level.element) else { return };
        let mut scalars = element.scalars.iter_mut().chain(&mut element.attributes);
        let Some(scalar) = scalars.find(|scalar| scalar.out == out) else { return };
        let (mut outs, mut written) = (vec![Quick::UNSET; out], Output::default());
        outs.push(value);
        // An amount is not known to fit before its currency is.
        if scalar.write(&outs, texts, 0, &mut written).is_some() && !value.is_blank() {
            scalar.fixed = Some(Literal::new(written.written()));
        }
    }

    /// The fields of an object.
    pub(super) fn object<T>(&mut self, name: &str, lower: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let field = self.field(name)?;
        // An object where a list stands would be a list of one.
        let Type::Record(object) = &field.ty.kind else { return None };
        self.push(object)?;
        let lowered = lower(self)?;
        let element = self.levels.pop()?.element;
        let part = Part::new(&field, element, None);
        self.levels.last_mut()?.element.objects.push(part);
        Some(lowered)
    }

    /// The fields of line objects: the register of their list, and the registers of one.
    pub(super) fn rows<T>(
        &mut self,
        name: &str,
        lower: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<(usize, usize, T)> {
        let field = self.field(name)?;
        let Type::List(of) = &field.ty.kind else { return None };
        // Rows within rows are left to the plain evaluator.
        if self.widths.len() > 1 {
            return None;
        }
        let out = self.register()?;
        self.push(of.object()?)?;
        self.widths.push(0);
        let lowered = lower(self)?;
        let width = self.widths.pop()?;
        let element = self.levels.pop()?.element;
        let part = Part::new(&field, element, Some(out));
        self.levels.last_mut()?.element.objects.push(part);
        Some((out, width, lowered))
    }

    /// The template, and how many registers its record has.
    pub(super) fn done(mut self) -> Option<(Element, usize)> {
        let mut element = self.levels.pop()?.element;
        settle(&mut element, &mut Vec::new(), false);
        Some((element, self.widths.pop()?))
    }
}

/// Finds the currencies of amounts: the nearest field of that name, from the inside to the outside.
fn settle(element: &mut Element, around: &mut Vec<Vec<(Arc<str>, usize, bool)>>, in_row: bool) {
    let own = element.scalars.iter().map(|scalar| (scalar.name.clone(), scalar.out, in_row)).collect();
    around.push(own);
    for scalar in &mut element.scalars {
        if let Wire::Amount(name) = &scalar.wire {
            let mut levels = around.iter().rev().flatten();
            let found = name.as_ref().and_then(|name| levels.find(|(own, ..)| own == name));
            let currency = found.map_or(Currency::Euro, |(_, out, row)| Currency::Field(*out, !*row));
            scalar.wire = Wire::AmountIn(currency);
        }
    }
    for part in &mut element.objects {
        settle(&mut part.element, around, in_row || part.rows.is_some());
    }
    around.pop();
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let mut first = [0; PIECE];
        first.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        Self { first, length: bytes.len(), more: bytes.get(PIECE..).unwrap_or_default().into() }
    }

    #[inline]
    fn write(&self, into: &mut Output) {
        into.piece(&self.first, self.length.min(PIECE));
        if self.length > PIECE {
            into.bytes(&self.more);
        }
    }
}

impl Wire {
    /// Do its values stand in quotes?
    fn is_quoted(&self) -> bool {
        matches!(self, Self::Text | Self::Date | Self::NumberText | Self::Fraction)
    }
}

impl Element {
    /// Is there anything in it?
    fn is_filled(&self, outs: &[Quick], base: usize) -> bool {
        let there = |scalar: &Scalar| outs.get(base + scalar.out).is_some_and(|value| !value.is_blank());
        self.scalars.iter().chain(&self.attributes).any(there)
            || self.objects.iter().any(|part| part.is_filled(outs, base))
    }

    /// Writes it, filled from the registers that begin at `base`.
    pub(super) fn write(&self, outs: &[Quick], texts: &Texts<'_>, base: usize, into: &mut Output) -> Option<()> {
        let begin = into.len();
        for scalar in &self.attributes {
            scalar.write(outs, texts, base, into)?;
        }
        into.word(b",\"Fields\":");
        open(into, begin);
        let begin = into.len();
        for scalar in &self.scalars {
            scalar.write(outs, texts, base, into)?;
        }
        open(into, begin);
        into.push(b'}');
        let mut first = true;
        for part in self.objects.iter().filter(|part| part.is_filled(outs, base)) {
            if first {
                into.word(b",\"Objects\":[");
            } else {
                into.push(b',');
            }
            first = false;
            part.write(outs, texts, base, into)?;
        }
        if !first {
            into.push(b']');
        }
        into.push(b'}');
        Some(())
    }
}

/// Makes the comma that stands at this place the brace of an object; a brace of its own where nothing follows.
fn open(into: &mut Output, place: usize) {
    match into.byte(place) {
        Some(comma) => *comma = b'{',
        None => into.push(b'{'),
    }
}

impl Part {
    fn new(field: &Field, element: Element, rows: Option<usize>) -> Self {
        let key = format!("{{{}:{{\"Element\":", serde_json::Value::from(&*field.wire));
        Self { name: field.name.clone(), key: Literal::new(key.as_bytes()), element, rows }
    }

    fn is_filled(&self, outs: &[Quick], base: usize) -> bool {
        match self.rows {
            Some(rows) => outs.get(base + rows).is_some_and(|rows| rows.rows().1 > 0),
            None => self.element.is_filled(outs, base),
        }
    }

    fn write(&self, outs: &[Quick], texts: &Texts<'_>, base: usize, into: &mut Output) -> Option<()> {
        self.key.write(into);
        match self.rows {
            None => self.element.write(outs, texts, base, into)?,
            Some(rows) => {
                for (number, row) in outs.get(base + rows)?.row_begins().enumerate() {
                    into.push(if number == 0 { b'[' } else { b',' });
                    self.element.write(outs, texts, row, into)?;
                }
                into.push(b']');
            }
        }
        into.word(b"}}");
        Some(())
    }
}

impl Scalar {
    /// What is blank is left out.
    #[expect(clippy::inline_always, reason = "measured: what it takes to call it is a third of it")]
    #[inline(always)]
    fn write(&self, outs: &[Quick], texts: &Texts<'_>, base: usize, into: &mut Output) -> Option<()> {
        let value = *outs.get(base + self.out)?;
        if value.is_blank() {
            return Some(());
        }
        if let Some(fixed) = &self.fixed {
            fixed.write(into);
            return Some(());
        }
        if matches!(self.wire, Wire::Text) && value.kind() == Kind::PLAIN {
            let (start, length) = value.span();
            let short = texts.around(value).get(start..).and_then(<[u8]>::first_chunk);
            let key = (&self.key.first, self.key.length);
            if short.and_then(|text| into.pieces(key, (text, length), b'"')).is_some() {
                return Some(());
            }
        }
        self.longer(value, outs, texts, base, into)
    }

    #[inline(never)]
    fn longer(&self, value: Quick, outs: &[Quick], texts: &Texts<'_>, base: usize, into: &mut Output) -> Option<()> {
        self.key.write(into);
        self.value(value, outs, texts, base, into)?;
        if self.wire.is_quoted() {
            into.push(b'"');
        }
        Some(())
    }

    /// A value without its quotes.
    #[inline]
    fn value(&self, value: Quick, outs: &[Quick], texts: &Texts<'_>, base: usize, into: &mut Output) -> Option<()> {
        match (&self.wire, value.kind()) {
            (Wire::Text, Kind::PLAIN) => plain(value, texts, into),
            (Wire::Text, Kind::TEXT) => escape(texts.bytes(value), into),
            (Wire::Text | Wire::Int, Kind::INT) => number(value.number(), 0, into),
            (Wire::Date, Kind::DATE) => date(value.number(), into),
            (Wire::Bool, Kind::BOOL) if value.is_yes() => into.word(b"true"),
            (Wire::Bool, Kind::BOOL) => into.word(b"false"),
            (Wire::Int, Kind::DECIMAL) => match shortest(value.number(), value.scale()) {
                (whole, 0) => number(whole, 0, into),
                _ => return None,
            },
            (Wire::Int, Kind::PLAIN | Kind::TEXT) => number(texts.get(value).trim().parse().ok()?, 0, into),
            (Wire::Number | Wire::NumberText | Wire::Fraction, Kind::INT | Kind::DECIMAL) => short(value, into),
            (Wire::Points(places), Kind::INT | Kind::DECIMAL) => {
                let (digits, scale) = shortest(value.number(), value.scale());
                let (digits, scale) = match scale {
                    0 => (digits.checked_mul(100)?, 0),
                    1 => (digits.checked_mul(10)?, 0),
                    scale => (digits, scale - 2),
                };
                if places.is_some_and(|places| scale > places) {
                    return None;
                }
                number(digits, scale, into);
            }
            (Wire::AmountIn(own), Kind::MONEY) => {
                let own = match own {
                    Currency::Euro => EUR,
                    Currency::Field(out, of_record) => {
                        let field = outs.get(if *of_record { *out } else { base + out })?;
                        if field.is_text() { currency(texts.get(*field))? } else { EUR }
                    }
                };
                if own != value.extra() && value.number() != 0 {
                    return None;
                }
                short(value, into);
            }
            _ => return None,
        }
        Some(())
    }
}

/// A text as JSON has it.
pub(super) fn text(value: Quick, texts: &Texts<'_>, into: &mut Output) {
    into.push(b'"');
    if value.kind() == Kind::PLAIN {
        plain(value, texts, into);
    } else {
        escape(texts.bytes(value), into);
    }
    into.push(b'"');
}

/// A text whose characters JSON writes as they are, without its quotes.
fn plain(value: Quick, texts: &Texts<'_>, into: &mut Output) {
    let (start, length) = value.span();
    into.part(texts.around(value), start, length);
}

/// A day from the year 1000 on.
fn date(day: i64, into: &mut Output) {
    let spelled = u128::from(digits(day.cast_unsigned()) | ZEROS);
    let (year, month, day) = (spelled & 0xffff_ffff, spelled >> 32 & 0xffff, spelled >> 48);
    let hyphen = u128::from(b'-');
    let all = year | hyphen << 32 | month << 40 | hyphen << 56 | day << 64;
    into.piece(&all.to_le_bytes(), "yyyy-mm-dd".len());
}

/// A number without zeros at the end.
fn short(value: Quick, into: &mut Output) {
    if usual(value.number(), value.scale(), into).is_none() {
        let (digits, scale) = shortest(value.number(), value.scale());
        number(digits, scale, into);
    }
}

/// The same of less than a hundred million, with up to six decimals: what most of them are. How many digits there are
/// nobody can foresee, so that nothing depends on it but what is worked out. None for all others.
fn usual(number: i64, scale: u8, into: &mut Output) -> Option<()> {
    if !(0..100_000_000).contains(&number) || scale > 6 {
        return None;
    }
    // Eight digits, a byte each, the first one lowest.
    let digits = digits(number.cast_unsigned());
    let scale = u32::from(scale);
    let zeros = (digits.trailing_zeros() / 8).min(7 - scale);
    let decimals = scale.saturating_sub(digits.leading_zeros() / 8);
    let spelled = digits | ZEROS;
    let whole = 8 - scale - zeros;
    into.piece(&(spelled >> (8 * zeros)).to_le_bytes(), whole as usize);
    let behind = spelled.unbounded_shr(64 - 8 * scale) << 8 | u64::from(b'.');
    into.piece(&behind.to_le_bytes(), (u32::from(decimals > 0) + decimals) as usize);
    Some(())
}

/// Makes digits characters.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below a hundred million, the first one in the lowest byte.
fn digits(number: u64) -> u64 {
    // Two halves, four parts, eight digits, each next to the other; a product and a shift divide by a hundred and by ten.
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 5_243) >> 19) & 0x0000_007f_0000_007f;
    let parts = hundreds | ((halves - hundreds * 100) << 16);
    let tens = ((parts * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((parts - tens * 10) << 8)
}

/// More than a number has characters.
const NUMBER: usize = 24;

/// A number with its point.
pub(super) fn number(digits: i64, scale: u8, into: &mut Output) {
    let mut buffer = [b'0'; 2 * NUMBER];
    let mut rest = digits.unsigned_abs();
    let mut written = 0_u8;
    let mut at = NUMBER;
    while rest > 0 || written <= scale {
        if written == scale && scale > 0 {
            at -= 1;
            if let Some(place) = buffer.get_mut(at) {
                *place = b'.';
            }
        }
        at -= 1;
        if let Some(place) = buffer.get_mut(at) {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        }
        rest /= 10;
        written += 1;
    }
    if digits < 0 {
        into.push(b'-');
    }
    if let Some(first) = buffer.get(at..).and_then(<[u8]>::first_chunk::<NUMBER>) {
        into.piece(first, NUMBER - at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_written_alike_whether_it_is_a_usual_one(number in 0i64..100_000_000, less in 0u32..9, scale in 0u8..7) {
            let number = number / 10_i64.pow(less) * [1, 10, 100][less as usize % 3];
            let (mut one, mut other) = (Output::default(), Output::default());
            prop_assert!(usual(number, scale, &mut one).is_some() || number >= 100_000_000);
            let (digits, places) = shortest(number, scale);
            super::number(digits, places, &mut other);
            if number < 100_000_000 {
                prop_assert_eq!(str::from_utf8(one.written()), str::from_utf8(other.written()));
            }
        }
    }
}
