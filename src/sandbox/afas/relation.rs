//! Sales relations: debtors with the organisation or person behind them.

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        effects::Mark,
        json::{Fields, fields, filled, text, yes},
    },
    Element, Outcome, Profit, Refusal,
    codes::{self, holds},
    party,
    write::{Verb, results},
};

/// Whose relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Organisation,
    Person,
}

impl Kind {
    fn connector(self) -> &'static str {
        match self {
            Self::Organisation => "KnSalesRelationOrg",
            Self::Person => "KnSalesRelationPer",
        }
    }

    fn party(self) -> party::Kind {
        match self {
            Self::Organisation => party::Kind::Organisation,
            Self::Person => party::Kind::Person,
        }
    }
}

/// Fields and the columns of `Profit_Debtor` that show them.
const SHOWN: &[(&str, &str)] = &[
    ("Iban", "IBAN"),
    ("VaId", "VatNr"),
    ("ColA", "CollectAccount"),
    ("PaCd", "PayCon"),
    ("VaDu", "VatDuty"),
    ("Krli", "CreditLimit"),
    ("CuId", "CurrencyId"),
    ("AuPa", "AutoPayment"),
];

/// Two debtors are the same by their e-mail; with two different chamber of commerce numbers they are two companies.
pub(super) fn marks(email: &str, coc: &str) -> Vec<Mark> {
    let email = email.trim().to_lowercase();
    if email.is_empty() {
        return Vec::new();
    }
    let value = if coc.trim().is_empty() { email } else { format!("{email} {}", coc.trim()) };
    vec![Mark { family: "debtor", by: "e-mail", value }]
}

/// Does a relation.
pub(super) fn write(profit: &mut Profit, kind: Kind, element: &Element, verb: Verb) -> Outcome<Value> {
    match verb {
        Verb::Insert => {
            let (debtor, number) = create(profit, kind, element)?;
            let row = profit.find("Profit_Debtor", "DebtorId", &debtor).cloned().unwrap_or_default();
            let marks = marks(text(&row, "Email"), text(&row, "ChOfCommNr"));
            profit.effects.created(kind.connector(), &debtor, marks);
            Ok(results(kind.connector(), &json!({"DbId": debtor, "BcCo": number})))
        }
        Verb::Update => update(profit, kind, element),
        Verb::Delete => Err(Refusal::general("A sales relation cannot be deleted.")),
    }
}

/// Makes a relation and gives its debtor number and the number of the organisation or person.
pub(in super::super) fn create(profit: &mut Profit, kind: Kind, element: &Element) -> Outcome<(String, String)> {
    let written = &element.fields;
    judge(profit, written)?;
    if yes(written, "IsDb") {
        for (field, label) in [("PaCd", "Payment condition"), ("ColA", "Summary account")] {
            if filled(written, field).is_none() {
                return Err(Refusal::missing(label));
            }
        }
    }
    if let Some(number) = filled(written, "DbId")
        && profit.place("Profit_Debtor", "DebtorId", number).is_some()
    {
        return Err(Refusal::exists(number));
    }
    let behind = element.below(kind.party().object()).next();
    let behind = behind.ok_or_else(|| Refusal::missing(kind.party().object()))?;
    let (number, _) = party::settle(profit, kind.party(), behind, None)?;
    if profit.place("Profit_Debtor", "BcCo", &number).is_some() {
        return Err(Refusal::general(format!("{} {number} is a sales relation.", kind.party().object())));
    }
    let debtor = match filled(written, "DbId") {
        Some(number) => number.to_owned(),
        None => profit.next("debtor", 10001, ("Profit_Debtor", "DebtorId")).to_string(),
    };
    // Who is no debtor is a relation all the same, but the read of debtors does not show it.
    if yes(written, "IsDb") {
        let now = json!(clock::with_false_z(&clock::now()));
        let mut row = fields([("DebtorId", json!(debtor)), ("VatDuty", json!("1")), ("AutoPayment", json!(false))]);
        row.extend(party::seen_by_debtor(profit, &number));
        show(&mut row, written);
        row.insert("Blocked".to_owned(), json!(yes(written, "Bl") || yes(written, "BlTl")));
        row.insert("CreateDate".to_owned(), now.clone());
        row.insert("ModifiedDate".to_owned(), now);
        profit.insert("Profit_Debtor", row);
        let places = profit.places("Profit_Deliveryaddress", "OrgId", &json!(number));
        for place in places {
            profit.change("Profit_Deliveryaddress", place, |row| {
                row.insert("DebiteurID".to_owned(), json!(debtor));
                row.insert("Is_debiteur".to_owned(), json!(true));
            });
        }
    }
    Ok((debtor, number))
}

