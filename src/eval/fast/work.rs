//! Works out the steps of a program for a record that stands in registers.
//!
//! Takes steps, puts the values of each where it says, as the plain evaluator works them out. None: the record has
//! ended, or whatever that one would fail, or what is not known here.

use super::{
    code::{Each, FRAMES, Given, List, Lookup, Operand, Pattern, Result as Row, Step, To},
    native::exact,
    run::Machine,
    table::Cell,
    texts::MADE,
    value::{EUR, Kind, Quick, order, same},
};
use crate::{
    function::Argument,
    plan::{
        code::{Call, Form, Operator, Print},
        compute::{convert, printed},
    },
    value::{Compare, Value},
};

/// What stands in a register.
#[inline]
fn at(registers: &[Quick], frames: &[usize; FRAMES], of: Operand) -> Option<Quick> {
    let begin = frames.get(of.frame as usize)?;
    registers.get(begin + of.register as usize).copied()
}

impl<'a> Machine<'a> {
    /// What stands in a register.
    #[inline]
    pub(super) fn get(&self, of: Operand) -> Option<Quick> {
        at(&self.registers, &self.frames, of)
    }

    #[inline]
    fn set(&mut self, to: To, value: Quick) -> Option<()> {
        *self.registers.get_mut(to as usize)? = value;
        Some(())
    }

