//! An UpdateConnector answers: the body is read, judged, and done in one transaction.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{
    super::{
        effects::By,
        message::{self, Call, Reply},
    },
    Element, Outcome, Profit, Refusal, connector, document, element, entry, item, judge, party, relation,
};

/// What a main record is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Insert,
    Update,
    Delete,
}

impl Verb {
    /// The verb of an element: its own action, else that of what it stands in.
    pub(super) fn of(element: &Element, otherwise: Self) -> Self {
        match element.action.as_deref() {
            Some("insert") => Self::Insert,
            Some("update") => Self::Update,
            Some("delete") => Self::Delete,
            _ => otherwise,
        }
    }
}

/// Answers a POST or PUT; `part` is a sub-object that is added to an existing record.
pub(super) fn answer(profit: &Mutex<Profit>, name: &str, part: Option<&str>, call: &Call) -> Reply {
    let Some(update) = connector::update_named(name) else {
        let text = format!("UpdateConnector '{name}' is not supported for this app or user is not authorised.");
        return Refusal::general(text).reply();
    };
    let malformed = |message: &str| super::refusal(400, message);
    let body = match message::object(&call.body) {
        Ok(body) => body,
        Err(message) => return malformed(&message),
    };
    let root = update.root();
    let mut elements = match body.iter().next() {
        Some((name, object)) if name == root && body.len() == 1 => match element::read(name, object) {
            Ok(elements) => elements,
            Err(message) => return malformed(&message),
        },
        _ => return malformed(&format!("The body must hold one object '{root}'.")),
    };
    // A part is added to a record that exists: the record itself is only looked up.
    let (schema, verb) = match (part, call.method.as_str()) {
        (None, "POST") => ("POST", Verb::Insert),
        _ => ("PUT", Verb::Update),
    };
    if let Some(part) = part {
        for element in &mut elements {
            for (name, below) in &mut element.objects {
                if name.eq_ignore_ascii_case(part) {
                    for added in below.iter_mut() {
                        added.action = Some("insert".to_owned());
                    }
                }
            }
        }
    }
    let judged = judge::judge(update, schema, &mut elements);
    let mut profit = profit.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = |profit: &mut Profit, by: By, refusal: &Refusal| {
        profit.effects.refused(update.name, by, &refusal.message);
        refusal.reply()
    };
    if let Err((by, refusal)) = judged {
        return refused(&mut profit, by, &refusal);
    }
    let done = profit.in_one(|profit| {
        let mut last = Value::Null;
        for element in &elements {
            last = one(profit, update.name, element, Verb::of(element, verb))?;
        }
        Ok(last)
    });
    match done {
        Ok(Value::Null) => Reply::empty(201),
        Ok(results) => Reply::json(201, results),
        Err(refusal) => refused(&mut profit, By::Books, &refusal),
    }
}

/// The usual form of an answer.
pub(super) fn results(object: &str, keys: &Value) -> Value {
    json!({"results": {object: keys}})
}

/// Does one main record.
fn one(profit: &mut Profit, connector: &str, element: &Element, verb: Verb) -> Outcome<Value> {
    match connector {
        "FbSales" | "FbSalesQuotation" | "FbDeliveryNote" | "FbDirectInvoice" => {
            document::write(profit, connector, element, verb)
        }
        "KnSalesRelationOrg" => relation::write(profit, relation::Kind::Organisation, element, verb),
        "KnSalesRelationPer" => relation::write(profit, relation::Kind::Person, element, verb),
        "KnOrganisation" => party::write(profit, party::Kind::Organisation, element, verb),
        "KnPerson" => party::write(profit, party::Kind::Person, element, verb),
        "KnContact" => party::change_contact(profit, element),
        "KnAddress" => party::add_address(profit, element),
        "FbItemArticle" => item::write(profit, element, verb),
        "FbStockMutation" => item::mutate_stock(profit, element),
        "FbSalesPrice" => item::set_price(profit, element),
        "FbUnitBasicItem" => item::add_unit(profit, element),
        "FbFreeOrder" => document::release(profit, element),
        "FiEntries" => entry::write(profit, element),
        "FiInvoice" => entry::change_invoice(profit, element),
        other => Err(Refusal::general(format!("UpdateConnector '{other}' is not supported for this app."))),
    }
}
