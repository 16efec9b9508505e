//! Decides a record that stands in registers.
//!
//! Takes a [`Program`], gives the values of what would be written or the end of the record, as the plain evaluator
//! does; or steps aside wherever that one would fail the record or do what is not known here.

use std::fmt::Write as _;

use regex::{CaptureLocations, Regex};

use super::{
    code::{
        Bit, Each, Ending, Given, Guard, Line, List, Lookup, Native, Op, Pattern, Program, Result as Row, Stmt, Target,
    },
    layout::{Condition, Layout},
    value::{DIGITS, EUR, Kind, MADE, Quick, Texts, needs_escapes, order, power, same},
    write::text,
};
use crate::{
    function::Argument,
    plan::{
        code::{Form, Operator, Print},
        compute::{arithmetic, convert, kept, printed},
    },
    value::{Reason, Value, Verdict},
};

/// Why there is no value.
#[derive(Debug)]
pub(super) enum Stop {
    /// Decide it plainly.
    Aside,
    /// The record ends here.
    Ends(Box<(Verdict, Reason)>),
}

type Valued = Result<Quick, Stop>;

/// What one decision has found out so far.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    program: &'a Program<'a>,
    pub(super) registers: Vec<Quick>,
    lets: Vec<Quick>,
    slots: Vec<Quick>,
    bases: Vec<usize>,
    /// The fields of what is written.
    pub(super) outs: Vec<Quick>,
    pub(super) warnings: Vec<Reason>,
    /// What is written, each with where its fields begin.
    pub(super) made: Vec<(&'a Target<'a>, usize)>,
    /// Where patterns found what.
    places: Vec<CaptureLocations>,
    scratch: String,
    today: Quick,
    pub(super) texts: Texts<'a>,
}

/// A value, or the record is decided plainly.
fn sure<T>(value: Option<T>) -> Result<T, Stop> {
    value.ok_or(Stop::Aside)
}

impl<'a> Machine<'a> {
    /// For one record after the other.
    pub(super) fn new(program: &'a Program<'a>, today: Quick) -> Self {
        Self {
            program,
            registers: Vec::new(),
            lets: vec![Quick::UNSET; program.lets.len()],
            slots: vec![Quick::UNSET; program.slots],
            bases: vec![0; program.bases],
            outs: Vec::new(),
            warnings: Vec::new(),
            made: Vec::new(),
            places: program.patterns.iter().map(Regex::capture_locations).collect(),
            scratch: String::new(),
            today,
            texts: Texts { line: "", made: String::new(), plan: &program.texts },
        }
    }

    /// Works out what follows from other fields. None: a field is not as it should be.
    pub(super) fn derive(&mut self, layout: &Layout) -> Option<()> {
        for derived in &layout.derived {
            let mut bits = 0;
            for (number, word) in derived.words.iter().enumerate() {
                let holds = word.when.iter().all(|(register, condition)| {
                    let value = self.registers.get(*register).copied().unwrap_or(Quick::BLANK);
                    match condition {
                        Condition::Is(text) => value.is_text() && self.texts.get(value) == &**text,
                        Condition::Zero => value.is_number() && value.number == 0,
                        Condition::NotZero => value.is_number() && value.number != 0,
                        Condition::Past => value.kind == Kind::Date && value.number < self.today.number,
                        Condition::Empty => value.is_blank() || (value.kind == Kind::List && value.rows().1 == 0),
                    }
                });
                if holds {
                    bits |= 1 << number;
                }
            }
            *self.registers.get_mut(derived.register)? = Quick::words(bits);
        }
        Some(())
    }

