//! What becomes of conditions, and that no value becomes syntax.

use std::sync::Arc;

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

use super::*;
use crate::schema::Ty;

fn object() -> Object {
    let field = |name: &str, wire: &str, kind: Kind, form: Form| {
        let mut ty = Ty::new(kind).or_blank();
        ty.max = (name == "Email").then_some(255);
        let field = Field { wire: wire.into(), form, ..Field::plain(name.into(), ty) };
        (Arc::from(name), Arc::new(field))
    };
    let fields: IndexMap<Arc<str>, Arc<Field>> = [
        field("Email", "Email", Kind::Email, Form::Plain),
        field("Name", "DebtorName", Kind::Text, Form::Plain),
        field("Vat", "VatNr", Kind::VatNumber, Form::Plain),
        field("Addition", "A_Toev_Huisnr.", Kind::Text, Form::Plain),
        field("Blocked", "Blocked", Kind::Bool, Form::Plain),
        field("Unit", "UnitId", Kind::Int, Form::Number),
        field("Rate", "VatPerc", Kind::Percent, Form::PercentPoints),
        field("Day", "OrderDate", Kind::Date, Form::Plain),
        field("Modified", "ModifiedDate", Kind::DateTime, Form::AmsterdamTime),
    ]
    .into_iter()
    .collect();
    Object { path: "afas.Test".into(), label: "test".into(), fields }
}

fn said(filter: &Filter) -> Vec<String> {
    let show = |all: &All| {
        let parts: Vec<String> =
            all.iter().map(|one| format!("{} {} {}", one.field, one.operator, one.value)).collect();
        parts.join(" & ")
    };
    weaken(filter, &object()).iter().map(show).collect()
}

fn text(path: &str, value: &str) -> Filter {
    Filter::Is(path.into(), Value::text(value))
}

fn blank(path: &str) -> Filter {
    Filter::Blank(path.into())
}

fn day(text: &str) -> Value {
    Value::Date(text.parse().unwrap())
}

fn asked(filters: &[Filter], limit: usize) -> Option<Vec<String>> {
    let alternatives: Vec<All> = filters.iter().flat_map(|filter| weaken(filter, &object())).collect();
    queries(&alternatives, "skip=0", limit).map(|queries| queries.into_iter().map(|query| query.text).collect())
}

fn decoded(query: &str) -> String {
    percent_decode_str(query).decode_utf8().unwrap().into_owned()
}

#[test]
fn equalities_and_lists_become_alternatives() {
    assert_eq!(said(&text("Email", "a@b.nl")), ["Email 1 a@b.nl"]);
    let list = Filter::In("Unit".into(), vec![Value::Int(1), Value::Blank, Value::Int(2), Value::Int(1)].into());
    assert_eq!(said(&list), ["UnitId 1 1", "UnitId 1 2"]);
    assert_eq!(said(&Filter::Is("Rate".into(), Value::Decimal("0.21".parse().unwrap()))), ["VatPerc 1 21"]);
    assert_eq!(said(&Filter::Is("Blocked".into(), Value::Bool(true))), ["Blocked 1 true"]);
    assert!(said(&text("Email", " ")).is_empty());
    assert!(said(&Filter::Never).is_empty());
    assert_eq!(said(&Filter::All), [""]);
}

#[test]
fn and_multiplies_what_or_adds() {
    let filter = Filter::And(vec![
        Filter::Is("Unit".into(), Value::Int(1)),
        Filter::Or(vec![text("Name", "x"), text("Email", "y@z.nl")]),
    ]);
    assert_eq!(said(&filter), ["UnitId 1 1 & DebtorName 1 x", "UnitId 1 1 & Email 1 y@z.nl"]);
}

#[test]
fn not_asks_for_blank_rows_too() {
    let not_blocked = Filter::Not(Box::new(Filter::Is("Blocked".into(), Value::Bool(true))));
    assert_eq!(said(&not_blocked), ["Blocked 7 true", "Blocked 8 \"\""]);
    assert_eq!(said(&Filter::IsNot("Unit".into(), Value::Int(3))), ["UnitId 7 3", "UnitId 8 \"\""]);
    let not_less = Filter::Not(Box::new(Filter::Compares("Unit".into(), Compare::Less, Value::Int(3))));
    assert_eq!(said(&not_less), ["UnitId 2 3", "UnitId 8 \"\""]);
}