    /// Works out steps. Whatever takes more than a few instructions is a function of its own: what one of them needs is
    /// not made ready for all others.
    pub(super) fn run(&mut self, steps: &'a [Step<'a>]) -> Option<()> {
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            let (to, value) = match step {
                Step::Go(there) => {
                    at = *there as usize;
                    continue;
                }
                Step::Unless(of, there) => {
                    if !self.get(*of)?.is_yes() {
                        at = *there as usize;
                    }
                    continue;
                }
                Step::When(of, there) => {
                    if self.get(*of)?.is_yes() {
                        at = *there as usize;
                    }
                    continue;
                }
                Step::Default(to, of, there) => {
                    let value = self.get(*of)?;
                    if !value.is_blank() {
                        at = *there as usize;
                    }
                    (to, value)
                }
                Step::Asked(of) => {
                    if self.get(*of)?.is_yes() {
                        continue;
                    }
                    return None;
                }
                Step::Must(of) => {
                    if !self.get(*of)?.is_blank() {
                        continue;
                    }
                    return None;
                }
                Step::Fits(of, most) => {
                    self.fits(self.get(*of)?, *most as usize)?;
                    continue;
                }
                Step::Put(fields) => {
                    for (out, of) in fields {
                        let value = self.get(*of)?;
                        *self.outs.get_mut(self.out + *out as usize)? = value;
                    }
                    continue;
                }
                Step::Need(number) => {
                    if !*self.known.get(*number as usize)? {
                        self.once(*number as usize)?;
                    }
                    continue;
                }
                Step::Forget(own) => {
                    for number in own {
                        *self.known.get_mut(*number as usize)? = false;
                    }
                    continue;
                }
                Step::Begin => {
                    self.begun.push(self.collected.len());
                    continue;
                }
                Step::Collect(of) => {
                    let value = self.get(*of)?;
                    self.collected.push(value);
                    continue;
                }
                Step::Each(each) => {
                    self.each(each, &mut |machine, steps| machine.run(steps))?;
                    continue;
                }
                Step::Rows(rows) => {
                    self.rows(rows)?;
                    continue;
                }
                Step::Row(fields) => {
                    self.out = self.outs.len();
                    self.outs.extend_from_slice(fields);
                    continue;
                }
                Step::Open(target) => {
                    self.open(target);
                    continue;
                }
                Step::End(ending) => {
                    self.ends(ending)?;
                    continue;
                }
                Step::Either(to, a, b) => {
                    let (a, b) = (self.get(*a)?, self.get(*b)?);
                    (to, if a.is_blank() { b } else { a })
                }
                Step::Copy(to, of) => (to, self.get(*of)?),
                Step::Yes(to, of) => (to, Quick::bool(self.get(*of)?.is_yes())),
                Step::Not(to, of) => (to, Quick::bool(!self.get(*of)?.is_yes())),
                Step::Blank(to, of) => (to, Quick::bool(self.get(*of)?.is_blank())),
                Step::HasWord(to, of, bits) => (to, Quick::bool(self.get(*of)?.number() & bits != 0)),
                Step::Is(to, a, b) => (to, Quick::bool(same(self.get(*a)?, self.get(*b)?, &self.texts))),
                Step::Matches(to, a, b) => {
                    let (a, b) = (self.get(*a)?, self.get(*b)?);
                    (to, Quick::bool(!a.is_blank() && !b.is_blank() && same(a, b, &self.texts)))
                }
                Step::OneOf(to, of, items) => (to, self.one_of(*of, items)?),
                Step::Compare(to, compare, a, b) => (to, self.compare(*compare, self.get(*a)?, self.get(*b)?)?),
                Step::Arithmetic(to, operator, a, b) => {
                    let (a, b) = (self.get(*a)?, self.get(*b)?);
                    (to, self.arithmetic(*operator, a, b)?)
                }
                Step::Native(to, native, a, b) => {
                    let (a, b) = (self.get(*a)?, self.get(*b)?);
                    (to, self.native(*native, a, b)?)
                }
                Step::Convert(to, of, form) => {
                    let value = self.get(*of)?;
                    (to, self.convert(value, form)?)
                }
                Step::Text(to, pieces) => (to, self.text(pieces)?),
                Step::Part(to, of, pattern) => {
                    let value = self.get(*of)?;
                    (to, self.part(value, pattern)?)
                }
                Step::Find(to, lookup) => (to, Quick::int(i64::try_from(self.row(lookup)?).ok()?)),
                Step::Table(to, table) => {
                    let (lookup, results) = &**table;
                    let row = self.row(lookup)?;
                    (to, self.result(results, row)?)
                }
                Step::Pick(to, row, results) => {
                    let row = usize::try_from(self.get(*row)?.number()).ok()?;
                    (to, self.result(results, row)?)
                }
                Step::Join(to, list, by) => {
                    let by = self.get(*by)?;
                    (to, self.join(list, by)?)
                }
                Step::Sum(to, list) => (to, self.sum(list)?),
                Step::Count(to, list) => (to, self.count(list)?),
                Step::First(to, list) => (to, self.first(list)?),
                Step::Function(to, call, given) => (to, self.function(call, given)?),
            };
            self.set(*to, value)?;
        }
        Some(())
    }

    /// Does the same with the steps of a loop for each row.
    pub(super) fn each(
        &mut self,
        each: &'a Each<'a>,
        body: &mut dyn FnMut(&mut Self, &'a [Step<'a>]) -> Option<()>,
    ) -> Option<()> {
        // What is worked out where it is needed may come from within another loop, with that one's row in hand.
        let around = *self.frames.get(each.frame as usize)?;
        for row in self.get(each.list)?.row_begins() {
            *self.frames.get_mut(each.frame as usize)? = row;
            for own in &each.own {
                *self.known.get_mut(*own as usize)? = false;
            }
            body(self, &each.steps)?;
        }
        *self.frames.get_mut(each.frame as usize)? = around;
        Some(())
    }

    /// Puts the elements of a list behind what is collected already, and tells where they begin.
    fn elements(&mut self, list: &List) -> Option<usize> {
        let begin = self.collected.len();
        match list {
            List::Items(items) => {
                for item in items {
                    let value = self.get(*item)?;
                    self.collected.push(value);
                }
            }
            List::Collected => return self.begun.pop(),
            List::Rows(rows) => {
                let (_, count) = self.get(*rows)?.rows();
                // Not blank is all that is asked of them.
                self.collected.extend(std::iter::repeat_n(Quick::bool(true), count));
            }
            List::Column(rows, offset) => {
                for row in self.get(*rows)?.row_begins() {
                    let value = self.registers.get(row + *offset as usize).copied()?;
                    self.collected.push(value);
                }
            }
        }
        Some(begin)
    }

    /// One of the lets of the program.
    #[inline(never)]
    fn once(&mut self, number: usize) -> Option<()> {
        let program = self.program;
        self.run(program.lets.get(number)?)?;
        *self.known.get_mut(number)? = true;
        Some(())
    }

    #[inline(never)]
    fn fits(&self, value: Quick, most: usize) -> Option<()> {
        // A character is a byte at least.
        (self.texts.bytes(value).len() <= most || self.texts.get(value).chars().count() <= most).then_some(())
    }

    #[inline(never)]
    fn one_of(&self, of: Operand, items: &[Operand]) -> Option<Quick> {
        let value = self.get(of)?;
        let mut found = false;
        for item in items {
            found |= same(value, self.get(*item)?, &self.texts);
        }
        Some(Quick::bool(found && !value.is_blank()))
    }

    #[inline(never)]
    fn compare(&self, compare: Compare, a: Quick, b: Quick) -> Option<Quick> {
        if a.kind() == Kind::MONEY && b.kind() == Kind::MONEY && a.extra() != b.extra() {
            return None;
        }
        Some(Quick::bool(order(a, b, &self.texts).is_some_and(|order| compare.is(order))))
    }

    #[inline(never)]
    fn count(&mut self, list: &List) -> Option<Quick> {
        let begin = self.elements(list)?;
        let count = self.collected.get(begin..)?.iter().filter(|value| !value.is_blank()).count();
        self.collected.truncate(begin);
        Some(Quick::int(i64::try_from(count).ok()?))
    }

    #[inline(never)]
    fn first(&mut self, list: &List) -> Option<Quick> {
        let begin = self.elements(list)?;
        let first = self.collected.get(begin).copied();
        self.collected.truncate(begin);
        Some(first.unwrap_or(Quick::BLANK))
    }

    #[inline(never)]
    fn convert(&mut self, value: Quick, form: &Form) -> Option<Quick> {
        match (form, value.kind()) {
            (Form::Money, Kind::INT | Kind::DECIMAL) => Some(Quick::money(value.number(), value.scale(), EUR)),
            (Form::Decimal, Kind::INT) => Some(Quick::decimal(value.number(), 0)),
            (_, Kind::UNSET | Kind::BLANK) => Some(value),
            _ => {
                let made = convert(value.to_value(&self.texts)?, form).ok()?;
                self.keep(&made)
            }
        }
    }

    /// What a pattern finds: its first group, or all where it has none.
    #[inline(never)]
    fn part(&mut self, value: Quick, pattern: &Pattern) -> Option<Quick> {
        if !value.is_text() {
            return value.is_blank().then_some(Quick::BLANK);
        }
        let text = self.texts.get(value);
        let known = pattern.shape.as_ref().and_then(|(shape, group)| {
            let (before, parts) = self.parted.get_mut(*shape)?;
            if !before.is_alike(value) {
                (*before, *parts) = (value, self.program.shapes.get(*shape)?.parts(text));
            }
            parts.group(group)
        });
        let found = known.unwrap_or_else(|| {
            let places = self.places.get_mut(pattern.number)?;
            self.program.patterns.get(pattern.number)?.captures_read(places, text)?;
            places.get(usize::from(places.len() > 1))
        });
        Some(match found.and_then(|(from, to)| Some((from, text.get(from..to)?))) {
            Some((from, part)) => value.part(from, part.as_bytes()),
            None => Quick::BLANK,
        })
    }

    #[inline(never)]
    fn text(&mut self, pieces: &[(Operand, Print)]) -> Option<Quick> {
        let start = self.texts.made.len();
        let (mut escapes, mut blank) = (false, false);
        for (of, print) in pieces {
            let value = self.get(*of)?;
            blank |= value.is_blank();
            escapes |= value.kind() == Kind::TEXT;
            if value.is_text() && *print == Print::Plain {
                self.texts.add(value)?;
            } else {
                let printed = printed(&value.to_value(&self.texts)?, *print);
                self.texts.made.bytes(printed.as_bytes());
            }
        }
        if blank { Some(Quick::BLANK) } else { self.texts.made_from(start, escapes) }
    }

    /// The number of the row that fits. None: the record ends there, or there is none.
    #[inline(never)]
    fn row(&mut self, lookup: &'a Lookup<'a>) -> Option<usize> {
        let mut cell = 0;
        for (input, arg) in lookup.args.iter().enumerate() {
            let value = self.get(*arg)?;
            let before = self.remembered.get_mut(lookup.first + input)?;
            cell = lookup.classes.narrowed(cell, input, value, before, &self.texts)?;
        }
        let row = match lookup.classes.row(cell) {
            Cell::Row(row) => row,
            Cell::Nothing => return None,
            Cell::Index => self.by_index(lookup)?,
        };
        match lookup.ends.get(row)? {
            Some(ending) => self.ends(ending).and(None),
            None => Some(row),
        }
    }

    /// The same, by the values themselves.
    #[inline(never)]
    fn by_index(&self, lookup: &Lookup<'_>) -> Option<usize> {
        let values: Option<Vec<Value>> = lookup.args.iter().map(|arg| self.get(*arg)?.to_value(&self.texts)).collect();
        lookup.classes.by_index(&values?)
    }

    fn result(&mut self, results: &'a [Row<'a>], row: usize) -> Option<Quick> {
        match results.get(row) {
            Some(Row::Value(value)) => Some(*value),
            Some(Row::Code(block)) => {
                self.run(&block.steps)?;
                self.get(block.value)
            }
            Some(Row::Ends) | None => None,
        }
    }

    #[inline(never)]
    fn join(&mut self, list: &List, by: Quick) -> Option<Quick> {
        if let List::Items(items) = list {
            // Each is at hand.
            let Self { registers, frames, texts, .. } = self;
            return texts.join(items.iter().map(|item| at(registers, frames, *item)), by);
        }
        let begin = self.elements(list)?;
        let value = self.texts.join(self.collected.get(begin..)?.iter().copied().map(Some), by)?;
        self.collected.truncate(begin);
        Some(value)
    }

    /// As `sum` does it: blanks left out, amounts stay amounts of one currency, 0 of nothing.
    #[inline(never)]
    fn sum(&mut self, list: &List) -> Option<Quick> {
        let begin = self.elements(list)?;
        let mut sum: Option<Quick> = None;
        for value in self.collected.get(begin..)?.iter().copied().filter(|value| !value.is_blank()) {
            sum = Some(match sum {
                None => value,
                Some(before)
                    if before.kind() == value.kind() && before.extra() == value.extra() && value.is_number() =>
                {
                    exact(Operator::Add, before, value)?
                }
                Some(_) => return None,
            });
        }
        self.collected.truncate(begin);
        Some(sum.unwrap_or(Quick::int(0)))
    }

    #[inline(never)]
    fn function(&mut self, call: &'a Call, given: &'a [Given<'a>]) -> Option<Quick> {
        let mut values = Vec::with_capacity(given.len());
        let mut lifted = false;
        for given in given {
            values.push(match given {
                Given::Value(of, lifts) => {
                    let value = self.get(*of)?;
                    lifted |= *lifts && value.is_blank();
                    value.to_value(&self.texts)?
                }
                Given::List(list) => {
                    let begin = self.elements(list)?;
                    let items = self.collected.get(begin..)?.iter();
                    let items: Option<Vec<Value>> = items.map(|value| value.to_value(&self.texts)).collect();
                    self.collected.truncate(begin);
                    Value::List(items?.into())
                }
                Given::Pattern(_) | Given::Columns(_) => Value::Blank,
            });
        }
        if lifted {
            return Some(Quick::BLANK);
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
        let made = (call.function.call)(&arguments).ok()?;
        self.keep(&made)
    }

    /// A value that the plain evaluator made.
    pub(super) fn keep(&mut self, value: &Value) -> Option<Quick> {
        Quick::of(value, MADE, &mut self.texts.made)
    }
}
