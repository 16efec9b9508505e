//! Addresses: judged, kept, and written out in the lines that the reads show.

use serde_json::json;

use super::{
    super::{
        clock,
        json::{Fields, fields, filled, text, yes},
    },
    COUNTRIES, Element, Outcome, Profit, Refusal,
    profit::folded,
};

/// An address that was judged.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) id: u64,
    /// Street and number.
    pub(super) line1: String,
    /// Postal code and city, two spaces apart.
    pub(super) line3: String,
    /// The name of the country.
    pub(super) line4: String,
    pub(super) fields: Fields,
}

impl Address {
    /// ISO's code of the country, which only delivery addresses show.
    pub(super) fn iso(&self) -> &'static str {
        let code = text(&self.fields, "CoId");
        COUNTRIES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(code)).map_or("", |(_, iso, _)| iso)
    }
}

/// The address of a relation, organisation, person or contact, if the body holds one.
pub(super) fn of(profit: &mut Profit, element: &Element) -> Outcome<Option<Address>> {
    let Some(written) = element.below("KnBasicAddressAdr").next() else { return Ok(None) };
    let postal = element.below("KnBasicAddressPad").next().filter(|_| !yes(&element.fields, "PadAdr"));
    if let Some(postal) = postal {
        keep(profit, &postal.fields)?;
    }
    keep(profit, &written.fields).map(Some)
}

/// Judges and keeps an address; an equal one is not kept twice.
pub(super) fn keep(profit: &mut Profit, written: &Fields) -> Outcome<Address> {
    let code = filled(written, "CoId").ok_or_else(|| Refusal::missing("Country"))?;
    let country = profit.find("ProfitCountries", "CoId", code).ok_or_else(|| Refusal::unknown(code, "Country"))?;
    let line4 = text(country, "Co").to_owned();
    let house = written.get("HmNr").map(folded).unwrap_or_default();
    let addition = text(written, "HmAd");
    let street = if yes(written, "PbAd") { "Postbus" } else { text(written, "Ad") };
    // "75a" and "12-2", but "12 bis".
    let gap = if addition.chars().count() > 1 && !addition.starts_with('-') { " " } else { "" };
    let line1 = format!("{street} {house}{gap}{addition}").trim().to_owned();
    let line3 = format!("{}  {}", text(written, "ZpCd"), text(written, "Rs")).trim().to_owned();
    let same = profit
        .places("Profit_Address", "AddressLine", &json!(line1))
        .into_iter()
        .filter_map(|place| profit.rows("Profit_Address").get(place))
        .find(|row| text(row, "ZipCode") == text(written, "ZpCd") && text(row, "Country") == code)
        .and_then(|row| row.get("AddressId")?.as_u64());
    let id = if let Some(id) = same {
        id
    } else {
        let id = profit.next("address", 40001, ("Profit_Address", "AddressId"));
        let now = json!(clock::with_false_z(&clock::now()));
        let of = |name: &str| written.get(name).cloned().unwrap_or_default();
        let row = fields([
            ("AddressId", json!(id)),
            ("AddressLine", json!(line1)),
            ("PoBox", json!(yes(written, "PbAd"))),
            ("AddressAdd", of("StAd")),
            ("Address", of("Ad")),
            ("Number", of("HmNr")),
            ("NumberAdd", of("HmAd")),
            ("ZipCode", of("ZpCd")),
            ("Recidence", of("Rs")),
            ("Country", of("CoId")),
            ("Addition", of("AdAd")),
            ("CreateDate", now.clone()),
            ("ModifiedDate", now),
        ]);
        profit.insert("Profit_Address", row);
        id
    };
    Ok(Address { id, line1, line3, line4, fields: written.clone() })
}
