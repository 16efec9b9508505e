//! The mapping of `mapping.flow` as it would be written by hand in Rust, for this one mapping and nothing else.
//!
//! Takes lines of invoices, gives the lines of `koppel eval`, byte for byte. Typed structs that borrow from the line,
//! exact numbers, tables as `match`: what somebody who knows serde writes when it has to be fast.

use std::{
    borrow::Cow,
    io::{self, BufRead as _, BufReader, Read, Write},
    sync::LazyLock,
};

use jiff::civil::Date;
use regex::Regex;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::Visitor};

#[expect(clippy::struct_field_names, reason = "the names are Jortt's")]
#[derive(Deserialize)]
struct Invoice<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    invoice_status: Cow<'a, str>,
    #[serde(borrow)]
    invoice_number: Text<'a>,
    invoice_date: Date,
    invoice_due_date: Option<Date>,
    invoice_delivery_period: Option<Date>,
    invoice_total: Money,
    net_amounts: Option<bool>,
    #[serde(borrow)]
    remarks: Option<Text<'a>>,
    #[serde(borrow)]
    introduction: Option<Text<'a>>,
    #[serde(borrow)]
    payment_method: Option<Text<'a>>,
    #[serde(borrow)]
    customer_company_name: Option<Text<'a>>,
    #[serde(borrow)]
    customer_attn: Option<Text<'a>>,
    #[serde(borrow)]
    customer_address_street: Option<Text<'a>>,
    #[serde(borrow)]
    customer_address_city: Option<Text<'a>>,
    #[serde(borrow)]
    customer_address_postal_code: Option<Text<'a>>,
    #[serde(borrow)]
    customer_address_country_code: Option<Text<'a>>,
    customer_vat_shifted: Option<bool>,
    #[serde(borrow)]
    customer_vat_number: Option<Text<'a>>,
    #[serde(borrow)]
    customer_reference: Option<Text<'a>>,
    #[serde(borrow)]
    language: Option<Text<'a>>,
    #[serde(borrow)]
    line_items: Vec<Item<'a>>,
    discounts: Vec<Discount>,
    #[serde(borrow)]
    reference: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    description: Text<'a>,
    #[serde(borrow)]
    vat: Vat<'a>,
    quantity: Exact,
    amount: Money,
    #[serde(borrow)]
    ledger_account_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Vat<'a> {
    value: Exact,
    #[serde(borrow)]
    category: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Money {
    amount: Exact,
}

#[derive(Deserialize)]
struct Discount {
    percentage: serde_json::Number,
}

