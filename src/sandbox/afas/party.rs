//! Organisations and persons, and the contacts between them.

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        json::{Fields, fields, filled, text, yes},
    },
    Element, Outcome, Profit, Refusal, address,
    profit::folded,
    write::{Verb, results},
};

/// What somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Organisation,
    Person,
}

impl Kind {
    pub(super) fn object(self) -> &'static str {
        match self {
            Self::Organisation => "KnOrganisation",
            Self::Person => "KnPerson",
        }
    }

    /// The field that says how to compare, and its label.
    fn compared_by(self) -> (&'static str, &'static str) {
        match self {
            Self::Organisation => ("MatchOga", "Organisatie vergelijken op"),
            Self::Person => ("MatchPer", "Persoon vergelijken op"),
        }
    }

    /// `Type` of `Profit_OrgPer`.
    fn code(self) -> &'static str {
        match self {
            Self::Organisation => "ORG",
            Self::Person => "PER",
        }
    }
}

/// Fields and the columns of `Profit_OrgPer` that show them. Of the e-mail addresses only the one for work shows.
const SHOWN: &[(&str, &str)] = &[
    ("SeNm", "SearchName"),
    ("TeNr", "TelWork"),
    ("EmAd", "MailWork"),
    ("HoPa", "Homepage"),
    ("CcNr", "ChOfCommNr"),
    ("DaBi", "DateBirth"),
    ("SoSe", "BSN"),
    ("Re", "Note"),
];

/// Fields and the columns of `Profit_Debtor` that show them.
const SHOWN_BY_DEBTOR: &[(&str, &str)] =
    &[("SeNm", "SearchName"), ("TeNr", "TelNr"), ("EmAd", "Email"), ("CcNr", "ChOfCommNr")];

/// What is kept of all fields, since a name is written in parts.
const KEPT: &str = ".Parties";

