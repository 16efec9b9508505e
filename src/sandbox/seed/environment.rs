//! What both systems hold before there is any customer: the organisation, ledgers, codes, periods, items.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::{
    afas::{COUNTRIES, Profit},
    jortt::Books,
    json::{Fields, fields},
};

/// Advice, 21% VAT.
pub(super) const ADVICE: &str = "f8fd3e4e-da1c-43a7-892f-1410ac13e38a";
/// Bread, 9% VAT.
pub(super) const BREAD: &str = "c1a3a2b0-6b9e-4f0e-9f0b-2f3d8f5e7a10";
/// Rent: known to Jortt, but to no table of the product.
pub(super) const RENT: &str = "9d3b6a51-2f4e-4c8a-b1d7-5e60c2a4f913";
/// The heading above the revenue accounts; nothing is booked on it.
const REVENUE: &str = "0b7c0f0e-6d0f-4c44-9a6e-2f8e3b1d4c55";
/// The label of good customers.
pub(super) const GOLD: &str = "5b2f6f0a-3d0c-4a38-8b4e-19c3f7d20a61";
/// The default account.
const SUNDRY: &str = "4f1c7a2e-90b3-4d6f-8c15-7be2d90a6e38";

/// The years with open periods: those of the data, and those in which somebody may run it.
const YEARS: std::ops::RangeInclusive<i16> = 2026..=2035;

/// Jortt with its organisation.
pub(super) fn books(id: &str) -> Books {
    let organisation = json!({
        "id": id,
        "vat_type": "vat",
        "company_name": "Molen & Zoon B.V.",
        "company_name_line_2": null,
        "address_street": "Nieuwezijds Voorburgwal 147",
        "address_postal_code": "1012 RJ",
        "address_city": "Amsterdam",
        "address_country_code": "NL",
        "address_country_name": "Nederland",
        "tax_registration_number": "NL999999999B01",
        "chamber_of_commerce_number": "12345678",
        "bank_account_iban": "NL10BANK1234567890",
        "bank_account_bban": "123456789",
        "owners": [],
        "legal_form": "bv",
        "website": "https://molen.example",
        "phonenumber": "+31 20 1234567",
        "invoice_from_email": "facturen@molen.example",
        "one_stop_shop_enabled": false,
        "has_mollie": false,
        "jortt_start_date": "2020-01-01T00:00:00+01:00",
        "invoice_from_email_confirmed": true,
        "data_complete_for_sending_invoices": true,
        "default_vat": {"value": "0.21", "category": null},
        "has_peppol_access": false
    });
    let mut books = Books::new(organisation.as_object().cloned().unwrap_or_default());
    let account = |id: &str, parent: Option<&str>, name: &str| {
        json!({
            "ledger_account_id": id, "parent_ledger_account_id": parent, "name": name, "selectable": parent.is_some()
        })
    };
    books.ledger_accounts = vec![
        account(REVENUE, None, "Omzet"),
        account(ADVICE, Some(REVENUE), "Advies"),
        account(BREAD, Some(REVENUE), "Brood"),
        account(RENT, Some(REVENUE), "Verhuur"),
        account(SUNDRY, Some(REVENUE), "Diversen"),
    ];
    books.labels = ["Goud", "Zilver"]
        .iter()
        .zip([GOLD, "e2a94c17-7f58-4b0d-9c63-84d1b6f5a072"])
        .map(|(name, id)| json!({"id": id, "description": name, "category": "user_label"}))
        .collect();
    books.tradenames = vec![json!({
        "id": "1c9e5b7d-48a2-4f36-a0d9-6b3e2f7c8d14",
        "company_name": "De Molen",
        "company_name_line_2": null,
        "address_street": "Nieuwezijds Voorburgwal 147",
        "address_city": "Amsterdam",
        "address_postal_code": "1012 RJ",
        "address_country_code": "NL",
        "phonenumber": "+31 20 1234567",
        "bank_account_in_the_name_of": "Molen & Zoon B.V.",
        "iban": "NL10BANK1234567890",
        "bic": "BANKNL2A",
        "finance_email": "facturen@molen.example"
    })];
    books
}