/// serde borrows a `Cow` only when it stands by itself.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A number that is written as a text.
#[derive(Clone, Copy)]
struct Exact(Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Exact;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Exact, E> {
                Decimal::from_str_exact(text).map(Exact).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<[Reason; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    writes: Option<[Sale<'a>; 1]>,
}

#[derive(Serialize)]
struct Reason {
    place: &'static str,
    text: Cow<'static, str>,
}

#[derive(Serialize)]
struct Sale<'a> {
    name: &'static str,
    action: &'static str,
    entity: &'static str,
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    fb_sales: Element<Order<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Element<T> {
    element: T,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Order<'a> {
    fields: OrderFields<'a>,
    objects: [Lines<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OrderFields<'a> {
    or_nu: String,
    or_da: Date,
    db_id: &'a str,
    da_de: Date,
    cu_id: &'static str,
    rf_cs: &'a str,
    va_du: &'static str,
    in_va: bool,
    pa_cd: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pa_tp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    re: Option<String>,
    unit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    lg_id: Option<&'static str>,
    co_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_pc: Option<Number>,
    jo_co: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ex_ad: Option<String>,
    fref: &'a str,
    co_in: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Lines<'a> {
    fb_sales_lines: Element<Vec<OrderLine<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OrderLine<'a> {
    fields: LineFields<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LineFields<'a> {
    va_it: &'static str,
    it_cd: &'static str,
    ds: &'a str,
    va_rc: &'static str,
    bi_un: &'static str,
    qu_un: Number,
    upri: Number,
    no_in: bool,
}

/// Leaves with the digits it has.
struct Number(Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::Number::from_string_unchecked(self.0.normalize().to_string()).serialize(serializer)
    }
}

/// Why there is no order.
enum End {
    Skip(Reason),
    Hold(Reason),
    Fail(Reason),
}

static STREET: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(\D+)\s(\d+\D*)$").unwrap());

#[derive(Clone, Copy)]
enum Area {
    Home,
    Eu,
    Outside,
}

/// Maps all lines.
pub(crate) fn map(from: impl Read, to: &mut dyn Write) -> io::Result<()> {
    let mut from = BufReader::with_capacity(256 * 1024, from);
    let (mut line, mut out) = (Vec::new(), Vec::new());
    while from.read_until(b'\n', &mut line)? > 0 {
        let invoice: Invoice<'_> = serde_json::from_slice(&line)?;
        one(&invoice, &mut out)?;
        line.clear();
        if out.len() > 256 * 1024 {
            to.write_all(&out)?;
            out.clear();
        }
    }
    to.write_all(&out)
}

fn one(invoice: &Invoice<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let mut line = Line { key: &invoice.id, outcome: "not_read", reason: None, warnings: None, writes: None };
    if invoice.invoice_status == "sent" {
        match decide(invoice, &mut line.warnings) {
            Ok(order) => {
                let body = Body { fb_sales: Element { element: order } };
                line.outcome = "write";
                line.writes = Some([Sale { name: "sale", action: "create", entity: "afas.FbSales", body }]);
            }
            Err(end) => {
                let (outcome, reason) = match end {
                    End::Skip(reason) => ("skip", reason),
                    End::Hold(reason) => ("hold", reason),
                    End::Fail(reason) => ("fail", reason),
                };
                (line.outcome, line.reason) = (outcome, Some(reason));
            }
        }
    }
    serde_json::to_writer(&mut *out, &line)?;
    out.push(b'\n');
    Ok(())
}

fn decide<'a>(invoice: &'a Invoice<'_>, warnings: &mut Option<[Reason; 1]>) -> Result<Order<'a>, End> {
    let because = |place, text: &'static str| Reason { place, text: text.into() };
    let number = &*invoice.invoice_number.0;
    let dated = invoice.invoice_date;
    let days = invoice.invoice_due_date.map_or(0, |due| dated.until(due).map_or(0, |span| span.get_days()));
    let country = filled(invoice.customer_address_country_code.as_ref()).unwrap_or("NL");
    let area = area_of(country, dated);
    let shifted = invoice.customer_vat_shifted.unwrap_or(false);
    let total = invoice.invoice_total.amount.0;

    if total.is_zero() {
        return Err(End::Skip(because("mapping.flow:30", "a zero invoice needs no document")));
    }
    let Some(debtor) = filled(invoice.customer_reference.as_ref()).map(str::trim) else {
        return Err(End::Hold(because("mapping.flow:31", "no debtor number in the reference of this customer")));
    };
    if shifted && filled(invoice.customer_vat_number.as_ref()).is_none() {
        return Err(End::Hold(because("mapping.flow:32", "shifted VAT needs a VAT number")));
    }
    let address = filled(invoice.customer_address_street.as_ref());
    let parts = address.and_then(|address| STREET.captures(address));
    let part = |group| parts.as_ref().and_then(|parts| parts.get(group)).map(|part| part.as_str());
    let house = part(2);
    if country == "NL" && address.is_some() && house.is_none() {
        return Err(End::Hold(because("mapping.flow:33", "no house number in the street of this customer")));
    }
    let net = |item: &Item<'_>| {
        let net = item.quantity.0 * item.amount.amount.0;
        net.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
    };
    if invoice.discounts.is_empty() {
        let lines: Decimal = invoice.line_items.iter().map(net).sum();
        if (lines - total).abs() > Decimal::new(5, 2) {
            let text = format!("the lines are {lines:.2}, the invoice is {total:.2}");
            return Err(End::Hold(Reason { place: "mapping.flow:34", text: text.into() }));
        }
    }
    if days > 60 {
        let text = format!("{number} has a term of {days} days");
        *warnings = Some([Reason { place: "mapping.flow:36", text: text.into() }]);
    }

    let fields = OrderFields {
        or_nu: format!("J{number}"),
        or_da: dated,
        db_id: debtor,
        da_de: invoice.invoice_delivery_period.unwrap_or(dated),
        cu_id: "EUR",
        rf_cs: first_chars(filled(invoice.reference.as_ref()).unwrap_or(number), 100),
        va_du: match (area, shifted) {
            (Area::Home | Area::Eu, false) => "1",
            (Area::Home, true) => "2",
            (Area::Eu, true) => "3",
            (Area::Outside, _) => "4",
        },
        in_va: invoice.net_amounts.unwrap_or(false),
        pa_cd: payment_condition(days)?,
        pa_tp: match filled(invoice.payment_method.as_ref()) {
            Some("direct_debit") => Some("INC"),
            Some("already_paid") => Some("01"),
            _ => None,
        },
        re: join([filled(invoice.introduction.as_ref()), filled(invoice.remarks.as_ref())], "; "),
        unit: 1,
        lg_id: match filled(invoice.language.as_ref()) {
            Some("nl") => Some("NL"),
            Some("de") => Some("D"),
            Some("en") => Some("GB"),
            Some("fr") => Some("F"),
            Some("es") => Some("E"),
            _ => None,
        },
        co_id: afas_country(country)?,
        in_pc: invoice
            .discounts
            .first()
            .and_then(|own| Decimal::from_str_exact(own.percentage.as_str()).ok())
            .map(Number),
        jo_co: "VERK",
        ex_ad: {
            let street = join([part(1).or(address), house], " ");
            let city = filled(invoice.customer_address_city.as_ref()).map(str::to_uppercase);
            let place = [
                filled(invoice.customer_company_name.as_ref()),
                filled(invoice.customer_attn.as_ref()),
                street.as_deref(),
                filled(invoice.customer_address_postal_code.as_ref()),
                city.as_deref(),
            ];
            join(place, ", ").map(|place| first_chars(&place, 255).to_owned())
        },
        fref: number,
        co_in: false,
    };
    let lines = invoice.line_items.iter().map(|item| {
        let account = filled(item.ledger_account_id.as_ref());
        let Some((code, unit)) = account.and_then(item_of) else {
            let text = format!("ledger account {} has no AFAS item yet", account.unwrap_or("(blank)"));
            return Err(End::Hold(Reason { place: "mapping.flow:146", text: text.into() }));
        };
        let amount = item.amount.amount.0;
        let fields = LineFields {
            va_it: "2",
            it_cd: code,
            ds: first_chars(&item.description.0, 80),
            va_rc: vat_group(area, filled(item.vat.category.as_ref()), item.vat.value.0, dated)?,
            bi_un: unit,
            qu_un: Number(item.quantity.0),
            upri: Number(amount),
            no_in: amount.is_zero(),
        };
        Ok(OrderLine { fields })
    });
    let lines = lines.collect::<Result<_, _>>()?;
    Ok(Order { fields, objects: [Lines { fb_sales_lines: Element { element: lines } }] })
}

/// What is not blank.
fn filled<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| &*text.0).filter(|text| !text.trim().is_empty())
}

fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

fn join<const N: usize>(texts: [Option<&str>; N], by: &str) -> Option<String> {
    let mut joined: Option<String> = None;
    for text in texts.into_iter().flatten() {
        match &mut joined {
            None => joined = Some(text.to_owned()),
            Some(joined) => {
                joined.push_str(by);
                joined.push_str(text);
            }
        }
    }
    joined
}

fn area_of(country: &str, on: Date) -> Area {
    match country {
        "NL" => Area::Home,
        "AT" | "BE" | "BG" | "CY" | "CZ" | "DE" | "DK" | "EE" | "ES" | "FI" | "FR" | "GR" | "HR" | "HU" | "IE"
        | "IT" | "LT" | "LU" | "LV" | "MT" | "PL" | "PT" | "RO" | "SE" | "SI" | "SK" => Area::Eu,
        "GB" if on < Date::constant(2021, 1, 1) => Area::Eu,
        _ => Area::Outside,
    }
}

#[expect(clippy::match_same_arms, reason = "an arm is a row of the table")]
fn vat_group(area: Area, category: Option<&str>, rate: Decimal, on: Date) -> Result<&'static str, End> {
    let from = |year, month| on >= Date::constant(year, month, 1);
    match (area, category, rate.mantissa(), rate.scale()) {
        (Area::Outside, ..) => Ok("3"),
        (_, None, 21, 2) if from(2012, 10) => Ok("1"),
        (_, None, 9, 2) if from(2019, 1) => Ok("2"),
        (_, None, 6, 2) if from(2001, 1) && !from(2019, 1) => Ok("2"),
        (_, None, 0, _) => Ok("3"),
        (_, Some("exempt"), 0, _) => Ok("4"),
        _ => {
            let area = if matches!(area, Area::Home) { "home" } else { "eu" };
            let (rate, category) = (rate * Decimal::ONE_HUNDRED, category.unwrap_or("(blank)"));
            let text = format!("no AFAS VAT rate group for {}% {category} ({area}) on {on}", rate.normalize());
            Err(End::Hold(Reason { place: "mapping.flow:109", text: text.into() }))
        }
    }
}

