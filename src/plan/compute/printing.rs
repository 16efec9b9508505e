//! Values in texts and messages.
//!
//! A text has no blank holes and is a value; a message prints `(blank)` and comes twice: as it is shown, and with
//! `•••` where logs and ledger may not know.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use super::{Machine, Stop, Waiting, World, key_in};
use crate::{
    diagnostic::Span,
    plan::{
        code::{Message, Piece, Print, Privacy},
        table::Input,
    },
    value::{Reason, Value},
};

/// What stands for a value that may not be kept.
const MASK: &str = "•••";

impl<W: World> Machine<'_, W> {
    /// The value of a text with holes.
    pub(super) fn text(&mut self, pieces: &[Piece], span: Span) -> Result<Value, Stop> {
        let mut waiting = Waiting::default();
        let mut text = String::new();
        let mut blank = false;
        for piece in pieces {
            match piece {
                Piece::Chars(chars) => text.push_str(chars),
                Piece::Hole(code, print, _) => match waiting.take(self.value(code))? {
                    None => {}
                    Some(value) => {
                        if let Some(key) = key_in(&value) {
                            waiting.take(Err::<(), _>(self.key_too_early(&key, span)))?;
                        }
                        blank |= value.is_blank();
                        text.push_str(&printed(&value, *print));
                    }
                },
            }
        }
        waiting.done()?;
        // The checker lets no hole be blank; if one is all the same, half a text must not reach a target.
        Ok(if blank { Value::Blank } else { Value::text(&text) })
    }

    /// The reason that a message gives.
    pub(crate) fn reason(&mut self, message: &Message) -> Result<Reason, Stop> {
        let mut waiting = Waiting::default();
        let (mut text, mut masked) = (String::new(), String::new());
        for piece in &message.pieces {
            match piece {
                Piece::Chars(chars) => {
                    text.push_str(chars);
                    masked.push_str(chars);
                }
                Piece::Hole(code, print, privacy) => {
                    let value = waiting.take(self.value(code))?.unwrap_or_default();
                    text.push_str(&printed(&value, *print));
                    masked.push_str(&kept(&value, *print, *privacy));
                }
            }
        }
        waiting.done()?;
        Ok(Reason { place: self.place_of(message.span).into(), text: text.into(), masked: masked.into() })
    }
}

/// The inputs of a table with their values: as shown and as kept.
pub(super) fn inputs(inputs: &[Input], values: &[Value]) -> (String, String) {
    let (mut text, mut masked) = (String::new(), String::new());
    for (index, (input, value)) in inputs.iter().zip(values).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let quote = if matches!(value, Value::Text(_)) { "\"" } else { "" };
        let name = &input.name;
        let _ = write!(text, "{comma}{name} {quote}{}{quote}", printed(value, input.print));
        let _ = write!(masked, "{comma}{name} {quote}{}{quote}", kept(value, input.print, input.privacy));
    }
    (text, masked)
}

/// How a value stands in a text.
pub(crate) fn printed(value: &Value, print: Print) -> String {
    match (print, value) {
        (Print::Percent, Value::Decimal(_) | Value::Int(_)) => {
            let points = value.as_decimal().and_then(|fraction| fraction.checked_mul(Decimal::ONE_HUNDRED));
            points.map_or_else(|| value.to_string(), |points| format!("{}%", points.normalize()))
        }
        (Print::Percent, Value::List(list)) => {
            let all: Vec<String> = list.iter().map(|one| printed(one, print)).collect();
            all.join(", ")
        }
        (Print::Narrowest, Value::List(words)) => {
            words.last().map_or_else(|| "(blank)".to_owned(), ToString::to_string)
        }
        _ => value.to_string(),
    }
}

/// How a value stands where it is kept: that it is blank says nothing about anybody.
pub(crate) fn kept(value: &Value, print: Print, privacy: Privacy) -> String {
    if privacy == Privacy::Private && !value.is_blank() { MASK.to_owned() } else { printed(value, print) }
}
