//! Sales documents: orders, quotations, delivery notes and direct invoices.
//!
//! A document is kept as it was written (`.Documents`); orders and notes show in their reads too.

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        effects::Mark,
        json::{Fields, amount, cents, fields, filled, number, text, yes},
    },
    Element, Outcome, Profit, RATE_GROUPS, Refusal,
    amounts::{self, Amounts},
    codes::{self, holds},
    item,
    profit::folded,
    write::{Verb, results},
};

/// The place where documents are kept.
const KEPT: &str = ".Documents";

fn lines_name(connector: &str) -> String {
    format!("{connector}Lines")
}

fn key(connector: &str, number: &str) -> String {
    format!("{connector} {number}")
}

/// Is this number taken?
fn taken(profit: &Profit, connector: &str, number: &str) -> bool {
    let shown = match connector {
        "FbSales" => profit.place("Profit_Salesorders", "OrderNumber", number),
        "FbDeliveryNote" => profit.place("Profit_Deliverynotes", "Pakbonnummer", number),
        _ => None,
    };
    shown.is_some() || profit.place(KEPT, "Key", &key(connector, number)).is_some()
}

fn next_number(profit: &mut Profit, connector: &str) -> String {
    let (series, start, place) = match connector {
        "FbSales" => ("order", 5001, ("Profit_Salesorders", "OrderNumber")),
        "FbDeliveryNote" => ("note", 70001, ("Profit_Deliverynotes", "Pakbonnummer")),
        "FbSalesQuotation" => ("quotation", 30001, (KEPT, "Number")),
        _ => ("direct invoice", 90001, (KEPT, "Number")),
    };
    profit.next(series, start, place).to_string()
}

/// Does a document.
pub(super) fn write(profit: &mut Profit, connector: &str, element: &Element, verb: Verb) -> Outcome<Value> {
    match verb {
        Verb::Insert => insert(profit, connector, element),
        Verb::Update => update(profit, connector, element),
        Verb::Delete => {
            remove(profit, connector, text(&element.fields, "OrNu"))?;
            Ok(Value::Null)
        }
    }
}

fn answer(connector: &str, head: &Fields) -> Value {
    let mut keys = fields([("OrNu", json!(text(head, "OrNu")))]);
    if connector == "FbDirectInvoice" {
        keys.insert("Liln".to_owned(), json!("1"));
    }
    results(connector, &keys.into())
}

fn insert(profit: &mut Profit, connector: &str, element: &Element) -> Outcome<Value> {
    let mut head = element.fields.clone();
    if let Some(order) = filled(&head, "SoOr").filter(|_| connector == "FbDeliveryNote") {
        let order = profit.find(KEPT, "Key", &key("FbSales", order)).cloned();
        let order = order.ok_or_else(|| Refusal::unknown(text(&head, "SoOr"), "Corresponding order"))?;
        let debtor = order.get("Head").and_then(|head| head.get("DbId")).cloned().unwrap_or_default();
        head.entry("DbId").or_insert(debtor);
    }
    match filled(&head, "OrNu") {
        Some(number) if taken(profit, connector, number) => return Err(Refusal::exists(number)),
        Some(_) => {}
        None => {
            let number = next_number(profit, connector);
            head.insert("OrNu".to_owned(), json!(number));
        }
    }
    if let Some(invoice) = filled(&head, "SinOrNu")
        && profit.place(KEPT, "InvoiceNumber", invoice).is_some()
    {
        return Err(Refusal::exists(invoice));
    }
    judge_head(profit, &mut head)?;
    let mut lines = Vec::new();
    for line in element.below(&lines_name(connector)) {
        lines.push(judge_line(profit, &line.fields)?);
    }
    keep(profit, connector, &head, &lines, None);
    if matches!(connector, "FbDeliveryNote" | "FbDirectInvoice") {
        for line in &lines {
            item::deliver(profit, text(line, "ItCd"), amount(line, "QuUn").unwrap_or_default());
        }
    }
    let marks = ["RfCs", "SinOrNu"].into_iter().filter_map(|by| mark(connector, by, text(&head, by))).collect();
    profit.effects.created(connector, text(&head, "OrNu"), marks);
    Ok(answer(connector, &head))
}

