//! Financial entries, and the invoices that they leave open.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    super::{
        clock,
        effects::Mark,
        json::{Fields, amount, cents, fields, filled, number, text, yes},
    },
    Element, Outcome, Profit, Refusal,
    codes::{PAYMENT_CONDITIONS, holds},
    profit::folded,
    write::results,
};

const MOST_LINES: usize = 1000;
/// The open items of debtors.
const TABLE: &str = "Profit_Debtor_Invoices";

fn whole(fields: &Fields, name: &str) -> String {
    fields.get(name).map(folded).unwrap_or_default()
}

/// Books one entry.
pub(super) fn write(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let head = &element.fields;
    let unit = whole(head, "UnId");
    if profit.find("Profit_Administrations", "AdminId", &unit).is_none() {
        return Err(Refusal::unknown(&unit, "Administration number"));
    }
    let journal = text(head, "JoCo");
    let open = profit.rows("Profit_Journals").iter().any(|row| {
        whole(row, "UnitId") == unit && text(row, "JournalId").eq_ignore_ascii_case(journal) && !yes(row, "Blocked")
    });
    if !open {
        return Err(Refusal::unknown(journal, "Journal"));
    }
    let period = period(profit, head, &unit)?;
    let mut lines: Vec<&Element> = element.below("FiEntries").collect();
    if lines.is_empty() {
        return Err(Refusal::general("The entry has no lines."));
    }
    if lines.len() > MOST_LINES {
        return Err(Refusal::general(format!("An entry has at most {MOST_LINES} lines.")));
    }
    let mut balance = Decimal::ZERO;
    for line in &lines {
        balance += judge_line(profit, line, &period)?;
    }
    if !balance.is_zero() {
        return Err(Refusal::general(format!("Debit and credit are not equal: the difference is {balance}.")));
    }
    let given = lines.iter().find_map(|line| filled(&line.fields, "InId")).map(str::to_owned);
    let invoice = if yes(head, "AuNu") {
        Some(profit.next("invoice", 260_001, ("Profit_Transactions", "InvoiceId")).to_string())
    } else {
        given
    };
    let entry = profit.next("entry", 48001, ("Profit_Transactions", "EntryNo"));
    for (place, line) in lines.drain(..).enumerate() {
        show(profit, head, line, entry, place + 1, invoice.as_deref());
    }
    let marks = invoice.iter().map(|invoice| Mark {
        family: "entry",
        by: "InId",
        value: format!("{} {} {unit}", invoice.to_lowercase(), journal.to_lowercase()),
    });
    let marks = marks.collect();
    profit.effects.created("FiEntries", &entry.to_string(), marks);
    Ok(answer(profit, entry, &unit, invoice.as_deref()))
}

/// AFAS shows three forms of this answer; they take turns.
fn answer(profit: &mut Profit, entry: u64, unit: &str, invoice: Option<&str>) -> Value {
    profit.answers += 1;
    let (entry, invoice) = (entry.to_string(), invoice.unwrap_or(""));
    match profit.answers % 3 {
        1 => results("FiEntries", &json!({"EnNo": entry, "UnId": unit, "InID": invoice})),
        2 => results("FiEntryPar", &json!({"UnId": unit, "EnNo": entry, "InId": invoice})),
        _ => json!({"FiEntryPar": {"UnId": unit, "EnNo": entry, "InId": invoice}}),
    }
}

/// The period of the entry; it must be open.
fn period(profit: &Profit, head: &Fields, unit: &str) -> Outcome<Fields> {
    let (year, period) = (whole(head, "Year"), whole(head, "Peri"));
    let found = profit
        .rows("Profit_periods_per_administration")
        .iter()
        .find(|row| whole(row, "Unit") == unit && whole(row, "Year") == year && whole(row, "Period") == period);
    let found = found.ok_or_else(|| Refusal::unknown(&format!("{year}-{period}"), "Period"))?;
    if yes(found, "Blocked") {
        return Err(Refusal::general("The date belongs to a blocked period."));
    }
    Ok(found.clone())
}

/// Judges a line and gives its debit less its credit.
fn judge_line(profit: &Profit, line: &Element, period: &Fields) -> Outcome<Decimal> {
    let written = &line.fields;
    let account = text(written, "AcNr");
    match text(written, "VaAs") {
        "1" => {
            let row = profit.find("Profit_Accounts", "Account", account);
            let row = row.ok_or_else(|| Refusal::unknown(account, "Account number"))?;
            if yes(row, "Blocked") {
                return Err(Refusal::general(format!("Account {account} is blocked.")));
            }
            if let Some(code) = filled(written, "VaId") {
                let vat = profit.find("Profit_VAT_code", "VatCode", code);
                let vat = vat.filter(|vat| !yes(vat, "Blocked")).ok_or_else(|| Refusal::unknown(code, "VAT code"))?;
                if !yes(row, "VatAllowed") && !text(vat, "AccountNr").eq_ignore_ascii_case(account) {
                    return Err(Refusal::general(format!("VAT is not allowed on account {account}.")));
                }
            }
            let allocated = line.below("FiDimEntries").any(|part| filled(&part.fields, "DiC1").is_some());
            if let Some(axis) = filled(row, "DimAx1")
                && !allocated
            {
                return Err(Refusal::general(format!("The allocation code for axis '{axis}' must be filled.")));
            }
        }
        "2" if profit.find("Profit_Debtor", "DebtorId", account).is_some() => {}
        _ => return Err(Refusal::unknown(account, "Account number")),
    }
    if let Some(condition) = filled(written, "PaCd")
        && !holds(PAYMENT_CONDITIONS, condition)
    {
        return Err(Refusal::unknown(condition, "Payment condition"));
    }
    let day = clock::date(text(written, "EnDa"));
    let (from, to) = (clock::date(text(period, "DateFrom")), clock::date(text(period, "DateTo")));
    if day < from || day > to {
        return Err(Refusal::general("The date of the entry is not in the period."));
    }
    let (debit, credit) = (amount(written, "AmDe").unwrap_or_default(), amount(written, "AmCr").unwrap_or_default());
    if debit != cents(debit) || credit != cents(credit) {
        return Err(Refusal::general("An amount has more than two decimals."));
    }
    Ok(debit - credit)
}

