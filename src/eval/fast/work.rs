//! Works out expressions of a record that stands in registers.
//!
//! Takes an [`Op`], gives its value as the plain evaluator does. None: the record has ended, or whatever that one would
//! fail, or what is not known here.

use super::{
    code::{Bit, Define, Each, Given, List, Lookup, Op, Pattern, Result as Row},
    native::exact,
    run::Machine,
    scan::needs_escapes,
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

impl<'a> Machine<'a> {
    /// Does the same for each row that the loop takes.
    pub(super) fn rounds(&mut self, each: &'a Each<'a>, body: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        let (first, count) = self.registers.get(each.rows.register).map_or((0, 0), |list| list.rows());
        for number in 0..count {
            *self.bases.get_mut(each.base)? = first + number * each.rows.width;
            for own in &each.own {
                *self.lets.get_mut(*own)? = Quick::UNSET;
            }
            if self.applies(each.when.as_ref())? {
                body(self)?;
            }
        }
        Some(())
    }

    /// Shows each element of a list.
    fn elements(&mut self, list: &'a List<'a>, see: &mut dyn FnMut(&mut Self, Quick) -> Option<()>) -> Option<()> {
        match list {
            List::Items(items) => {
                for item in items {
                    let value = self.value(item)?;
                    see(self, value)?;
                }
                Some(())
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
                    let value = self.registers.get(first + number * rows.width + offset).copied()?;
                    see(self, value)
                })
            }
        }
    }

    /// The value of an expression. What is at hand is taken where it is wanted: that is most of it.
    #[expect(clippy::inline_always, reason = "measured: a call for each register costs a fifth of a decision")]
    #[inline(always)]
    pub(super) fn value(&mut self, op: &'a Op<'a>) -> Option<Quick> {
        match op {
            Op::Const(value) => Some(*value),
            Op::Register(register) => self.registers.get(*register).copied(),
            Op::Row(base, offset) => {
                let base = self.bases.get(*base).copied().unwrap_or(0);
                self.registers.get(base + offset).copied()
            }
            Op::Slot(slot) => self.slots.get(*slot).map(|slot| slot.value),
            Op::Let(number) => match self.lets.get(*number) {
                Some(known) if known.kind() != Kind::UNSET => Some(*known),
                _ => self.worked_out(op),
            },
            _ => self.worked_out(op),
        }
    }

    /// Each in a function of its own: what one of them needs is not made ready for all others.
    #[inline(never)]
    fn worked_out(&mut self, op: &'a Op<'a>) -> Option<Quick> {
        match op {
            Op::Const(value) => Some(*value),
            Op::Register(register) => self.registers.get(*register).copied(),
            Op::Row(base, offset) => self.registers.get(self.bases.get(*base)? + offset).copied(),
            Op::Slot(slot) => self.slots.get(*slot).map(|slot| slot.value),
            Op::Let(number) => self.once(*number),
            Op::Text(bits) => self.text(bits),
            Op::Not(of) => self.not(of),
            Op::Must(of) => self.must(of),
            Op::Fits(of, most) => self.fits(of, *most),
            Op::And(pair) => self.and(pair),
            Op::Or(pair) => self.or(pair),
            Op::Is(pair) => self.is(pair),
            Op::Matches(pair) => self.matches(pair),
            Op::HasWord(of, bits) => self.has_word(of, *bits),
            Op::OneOf(of, items) => self.one_of(of, items),
            Op::Compare(compare, pair) => self.compare(*compare, pair),
            Op::Default(pair) => self.default(pair),
            Op::Arithmetic(operator, pair) => self.arithmetic(*operator, pair),
            Op::Choose(arms, last) => self.choose(arms, last.as_deref()),
            Op::Outcome(ending) => self.ends(ending),
            Op::Find(lookup) => self.find(lookup),
            Op::Table(lookup, results) => self.table(lookup, results),
            Op::Pick(row, results) => self.pick(row, results),
            Op::Native(native, args) => self.native(*native, args),
            Op::Part(of, pattern) => self.part(of, pattern),
            Op::Join(list, by) => self.join(list, by),
            Op::Sum(list) => self.sum(list),
            Op::Count(list) => self.count(list),
            Op::First(list) => self.first(list),
            Op::Function(call, given) => self.function(call, given),
            Op::Define(define) => self.define(define),
            Op::Today => Some(self.today),
            Op::Convert(of, form) => self.convert(of, form),
        }
    }

    /// A row of [`super::code::Program::lets`], from now on at hand.
    #[inline(never)]
    fn once(&mut self, number: usize) -> Option<Quick> {
        let program = self.program;
        let mut value = self.value(program.lets.get(number)?)?;
        if value.kind() == Kind::UNSET {
            value = Quick::BLANK;
        }
        *self.lets.get_mut(number)? = value;
        Some(value)
    }

    #[inline(never)]
    fn not(&mut self, of: &'a Op<'a>) -> Option<Quick> {
        Some(Quick::bool(!self.value(of)?.is_yes()))
    }

    #[inline(never)]
    fn must(&mut self, of: &'a Op<'a>) -> Option<Quick> {
        self.value(of).filter(|value| !value.is_blank())
    }

    #[inline(never)]
    fn fits(&mut self, of: &'a Op<'a>, most: usize) -> Option<Quick> {
        let value = self.value(of)?;
        let text = self.texts.get(value);
        (text.len() <= most || text.chars().count() <= most).then_some(value)
    }

    #[inline(never)]
    fn and(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        Some(Quick::bool(self.value(&pair.0)?.is_yes() && self.value(&pair.1)?.is_yes()))
    }

    #[inline(never)]
    fn or(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        Some(Quick::bool(self.value(&pair.0)?.is_yes() || self.value(&pair.1)?.is_yes()))
    }

    #[inline(never)]
    fn is(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
        Some(Quick::bool(same(a, b, &self.texts)))
    }

    #[inline(never)]
    fn matches(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
        Some(Quick::bool(!a.is_blank() && !b.is_blank() && same(a, b, &self.texts)))
    }

    #[inline(never)]
    fn has_word(&mut self, of: &'a Op<'a>, bits: i64) -> Option<Quick> {
        Some(Quick::bool(self.value(of)?.number() & bits != 0))
    }

    #[inline(never)]
    fn one_of(&mut self, of: &'a Op<'a>, items: &'a [Op<'a>]) -> Option<Quick> {
        let value = self.value(of)?;
        let mut found = false;
        for item in items {
            // Each is worked out, whichever is the one: it may end the record.
            let item = self.value(item)?;
            found |= same(value, item, &self.texts);
        }
        Some(Quick::bool(found && !value.is_blank()))
    }

    #[inline(never)]
    fn compare(&mut self, compare: Compare, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
        if a.kind() == Kind::MONEY && b.kind() == Kind::MONEY && a.extra() != b.extra() {
            return None;
        }
        Some(Quick::bool(order(a, b, &self.texts).is_some_and(|order| compare.is(order))))
    }

    #[inline(never)]
    fn default(&mut self, pair: &'a (Op<'a>, Op<'a>)) -> Option<Quick> {
        let value = self.value(&pair.0)?;
        if value.is_blank() { self.value(&pair.1) } else { Some(value) }
    }

    #[inline(never)]
    fn choose(&mut self, arms: &'a [(Op<'a>, Op<'a>)], last: Option<&'a Op<'a>>) -> Option<Quick> {
        for (when, value) in arms {
            if self.value(when)?.is_yes() {
                return self.value(value);
            }
        }
        last.map_or(Some(Quick::BLANK), |last| self.value(last))
    }

    #[inline(never)]
    fn find(&mut self, lookup: &'a Lookup<'a>) -> Option<Quick> {
        Some(Quick::int(i64::try_from(self.row(lookup)?).ok()?))
    }

    #[inline(never)]
    fn table(&mut self, lookup: &'a Lookup<'a>, results: &'a [Row<'a>]) -> Option<Quick> {
        let row = self.row(lookup)?;
        self.result(results, row)
    }

    #[inline(never)]
    fn pick(&mut self, row: &'a Op<'a>, results: &'a [Row<'a>]) -> Option<Quick> {
        let row = self.value(row)?.number();
        self.result(results, usize::try_from(row).ok()?)
    }

    #[inline(never)]
    fn count(&mut self, list: &'a List<'a>) -> Option<Quick> {
        let mut count = 0;
        self.elements(list, &mut |_, value| {
            count += i64::from(!value.is_blank());
            Some(())
        })?;
        Some(Quick::int(count))
    }

    #[inline(never)]
    fn first(&mut self, list: &'a List<'a>) -> Option<Quick> {
        let mut found = None;
        self.elements(list, &mut |_, value| {
            found.get_or_insert(value);
            Some(())
        })?;
        Some(found.unwrap_or(Quick::BLANK))
    }

    #[inline(never)]
    fn define(&mut self, define: &'a Define<'a>) -> Option<Quick> {
        for (slot, arg) in &define.args {
            let value = self.value(arg)?;
            self.slots.get_mut(*slot)?.value = value;
        }
        for own in &define.own {
            *self.lets.get_mut(*own)? = Quick::UNSET;
        }
        self.value(&define.body)
    }

    #[inline(never)]
    fn convert(&mut self, of: &'a Op<'a>, form: &Form) -> Option<Quick> {
        let value = self.value(of)?;
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
    fn part(&mut self, of: &'a Op<'a>, pattern: &'a Pattern) -> Option<Quick> {
        let value = self.value(of)?;
        if !value.is_text() {
            return value.is_blank().then_some(Quick::BLANK);
        }
        let text = self.texts.get(value);
        let simple = pattern.simple.as_ref().and_then(|simple| simple.part(text));
        let found = simple.unwrap_or_else(|| {
            let places = self.places.get_mut(pattern.number)?;
            self.program.patterns.get(pattern.number)?.captures_read(places, text)?;
            places.get(usize::from(places.len() > 1))
        });
        Some(match found.and_then(|(from, to)| Some((from, text.get(from..to)?))) {
            Some((from, part)) => value.part(from, part),
            None => Quick::BLANK,
        })
    }

    #[inline(never)]
    fn text(&mut self, bits: &'a [Bit<'a>]) -> Option<Quick> {
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
                    escapes |= value.kind() == Kind::TEXT;
                    if value.is_text() && *print == Print::Plain {
                        made.push_str(self.texts.get(value));
                    } else {
                        made.push_str(&printed(&value.to_value(&self.texts)?, *print));
                    }
                }
            }
        }
        let value = if blank { Quick::BLANK } else { self.texts.make(&made) };
        self.scratch = made;
        Some(if escapes { value } else { value.without_escapes() })
    }

    fn row(&mut self, lookup: &'a Lookup<'a>) -> Option<usize> {
        let mut cell = 0;
        for (input, (arg, slot)) in lookup.args.iter().enumerate() {
            let value = self.value(arg)?;
            let before = self.slots.get_mut(*slot)?;
            cell = lookup.classes.narrowed(cell, input, value, before, &self.texts)?;
        }
        let slots = &self.slots;
        let values = lookup.args.iter().map(|(_, slot)| slots.get(*slot).map_or(Quick::BLANK, |slot| slot.value));
        let row = lookup.classes.row(cell, values, &self.texts)?;
        match lookup.ends.get(row)? {
            Some(ending) => self.ends(ending),
            None => Some(row),
        }
    }

    fn result(&mut self, results: &'a [Row<'a>], row: usize) -> Option<Quick> {
        match results.get(row) {
            Some(Row::Value(value)) => Some(*value),
            Some(Row::Code(op)) => self.value(op),
            Some(Row::Ends) | None => None,
        }
    }

    #[inline(never)]
    fn join(&mut self, list: &'a List<'a>, by: &'a Op<'a>) -> Option<Quick> {
        let by = self.value(by)?;
        // An element may be joined itself: its own ones stand behind these until it is.
        let begin = self.joined.len();
        self.elements(list, &mut |machine, value| {
            if !value.is_blank() {
                machine.joined.push(value);
            }
            Some(())
        })?;
        let value = match self.joined.get(begin..)? {
            [] => Quick::BLANK,
            [only] if only.is_text() => *only,
            values => self.texts.join(values, by)?,
        };
        self.joined.truncate(begin);
        Some(value)
    }

    /// As `sum` does it: blanks left out, amounts stay amounts of one currency, 0 of nothing.
    #[inline(never)]
    fn sum(&mut self, list: &'a List<'a>) -> Option<Quick> {
        let mut sum: Option<Quick> = None;
        self.elements(list, &mut |_, value| {
            if value.is_blank() {
                return Some(());
            }
            sum = Some(match sum {
                None => value,
                Some(before)
                    if before.kind() == value.kind() && before.extra() == value.extra() && value.is_number() =>
                {
                    exact(Operator::Add, before, value)?
                }
                Some(_) => return None,
            });
            Some(())
        })?;
        Some(sum.unwrap_or(Quick::int(0)))
    }

    #[inline(never)]
    fn function(&mut self, call: &'a Call, given: &'a [Given<'a>]) -> Option<Quick> {
        let mut values = Vec::with_capacity(given.len());
        let mut lifted = false;
        for given in given {
            values.push(match given {
                Given::Value(op, lifts) => {
                    let value = self.value(op)?;
                    lifted |= *lifts && value.is_blank();
                    value.to_value(&self.texts)?
                }
                Given::List(list) => {
                    let mut items = Vec::new();
                    self.elements(list, &mut |machine, value| {
                        items.push(value.to_value(&machine.texts)?);
                        Some(())
                    })?;
                    Value::List(items.into())
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