/// Two documents of one kind with one reference or invoice number are duplicates.
pub(super) fn mark(connector: &str, by: &'static str, value: &str) -> Option<Mark> {
    let value = value.trim().to_lowercase();
    (!value.is_empty()).then(|| Mark { family: family(connector), by, value })
}

fn family(connector: &str) -> &'static str {
    match connector {
        "FbSales" => "order",
        "FbSalesQuotation" => "quotation",
        "FbDeliveryNote" => "note",
        _ => "direct invoice",
    }
}

fn update(profit: &mut Profit, connector: &str, element: &Element) -> Outcome<Value> {
    let number = text(&element.fields, "OrNu");
    let unknown = || Refusal::unknown(number, "Number");
    let place = profit.place(KEPT, "Key", &key(connector, number)).ok_or_else(unknown)?;
    let kept = profit.rows(KEPT).get(place).cloned().unwrap_or_default();
    let mut head = kept.get("Head").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut lines: Vec<Fields> = kept
        .get("Lines")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|line| line.as_object().cloned())
        .collect();
    head.extend(element.fields.clone());
    head.retain(|_, value| !matches!(value, Value::String(text) if text.is_empty()));
    judge_head(profit, &mut head)?;
    for line in element.below(&lines_name(connector)) {
        let at = line_place(&lines, &line.fields);
        match (Verb::of(line, if at.is_some() { Verb::Update } else { Verb::Insert }), at) {
            (Verb::Insert, _) => lines.push(judge_line(profit, &line.fields)?),
            (Verb::Update, Some(at)) => {
                if let Some(old) = lines.get_mut(at) {
                    old.extend(line.fields.clone());
                    *old = judge_line(profit, old)?;
                }
            }
            (Verb::Delete, Some(at)) => {
                lines.remove(at);
            }
            (_, None) => return Err(Refusal::unknown(text(&line.fields, "GuLi"), "GUID line")),
        }
    }
    keep(profit, connector, &head, &lines, Some(place));
    profit.effects.updated(connector);
    Ok(answer(connector, &head))
}

/// The line that is meant: by its GUID, else by item type and item code.
fn line_place(lines: &[Fields], wanted: &Fields) -> Option<usize> {
    let same = |line: &Fields, name: &str| line.get(name).map(folded) == wanted.get(name).map(folded);
    if filled(wanted, "GuLi").is_some() {
        return lines.iter().position(|line| same(line, "GuLi"));
    }
    lines.iter().position(|line| same(line, "VaIt") && same(line, "ItCd"))
}

/// Foreign keys of the head; what the debtor gives is filled in.
fn judge_head(profit: &Profit, head: &mut Fields) -> Outcome<()> {
    let debtor = filled(head, "DbId").ok_or_else(|| Refusal::missing("Sales contact"))?.to_owned();
    let row =
        profit.find("Profit_Debtor", "DebtorId", &debtor).ok_or_else(|| Refusal::unknown(&debtor, "Sales contact"))?;
    if yes(row, "Blocked") {
        return Err(Refusal::general(format!("Sales contact {debtor} is blocked.")));
    }
    for (field, column, default) in [("CuId", "CurrencyId", "EUR"), ("VaDu", "VatDuty", "1"), ("PaCd", "PayCon", "30")]
    {
        if filled(head, field).is_none() {
            head.insert(field.to_owned(), json!(filled(row, column).unwrap_or(default)));
        }
    }
    if filled(head, "OrDa").is_none() {
        head.insert("OrDa".to_owned(), json!(clock::today().to_string()));
    }
    let tables = [
        ("FaTo", "Profit_Debtor", "DebtorId", "Invoice to"),
        ("CuId", "Profit_Currency", "CurrencyId", "Currency"),
        ("LgId", "Profit_Languages", "Taalcode", "Language"),
    ];
    for (field, table, column, label) in tables {
        if let Some(value) = filled(head, field)
            && profit.find(table, column, value).is_none()
        {
            return Err(Refusal::unknown(value, label));
        }
    }
    let lists = [
        ("PaCd", codes::PAYMENT_CONDITIONS, "Payment condition"),
        ("PaTp", codes::PAYMENT_METHODS, "Payment method"),
        ("VaDu", codes::VAT_DUTIES, "VAT duty"),
        ("TrPt", codes::TRANSPORTERS, "Transporter"),
        ("SsId", codes::SERVICES, "Service"),
    ];
    for (field, list, label) in lists {
        if let Some(value) = filled(head, field)
            && !holds(list, value)
        {
            return Err(Refusal::unknown(value, label));
        }
    }
    let unit = head.get("Unit").map(folded).unwrap_or_default();
    if profit.find("Profit_Administrations", "AdminId", &unit).is_none() {
        return Err(Refusal::unknown(&unit, "Administration"));
    }
    if let Some(address) = head.get("DlAd").map(folded).filter(|address| !address.is_empty())
        && profit.find("Profit_Deliveryaddress", "Adres_ID", &address).is_none()
    {
        return Err(Refusal::unknown(&address, "Delivery address"));
    }
    item::judge_warehouse(profit, text(head, "War"))?;
    if let Some(journal) = filled(head, "JoCo") {
        let found = profit.rows("Profit_Journals").iter().find(|row| {
            row.get("UnitId").map(folded) == Some(unit.clone()) && text(row, "JournalId").eq_ignore_ascii_case(journal)
        });
        if found.is_none_or(|row| yes(row, "Blocked")) {
            return Err(Refusal::unknown(journal, "Journal invoice"));
        }
    }
    Ok(())
}

