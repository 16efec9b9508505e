//! What a write came to: the key in its answer, or the words of its refusal.
//!
//! Takes the facts of the entity, the write and what HTTP gave; gives [`Answered`]. Promises that a success is never
//! taken for a failure because its answer lacks something.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Answered, manifest::plain_text, rows::key_text};
use crate::{
    schema::{Answer, WriteFacts},
    value::{Action, Write},
};

/// Reads the outcome of a write.
pub(super) fn answered(facts: &WriteFacts, write: &Write, sent: Result<Option<Json>, Answered>) -> Answered {
    let json = match sent {
        Ok(json) => json,
        Err(Answered::Refused(text)) if number_exists(facts, write, &text) => return Answered::NumberExists(text),
        Err(other) => return other,
    };
    let Answer::Key(name) = &facts.answer else { return Answered::DoneWithoutKey };
    let answer = json.as_ref().and_then(|json| find_key(json, name));
    match (answer, write.action) {
        (Some(key), _) => Answered::Done(key.into()),
        (None, Action::Create) => Answered::Keyless,
        // The key of what was changed is known to who changed it.
        (None, Action::Update) => {
            let own = write.fields.value(name).and_then(key_text);
            own.map_or(Answered::DoneWithoutKey, |key| Answered::Done(Arc::from(key)))
        }
    }
}

fn number_exists(facts: &WriteFacts, write: &Write, text: &str) -> bool {
    write.action == Action::Create
        && facts.recognise.exists_text.as_ref().is_some_and(|part| text.to_lowercase().contains(&part.to_lowercase()))
}

/// The value of this name at any depth, ignoring case: the vendors' answers have several forms.
pub(super) fn find_key(json: &Json, name: &str) -> Option<String> {
    match json {
        Json::Object(fields) => {
            let here = fields
                .iter()
                .filter(|(own, _)| own.eq_ignore_ascii_case(name))
                .find_map(|(_, value)| plain_text(value));
            here.or_else(|| fields.values().find_map(|value| find_key(value, name)))
        }
        Json::Array(list) => list.iter().find_map(|value| find_key(value, name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{Recognise, WriteClass},
        value::{EntityName, Fields, Node, Value},
    };

    fn facts(answer: Answer) -> WriteFacts {
        WriteFacts {
            root: "FbSales".into(),
            create: None,
            update: None,
            update_key: Vec::new(),
            answer,
            class: WriteClass::Document,
            family: None,
            recognise: Recognise { exists_text: Some("already exists".into()), ..Recognise::default() },
            shown_by: None,
            balance: None,
            replaces_lists: false,
            shows: std::collections::BTreeMap::new(),
            through: None,
        }
    }

    fn write(action: Action) -> Write {
        Write {
            name: "FbSales".into(),
            entity: EntityName { role: "afas".into(), entity: "FbSales".into() },
            action,
            fields: Fields(vec![("OrNu".into(), Node::Value(Value::text("J1")))]),
            gives: None,
            own_number: None,
            reference: None,
            needs: vec![],
            ensure: None,
        }
    }

    fn of(action: Action, answer: &str) -> Answered {
        answered(&facts(Answer::Key("EnNo".into())), &write(action), Ok(serde_json::from_str(answer).ok()))
    }

    #[test]
    fn the_key_is_found_in_every_documented_form() {
        for form in [
            r#"{"results":{"FiEntries":{"EnNo":"48227","UnId":"1","InID":"9"}}}"#,
            r#"{"results":{"FiEntryPar":{"UnId":"1","EnNo":48227,"InId":"9"}}}"#,
            r#"{"FiEntryPar":{"UnId":"1","enno":"48227"}}"#,
            r#"[{"results":[{"EnNo":"48227"}]}]"#,
        ] {
            assert_eq!(of(Action::Create, form), Answered::Done("48227".into()), "{form}");
        }
    }

    #[test]
    fn a_success_without_its_key_is_read_back_and_never_a_failure() {
        for form in ["", "{}", r#"{"results":{"FbSales":{"EnNo":""}}}"#, "<html>"] {
            assert_eq!(of(Action::Create, form), Answered::Keyless, "{form}");
        }
        let none = answered(&facts(Answer::None), &write(Action::Create), Ok(None));
        assert_eq!(none, Answered::DoneWithoutKey);
    }

    #[test]
    fn an_update_knows_its_own_key() {
        let facts = facts(Answer::Key("OrNu".into()));
        assert_eq!(answered(&facts, &write(Action::Update), Ok(None)), Answered::Done("J1".into()));
        assert_eq!(of(Action::Update, "{}"), Answered::DoneWithoutKey);
    }

    #[test]
    fn a_taken_number_is_told_apart_from_other_refusals() {
        let facts = facts(Answer::Key("OrNu".into()));
        let refused = |text: &str| Err(Answered::Refused(text.to_owned()));
        let taken = answered(&facts, &write(Action::Create), refused("Order J1 ALREADY exists."));
        assert_eq!(taken, Answered::NumberExists("Order J1 ALREADY exists.".to_owned()));
        let other = answered(&facts, &write(Action::Create), refused("no such item"));
        assert_eq!(other, Answered::Refused("no such item".to_owned()));
        let update = answered(&facts, &write(Action::Update), refused("already exists"));
        assert_eq!(update, Answered::Refused("already exists".to_owned()));
    }
}