#[test]
fn what_afas_does_otherwise_is_left_to_koppel() {
    // Case and spaces at the end count here and not there.
    assert_eq!(said(&Filter::IsNot("Name".into(), Value::text("x"))), [""]);
    // Kept without spaces and dots here.
    assert_eq!(said(&text("Vat", "NL001")), [""]);
    // White space is blank here.
    assert_eq!(said(&blank("Name")), [""]);
    assert_eq!(said(&blank("Day")), ["OrderDate 8 \"\""]);
    // The order of texts is the database's own.
    assert_eq!(said(&Filter::Compares("Name".into(), Compare::Less, Value::text("x"))), [""]);
    assert_eq!(said(&text("unknown", "x")), [""]);
    // One strong condition is enough to keep the call narrow.
    let either = Filter::Or(vec![text("Name", "c"), blank("Name")]);
    assert_eq!(said(&Filter::And(vec![either, text("Email", "a@b.nl")])), ["Email 1 a@b.nl"]);
}

#[test]
fn a_day_is_all_its_hours() {
    assert_eq!(
        said(&Filter::Is("Day".into(), day("2026-03-14"))),
        ["OrderDate 2 2026-03-14T00:00:00 & OrderDate 5 2026-03-15T00:00:00"]
    );
    let compares = |compare| said(&Filter::Compares("Day".into(), compare, day("2026-03-14")));
    assert_eq!(compares(Compare::AtLeast), ["OrderDate 2 2026-03-14T00:00:00"]);
    assert_eq!(compares(Compare::Greater), ["OrderDate 2 2026-03-15T00:00:00"]);
    assert_eq!(compares(Compare::AtMost), ["OrderDate 5 2026-03-15T00:00:00"]);
    assert_eq!(compares(Compare::Less), ["OrderDate 5 2026-03-14T00:00:00"]);
}

#[test]
fn a_moment_is_asked_in_local_time_without_a_zone_and_widened_upwards() {
    let moment = Value::DateTime("2026-07-01T10:00:00.5Z".parse().unwrap());
    let compares = |compare| said(&Filter::Compares("Modified".into(), compare, moment.clone()));
    assert_eq!(compares(Compare::Greater), ["ModifiedDate 2 2026-07-01T12:00:00"]);
    assert_eq!(compares(Compare::AtMost), ["ModifiedDate 3 2026-07-01T13:00:00"]);
}

#[test]
fn plain_values_go_in_the_short_form() {
    let queries = asked(&[text("Email", "a@b.nl"), text("Name", "Bakkerij De Linde")], 2049).unwrap();
    assert_eq!(queries.len(), 1);
    assert_eq!(
        decoded(&queries[0]),
        "filterfieldids=Email;DebtorName&filtervalues=a@b.nl;Bakkerij De Linde&operatortypes=1;1"
    );
}

#[test]
fn no_value_becomes_a_part_of_the_filter() {
    for hostile in ["a,b;c\"{}%", "x;Email", "a,b", "\"}]}}", "\u{7}", "&take=-1", "*", "%", " a"] {
        let queries = asked(&[text("Name", hostile)], 2049).unwrap();
        let [query] = queries.as_slice() else { panic!("{queries:?}") };
        let encoded = query.strip_prefix("filterjson=").unwrap_or_else(|| panic!("{hostile} went plain: {query}"));
        assert!(!encoded.contains(['&', '=', '#', '?', '+', ' ', '"']), "{encoded}");
        let json: serde_json::Value = serde_json::from_str(&decoded(encoded)).unwrap();
        let expected = json!({"Filters": {"Filter": [{"@FilterId": "Filter 1", "Field": [
            {"@FieldId": "DebtorName", "@OperatorType": "1", "#text": hostile}
        ]}]}});
        assert_eq!(json, expected);
    }
}