/// The name that the reads show.
fn name(kind: Kind, fields: &Fields) -> String {
    if kind == Kind::Organisation {
        return text(fields, "Nm").to_owned();
    }
    let first =
        filled(fields, "FiNm").or_else(|| filled(fields, "CaNm")).or_else(|| filled(fields, "In")).unwrap_or("");
    [first, text(fields, "Is"), text(fields, "LaNm")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The one that the body is compared with, by its number.
fn matched(profit: &Profit, kind: Kind, written: &Fields, own: Option<&str>) -> Outcome<Option<String>> {
    let (field, label) = kind.compared_by();
    let way = filled(written, field).ok_or_else(|| Refusal::missing(label))?;
    let by = |column: &str, field: &str| {
        let value = filled(written, field)?;
        profit
            .places("Profit_OrgPer", column, &json!(value))
            .into_iter()
            .filter_map(|place| profit.rows("Profit_OrgPer").get(place))
            .find(|row| text(row, "Type") == kind.code())
            .map(|row| text(row, "BcCo").to_owned())
    };
    let by_name = || {
        let wanted = name(kind, written);
        profit.find("Profit_OrgPer", "Name", &wanted).filter(|row| text(row, "Type") == kind.code()).cloned()
    };
    let number = |row: Fields| text(&row, "BcCo").to_owned();
    match (kind, way) {
        (_, "0") => match by("BcCo", "BcCo") {
            Some(found) => Ok(Some(found)),
            None => Err(Refusal::unknown(text(written, "BcCo"), "Number")),
        },
        (_, "9") => match own {
            Some(own) => Ok(Some(own.to_owned())),
            None => Err(Refusal::general(format!("'{label}' 9 is allowed only for an existing sales relation."))),
        },
        (Kind::Organisation, "1") => Ok(by("ChOfCommNr", "CcNr")),
        (Kind::Organisation, "2") => Ok(kept_by(profit, "FiNr", text(written, "FiNr"))),
        (Kind::Person, "1") => Ok(by("BSN", "SoSe")),
        (Kind::Organisation, "3") | (Kind::Person, "2" | "6") => Ok(by_name().map(number)),
        (Kind::Person, "3") => Ok(by_name().filter(|row| same(row, "MailWork", written, "EmAd")).map(number)),
        (Kind::Person, "4" | "5") => Ok(by_name().filter(|row| same(row, "TelWork", written, "TeNr")).map(number)),
        // Always new; comparing addresses of organisations finds nobody here.
        _ => Ok(None),
    }
}

fn same(row: &Fields, column: &str, written: &Fields, field: &str) -> bool {
    filled(row, column).is_some() && row.get(column).map(folded) == written.get(field).map(folded)
}

fn kept_by(profit: &Profit, field: &str, value: &str) -> Option<String> {
    profit.find(KEPT, field, value).map(|row| text(row, "BcCo").to_owned())
}

/// Finds or makes the organisation or person of a body, lays its fields over it, and gives its number and whether it is
/// new. `own` is the number of the relation in which the body stands.
pub(super) fn settle(profit: &mut Profit, kind: Kind, element: &Element, own: Option<&str>) -> Outcome<(String, bool)> {
    let found = matched(profit, kind, &element.fields, own)?;
    let new = found.is_none();
    let number = match found {
        Some(number) => number,
        None => insert(profit, kind, &element.fields)?,
    };
    lay_over(profit, kind, &number, &element.fields);
    if let Some(address) = address::of(profit, element)? {
        let lines = [("AdressLine1", &address.line1), ("AdressLine3", &address.line3), ("AdressLine4", &address.line4)];
        for table in ["Profit_OrgPer", "Profit_Debtor"] {
            if let Some(place) = profit.place(table, "BcCo", &number) {
                profit.change(table, place, |row| {
                    for (column, line) in lines {
                        row.insert(column.to_owned(), json!(line));
                    }
                });
            }
        }
    }
    let contacts: Vec<&Element> = element.below("KnContact").collect();
    if contacts.len() > 1 {
        return Err(Refusal::general("Only one contact can be given in a call."));
    }
    for contact in contacts {
        add_contact(profit, kind, &number, contact)?;
    }
    Ok((number, new))
}

fn insert(profit: &mut Profit, kind: Kind, written: &Fields) -> Outcome<String> {
    let needed = match kind {
        Kind::Organisation => ("Nm", "Name"),
        Kind::Person => ("LaNm", "Last name"),
    };
    if filled(written, needed.0).is_none() {
        return Err(Refusal::missing(needed.1));
    }
    let number = match filled(written, "BcCo") {
        Some(number) if !yes(written, "AutoNum") => {
            if profit.place("Profit_OrgPer", "BcCo", number).is_some() {
                return Err(Refusal::exists(number));
            }
            number.to_owned()
        }
        _ if yes(written, "AutoNum") => profit.next("party", 100_001, ("Profit_OrgPer", "BcCo")).to_string(),
        _ => return Err(Refusal::missing("Number")),
    };
    profit.insert("Profit_OrgPer", fields([("BcCo", json!(number)), ("Type", json!(kind.code()))]));
    profit.insert(KEPT, fields([("BcCo", json!(number))]));
    Ok(number)
}

/// Only what is sent changes; an empty text clears.
fn lay_over(profit: &mut Profit, kind: Kind, number: &str, written: &Fields) {
    let empty = |value: &Value| matches!(value, Value::String(text) if text.is_empty());
    if profit.place(KEPT, "BcCo", number).is_none() {
        profit.insert(KEPT, fields([("BcCo", json!(number))]));
    }
    let mut whole = Fields::new();
    if let Some(place) = profit.place(KEPT, "BcCo", number) {
        profit.change(KEPT, place, |row| {
            for (field, value) in written.iter().filter(|(field, _)| *field != "BcCo") {
                row.insert(field.clone(), value.clone());
            }
            whole.clone_from(row);
        });
    }
    let named = ["Nm", "FiNm", "CaNm", "In", "Is", "LaNm"].iter().any(|field| written.contains_key(*field));
    let name = name(kind, &whole);
    let search: String =
        filled(&whole, "SeNm").map_or_else(|| name.to_uppercase().chars().take(10).collect(), str::to_owned);
    for (table, shown, name_column) in
        [("Profit_OrgPer", SHOWN, "Name"), ("Profit_Debtor", SHOWN_BY_DEBTOR, "DebtorName")]
    {
        let Some(place) = profit.place(table, "BcCo", number) else { continue };
        profit.change(table, place, |row| {
            for (field, column) in shown {
                if let Some(value) = written.get(*field) {
                    row.insert((*column).to_owned(), if empty(value) { Value::Null } else { value.clone() });
                }
            }
            if named {
                row.insert(name_column.to_owned(), json!(name));
                row.insert("SearchName".to_owned(), json!(search));
            }
            if table == "Profit_Debtor" {
                row.insert("ModifiedDate".to_owned(), json!(clock::with_false_z(&clock::now())));
            }
        });
    }
}

/// What a new debtor shows of the organisation or person behind it.
pub(super) fn seen_by_debtor(profit: &Profit, number: &str) -> Fields {
    let Some(row) = profit.find("Profit_OrgPer", "BcCo", number) else { return Fields::new() };
    let of = |name: &str| row.get(name).cloned().unwrap_or_default();
    fields([
        ("BcCo", json!(number)),
        ("DebtorName", of("Name")),
        ("SearchName", of("SearchName")),
        ("AdressLine1", of("AdressLine1")),
        ("AdressLine3", of("AdressLine3")),
        ("AdressLine4", of("AdressLine4")),
        ("TelNr", of("TelWork")),
        ("Email", of("MailWork")),
        ("ChOfCommNr", of("ChOfCommNr")),
    ])
}

fn add_contact(profit: &mut Profit, kind: Kind, owner: &str, contact: &Element) -> Outcome<()> {
    let written = &contact.fields;
    let way = filled(written, "ViKc").unwrap_or("AFD");
    let place = address::of(profit, contact)?;
    if way == "AFL" {
        let Some(place) = place else { return Err(Refusal::missing("Address")) };
        let debtor = profit.find("Profit_Debtor", "BcCo", owner).map(|row| text(row, "DebtorId").to_owned());
        let of = |name: &str| place.fields.get(name).cloned().unwrap_or_default();
        let now = json!(clock::with_false_z(&clock::now()));
        let name = profit.find("Profit_OrgPer", "BcCo", owner).map(|row| text(row, "Name").to_owned());
        let row = fields([
            ("OrgId", json!(owner)),
            ("Bedrijf", json!(name)),
            ("Tel", written.get("TeNr").cloned().unwrap_or_default()),
            ("Mail", written.get("EmAd").cloned().unwrap_or_default()),
            ("Gewijzigd_op", now.clone()),
            ("Gewijzigd_op_2", now),
            ("Is_debiteur", json!(debtor.is_some())),
            ("Adres_ID", json!(place.id)),
            ("Adrestype_code", json!("AFL")),
            ("A_Straat", of("Ad")),
            ("A_Huisnummer", of("HmNr")),
            ("A_Toev_Huisnr.", of("HmAd")),
            ("A_Postcode", of("ZpCd")),
            ("A_Woonplaats", of("Rs")),
            ("A_Land", json!(place.iso())),
            ("DebiteurID", json!(debtor)),
        ]);
        profit.insert("Profit_Deliveryaddress", row);
        return Ok(());
    }
    let person = match contact.below("KnPerson").next() {
        Some(person) => Some(settle(profit, Kind::Person, person, None)?.0),
        None if way == "PRS" && kind == Kind::Organisation => return Err(Refusal::missing("Person")),
        None => None,
    };
    let id = profit.next("contact", 60001, ("Profit_Contacts", "ContactId"));
    let now = json!(clock::with_false_z(&clock::now()));
    let of = |name: &str| written.get(name).cloned().unwrap_or_default();
    let shown =
        person.as_ref().and_then(|number| profit.find("Profit_OrgPer", "BcCo", number)).cloned().unwrap_or_default();
    let mail =
        if filled(written, "EmAd").is_some() { of("EmAd") } else { shown.get("MailWork").cloned().unwrap_or_default() };
    let (organisation, person) = match kind {
        Kind::Organisation => (json!(owner), json!(person)),
        Kind::Person => (Value::Null, json!(owner)),
    };
    let row = fields([
        ("Type", json!(way)),
        ("ContactId", json!(id)),
        ("Name", if shown.is_empty() { of("ExAd") } else { shown.get("Name").cloned().unwrap_or_default() }),
        ("OrgNumber", organisation),
        ("PerNumber", person),
        ("Department", of("ExAd")),
        ("Blocked", json!(yes(written, "Bl"))),
        ("TelWork", of("TeNr")),
        ("MobWork", of("MbNr")),
        ("MailWork", mail),
        ("Function", of("FuDs")),
        ("CreateDate", now.clone()),
        ("ModifiedDate", now),
    ]);
    profit.insert("Profit_Contacts", row);
    Ok(())
}

/// An organisation or person by itself.
pub(super) fn write(profit: &mut Profit, kind: Kind, element: &Element, verb: Verb) -> Outcome<Value> {
    let (field, label) = kind.compared_by();
    if verb == Verb::Update && text(&element.fields, field) != "0" {
        return Err(Refusal::general(format!("'{label}' must be 0, with the number, to change an existing one.")));
    }
    let (number, new) = settle(profit, kind, element, None)?;
    if new {
        profit.effects.created(kind.object(), &number, Vec::new());
    } else {
        profit.effects.updated(kind.object());
    }
    Ok(results(kind.object(), &json!({"BcCo": number, "BcId": number})))
}

/// Changes a contact that exists.
pub(super) fn change_contact(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let written = &element.fields;
    let wanted = |name: &str| written.get(name).map(folded).filter(|value| !value.is_empty());
    let is = |row: &Fields, column: &str, value: &Option<String>| row.get(column).map(folded) == *value;
    let found = profit.rows("Profit_Contacts").iter().position(|row| match wanted("CdId") {
        id @ Some(_) => is(row, "ContactId", &id),
        None => {
            wanted("BcCoOga").is_some()
                && is(row, "OrgNumber", &wanted("BcCoOga"))
                && is(row, "PerNumber", &wanted("BcCoPer"))
        }
    });
    let place = found.ok_or_else(|| Refusal::unknown(text(written, "BcCoOga"), "Contact"))?;
    let columns = [
        ("TeNr", "TelWork"),
        ("MbNr", "MobWork"),
        ("EmAd", "MailWork"),
        ("ExAd", "Department"),
        ("FuDs", "Function"),
        ("Bl", "Blocked"),
    ];
    profit.change("Profit_Contacts", place, |row| {
        for (field, column) in columns {
            if let Some(value) = written.get(field) {
                row.insert(column.to_owned(), value.clone());
            }
        }
        row.insert("ModifiedDate".to_owned(), json!(clock::with_false_z(&clock::now())));
    });
    profit.effects.updated("KnContact");
    Ok(Value::Null)
}

/// An address by itself.
pub(super) fn add_address(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let kept = address::keep(profit, &element.fields)?;
    profit.effects.created("KnAddress", &kept.id.to_string(), Vec::new());
    Ok(Value::Null)
}