fn payment_condition(days: i32) -> Result<&'static str, End> {
    match days {
        ..0 => {
            let text = format!("a payment term of {days} days is impossible");
            Err(End::Fail(Reason { place: "mapping.flow:113", text: text.into() }))
        }
        0 => Ok("00"),
        1..=14 => Ok("14"),
        15..=30 => Ok("30"),
        31..=60 => Ok("60"),
        61..=90 => Ok("90"),
        _ => {
            let text = format!("no AFAS payment condition for {days} days");
            Err(End::Hold(Reason { place: "mapping.flow:121", text: text.into() }))
        }
    }
}

fn item_of(account: &str) -> Option<(&'static str, &'static str)> {
    Some(match account {
        "f8fd3e4e-da1c-43a7-892f-1410ac13e38a" => ("ADV", "UUR"),
        "c1a3a2b0-6b9e-4f0e-9f0b-2f3d8f5e7a10" => ("BROOD", "STK"),
        "0b7c1f52-43f0-4a0e-8d0e-5c8f3c6d7e21" => ("KOFFIE", "KG"),
        "5a1e9d77-2c64-4b1b-9f6a-7e2d4c8b9a32" => ("VERZ", "STK"),
        "9e3b6c88-7d15-4c2c-8a7b-6f1e3d5c4b43" => ("LIC", "MND"),
        "d2f4a6b8-1c3e-4d5f-9a8b-7c6d5e4f3a54" => ("REIS", "KM"),
        "3c5e7a9b-2d4f-4e6a-8b9c-0d1e2f3a4b65" => ("MAT", "MTR"),
        "7b9d1f3a-5c7e-4a8b-9c0d-1e2f3a4b5c76" => ("DIV", "STK"),
        _ => return None,
    })
}

/// The countries that invoices of this firm go to.
fn afas_country(iso: &str) -> Result<&'static str, End> {
    Ok(match iso {
        "NL" => "NL",
        "DE" => "D",
        "BE" => "B",
        "FR" => "F",
        "AT" => "A",
        "GB" => "GB",
        "US" => "USA",
        "CH" => "CH",
        "DK" => "DK",
        "ES" => "E",
        "FI" => "FIN",
        "IE" => "IRL",
        "IT" => "I",
        "LU" => "L",
        "NO" => "N",
        "PL" => "PL",
        "PT" => "P",
        "SE" => "S",
        _ => {
            let text = format!("no AFAS country code for {iso} yet");
            return Err(End::Hold(Reason { place: "std:countries:6", text: text.into() }));
        }
    })
}