/// Foreign keys of a line; what the item gives is filled in.
fn judge_line(profit: &Profit, written: &Fields) -> Outcome<Fields> {
    let mut line = written.clone();
    line.retain(|_, value| !matches!(value, Value::String(text) if text.is_empty()));
    let found = item::find(profit, text(&line, "VaIt"), text(&line, "ItCd"))?;
    match filled(&line, "BiUn") {
        Some(unit) => item::judge_unit(profit, &found, unit)?,
        None if found.kind == "3" => {
            line.insert("BiUn".to_owned(), json!("*****"));
        }
        None => return Err(Refusal::missing("Unit")),
    }
    if filled(&line, "VaRc").is_none() {
        line.insert("VaRc".to_owned(), json!(found.rate_group));
    }
    let group = text(&line, "VaRc");
    if !RATE_GROUPS.iter().any(|(code, ..)| *code == group) {
        return Err(Refusal::unknown(group, "VAT rate group"));
    }
    if filled(&line, "Ds").is_none() {
        line.insert("Ds".to_owned(), json!(found.description));
    }
    if amount(&line, "Upri").is_none() {
        line.insert("Upri".to_owned(), number(found.price));
    }
    if amount(&line, "ARDc").is_some_and(|discount| !discount.is_zero()) && !yes(&line, "MaAD") {
        return Err(Refusal::general("An amount of line discount is allowed only with 'Manual line discount amount'."));
    }
    item::judge_warehouse(profit, text(&line, "War"))?;
    if filled(&line, "GuLi").is_none() {
        line.insert("GuLi".to_owned(), json!(format!("{{{}}}", uuid::Uuid::new_v4().to_string().to_uppercase())));
    }
    Ok(line)
}

/// Keeps a document and shows it.
fn keep(profit: &mut Profit, connector: &str, head: &Fields, lines: &[Fields], place: Option<usize>) {
    let order = text(head, "OrNu").to_owned();
    let row = fields([
        ("Key", json!(key(connector, &order))),
        ("Number", json!(order)),
        ("InvoiceNumber", json!(text(head, "SinOrNu"))),
        ("Head", head.clone().into()),
        ("Lines", lines.iter().cloned().map(Value::Object).collect()),
    ]);
    match place {
        Some(place) => profit.change(KEPT, place, |old| *old = row),
        None => profit.insert(KEPT, row),
    }
    match connector {
        "FbSales" => show_order(profit, head, lines),
        "FbDeliveryNote" if place.is_none() => {
            profit.insert(
                "Profit_Deliverynotes",
                fields([("Pakbonnummer", json!(order)), ("Type_order", json!("Pakbon"))]),
            );
        }
        _ => {}
    }
}

