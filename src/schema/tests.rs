//! Values on their way in and out, by the standard schemas.

use std::sync::Arc;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::*;
use crate::value::{Currency, Fields, Money, Node, Record, Value};

const TODAY: Date = date(2026, 4, 20);

fn read(system: &str, entity: &str) -> Arc<Object> {
    let entity = Catalog::standard().unwrap().entity(system, entity).unwrap();
    entity.read.as_ref().unwrap().object.clone()
}

fn create(system: &str, entity: &str) -> Arc<Object> {
    let entity = Catalog::standard().unwrap().entity(system, entity).unwrap();
    entity.write.as_ref().unwrap().create.clone().unwrap()
}

fn projection(object: &Arc<Object>, fields: &[&str]) -> Projection {
    let fields: Vec<Arc<str>> = fields.iter().map(|field| Arc::from(*field)).collect();
    Projection::new(object, &fields)
}

fn decode(system: &str, entity: &str, fields: &[&str], json: &str) -> Result<Record, DecodeError> {
    projection(&read(system, entity), fields).decode(&serde_json::from_str(json).unwrap(), TODAY)
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn words(json: &str) -> Vec<String> {
    let record = decode("jortt", "invoices", &["list"], json).unwrap();
    record.get("list").as_list().iter().map(ToString::to_string).collect()
}

#[test]
fn only_what_is_asked_for_is_decoded_in_the_order_of_the_paths() {
    let invoices = read("jortt", "invoices");
    let some = projection(&invoices, &["id", "line_items.amount", "line_items.vat.value", "reference"]);
    assert_eq!(some.shape().names, ["id", "line_items", "reference"].map(Arc::from));
    assert_eq!(some.child("line_items").unwrap().shape().names, ["amount", "vat"].map(Arc::from));
    let whole = projection(&invoices, &["line_items", "line_items.amount"]);
    assert_eq!(whole.child("line_items").unwrap().shape().names.len(), 6);
    assert_eq!(projection(&invoices, &["id", "list"]).shape(), projection(&invoices, &["id", "list"]).shape());
}

#[test]
fn an_invoice_of_jortt_is_exact() {
    let record = decode(
        "jortt",
        "invoices",
        &["created_at", "customer_address_country_code", "customer_mail_to", "discounts", "invoice_date", "line_items"],
        r#"{"created_at": "2026-03-14T10:22:33.000+01:00", "customer_address_country_code": "nl",
            "customer_mail_to": " Info@Bakkerij.example ", "discounts": null, "invoice_date": "2026-03-14",
            "line_items": [{"description": " ", "quantity": "2.50", "amount": {"amount": "90.123456789", "currency": "EUR"},
            "vat": {"value": "0.21", "category": null}, "total_amount_ex_vat": {"amount": 180.10, "currency": "EUR"}}]}"#,
    )
    .unwrap();
    assert_eq!(*record.get("created_at"), Value::DateTime("2026-03-14T09:22:33Z".parse().unwrap()));
    assert_eq!(*record.get("customer_address_country_code"), Value::text("NL"));
    assert_eq!(*record.get("customer_mail_to"), Value::text("info@bakkerij.example"));
    assert_eq!(*record.get("discounts"), Value::List(Arc::from([])));
    assert_eq!(*record.get("invoice_date"), Value::Date(date(2026, 3, 14)));
    assert_eq!(*record.path("line_items.description"), Value::Blank);
    assert_eq!(*record.path("line_items.quantity"), Value::Decimal(number("2.50")));
    assert_eq!(*record.path("line_items.amount"), Value::eur(number("90.123456789")));
    assert_eq!(*record.path("line_items.vat.value"), Value::Decimal(number("0.21")));
    assert_eq!(*record.path("line_items.vat.category"), Value::Blank);
    assert_eq!(*record.path("line_items.total_amount_ex_vat"), Value::eur(number("180.10")));
}