    /// Decides the record in the registers.
    pub(super) fn decide(&mut self) -> Result<(), Stop> {
        let program = self.program;
        self.made.clear();
        self.lets.fill(Quick::UNSET);
        self.outs.clear();
        self.warnings.clear();
        for op in &program.admits {
            if !self.value(op)?.is_yes() {
                // How a record that was not asked for is told is the plain evaluator's to say.
                return Err(Stop::Aside);
            }
        }
        for stmt in &program.stmts {
            match stmt {
                Stmt::Guard(guard) => self.guard(guard)?,
                Stmt::Write(targets) => {
                    for target in targets {
                        if self.applies(target.when.as_ref())? {
                            let base = self.outs.len();
                            self.outs.resize(base + target.width, Quick::UNSET);
                            self.lines(&target.lines, base)?;
                            self.made.push((target, base));
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The name of the record, as a text of JSON. None: it is for the plain evaluator to name.
    pub(super) fn key(&mut self, into: &mut Vec<u8>) -> Option<()> {
        let program = self.program;
        if let [op] = &program.key[..] {
            let key = self.value(op).ok()?;
            if key.is_text() {
                return text(self.texts.get(key), key.kind, into);
            }
        }
        let mut parts = Vec::new();
        for op in &program.key {
            let part = self.value(op).ok()?;
            parts.push(part.to_value(&self.texts)?.to_string());
        }
        serde_json::to_writer(into, &parts.join("/")).ok()
    }

    fn applies(&mut self, when: Option<&'a Op<'a>>) -> Result<bool, Stop> {
        when.map_or(Ok(true), |when| Ok(self.value(when)?.is_yes()))
    }

    fn guard(&mut self, guard: &'a Guard<'a>) -> Result<(), Stop> {
        if !self.applies(guard.when.as_ref())? {
            return Ok(());
        }
        let reason = self.reason(&guard.ending)?;
        if guard.ending.verdict == Verdict::Warn {
            self.warnings.push(reason);
            return Ok(());
        }
        Err(Stop::Ends(Box::new((guard.ending.verdict, reason))))
    }

    fn ends(&mut self, ending: &'a Ending<'a>) -> Stop {
        match self.reason(ending) {
            Ok(reason) => Stop::Ends(Box::new((ending.verdict, reason))),
            Err(stop) => stop,
        }
    }

    fn reason(&mut self, ending: &'a Ending<'a>) -> Result<Reason, Stop> {
        let (mut text, mut masked) = (String::new(), String::new());
        for bit in &ending.bits {
            match bit {
                Bit::Chars(chars) => {
                    text.push_str(chars);
                    masked.push_str(chars);
                }
                Bit::Hole(op, print, privacy) => {
                    let value = self.value(op)?;
                    let value = sure(value.to_value(&self.texts))?;
                    text.push_str(&printed(&value, *print));
                    masked.push_str(&kept(&value, *print, *privacy));
                }
            }
        }
        Ok(Reason { place: ending.place.clone(), text: text.into(), masked: masked.into() })
    }

    fn lines(&mut self, lines: &'a [Line<'a>], base: usize) -> Result<(), Stop> {
        for line in lines {
            match line {
                Line::Guard(guard) => self.guard(guard)?,
                Line::Field(out, op) => {
                    let value = self.value(op)?;
                    *sure(self.outs.get_mut(base + out))? = value;
                }
                Line::Object(when, lines) => {
                    if self.applies(when.as_ref())? {
                        self.lines(lines, base)?;
                    }
                }
                Line::Each { each, out, width, lines } => {
                    let first = self.outs.len();
                    let mut count = 0;
                    self.rounds(each, &mut |machine| {
                        let row = machine.outs.len();
                        machine.outs.resize(row + width, Quick::UNSET);
                        machine.lines(lines, row)?;
                        if machine.outs.iter().skip(row).any(|value| !value.is_blank()) {
                            count += 1;
                        } else {
                            machine.outs.truncate(row);
                        }
                        Ok(())
                    })?;
                    *sure(self.outs.get_mut(base + out))? = sure(Quick::list(first, count, *width))?;
                }
            }
        }
        Ok(())
    }

    /// Does the same for each row that the loop takes.
    fn rounds(&mut self, each: &'a Each<'a>, body: &mut dyn FnMut(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        let (first, count) = self.registers.get(each.rows.register).map_or((0, 0), |list| list.rows());
        for number in 0..count {
            *sure(self.bases.get_mut(each.base))? = first + number * each.rows.width;
            for own in &each.own {
                *sure(self.lets.get_mut(*own))? = Quick::UNSET;
            }
            if self.applies(each.when.as_ref())? {
                body(self)?;
            }
        }
        Ok(())
    }

    /// Shows each element of a list.
    fn elements(
        &mut self,
        list: &'a List<'a>,
        see: &mut dyn FnMut(&mut Self, Quick) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match list {
            List::Items(items) => {
                for item in items {
                    let value = self.value(item)?;
                    see(self, value)?;
                }
                Ok(())
            }
            List::Loop(each, item) => self.rounds(each, &mut |machine| {
                let value = machine.value(item)?;
                see(machine, value)
            }),
            List::Rows(rows) => {
                let (_, count) = self.registers.get(rows.register).map_or((0, 0), |list| list.rows());
                // Not blank is all that is asked of them.
                (0..count).try_for_each(|_| see(self, Quick::bool(true)))
            }
            List::Column(rows, offset) => {
                let (first, count) = self.registers.get(rows.register).map_or((0, 0), |list| list.rows());
                (0..count).try_for_each(|number| {
                    let value = sure(self.registers.get(first + number * rows.width + offset).copied())?;
                    see(self, value)
                })
            }
        }
    }

    fn pair(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Result<(Quick, Quick), Stop> {
        Ok((self.value(&pair.0)?, self.value(&pair.1)?))
    }

    /// The value of an expression. What is at hand is taken where it is wanted: that is most of it.
    #[expect(clippy::inline_always, reason = "measured: a call for each register costs a fifth of a decision")]
    #[inline(always)]
    fn value(&mut self, op: &'a Op<'a>) -> Valued {
        match op {
            Op::Const(value) => Ok(*value),
            Op::Register(register) => sure(self.registers.get(*register).copied()),
            Op::Row(base, offset) => {
                let base = self.bases.get(*base).copied().unwrap_or(0);
                sure(self.registers.get(base + offset).copied())
            }
            Op::Slot(slot) => sure(self.slots.get(*slot).copied()),
            Op::Let(number) => match self.lets.get(*number) {
                Some(known) if known.kind != Kind::Unset => Ok(*known),
                _ => self.worked_out(op),
            },
            _ => self.worked_out(op),
        }
    }

    #[inline(never)]
    fn worked_out(&mut self, op: &'a Op<'a>) -> Valued {
        Ok(match op {
            Op::Const(_) | Op::Register(_) | Op::Row(..) | Op::Slot(_) => self.value(op)?,
            Op::Let(number) => {
                let program = self.program;
                let mut value = self.value(sure(program.lets.get(*number))?)?;
                if value.kind == Kind::Unset {
                    value = Quick::BLANK;
                }
                *sure(self.lets.get_mut(*number))? = value;
                value
            }
            Op::Text(bits) => self.text(bits)?,
            Op::Not(of) => Quick::bool(!self.value(of)?.is_yes()),
            Op::Must(of) => match self.value(of)? {
                value if value.is_blank() => return Err(Stop::Aside),
                value => value,
            },
            Op::Fits(of, most) => {
                let value = self.value(of)?;
                let text = self.texts.get(value);
                if text.len() > *most && text.chars().count() > *most {
                    return Err(Stop::Aside);
                }
                value
            }
            Op::And(pair) => Quick::bool(self.value(&pair.0)?.is_yes() && self.value(&pair.1)?.is_yes()),
            Op::Or(pair) => Quick::bool(self.value(&pair.0)?.is_yes() || self.value(&pair.1)?.is_yes()),
            Op::Is(pair) => {
                let (a, b) = self.pair(pair)?;
                Quick::bool(same(a, b, &self.texts))
            }
            Op::Matches(pair) => {
                let (a, b) = self.pair(pair)?;
                Quick::bool(!a.is_blank() && !b.is_blank() && same(a, b, &self.texts))
            }
            Op::HasWord(of, bits) => Quick::bool(self.value(of)?.number & bits != 0),
            Op::OneOf(of, items) => {
                let value = self.value(of)?;
                let mut found = false;
                for item in items {
                    // Each is worked out, whichever is the one: it may end the record.
                    found |= match item {
                        Op::Const(item) => same(value, *item, &self.texts),
                        item => {
                            let item = self.value(item)?;
                            same(value, item, &self.texts)
                        }
                    };
                }
                Quick::bool(found && !value.is_blank())
            }
            Op::Compare(compare, pair) => {
                let (a, b) = self.pair(pair)?;
                if a.kind == Kind::Money && b.kind == Kind::Money && a.extra != b.extra {
                    return Err(Stop::Aside);
                }
                let holds = order(a, b, &self.texts).is_some_and(|order| compare.is(order));
                Quick::bool(holds)
            }
            Op::Default(pair) => match self.value(&pair.0)? {
                value if value.is_blank() => self.value(&pair.1)?,
                value => value,
            },
            Op::Arithmetic(operator, pair) => {
                let (a, b) = self.pair(pair)?;
                self.arithmetic(*operator, a, b)?
            }
            Op::Choose(arms, last) => {
                for (when, value) in arms {
                    if self.value(when)?.is_yes() {
                        return self.value(value);
                    }
                }
                last.as_ref().map_or(Ok(Quick::BLANK), |last| self.value(last))?
            }
            Op::Outcome(ending) => return Err(self.ends(ending)),
            Op::Find(lookup) => {
                let row = self.row(lookup)?;
                Quick::int(sure(i64::try_from(row).ok())?)
            }
            Op::Table(lookup, results) => {
                let row = self.row(lookup)?;
                self.result(results, row)?
            }
            Op::Pick(row, results) => {
                let row = self.value(row)?.number;
                self.result(results, sure(usize::try_from(row).ok())?)?
            }
            Op::Native(native, args) => self.native(*native, args)?,
            Op::Part(of, pattern) => {
                let value = self.value(of)?;
                if !value.is_text() {
                    return if value.is_blank() { Ok(Quick::BLANK) } else { Err(Stop::Aside) };
                }
                self.part(pattern, value)
            }
            Op::Join(list, by) => self.join(list, by)?,
            Op::Sum(list) => self.sum(list)?,
            Op::Count(list) => {
                let mut count = 0;
                self.elements(list, &mut |_, value| {
                    count += i64::from(!value.is_blank());
                    Ok(())
                })?;
                Quick::int(count)
            }
            Op::First(list) => {
                let mut found = None;
                self.elements(list, &mut |_, value| {
                    found.get_or_insert(value);
                    Ok(())
                })?;
                found.unwrap_or(Quick::BLANK)
            }
            Op::Function(call, given) => self.function(call, given)?,
            Op::Define(define) => {
                for (slot, arg) in &define.args {
                    let value = self.value(arg)?;
                    *sure(self.slots.get_mut(*slot))? = value;
                }
                for own in &define.own {
                    *sure(self.lets.get_mut(*own))? = Quick::UNSET;
                }
                self.value(&define.body)?
            }
            Op::Today => self.today,
            Op::Convert(of, form) => {
                let value = self.value(of)?;
                match (form, value.kind) {
                    (Form::Money, Kind::Int | Kind::Decimal) => Quick::money(value.number, value.scale, EUR),
                    (Form::Decimal, Kind::Int) => Quick::decimal(value.number, 0),
                    (_, Kind::Unset | Kind::Blank) => value,
                    _ => {
                        let made = convert(sure(value.to_value(&self.texts))?, form).map_err(|_| Stop::Aside)?;
                        self.keep(&made)?
                    }
                }
            }
        })
    }

    /// What a pattern finds: its first group, or all where it has none.
    fn part(&mut self, pattern: &Pattern, value: Quick) -> Quick {
        let text = self.texts.get(value);
        let simple = pattern.simple.as_ref().and_then(|simple| simple.part(text));
        let found = simple.unwrap_or_else(|| {
            let places = self.places.get_mut(pattern.number)?;
            self.program.patterns.get(pattern.number)?.captures_read(places, text)?;
            places.get(usize::from(places.len() > 1))
        });
        match found.and_then(|(from, to)| Some((from, text.get(from..to)?))) {
            Some((from, part)) => value.part(from, part),
            None => Quick::BLANK,
        }
    }

    fn text(&mut self, bits: &'a [Bit<'a>]) -> Valued {
        let mut made = std::mem::take(&mut self.scratch);
        made.clear();
        let (mut escapes, mut blank) = (false, false);
        for bit in bits {
            match bit {
                Bit::Chars(chars) => {
                    escapes |= needs_escapes(chars);
                    made.push_str(chars);
                }
                Bit::Hole(op, print, _) => {
                    // Another text may be made while this one is: it has a scratch of its own then.
                    let value = self.value(op)?;
                    blank |= value.is_blank();
                    escapes |= value.kind == Kind::Text;
                    if value.is_text() && *print == Print::Plain {
                        made.push_str(self.texts.get(value));
                    } else {
                        made.push_str(&printed(&sure(value.to_value(&self.texts))?, *print));
                    }
                }
            }
        }
        let value = if blank { Quick::BLANK } else { self.texts.make(&made) };
        self.scratch = made;
        Ok(if escapes { value } else { value.without_escapes() })
    }

    fn row(&mut self, lookup: &'a Lookup<'a>) -> Result<usize, Stop> {
        for (arg, slot) in &lookup.args {
            let value = self.value(arg)?;
            *sure(self.slots.get_mut(*slot))? = value;
        }
        let slots = &self.slots;
        let values = lookup.args.iter().map(|(_, slot)| slots.get(*slot).copied().unwrap_or(Quick::BLANK));
        let row = sure(lookup.classes.row(values, &self.texts))?;
        match lookup.ends.get(row) {
            Some(None) => Ok(row),
            Some(Some(ending)) => Err(self.ends(ending)),
            None => Err(Stop::Aside),
        }
    }

    fn result(&mut self, results: &'a [Row<'a>], row: usize) -> Valued {
        match results.get(row) {
            Some(Row::Value(value)) => Ok(*value),
            Some(Row::Code(op)) => self.value(op),
            Some(Row::Ends) | None => Err(Stop::Aside),
        }
    }

    fn arithmetic(&mut self, operator: Operator, a: Quick, b: Quick) -> Valued {
        if a.is_blank() || b.is_blank() {
            return Ok(Quick::BLANK);
        }
        if let Some(made) = exact(operator, a, b) {
            return Ok(made);
        }
        let made = arithmetic(operator, &sure(a.to_value(&self.texts))?, &sure(b.to_value(&self.texts))?);
        self.keep(&made.map_err(|_| Stop::Aside)?)
    }

    fn native(&mut self, native: Native, args: &'a [Op<'a>]) -> Valued {
        let first = self.value(sure(args.first())?)?;
        let second = match args.get(1) {
            Some(op) => self.value(op)?,
            None => Quick::BLANK,
        };
        if first.is_blank() || (second.is_blank() && native.needs_both()) {
            return Ok(Quick::BLANK);
        }
        match native {
            Native::Trim if first.is_text() => {
                let text = self.texts.get(first);
                let begin = text.trim_start();
                Ok(first.part(text.len() - begin.len(), begin.trim_end()))
            }
            Native::Upper if first.is_text() => {
                let text = self.texts.get(first);
                if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
                    return Ok(first);
                }
                let upper = text.to_uppercase();
                let made = self.texts.make(&upper);
                // Capitals need no escapes where small letters do not.
                Ok(if first.kind == Kind::Plain { made.without_escapes() } else { made })
            }
            Native::FirstChars if first.is_text() && second.kind == Kind::Int => {
                let text = self.texts.get(first);
                let most = usize::try_from(second.number).unwrap_or(0);
                if text.len() <= most {
                    return Ok(first);
                }
                let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
                Ok(first.part(0, text.get(..end).unwrap_or_default()))
            }
            Native::DaysBetween if first.kind == Kind::Date && second.kind == Kind::Date => {
                Ok(Quick::int(second.day_number() - first.day_number()))
            }
            Native::Abs if first.is_number() => Ok(Quick { number: sure(first.number.checked_abs())?, ..first }),
            Native::Round if first.is_number() && (second.is_blank() || second.kind == Kind::Int) => {
                let places = sure(u8::try_from(second.number).ok())?;
                sure(rounded(first, places))
            }
            _ => Err(Stop::Aside),
        }
    }

    fn join(&mut self, list: &'a List<'a>, by: &'a Op<'a>) -> Valued {
        let mut made = std::mem::take(&mut self.scratch);
        made.clear();
        let by = self.value(by)?;

        let mut escapes = by.kind == Kind::Text;
        let mut count = 0;
        let mut only = Quick::BLANK;
        self.elements(list, &mut |machine, value| {
            if value.is_blank() {
                return Ok(());
            }
            if count > 0 {
                made.push_str(machine.texts.get(by));
            }
            escapes |= value.kind == Kind::Text;
            if value.is_text() {
                made.push_str(machine.texts.get(value));
            } else {
                let _ = write!(made, "{}", sure(value.to_value(&machine.texts))?);
            }
            count += 1;
            only = value;
            Ok(())
        })?;
        let value = match count {
            0 => Quick::BLANK,
            1 if only.is_text() => only,
            _ => self.texts.make(&made),
        };
        self.scratch = made;
        Ok(if escapes { value } else { value.without_escapes() })
    }

    /// As `sum` does it: blanks left out, amounts stay amounts of one currency, 0 of nothing.
    fn sum(&mut self, list: &'a List<'a>) -> Valued {
        let mut sum: Option<Quick> = None;
        self.elements(list, &mut |_, value| {
            if value.is_blank() {
                return Ok(());
            }
            sum = Some(match sum {
                None => value,
                Some(before) if before.kind == value.kind && before.extra == value.extra && value.is_number() => {
                    sure(exact(Operator::Add, before, value))?
                }
                Some(_) => return Err(Stop::Aside),
            });
            Ok(())
        })?;
        Ok(sum.unwrap_or(Quick::int(0)))
    }

    fn function(&mut self, call: &'a crate::plan::code::Call, given: &'a [Given<'a>]) -> Valued {
        let mut values = Vec::with_capacity(given.len());
        let mut lifted = false;
        for given in given {
            values.push(match given {
                Given::Value(op, lifts) => {
                    let value = self.value(op)?;
                    lifted |= *lifts && value.is_blank();
                    sure(value.to_value(&self.texts))?
                }
                Given::List(list) => {
                    let mut items = Vec::new();
                    self.elements(list, &mut |machine, value| {
                        items.push(sure(value.to_value(&machine.texts))?);
                        Ok(())
                    })?;
                    Value::List(items.into())
                }
                Given::Pattern(_) | Given::Columns(_) => Value::Blank,
            });
        }
        if lifted {
            return Ok(Quick::BLANK);
        }
        let arguments: Vec<Argument<'_>> = given
            .iter()
            .zip(&values)
            .map(|(given, value)| match given {
                Given::Value(..) | Given::List(_) => Argument::Value(value),
                Given::Pattern(pattern) => Argument::Pattern(pattern),
                Given::Columns(columns) => Argument::Columns(columns),
            })
            .collect();
        let made = (call.function.call)(&arguments).map_err(|_| Stop::Aside)?;
        self.keep(&made)
    }

    /// A value that the plain evaluator made.
    fn keep(&mut self, value: &Value) -> Valued {
        sure(Quick::of(value, MADE, &mut self.texts.made))
    }
}

impl Native {
    /// Is it blank when its second argument is?
    fn needs_both(self) -> bool {
        matches!(self, Self::FirstChars | Self::DaysBetween)
    }
}

/// Sums, differences and products that fit; none for all else.
fn exact(operator: Operator, a: Quick, b: Quick) -> Option<Quick> {
    if !a.is_number() || !b.is_number() {
        return None;
    }
    let (number, scale) = match operator {
        Operator::Add | Operator::Subtract => {
            let scale = a.scale.max(b.scale);
            let x = a.number.checked_mul(power(scale - a.scale)?)?;
            let y = b.number.checked_mul(power(scale - b.scale)?)?;
            (if operator == Operator::Add { x.checked_add(y)? } else { x.checked_sub(y)? }, scale)
        }
        Operator::Multiply => {
            let scale = a.scale.checked_add(b.scale).filter(|scale| *scale <= DIGITS)?;
            (a.number.checked_mul(b.number)?, scale)
        }
        Operator::Divide => return None,
    };
    Some(match (a.kind, b.kind) {
        (Kind::Int, Kind::Int) => Quick::int(number),
        (Kind::Money, Kind::Money) if operator != Operator::Multiply && a.extra == b.extra => {
            Quick::money(number, scale, a.extra)
        }
        (Kind::Money, Kind::Money) => return None,
        (Kind::Money, _) => Quick::money(number, scale, a.extra),
        (_, Kind::Money) => Quick::money(number, scale, b.extra),
        _ => Quick::decimal(number, scale),
    })
}

/// Half away from zero. None: it is too near to what fits.
fn rounded(value: Quick, places: u8) -> Option<Quick> {
    let Some(step) = value.scale.checked_sub(places).and_then(power) else { return Some(value) };
    let half = step / 2;
    let shift = if value.number < 0 { -half } else { half };
    Some(Quick { number: value.number.checked_add(shift)? / step, scale: value.scale.min(places), ..value })
}