fn show_order(profit: &mut Profit, head: &Fields, lines: &[Fields]) {
    let Amounts { gross, discount, totals, quantity } = amounts::of(head, lines);
    let of = |name: &str| head.get(name).cloned().unwrap_or_default();
    let status = json!("Te factureren");
    let order = text(head, "OrNu");
    let row = fields([
        ("Ordersoort", json!("Verkooporder")),
        ("OrderNumber", json!(order)),
        ("Status", status.clone()),
        ("OrderDate", of("OrDa")),
        ("DebtorId", of("DbId")),
        ("CurrencyId", of("CuId")),
        ("CustomerReference", of("RfCs")),
        ("Gross", number(gross)),
        ("Discount", number(discount)),
        ("TotalAmount", number(totals.without)),
        ("VAT", number(totals.with - totals.without)),
        ("Quantity", number(quantity)),
        ("InvoiceTotal", number(totals.with)),
    ]);
    match profit.place("Profit_Salesorders", "OrderNumber", order) {
        Some(place) => profit.change("Profit_Salesorders", place, |old| *old = row),
        None => profit.insert("Profit_Salesorders", row),
    }
    let now = json!(clock::with_false_z(&clock::now()));
    let created =
        profit.find("Profit_SalesorderLines", "OrderNumber", order).and_then(|row| row.get("CreateDate").cloned());
    if created.is_some() {
        profit.take_out("Profit_SalesorderLines", |row| text(row, "OrderNumber") == order);
    }
    for (place, line) in lines.iter().enumerate() {
        let part = |name: &str| line.get(name).cloned().unwrap_or_default();
        let row = fields([
            ("OrderNumber", json!(order)),
            ("Status", status.clone()),
            ("OrderDate", of("OrDa")),
            ("DebtorId", of("DbId")),
            ("CurrencyId", of("CuId")),
            ("CustomerReference", of("RfCs")),
            ("SeqNo", json!(place + 1)),
            ("LineStatusCode", json!("1")),
            ("LineGuid", part("GuLi")),
            ("ItemTypeCode", part("VaIt")),
            ("ItemCodeId", part("ItCd")),
            ("Description", part("Ds")),
            ("UnitId", part("BiUn")),
            ("PiecePerUnit", part("QuUn")),
            ("PricePerUnit", part("Upri")),
            ("AmtRowDiscount", number(amount(line, "ARDc").unwrap_or_default())),
            ("PriceNet", number(amounts::net_price(line))),
            ("AmtTotal", number(cents(amounts::line_total(line)))),
            ("CreateDate", created.clone().unwrap_or_else(|| now.clone())),
            ("ModifiedDate", now.clone()),
        ]);
        profit.insert("Profit_SalesorderLines", row);
    }
}

/// Takes a document away for good.
pub(super) fn remove(profit: &mut Profit, connector: &str, order: &str) -> Outcome<()> {
    if !taken(profit, connector, order) {
        return Err(Refusal::unknown(order, "Number"));
    }
    let wanted = key(connector, order);
    profit.take_out(KEPT, |row| text(row, "Key").eq_ignore_ascii_case(&wanted));
    match connector {
        "FbSales" => {
            profit.take_out("Profit_Salesorders", |row| text(row, "OrderNumber").eq_ignore_ascii_case(order));
            profit.take_out("Profit_SalesorderLines", |row| text(row, "OrderNumber").eq_ignore_ascii_case(order));
        }
        "FbDeliveryNote" => {
            profit.take_out("Profit_Deliverynotes", |row| text(row, "Pakbonnummer").eq_ignore_ascii_case(order));
        }
        _ => {}
    }
    Ok(())
}

/// Releases a document for processing: it only has to be there.
pub(super) fn release(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let connector = match text(&element.fields, "VaOt") {
        "02" => "FbSalesQuotation",
        "03" => "FbSales",
        "04" => "FbDeliveryNote",
        other => return Err(Refusal::unknown(other, "Entry sort")),
    };
    let order = text(&element.fields, "OrNu");
    if !taken(profit, connector, order) {
        return Err(Refusal::unknown(order, "Number"));
    }
    profit.effects.updated(connector);
    Ok(Value::Null)
}