/// Only what is sent changes; an empty text clears.
fn show(row: &mut Fields, written: &Fields) {
    for (field, column) in SHOWN {
        if let Some(value) = written.get(*field) {
            let cleared = matches!(value, Value::String(text) if text.is_empty());
            row.insert((*column).to_owned(), if cleared { Value::Null } else { value.clone() });
        }
    }
}

fn update(profit: &mut Profit, kind: Kind, element: &Element) -> Outcome<Value> {
    let written = &element.fields;
    let debtor = text(written, "DbId").to_owned();
    let place =
        profit.place("Profit_Debtor", "DebtorId", &debtor).ok_or_else(|| Refusal::unknown(&debtor, "Debtor number"))?;
    judge(profit, written)?;
    let number = profit.rows("Profit_Debtor").get(place).map(|row| text(row, "BcCo").to_owned()).unwrap_or_default();
    let type_ =
        profit.find("Profit_OrgPer", "BcCo", &number).map(|row| text(row, "Type").to_owned()).unwrap_or_default();
    let wanted = if kind == Kind::Organisation { "ORG" } else { "PER" };
    if type_ != wanted {
        return Err(Refusal::unknown(&debtor, "Debtor number"));
    }
    profit.change("Profit_Debtor", place, |row| {
        show(row, written);
        if written.contains_key("Bl") || written.contains_key("BlTl") {
            row.insert("Blocked".to_owned(), json!(yes(written, "Bl") || yes(written, "BlTl")));
        }
        row.insert("ModifiedDate".to_owned(), json!(clock::with_false_z(&clock::now())));
    });
    for behind in element.below(kind.party().object()) {
        party::settle(profit, kind.party(), behind, Some(&number))?;
    }
    profit.effects.updated(kind.connector());
    Ok(results(kind.connector(), &json!({"DbId": debtor, "BcCo": number})))
}

/// Foreign keys of a relation.
fn judge(profit: &Profit, written: &Fields) -> Outcome<()> {
    let tables = [
        ("CuId", "Profit_Currency", "CurrencyId", "Currency"),
        ("ColA", "Profit_Accounts", "Account", "Summary account"),
        ("ToAc", "Profit_Accounts", "Account", "Preferred contra account"),
        ("LgId", "Profit_Languages", "Taalcode", "Language"),
        ("FaTo", "Profit_Debtor", "DebtorId", "Invoice to"),
        ("VkMa", "Profit_Warehouses", "Warehouse", "Preferred warehouse"),
        ("CoId", "ProfitCountries", "CoId", "Country"),
    ];
    for (field, table, column, label) in tables {
        if let Some(value) = filled(written, field)
            && profit.find(table, column, value).is_none()
        {
            return Err(Refusal::unknown(value, label));
        }
    }
    let lists = [
        ("PaCd", codes::PAYMENT_CONDITIONS, "Payment condition"),
        ("VaDu", codes::VAT_DUTIES, "VAT duty"),
        ("TrPt", codes::TRANSPORTERS, "Transporter"),
        ("DsGr", codes::DISCOUNT_GROUPS, "Discount group"),
    ];
    for (field, list, label) in lists {
        if let Some(value) = filled(written, field)
            && !holds(list, value)
        {
            return Err(Refusal::unknown(value, label));
        }
    }
    Ok(())
}