#[test]
fn a_field_with_a_special_name_stands_in_brackets() {
    let queries = asked(&[text("Addition", "a")], 2049).unwrap();
    assert!(decoded(&queries[0]).contains(r#""@FieldId":"['A_Toev_Huisnr.']""#), "{}", decoded(&queries[0]));
}

#[test]
fn no_query_is_longer_than_afas_takes_and_no_value_is_lost() {
    let emails: Vec<String> = (0..200).map(|n| format!("customer-{n}@example-company.nl")).collect();
    let hostile: Vec<String> = (0..60).map(|n| format!("Jansen, Pieters; {n}")).collect();
    let filters: Vec<Filter> =
        emails.iter().map(|email| text("Email", email)).chain(hostile.iter().map(|name| text("Name", name))).collect();
    let queries = asked(&filters, 2049).unwrap();
    for query in &queries {
        assert!(format!("?skip=0&{query}").len() <= 2049, "{}", query.len());
    }
    let all: String = queries.iter().map(|query| decoded(query)).collect();
    for value in emails.iter().chain(&hostile) {
        assert_eq!(
            all.matches(&format!("{value}\"")).count()
                + all.matches(&format!("{value};")).count()
                + all.matches(&format!("{value}&")).count(),
            1,
            "{value}"
        );
    }
    let plain = queries.iter().filter(|query| query.starts_with("filterfieldids")).count();
    assert!(plain <= 6, "{plain} plain queries for 200 addresses");
}

#[test]
fn a_few_mixed_conditions_share_one_query_with_the_plain_ones() {
    let queries = asked(&[text("Email", "a@b.nl"), text("Name", "a,b")], 2049).unwrap();
    assert_eq!(queries.len(), 1);
}

#[test]
fn what_fits_no_query_is_asked_without_a_filter_and_what_fits_no_field_not_at_all() {
    assert_eq!(asked(&[text("Name", &"x".repeat(3000))], 2049), None);
    assert_eq!(asked(&[text("Email", &"x".repeat(3000))], 2049), Some(vec![]));
    assert_eq!(asked(&[Filter::All, text("Name", "x")], 2049), None);
}

#[test]
fn a_filter_that_multiplies_without_end_is_left_weaker() {
    let many = |path: &str| Filter::In(path.into(), (0..50).map(Value::Int).collect::<Vec<_>>().into());
    let filter = Filter::And(vec![many("Unit"), many("Rate"), many("Unit")]);
    assert_eq!(weaken(&filter, &object()).len(), 50);
}

#[test]
fn many_numbers_of_one_ten_become_one_condition_that_covers_each_of_them() {
    let numbers = (0..30).chain([57]).map(|number| text("Name", &format!("2026-{number:03}")));
    let alternatives: Vec<All> = numbers.flat_map(|filter| weaken(&filter, &object())).collect();
    let few = gathered(&alternatives);
    let said: Vec<String> = few.iter().flatten().map(|one| format!("{} {}", one.operator, one.value)).collect();
    assert_eq!(said, ["10 2026-00", "10 2026-01", "10 2026-02", "1 2026-057"]);
    let [query] = &queries(&few, "skip=0", 2049).unwrap()[..] else { panic!("{few:?}") };
    assert!(query.is_wider() && alternatives.iter().all(|all| query.covers(all)));
    assert!(!query.covers(&weaken(&text("Name", "2026-058"), &object())[0]));
}

#[test]
fn numbers_that_are_no_texts_or_stand_alone_are_asked_for_one_by_one() {
    let ints = Filter::In("Unit".into(), (10..20).map(Value::Int).collect::<Vec<_>>().into());
    let few = [text("Name", "A1"), text("Name", "A2"), text("Name", "A3"), text("Email", "a@b.nl"), text("Name", "7")];
    let hostile = (0..10).map(|number| text("Name", &format!("a%,{number}")));
    for filter in [ints, Filter::Or(few.into()), Filter::Or(hostile.collect())] {
        let alternatives = weaken(&filter, &object());
        assert_eq!(gathered(&alternatives), alternatives);
    }
}