#[test]
fn a_row_of_afas_is_exact() {
    let record = decode(
        "afas",
        "Profit_Debtor",
        &["Blocked", "CreditLimit", "CurrencyId", "ModifiedDate", "VatNr"],
        r#"{"Blocked": false, "CreditLimit": 1000.10, "CurrencyId": "USD", "ModifiedDate": "2026-07-01T09:00:00Z",
            "VatNr": "nl 0000.99998.B57"}"#,
    )
    .unwrap();
    let limit = Money { amount: number("1000.10"), currency: Currency::parse("USD").unwrap() };
    assert_eq!(*record.get("CreditLimit"), Value::Money(limit));
    assert_eq!(*record.get("ModifiedDate"), Value::DateTime("2026-07-01T07:00:00Z".parse().unwrap()));
    assert_eq!(*record.get("VatNr"), Value::text("NL000099998B57"));
    let rate = decode("afas", "Profit_VAT_code", &["VatPerc"], r#"{"VatPerc": 21}"#).unwrap();
    assert_eq!(*rate.get("VatPerc"), Value::Decimal(number("0.21")));
    let day = decode("afas", "Profit_Salesorders", &["OrderDate"], r#"{"OrderDate": "2026-03-16T00:00:00Z"}"#).unwrap();
    assert_eq!(*day.get("OrderDate"), Value::Date(date(2026, 3, 16)));
}

#[test]
fn an_update_says_which_record_it_changes_by_every_field_of_its_key() {
    let facts = |entity: &str| Catalog::standard().unwrap().entity("afas", entity).unwrap();
    let key = |entity: &str, given: &[(&str, &str)]| {
        let value =
            |path: &Arc<str>| given.iter().find(|(own, _)| *own == &**path).map(|(_, value)| Value::text(value));
        facts(entity).write.as_ref().unwrap().key_of(|path| value(path).unwrap_or_default())
    };
    assert_eq!(key("KnContact", &[("CdId", "7")]), Value::text("7"));
    let invoice = |number| [("UnId", "1"), ("VaAd", "2"), ("DcNr", "10021"), ("InId", number)];
    assert_eq!(key("FiInvoice", &invoice("A1")), Value::text("1/2/10021/A1"));
    assert_ne!(key("FiInvoice", &invoice("A1")), key("FiInvoice", &invoice("A2")));
    assert_eq!(key("FiInvoice", &invoice("")), Value::Blank);
    for (name, entity) in &Catalog::standard().unwrap().systems["afas"].entities {
        let Some(facts) = &entity.write else { continue };
        let Some(update) = &facts.update else { continue };
        assert!(!facts.update_key.is_empty(), "{name}");
        assert!(facts.update_key.iter().all(|key| update.field(key).unwrap().required), "{name}");
    }
}

#[test]
fn a_time_that_happens_twice_is_the_earlier_one() {
    let json = r#"{"ModifiedDate": "2026-10-25T02:30:00Z"}"#;
    let record = decode("afas", "Profit_Debtor", &["ModifiedDate"], json).unwrap();
    assert_eq!(*record.get("ModifiedDate"), Value::DateTime("2026-10-25T00:30:00Z".parse().unwrap()));
}

#[test]
fn times_of_afas_are_those_of_amsterdam_in_both_nights_of_the_clocks() {
    for (shown, moment) in [
        // In spring the hour from two to three is missing: a time in it is the one that was meant, an hour on.
        ("2026-03-29T01:59:59Z", "2026-03-29T00:59:59Z"),
        ("2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"),
        ("2026-03-29T03:00:00Z", "2026-03-29T01:00:00Z"),
        // In autumn it comes twice.
        ("2026-10-25T01:59:59", "2026-10-24T23:59:59Z"),
        ("2026-10-25T02:00:00", "2026-10-25T00:00:00Z"),
        ("2026-10-25T02:59:59", "2026-10-25T00:59:59Z"),
        ("2026-10-25T03:00:00", "2026-10-25T02:00:00Z"),
    ] {
        let json = format!(r#"{{"ModifiedDate": "{shown}"}}"#);
        let record = decode("afas", "Profit_Debtor", &["ModifiedDate"], &json).unwrap();
        assert_eq!(*record.get("ModifiedDate"), Value::DateTime(moment.parse().unwrap()), "{shown}");
    }
}

#[test]
fn from_midnight_in_amsterdam_on_it_is_the_next_day_while_it_is_the_day_before_in_utc() {
    for (moment, day) in [
        ("2026-11-28T22:59:59Z", date(2026, 11, 28)),
        ("2026-11-28T23:00:00Z", date(2026, 11, 29)),
        ("2026-07-31T21:59:59Z", date(2026, 7, 31)),
        ("2026-07-31T22:00:00Z", date(2026, 8, 1)),
        ("2026-12-31T23:30:00Z", date(2027, 1, 1)),
        // The nights in which the clocks change.
        ("2026-03-28T23:00:00Z", date(2026, 3, 29)),
        ("2026-03-29T22:00:00Z", date(2026, 3, 30)),
        ("2026-10-24T22:00:00Z", date(2026, 10, 25)),
        ("2026-10-25T22:59:59Z", date(2026, 10, 25)),
    ] {
        assert_eq!(home_day(moment.parse().unwrap()), day, "{moment}");
    }
}

#[test]
fn the_lists_of_an_invoice_are_worked_out() {
    assert_eq!(words(r#"{"invoice_status": "draft"}"#), ["draft"]);
    let sent = |due: &str, day: &str, credits: &str| {
        words(&format!(
            r#"{{"invoice_status": "sent", "invoice_due_amount": {{"amount": "{due}", "currency": "EUR"}},
                "invoice_due_date": "{day}", "credit_invoice_ids": {credits}}}"#
        ))
    };
    assert_eq!(sent("217.80", "2026-04-20", "null"), ["sent", "unpaid"]);
    assert_eq!(sent("217.80", "2026-04-19", "[]"), ["sent", "unpaid", "late"]);
    assert_eq!(sent("0.00", "2026-04-19", "[]"), ["sent", "paid"]);
    assert_eq!(sent("0.00", "2026-04-19", r#"["x"]"#), ["sent"]);
    assert_eq!(words(r#"{"invoice_status": "sent"}"#), ["sent"]);
}

#[test]
fn json_that_is_not_the_schemas_is_told_with_its_place_and_without_personal_data() {
    let wrong =
        |entity: &str, field: &str, json: &str| decode("jortt", entity, &[field], json).unwrap_err().to_string();
    assert_eq!(
        wrong("invoices", "invoice_date", r#"{"invoice_date": "14-03-2026"}"#),
        "invoice_date should be a day such as 2026-03-14, found a text: \"14-03-2026\""
    );
    assert_eq!(
        wrong("invoices", "line_items", r#"{"line_items": [{}, {"amount": 12}]}"#),
        "line_items[1].amount should be an object with amount and currency, found a number: 12"
    );
    assert_eq!(
        wrong("invoices", "line_items.vat.value", r#"{"line_items": [{"vat": {"value": "high"}}]}"#),
        "line_items[0].vat.value should be a number, found a text: \"high\""
    );
    assert_eq!(
        wrong("invoices", "line_items", r#"{"line_items": {}}"#),
        "line_items should be a list, found an object"
    );
    assert_eq!(
        wrong("customers", "date_of_birth", r#"{"date_of_birth": "29 april 1985"}"#),
        "date_of_birth should be a day such as 2026-03-14, found a text"
    );
    assert_eq!(wrong("customers", "email", r#"{"email": [1]}"#), "email should be a text, found a list");
    let no_object = projection(&read("jortt", "customers"), &["id"]).decode(&json!([]), TODAY).unwrap_err();
    assert_eq!(no_object.to_string(), "the record should be an object, found a list");
}

fn value(name: &str, value: Value) -> (Arc<str>, Node) {
    (name.into(), Node::Value(value))
}

#[test]
fn an_order_is_written_with_wire_names_and_exact_numbers() {
    let fields = Fields(vec![
        value("OrDa", Value::Date(date(2026, 3, 14))),
        value("DbId", Value::text("10021")),
        value("CuId", Value::text("EUR")),
        value("Unit", Value::Int(1)),
        value("InVa", Value::Bool(false)),
        value("InPc", Value::Decimal(number("0.145"))),
        (
            "Lines".into(),
            Node::List(vec![Fields(vec![
                value("ItCd", Value::text("ADV")),
                value("QuUn", Value::Decimal(number("2.50"))),
                value("Upri", Value::eur(number("90.123456789"))),
            ])]),
        ),
    ]);
    let body = encode(&create("afas", "FbSales"), &fields).unwrap();
    assert_eq!(
        body.to_string(),
        r#"{"OrDa":"2026-03-14","DbId":"10021","CuId":"EUR","Unit":1,"InVa":false,"InPc":14.5,"FbSalesLines":[{"ItCd":"ADV","QuUn":2.5,"Upri":90.123456789}]}"#
    );
}

#[test]
fn an_invoice_is_written_as_jortt_wants_it() {
    let line = Fields(vec![
        value("description", Value::text("Brood")),
        value("quantity", Value::Int(10)),
        value("amount", Value::eur(number("10"))),
        ("vat".into(), Node::Object(Fields(vec![value("value", Value::Decimal(number("0.090")))]))),
    ]);
    let fields = Fields(vec![
        ("line_items".into(), Node::List(vec![line])),
        ("discounts".into(), Node::Object(Fields(vec![value("percentage", Value::Decimal(number("0.10")))]))),
    ]);
    let body = encode(&create("jortt", "invoices"), &fields).unwrap();
    assert_eq!(
        body.to_string(),
        r#"{"line_items":[{"description":"Brood","quantity":"10","amount":{"amount":"10.00","currency":"EUR"},"vat":{"value":"0.09","category":null}}],"discounts":[{"percentage":10}]}"#
    );
}

#[test]
fn what_cannot_be_written_is_told_with_its_place() {
    let wrong =
        |fields: Vec<(Arc<str>, Node)>| encode(&create("afas", "FbSales"), &Fields(fields)).unwrap_err().to_string();
    assert_eq!(wrong(vec![value("Oops", Value::Int(1))]), "Oops: afas.FbSales has no such field");
    assert_eq!(wrong(vec![value("InVa", Value::text("yes"))]), "InVa: takes yes or no, not a text");
    assert_eq!(wrong(vec![value("DbId", Value::Key("debtor".into()))]), "DbId: the key of debtor is not there yet");
    let line = Fields(vec![value("Upri", Value::eur(number("1")))]);
    assert_eq!(
        wrong(vec![value("CuId", Value::text("USD")), ("Lines".into(), Node::List(vec![line]))]),
        "Lines[0].Upri: an amount in EUR where USD is written"
    );
    let discount = Fields(vec![value("percentage", Value::Decimal(number("0.145")))]);
    let error = encode(&create("jortt", "invoices"), &Fields(vec![("discounts".into(), Node::List(vec![discount]))]));
    assert!(error.unwrap_err().problem.starts_with("14.5% has more than 0 decimals"));
}

#[test]
fn clear_empties_as_each_system_does() {
    let clear = |system: &str, entity: &str, field: &str| {
        encode(&create(system, entity), &Fields(vec![value(field, Value::Clear)])).unwrap().to_string()
    };
    assert_eq!(clear("afas", "FbSales", "Re"), r#"{"Re":""}"#);
    assert_eq!(clear("jortt", "customers", "attn"), r#"{"attn":null}"#);
}

#[test]
fn settings_are_read_by_their_type() {
    let set = |ty: &Ty, text: &str| {
        let table: toml::Table = format!("x = {text}").parse().unwrap();
        parse_value(ty, &table["x"])
    };
    let column = read("afas", "Profit_Accounts").field("Account").unwrap().ty.clone();
    let reference = Some(ColumnRef { of: "afas.Profit_Accounts".into(), column: "Account".into() });
    let account = Ty { reference, ..column };
    assert_eq!(set(&account, "1300"), Ok(Value::text("1300")));
    assert_eq!(set(&account, "\"1300\""), Ok(Value::text("1300")));
    assert_eq!(set(&account, "12345678901234567").unwrap_err(), "may have 16 characters, \"12345678901234567\" has 17");
    assert_eq!(set(&Ty::new(Kind::Text), "1300").unwrap_err(), "takes a text, not 1300");
    assert_eq!(set(&Ty::new(Kind::Money), "0.05"), Ok(Value::eur(number("0.05"))));
    assert_eq!(set(&Ty::new(Kind::Decimal), "0.1"), Ok(Value::Decimal(number("0.1"))));
    assert_eq!(set(&Ty::new(Kind::Percent), "\"10.5%\""), Ok(Value::Decimal(number("0.105"))));
    assert_eq!(set(&Ty::new(Kind::Percent), "10").unwrap_err(), "takes a percentage such as \"10%\", not 10");
    assert_eq!(set(&Ty::new(Kind::Date), "2026-01-01"), Ok(Value::Date(date(2026, 1, 1))));
    assert_eq!(set(&Ty::new(Kind::Bool), "\"yes\"").unwrap_err(), "takes true or false, not \"yes\"");
    let words = Ty::new(Kind::OneOf(["order", "entry"].map(Arc::from).into()));
    assert_eq!(set(&words, "\"order\""), Ok(Value::text("order")));
    assert_eq!(set(&words, "\"invoice\"").unwrap_err(), "takes one of \"order\", \"entry\", not \"invoice\"");
    let list = Ty::list(words);
    assert_eq!(set(&list, "[\"order\"]"), Ok(Value::List(Arc::from([Value::text("order")]))));
    assert_eq!(set(&Ty::new(Kind::Text), "\" \"").unwrap_err(), "takes a text, not an empty text");
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (-999_999_999_999_i64..999_999_999_999, 0_u32..10).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

/// Written by one entity's schema and read back by its read: the same value.
fn there_and_back(field: &Field, value: &Value) -> Value {
    let json = encode_value(field, value).unwrap();
    let object = Object {
        path: "x".into(),
        label: "".into(),
        fields: indexmap::IndexMap::from([(field.name.clone(), Arc::new(field.clone()))]),
    };
    let text = Json::Object(serde_json::Map::from_iter([(field.wire.to_string(), json)])).to_string();
    let row: Json = serde_json::from_str(&text).unwrap();
    let record = decode_sample(&Arc::new(object), &row, TODAY).unwrap();
    record.at(0).clone()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_as_the_same_value(amount in decimals(), seconds in 0_i64..4_000_000_000, days in 0_i32..30_000) {
        let field = |kind: Kind, form: Form| Field { form, ..Field::plain("x".into(), Ty::new(kind)) };
        let money = Value::eur(amount);
        for form in [Form::MoneyObject("amount".into()), Form::MoneyObject("value".into()), Form::MoneyNumber(None)] {
            prop_assert_eq!(there_and_back(&field(Kind::Money, form), &money), Value::eur(amount));
        }
        for form in [Form::PercentFraction, Form::PercentPoints] {
            prop_assert_eq!(there_and_back(&field(Kind::Percent, form), &Value::Decimal(amount)), Value::Decimal(amount));
        }
        for form in [Form::Number, Form::NumberText] {
            prop_assert_eq!(there_and_back(&field(Kind::Decimal, form), &Value::Decimal(amount)), Value::Decimal(amount));
        }
        let day = Value::Date(date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap());
        prop_assert_eq!(there_and_back(&field(Kind::Date, Form::Plain), &day), day);
        let moment = Value::DateTime(jiff::Timestamp::from_second(seconds).unwrap());
        prop_assert_eq!(there_and_back(&field(Kind::DateTime, Form::Plain), &moment), moment);
    }

    #[test]
    fn a_normal_form_stays_as_it_is(text in "\\PC{0,20}") {
        for kind in [Kind::Email, Kind::Country, Kind::Iban, Kind::VatNumber] {
            let once = normalise(&kind, &text);
            if let Value::Text(text) = &once {
                prop_assert_eq!(normalise(&kind, text), once.clone());
            }
        }
    }

    #[test]
    fn no_text_stops_the_decoder(text in "\\PC{0,30}") {
        let row = json!({"id": text, "invoice_date": text, "created_at": text, "invoice_total": text, "net_amounts": text,
            "number_of_reminders_sent": text, "line_items": text, "customer_mail_to": text, "invoice_due_amount": text});
        let _ = decode_sample(&read("jortt", "invoices"), &row, TODAY);
        for name in ["id", "invoice_date", "created_at", "invoice_total", "number_of_reminders_sent"] {
            let _ = projection(&read("jortt", "invoices"), &[name]).decode(&row, TODAY);
        }
    }
}