fn show(profit: &mut Profit, head: &Fields, line: &Element, entry: u64, place: usize, invoice: Option<&str>) {
    let written = &line.fields;
    let of = |name: &str| written.get(name).cloned().unwrap_or_default();
    let or_zero = |name: &str| number(amount(written, name).unwrap_or_default());
    let now = json!(clock::with_false_z(&clock::now()));
    let row = fields([
        ("UnitId", head.get("UnId").cloned().unwrap_or_default()),
        ("EntryNo", json!(entry)),
        ("SeqNo", json!(place)),
        ("Year", head.get("Year").cloned().unwrap_or_default()),
        ("Period", head.get("Peri").cloned().unwrap_or_default()),
        ("JournalId", head.get("JoCo").cloned().unwrap_or_default()),
        ("AccountNo", of("AcNr")),
        ("AmtDebit", or_zero("AmDe")),
        ("AmtCredit", or_zero("AmCr")),
        ("EntryDate", of("EnDa")),
        ("InvoiceId", json!(invoice)),
        ("VoucherDate", of("BpDa")),
        ("VoucherNo", of("BpNr")),
        ("VatCode", of("VaId")),
        ("VatAmt", json!(0)),
        ("Description", of("Ds")),
        ("Created", now.clone()),
        ("Modified", now),
    ]);
    profit.insert("Profit_Transactions", row);
    if text(written, "VaAs") == "2"
        && let Some(invoice) = invoice
    {
        open_or_match(profit, head, written, invoice);
    }
}

/// The debtor's line opens an invoice or matches the open one; a matched invoice is gone.
fn open_or_match(profit: &mut Profit, head: &Fields, written: &Fields, invoice: &str) {
    let moved = amount(written, "AmDe").unwrap_or_default() - amount(written, "AmCr").unwrap_or_default();
    let Some(place) = profit.place(TABLE, "InvoiceNr", invoice) else {
        let of = |name: &str| written.get(name).cloned().unwrap_or_default();
        let unit = head.get("UnId").cloned().unwrap_or_default();
        open_item(profit, invoice, moved, [unit, of("AcNr"), of("BpDa"), of("DaEx"), of("Ds")]);
        return;
    };
    let balance = profit.rows(TABLE).get(place).and_then(|row| amount(row, "Balance")).unwrap_or_default() + moved;
    if balance.is_zero() {
        profit.take_out(TABLE, |row| text(row, "InvoiceNr").eq_ignore_ascii_case(invoice));
    } else {
        profit.change(TABLE, place, |row| {
            row.insert("Balance".to_owned(), number(balance));
            row.insert("BalanceCurr".to_owned(), number(balance));
        });
    }
}

/// An invoice that is open; `of` is its administration, debtor, day, last day and text.
pub(in crate::sandbox) fn open_item(profit: &mut Profit, invoice: &str, total: Decimal, of: [Value; 5]) {
    let [unit, debtor, day, due, text] = of;
    let row = fields([
        ("UnitId", unit),
        ("DebtorId", debtor),
        ("InvoiceNr", json!(invoice)),
        ("NookPieceDate", day),
        ("ExpDate", due),
        ("CurrencyId", json!("EUR")),
        ("AmtInvoice", number(total)),
        ("AmtInvoiceCurr", number(total)),
        ("Balance", number(total)),
        ("BalanceCurr", number(total)),
        ("Description", text),
    ]);
    profit.insert(TABLE, row);
}

/// Changes an open invoice.
pub(super) fn change_invoice(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let written = &element.fields;
    let invoice = text(written, "InId");
    let unknown = || Refusal::unknown(invoice, "Invoice number");
    let place = profit.place(TABLE, "InvoiceNr", invoice).ok_or_else(unknown)?;
    if let Some(condition) = filled(written, "PaCd")
        && !holds(PAYMENT_CONDITIONS, condition)
    {
        return Err(Refusal::unknown(condition, "Payment condition"));
    }
    if let Some(day) = written.get("ExDa").cloned() {
        profit.change(TABLE, place, |row| {
            row.insert("ExpDate".to_owned(), day);
        });
    }
    profit.effects.updated("FiInvoice");
    Ok(Value::Null)
}

/// Takes an entry away for good.
pub(super) fn remove(profit: &mut Profit, entry: &str) -> Outcome<()> {
    if profit.place("Profit_Transactions", "EntryNo", entry).is_none() {
        return Err(Refusal::unknown(entry, "Entry number"));
    }
    profit.take_out("Profit_Transactions", |row| whole(row, "EntryNo") == entry);
    Ok(())
}