fn rows<const N: usize>(profit: &mut Profit, table: &str, columns: [&str; N], rows: &[[Value; N]]) {
    for row in rows {
        let row: Fields = columns.iter().map(|name| (*name).to_owned()).zip(row.iter().cloned()).collect();
        profit.insert(table, row);
    }
}

/// AFAS with its codes and items.
pub(super) fn profit() -> Profit {
    let mut profit = Profit::new();
    for (code, _, name) in COUNTRIES {
        profit.insert("ProfitCountries", fields([("CoId", json!(code)), ("Co", json!(name))]));
    }
    ledger(&mut profit);
    items(&mut profit);
    profit
}

fn ledger(profit: &mut Profit) {
    rows(
        profit,
        "Profit_Administrations",
        ["AdminId", "AdminNm", "AdminCd"],
        &[[json!(1), json!("Molen & Zoon B.V."), json!("MZ")]],
    );
    let account = |number: &str, name: &str, collect: bool, vat: bool, code: Option<&str>| {
        let balance = number.starts_with('1');
        fields([
            ("Account", json!(number)),
            ("Description", json!(name)),
            ("Type", json!(if balance { "Balans" } else { "Winst & verlies" })),
            ("Blocked", json!(false)),
            ("CollectAccount", json!(collect)),
            ("CollectAccountType", if collect { json!("Debiteuren") } else { Value::Null }),
            ("VatAllowed", json!(vat)),
            ("VatCode", json!(code)),
        ])
    };
    for row in [
        account("1300", "Debiteuren", true, false, None),
        account("1310", "Debiteuren buitenland", true, false, None),
        account("1500", "Btw hoog", false, false, None),
        account("1501", "Btw laag", false, false, None),
        account("1990", "Tussenrekening", false, false, None),
        account("8000", "Omzet advies", false, true, Some("1")),
        account("8010", "Omzet brood", false, true, Some("2")),
        account("8020", "Omzet EU", false, true, Some("ICL")),
        account("8030", "Omzet buiten EU", false, true, Some("EXP")),
    ] {
        profit.insert("Profit_Accounts", row);
    }
    let journal = |id: &str, name: &str, kind: &str| [json!(1), json!(id), json!(name), json!(kind), json!(false)];
    rows(
        profit,
        "Profit_Journals",
        ["UnitId", "JournalId", "Description", "JournalType", "Blocked"],
        &[
            journal("VERK", "Verkoop", "Verkoop"),
            journal("MEMO", "Memoriaal", "Memoriaal"),
            journal("BANK", "Bank", "Bank"),
        ],
    );
    let vat = |code: &str, name: &str, account: Option<&str>, percentage: i32, duty: &str| {
        [json!(code), json!(name), json!(account), json!(percentage), json!(duty), json!(false), json!("Verkoop")]
    };
    rows(
        profit,
        "Profit_VAT_code",
        ["VatCode", "Description", "AccountNr", "VatPerc", "VatDuty", "Blocked", "VatType"],
        &[
            vat("0", "Btw nul", None, 0, "1"),
            vat("1", "Btw hoog", Some("1500"), 21, "1"),
            vat("2", "Btw laag", Some("1501"), 9, "1"),
            vat("5", "Verlegd binnenland", None, 0, "2"),
            vat("ICL", "Intracommunautaire levering", None, 0, "3"),
            vat("EXP", "Export", None, 0, "4"),
            vat("VRY", "Vrijgesteld", None, 0, "1"),
            vat("DE1", "Duitsland hoog", Some("1500"), 19, "1"),
        ],
    );
    for (year, month) in YEARS.flat_map(|year| (1..=12_i8).map(move |month| (year, month))) {
        let Ok(first) = Date::new(year, month, 1) else { continue };
        let row = fields([
            ("Unit", json!(1)),
            ("Year", json!(year)),
            ("Period", json!(month)),
            ("PeriodDesc", json!(format!("Periode {month}"))),
            ("DateFrom", json!(first.to_string())),
            ("DateTo", json!(first.last_of_month().to_string())),
            ("Blocked", json!(false)),
            ("Periodtable", json!(1)),
            ("TableDesc", json!("Maanden")),
        ]);
        profit.insert("Profit_periods_per_administration", row);
    }
    rows(
        profit,
        "Profit_Currency",
        ["CurrencyId", "Currency", "Exchange_Rate"],
        &[
            [json!("EUR"), json!("Euro"), json!(1)],
            [json!("USD"), json!("Amerikaanse dollar"), super::super::json::number(rust_decimal::Decimal::new(92, 2))],
            [json!("GBP"), json!("Brits pond"), super::super::json::number(rust_decimal::Decimal::new(117, 2))],
        ],
    );
    rows(
        profit,
        "Profit_Languages",
        ["Taalcode", "Taal", "ISO_taalcode", "ISO_taal"],
        &[
            [json!("NL"), json!("Nederlands"), json!("nl"), json!("Dutch")],
            [json!("EN"), json!("Engels"), json!("en"), json!("English")],
            [json!("D"), json!("Duits"), json!("de"), json!("German")],
            [json!("F"), json!("Frans"), json!("fr"), json!("French")],
            [json!("E"), json!("Spaans"), json!("es"), json!("Spanish")],
        ],
    );
    rows(
        profit,
        "Profit_Warehouses",
        ["Warehouse", "Description", "UnitIdFin", "Blocked", "CreateDate", "ModifiedDate"],
        &[[json!("HOOFD"), json!("Hoofdmagazijn"), json!(1), json!(false), json!(""), json!("")]],
    );
}

