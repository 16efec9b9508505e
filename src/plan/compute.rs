//! Works expressions out: the same machine folds constants when a plan is made and decides records afterwards.
//!
//! Takes lowered code and a [`World`] that reads, gives values or the reason why there is none. Promises that every
//! place is worked out once, that nothing panics or overflows, and that what is missing never hides what else is
//! missing: all arguments of a call are asked for before it waits.

mod call;
mod operators;
mod printing;

use std::sync::Arc;

use jiff::{civil::Date, tz::TimeZone};

pub(crate) use operators::{arithmetic, contains, is};
pub(crate) use printing::{kept, printed};

use super::{
    code::{Code, Definition, EnsureCode, FieldRef, FindCode, Form, Limit, Loop, Lowered, Search},
    watch::Point,
};
use crate::{
    check::typed::VarId,
    diagnostic::{Sources, Span},
    schema::normalise,
    value::{Reason, Record, Value, Verdict},
};

/// Why there is no value.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// Rows are missing.
    Waits,
    /// The record ends here.
    Ends(Box<(Verdict, Reason)>),
}

/// What is beyond expressions.
pub(crate) trait World: Sized {
    /// Rows of a search, all conditions applied, in its order.
    fn rows(machine: &mut Machine<'_, Self>, search: &Search) -> Result<Arc<[Record]>, Stop>;
    /// The row or rows of a `find`.
    fn find(machine: &mut Machine<'_, Self>, find: &FindCode) -> Result<Value, Stop>;
    /// The value of an `ensure`.
    fn ensure(machine: &mut Machine<'_, Self>, ensure: &EnsureCode) -> Result<Value, Stop>;
    /// A place where nobody has put anything.
    fn unset(machine: &Machine<'_, Self>, var: VarId) -> Result<Value, Stop>;
    /// Something that is watched is come by.
    fn seen(machine: &mut Machine<'_, Self>, point: Point);
}

/// The world when a plan is made: nothing is known but constants.
#[derive(Debug)]
pub(crate) struct Nothing;

impl World for Nothing {
    fn rows(_: &mut Machine<'_, Self>, _: &Search) -> Result<Arc<[Record]>, Stop> {
        Err(Stop::Waits)
    }

    fn find(_: &mut Machine<'_, Self>, _: &FindCode) -> Result<Value, Stop> {
        Err(Stop::Waits)
    }

    fn ensure(_: &mut Machine<'_, Self>, _: &EnsureCode) -> Result<Value, Stop> {
        Err(Stop::Waits)
    }

    fn unset(_: &Machine<'_, Self>, _: VarId) -> Result<Value, Stop> {
        Err(Stop::Waits)
    }

    fn seen(_: &mut Machine<'_, Self>, _: Point) {}
}

/// What is in a place.
#[derive(Debug, Clone, Default)]
pub(crate) enum Place {
    /// Nothing yet.
    #[default]
    Empty,
    /// A value.
    Value(Value),
    /// It was worked out and there is none.
    Stopped(Stop),
}

/// Several things that are worked out one after the other. The first that ends the record ends it only when nothing
/// before it still waits; otherwise it ends the asking.
#[derive(Debug, Default)]
pub(crate) struct Waiting(bool);

impl Waiting {
    /// The value, or none while it waits.
    pub(crate) fn take<T>(&mut self, result: Result<T, Stop>) -> Result<Option<T>, Stop> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Waits) => {
                self.0 = true;
                Ok(None)
            }
            Err(Stop::Ends(_)) if self.0 => Err(Stop::Waits),
            Err(ends) => Err(ends),
        }
    }

    /// All are there, or one of them waits.
    pub(crate) fn done(self) -> Result<(), Stop> {
        if self.0 { Err(Stop::Waits) } else { Ok(()) }
    }
}

/// Works expressions out for one record.
#[derive(Debug)]
pub(crate) struct Machine<'a, W> {
    lowered: &'a Lowered,
    sources: &'a Sources,
    places: Vec<Place>,
    today: Option<Date>,
    /// What is beyond expressions.
    pub(crate) world: W,
}

impl<'a, W: World> Machine<'a, W> {
    /// A machine with empty places.
    pub(crate) fn new(lowered: &'a Lowered, sources: &'a Sources, today: Option<Date>, world: W) -> Self {
        Self { lowered, sources, places: Vec::with_capacity(lowered.definitions.len()), today, world }
    }

    /// What runs.
    pub(crate) fn lowered(&self) -> &'a Lowered {
        self.lowered
    }

    /// What is in a place now.
    pub(crate) fn place(&self, var: VarId) -> &Place {
        self.places.get(var.0 as usize).unwrap_or(&Place::Empty)
    }

    /// Puts something in a place.
    pub(crate) fn put(&mut self, var: VarId, place: Place) {
        let index = var.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, Place::Empty);
        }
        if let Some(slot) = self.places.get_mut(index) {
            *slot = place;
        }
    }

    /// Puts a value in a place.
    pub(crate) fn set(&mut self, var: VarId, value: Value) {
        self.put(var, Place::Value(value));
    }

    /// Empties places: the round of a loop begins.
    pub(crate) fn clear(&mut self, vars: &[VarId]) {
        for var in vars {
            if let Some(slot) = self.places.get_mut(var.0 as usize) {
                *slot = Place::Empty;
            }
        }
    }

    /// The value of a place, worked out when it is first asked.
    pub(crate) fn slot(&mut self, var: VarId) -> Result<Value, Stop> {
        match self.place(var) {
            Place::Value(value) => return Ok(value.clone()),
            Place::Stopped(stop) => return Err(stop.clone()),
            Place::Empty => {}
        }
        let lowered = self.lowered;
        let result = match lowered.definition(var) {
            Definition::Bound => return W::unset(self, var),
            Definition::Let(code) => self.value(code),
            Definition::Find(find) => W::find(self, find),
            Definition::Ensure(number) => match lowered.ensures.get(*number) {
                Some(ensure) => W::ensure(self, ensure),
                None => return W::unset(self, var),
            },
        };
        self.put(var, result.clone().map_or_else(Place::Stopped, Place::Value));
        result
    }

    /// Does a condition hold? A blank counts as no.
    pub(crate) fn holds(&mut self, code: &Code) -> Result<bool, Stop> {
        Ok(self.value(code)? == Value::Bool(true))
    }

    /// Does a condition hold, where there is one?
    pub(crate) fn applies(&mut self, when: Option<&Code>) -> Result<bool, Stop> {
        when.map_or(Ok(true), |when| self.holds(when))
    }

    /// The value of an expression.
    pub(crate) fn value(&mut self, code: &Code) -> Result<Value, Stop> {
        Ok(match code {
            Code::Const(value) => value.clone(),
            Code::Slot(var) => self.slot(*var)?,
            Code::Field(of, field) => field_of(&self.value(of)?, field),
            Code::Text(pieces, span) => self.text(pieces, *span)?,
            Code::List(items) => Value::List(self.values(items)?.into()),
            Code::Loop(each) => self.each(each)?,
            Code::Record(record) => {
                let values = self.values(&record.values)?;
                Value::Record(Record::new(record.shape.clone(), values))
            }
            Code::Negate(of, span) => {
                let value = self.value(of)?;
                operators::negate(&value).map_err(|trouble| self.fails(*span, trouble))?
            }
            Code::Not(of) => Value::Bool(!self.holds(of)?),
            Code::Must(of, name, span) => match self.value(of)? {
                Value::Blank => return Err(self.fails(*span, format!("`{name}` is blank, and it is needed here"))),
                value => value,
            },
            Code::Fits(of, limit) => {
                let value = self.value(of)?;
                self.fits(&value, limit)?;
                value
            }
            Code::And(pair) => Value::Bool(self.holds(&pair.0)? && self.holds(&pair.1)?),
            Code::Or(pair) => Value::Bool(self.holds(&pair.0)? || self.holds(&pair.1)?),
            Code::Is(pair) => {
                let (a, b) = self.pair(pair)?;
                Value::Bool(is(&a, &b))
            }
            Code::Matches(pair) => {
                let (a, b) = self.pair(pair)?;
                Value::Bool(!a.is_blank() && !b.is_blank() && is(&a, &b))
            }
            Code::In(pair) => {
                let (a, b) = self.pair(pair)?;
                Value::Bool(contains(&b, &a))
            }
            Code::Compare(compare, pair, span) => {
                let (a, b) = self.pair(pair)?;
                operators::one_currency(&a, &b).map_err(|trouble| self.fails(*span, trouble))?;
                Value::Bool(compare.holds(&a, &b))
            }
            Code::Default(pair) => match self.value(&pair.0)? {
                Value::Blank => self.value(&pair.1)?,
                value => value,
            },
            Code::Arithmetic(operator, pair, span) => {
                let (a, b) = self.pair(pair)?;
                operators::arithmetic(*operator, &a, &b).map_err(|trouble| self.fails(*span, trouble))?
            }
            Code::Choose(arms, last, list) => self.choose(arms, last.as_deref(), *list)?,
            Code::Outcome(verdict, message) => {
                let reason = self.reason(message)?;
                return Err(Stop::Ends(Box::new((*verdict, reason))));
            }
            Code::Exists(search) => Value::Bool(!W::rows(self, search)?.is_empty()),
            Code::Table(call) => self.look_up(call)?,
            Code::Function(call) => self.call(call)?,
            Code::Define(define, args) => self.define(*define, args)?,
            Code::Today => self.today.map(Value::Date).ok_or(Stop::Waits)?,
            Code::Seen(point) => {
                W::seen(self, *point);
                Value::Bool(true)
            }
            Code::Convert(of, form, span) => {
                let value = self.value(of)?;
                convert(value, form).map_err(|trouble| self.fails(*span, trouble))?
            }
        })
    }

    /// Several values, each asked for although one before it waits.
    fn values(&mut self, codes: &[Code]) -> Result<Vec<Value>, Stop> {
        let mut waiting = Waiting::default();
        let mut values = Vec::with_capacity(codes.len());
        for code in codes {
            values.extend(waiting.take(self.value(code))?);
        }
        waiting.done()?;
        Ok(values)
    }

    fn pair(&mut self, pair: &(Code, Code)) -> Result<(Value, Value), Stop> {
        let mut waiting = Waiting::default();
        let a = waiting.take(self.value(&pair.0))?;
        let b = waiting.take(self.value(&pair.1))?;
        a.zip(b).ok_or(Stop::Waits)
    }

    fn choose(&mut self, arms: &[(Code, Code)], last: Option<&Code>, list: bool) -> Result<Value, Stop> {
        let mut chosen = last;
        for (when, value) in arms {
            if self.holds(when)? {
                chosen = Some(value);
                break;
            }
        }
        let value = chosen.map_or(Ok(Value::Blank), |code| self.value(code))?;
        Ok(if list && value.is_blank() { no_rows() } else { value })
    }

    fn each(&mut self, each: &Loop) -> Result<Value, Stop> {
        let list = self.value(&each.list)?;
        let mut waiting = Waiting::default();
        let mut items = Vec::with_capacity(list.as_list().len());
        for element in list.as_list() {
            self.clear(&each.own);
            self.set(each.var, element.clone());
            if waiting.take(self.applies(each.when.as_ref()))? == Some(true) {
                items.extend(waiting.take(self.value(&each.item))?);
            }
        }
        waiting.done()?;
        Ok(Value::List(items.into()))
    }

    /// Holds the record when a text is longer than its place; a key that is still to come fits.
    pub(crate) fn fits(&self, value: &Value, limit: &Limit) -> Result<(), Stop> {
        let length = value.as_text().map_or(0, |text| text.chars().count());
        if length <= limit.max as usize {
            return Ok(());
        }
        let (what, max) = (&limit.what, limit.max);
        let text = format!(
            "{what} takes {max} characters, and this value has {length}: shorten it, for example with first_chars(…, {max})"
        );
        Err(self.ends(Verdict::Hold, limit.span, text.clone(), text))
    }

    /// The record fails here with a sentence that holds no personal data.
    pub(crate) fn fails(&self, span: Span, text: impl Into<String>) -> Stop {
        let text = text.into();
        self.ends(Verdict::Fail, span, text.clone(), text)
    }

    /// The record ends here.
    pub(crate) fn ends(&self, verdict: Verdict, span: Span, text: String, masked: String) -> Stop {
        let place = self.place_of(span).into();
        Stop::Ends(Box::new((verdict, Reason { place, text: text.into(), masked: masked.into() })))
    }

    /// `orders.flow:75`
    pub(crate) fn place_of(&self, span: Span) -> String {
        match self.sources.get(span.file) {
            Some(source) => format!("{}:{}", source.path, source.line_column(span.start).0),
            None => "koppel".to_owned(),
        }
    }

    /// A key that the target has still to give stands as it is in a field, and nowhere else.
    pub(crate) fn key_too_early(&self, name: &str, span: Span) -> Stop {
        self.fails(span, format!("the key of {name} is not there yet: it can be put in a field as it is, nothing more"))
    }
}

