//! Lowers expressions: each part is a step that puts its value into a register.

use super::{
    super::{
        code::{Operand, Result, Step, To},
        layout::{DerivedWords, Place},
        value::Quick,
    },
    Found, Here, Lowering, RECORD, Row, Stands, bits,
};
use crate::{
    plan::{
        code::{Code, Piece, Print},
        table::RowCode,
    },
    value::Value,
};

impl<'l, 'p> Lowering<'l, 'p> {
    /// Where the value of an expression is, once the steps so far have been gone through. None for a record, a list, and
    /// what is not known here.
    pub(super) fn value(&mut self, code: &'p Code) -> Option<Operand> {
        match code {
            Code::Const(value) => self.constant(value),
            Code::Slot(var) => match self.name(*var)? {
                Stands::Value(value) => Some(value),
                Stands::Let(number) => self.needed(number),
                _ => None,
            },
            Code::Field(of, field) => match self.stands(of)? {
                Stands::Record(fields, frame) => match fields.get(field.name())? {
                    Place::Nowhere if !field.holds.is_list() => self.held(Quick::BLANK),
                    Place::Register(register) => Operand::new(frame, *register),
                    _ => None,
                },
                Stands::TableRow(row, call) => {
                    let table = self.lowered.tables.get(call.table.0 as usize)?.as_ref()?;
                    let pick = table.shape.as_ref()?.index(field.name())?;
                    let results = table.results.iter().map(|(row, _)| row).chain(&table.otherwise);
                    let results = results.map(|row| match row {
                        RowCode::Value(Value::Record(record)) => self.quick(record.at(pick)).map(Result::Value),
                        _ => Some(Result::Ends),
                    });
                    let results = results.collect::<Option<Box<[_]>>>()?;
                    let row = match row {
                        Row::Value(row) => row,
                        Row::Let(number) => self.needed(number)?,
                    };
                    let filled = are_filled(&results);
                    self.step_filled(filled, |to| Step::Pick(to, row, results))
                }
                _ => None,
            },
            Code::Text(pieces, _) => {
                let pieces = pieces.iter().map(|piece| match piece {
                    Piece::Chars(chars) => Some((self.constant(&Value::Text(chars.as_ref().into()))?, Print::Plain)),
                    Piece::Hole(code, print, _) => Some((self.value(code)?, *print)),
                });
                let pieces = pieces.collect::<Option<_>>()?;
                self.step(|to| Step::Text(to, pieces))
            }
            Code::Not(of) => {
                let of = self.value(of)?;
                self.step(|to| Step::Not(to, of))
            }
            Code::Must(of, ..) => {
                let of = self.value(of)?;
                if !self.filled.contains(&of) {
                    self.steps.push(Step::Must(of));
                }
                Some(of)
            }
            Code::Fits(of, limit) => {
                let of = self.value(of)?;
                self.steps.push(Step::Fits(of, limit.max));
                Some(of)
            }
            Code::And(pair) => self.left_open(pair, Step::Unless),
            Code::Or(pair) => self.left_open(pair, Step::When),
            Code::Is(pair) | Code::Matches(pair) => {
                if let Some(has_word) = self.has_word(pair) {
                    return Some(has_word);
                }
                let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
                let blank = |value: Option<Quick>| value.is_some_and(Quick::is_blank);
                match code {
                    Code::Matches(_) => self.step(|to| Step::Matches(to, a, b)),
                    _ if blank(self.always(b)) => self.step(|to| Step::Blank(to, a)),
                    _ => self.step(|to| Step::Is(to, a, b)),
                }
            }
            Code::In(pair) => match (&pair.1, self.list_words(&pair.0)) {
                (Code::Const(Value::List(items)), Some((of, words))) => {
                    let bits = bits(words, &items.iter().collect::<Vec<_>>());
                    self.step(|to| Step::HasWord(to, of, bits))
                }
                (items @ (Code::Const(Value::List(_)) | Code::List(_)), None) => {
                    let of = self.value(&pair.0)?;
                    let items = match items {
                        Code::Const(Value::List(items)) => self.constants(items)?,
                        Code::List(items) => items.iter().map(|item| self.value(item)).collect::<Option<_>>()?,
                        _ => return None,
                    };
                    self.step(|to| Step::OneOf(to, of, items))
                }
                _ => None,
            },
            Code::Compare(compare, pair, _) => {
                let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
                self.step(|to| Step::Compare(to, *compare, a, b))
            }
            Code::Default(pair) => {
                let first = self.value(&pair.0)?;
                let jump = self.jump();
                let second = self.perhaps(|this| this.value(&pair.1))?;
                if self.steps.len() == jump + 1 {
                    // It is there already.
                    self.steps.pop();
                    return self.step(|to| Step::Either(to, first, second));
                }
                let value = self.held(Quick::UNSET)?;
                self.steps.push(Step::Copy(value.register, second));
                self.land(jump, |there| Step::Default(value.register, first, there))?;
                Some(value)
            }
            Code::Arithmetic(operator, pair, _) => {
                let (a, b) = (self.value(&pair.0)?, self.value(&pair.1)?);
                self.step(|to| Step::Arithmetic(to, *operator, a, b))
            }
            Code::Choose(arms, last, false) => self.choose(arms, last.as_deref()),
            Code::Outcome(verdict, message) => {
                let ending = self.ending(*verdict, message)?;
                self.steps.push(Step::End(Box::new(ending)));
                self.held(Quick::BLANK)
            }
            Code::Table(call) => {
                let (lookup, results) = self.table(call)?;
                let filled = are_filled(&results);
                self.step_filled(filled, |to| Step::Table(to, Box::new((lookup, results))))
            }
            Code::Function(call) => self.function(call),
            Code::Define(define, args) => {
                let define = self.lowered.defines.get(define.0 as usize)?.as_ref()?;
                let mut params = Vec::new();
                for (param, arg) in define.params.iter().zip(args) {
                    // A record is a place; everything else is worked out once.
                    let stands = match self.record(arg) {
                        Some(stands) => stands,
                        None => Stands::Value(self.value(arg)?),
                    };
                    params.push((*param, stands));
                }
                let begin = self.jump();
                let (body, own) = self.within(&define.own, |this| {
                    this.names.extend(params);
                    if let Here::Own(names) = &mut this.here {
                        names.extend(&define.own);
                    }
                    if let Some(around) = this.loops.last_mut() {
                        around.extend(&define.own);
                    }
                    this.value(&define.body)
                })?;
                *self.steps.get_mut(begin)? = Step::Forget(own.into());
                Some(body)
            }
            Code::Today => Some(Operand::TODAY),
            Code::Convert(of, form, _) => {
                let of = self.value(of)?;
                self.step(|to| Step::Convert(to, of, form))
            }
            _ => None,
        }
    }