fn items(profit: &mut Profit) {
    let articles = [
        ("ADV", "Advies", "UUR", "DIENST", "1", "95.00", None),
        ("ADV-EU", "Advies EU", "UUR", "DIENST", "1", "95.00", None),
        ("ADV-EX", "Advies buiten EU", "UUR", "DIENST", "1", "95.00", None),
        ("BROOD", "Brood", "STK", "BAK", "2", "3.25", Some(100_000)),
        ("DIV", "Diversen", "STK", "DIV", "1", "10.00", None),
    ];
    for (code, name, unit, group, rate, price, stock) in articles {
        let price: Value = serde_json::from_str(price).unwrap_or_default();
        profit.insert(
            "Profit_Article",
            fields([
                ("ItemCode", json!(code)),
                ("Description", json!(name)),
                ("UnitId", json!(unit)),
                ("Factor", json!(1)),
                ("ArtGroup", json!(group)),
                ("Blocked", json!(false)),
                ("VATGroup", json!(rate)),
                ("ItemTypeCode", json!("2")),
                ("Stock", json!(stock.is_some())),
                ("BitDecimals", json!(2)),
                ("CreateDate", json!("")),
                ("ModifiedDate", json!("")),
            ]),
        );
        profit.insert(
            "Profit_Article_Basic",
            fields([
                ("ItemCode", json!(code)),
                ("Description", json!(name)),
                ("UnitId", json!(unit)),
                ("ArtGroup", json!(group)),
                ("Blocked", json!(false)),
                ("VATgroup", json!(rate)),
                ("BasicSalesPrice", price),
                ("StockActual", json!(stock.unwrap_or(0))),
                ("CreateDate", json!("")),
                ("DateModified", json!("")),
            ]),
        );
        profit.insert(
            "Profit_Unit_per_Item",
            fields([
                ("ItemType", json!("2")),
                ("ItemCode", json!(code)),
                ("UnitId", json!(unit)),
                ("Amount", json!(1)),
                ("BasicItem", json!(true)),
            ]),
        );
        if let Some(stock) = stock {
            profit.insert(
                "Profit_Stock_per_Warehouse",
                fields([
                    ("Basisartikeltype_code", json!("2")),
                    ("Item_code", json!(code)),
                    ("In_stock", json!(stock)),
                    ("Unit", json!(unit)),
                ]),
            );
        }
    }
}