/// The name of the write whose key this is.
pub(crate) fn key_in(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Key(name) => Some(name.clone()),
        Value::List(items) => items.iter().find_map(key_in),
        _ => None,
    }
}

fn no_rows() -> Value {
    Value::List(Arc::from([]))
}

/// The field of a record, the fields of a list of records (lists among them laid end to end), blank of a blank.
fn field_of(value: &Value, field: &FieldRef) -> Value {
    let found = match value {
        Value::Record(record) => field.of(record).clone(),
        Value::List(rows) => {
            let mut all = Vec::with_capacity(rows.len());
            for row in rows.iter() {
                match row {
                    Value::Record(record) => match field.of(record) {
                        Value::List(inner) => all.extend(inner.iter().cloned()),
                        other => all.push(other.clone()),
                    },
                    _ => all.push(Value::Blank),
                }
            }
            Value::List(all.into())
        }
        _ => Value::Blank,
    };
    if field.holds.is_list() && found.is_blank() { no_rows() } else { found }
}

/// A value of another kind; an error is a sentence for the record that fails.
pub(crate) fn convert(value: Value, form: &Form) -> Result<Value, String> {
    Ok(match (form, value) {
        (Form::Money, value @ (Value::Int(_) | Value::Decimal(_))) => {
            value.as_decimal().map_or(Value::Blank, Value::eur)
        }
        (Form::Decimal, Value::Int(n)) => Value::Decimal(n.into()),
        (Form::Date, Value::DateTime(moment)) => {
            let zone = TimeZone::get("Europe/Amsterdam").map_err(|error| error.to_string())?;
            Value::Date(zone.to_datetime(moment).date())
        }
        (Form::Normal(kind), Value::Text(text)) => normalise(kind, &text),
        (_, value) => value,
    })
}