    /// A step whose value is known never to be blank, if it is.
    fn step_filled(&mut self, filled: bool, step: impl FnOnce(To) -> Step<'p>) -> Option<Operand> {
        let value = self.step(step)?;
        if filled {
            self.filled.insert(value);
        }
        Some(value)
    }

    /// Of two conditions the second one only where the first one leaves it open.
    fn left_open(&mut self, pair: &'p (Code, Code), jump: impl FnOnce(Operand, u32) -> Step<'p>) -> Option<Operand> {
        let first = self.value(&pair.0)?;
        let yes = self.step(|to| Step::Yes(to, first))?;
        let place = self.jump();
        self.perhaps(|this| {
            let second = this.value(&pair.1)?;
            this.steps.push(Step::Yes(yes.register, second));
            Some(())
        })?;
        self.land(place, |there| jump(yes, there))?;
        Some(yes)
    }

    /// The first arm whose condition is yes.
    fn choose(&mut self, arms: &'p [(Code, Code)], last: Option<&'p Code>) -> Option<Operand> {
        let value = self.held(Quick::UNSET)?;
        self.choose_into(value.register, arms, last)?;
        Some(value)
    }

    fn choose_into(&mut self, to: To, arms: &'p [(Code, Code)], last: Option<&'p Code>) -> Option<()> {
        let copied = |this: &mut Self, value: Option<&'p Code>| {
            let value = match value {
                Some(value) => this.value(value)?,
                None => this.held(Quick::BLANK)?,
            };
            this.steps.push(Step::Copy(to, value));
            Some(())
        };
        let Some(((when, value), others)) = arms.split_first() else { return copied(self, last) };
        let when = self.value(when)?;
        let next = self.jump();
        self.perhaps(|this| copied(this, Some(value)))?;
        let end = self.jump();
        self.land(next, |there| Step::Unless(when, there))?;
        self.perhaps(|this| this.choose_into(to, others, last))?;
        self.land(end, Step::Go)
    }

    /// `invoice.list is "sent"`, whichever side the words are on.
    fn has_word(&mut self, pair: &'p (Code, Code)) -> Option<Operand> {
        let ((of, words), Code::Const(word)) = self
            .list_words(&pair.0)
            .map(|found| (found, &pair.1))
            .or_else(|| self.list_words(&pair.1).map(|found| (found, &pair.0)))?
        else {
            return None;
        };
        if word.is_blank() {
            return None;
        }
        self.step(|to| Step::HasWord(to, of, bits(words, &[word])))
    }

    /// A derived field of the record.
    fn list_words(&mut self, code: &'p Code) -> Option<(Operand, &'l DerivedWords)> {
        let Code::Field(of, field) = code else { return None };
        match self.record(of)? {
            Stands::Record(fields, RECORD) => match fields.get(field.name())? {
                Place::Words(number) => match self.words(*number)? {
                    Found::Words(of, words) => Some((of, words)),
                    Found::Value(_) => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

/// Does a row that gives a value give one that is not blank?
fn are_filled(results: &[Result<'_>]) -> bool {
    results.iter().all(|result| match result {
        Result::Value(value) => !value.is_blank(),
        Result::Code(_) => false,
        Result::Ends => true,
    })
}
