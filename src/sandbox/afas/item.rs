//! Items: articles, their units, stock and prices.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    super::{
        clock,
        effects::Mark,
        json::{Fields, amount, fields, filled, number, text, yes},
    },
    Element, Outcome, Profit, RATE_GROUPS, Refusal,
    codes::{self, holds},
    write::{Verb, results},
};

/// An item that was found.
#[derive(Debug)]
pub(super) struct Item {
    /// The item type.
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) description: String,
    pub(super) rate_group: String,
    pub(super) price: Decimal,
}

/// The item of a type and code; it must be there and not be blocked.
pub(super) fn find(profit: &Profit, kind: &str, code: &str) -> Outcome<Item> {
    if let Some((_, code, description, group)) =
        codes::OTHER_ITEMS.iter().find(|(type_, known, ..)| *type_ == kind && known.eq_ignore_ascii_case(code))
    {
        return Ok(Item {
            kind: kind.to_owned(),
            code: (*code).to_owned(),
            description: (*description).to_owned(),
            rate_group: (*group).to_owned(),
            price: Decimal::ZERO,
        });
    }
    let row = profit.find("Profit_Article", "ItemCode", code).filter(|row| text(row, "ItemTypeCode") == kind);
    let row = row.ok_or_else(|| Refusal::unknown(code, "Itemcode"))?;
    if yes(row, "Blocked") {
        return Err(Refusal::general(format!("Item {code} is blocked.")));
    }
    let basic = profit.find("Profit_Article_Basic", "ItemCode", code);
    Ok(Item {
        kind: kind.to_owned(),
        code: text(row, "ItemCode").to_owned(),
        description: text(row, "Description").to_owned(),
        rate_group: text(row, "VATGroup").to_owned(),
        price: basic.and_then(|basic| amount(basic, "BasicSalesPrice")).unwrap_or_default(),
    })
}

/// The unit must be one of the item; texts and costs have none.
pub(super) fn judge_unit(profit: &Profit, item: &Item, unit: &str) -> Outcome<()> {
    let wrong = || Refusal::unknown(unit, "Unit");
    if unit == "*****" {
        return if ["3", "4", "5", "6"].contains(&item.kind.as_str()) { Ok(()) } else { Err(wrong()) };
    }
    let own = profit.find("Profit_Article", "ItemCode", &item.code).is_some_and(|row| same(text(row, "UnitId"), unit));
    let more = profit
        .rows("Profit_Unit_per_Item")
        .iter()
        .any(|row| same(text(row, "ItemCode"), &item.code) && same(text(row, "UnitId"), unit));
    if own || more { Ok(()) } else { Err(wrong()) }
}

fn same(left: &str, right: &str) -> bool {
    left.trim_end().eq_ignore_ascii_case(right.trim_end())
}

/// A warehouse must exist; none, and five stars, are the usual one.
pub(super) fn judge_warehouse(profit: &Profit, warehouse: &str) -> Outcome<()> {
    if warehouse.is_empty() || warehouse == "*****" {
        return Ok(());
    }
    match profit.find("Profit_Warehouses", "Warehouse", warehouse) {
        Some(row) if !yes(row, "Blocked") => Ok(()),
        _ => Err(Refusal::unknown(warehouse, "Warehouse")),
    }
}

/// Makes or changes an article.
pub(super) fn write(profit: &mut Profit, element: &Element, verb: Verb) -> Outcome<Value> {
    let body = &element.fields;
    if let Some(group) = filled(body, "Grp")
        && !holds(codes::ARTICLE_GROUPS, group)
    {
        return Err(Refusal::unknown(group, "Article group"));
    }
    if let Some(unit) = filled(body, "BiUn")
        && !holds(codes::UNITS, unit)
    {
        return Err(Refusal::unknown(unit, "Basic unit"));
    }
    if let Some(group) = filled(body, "VaRc")
        && !RATE_GROUPS.iter().any(|(code, ..)| *code == group)
    {
        return Err(Refusal::unknown(group, "VAT rate group"));
    }
    let code = match filled(body, "ItCd") {
        Some(code) => code.to_owned(),
        None if verb == Verb::Insert && yes(body, "AuId") => {
            profit.next("article", 1001, ("Profit_Article", "ItemCode")).to_string()
        }
        None => return Err(Refusal::missing("Itemcode")),
    };
    let place = profit.place("Profit_Article", "ItemCode", &code);
    match (verb, place) {
        (Verb::Insert, Some(_)) => return Err(Refusal::exists(&code)),
        (Verb::Insert, None) => {
            insert(profit, &code, body);
            let mark = Mark { family: "article", by: "ItCd", value: code.to_lowercase() };
            profit.effects.created("FbItemArticle", &code, vec![mark]);
        }
        (Verb::Update, Some(_)) => {
            lay_over(profit, &code, body);
            profit.effects.updated("FbItemArticle");
        }
        _ => return Err(Refusal::unknown(&code, "Itemcode")),
    }
    Ok(results("FbItemArticle", &json!({"ItCd": code})))
}

/// A field of an article and the columns that show it.
const SHOWN: &[(&str, &[(&str, &str)])] = &[
    ("Ds", &[("Profit_Article", "Description"), ("Profit_Article_Basic", "Description")]),
    ("Grp", &[("Profit_Article", "ArtGroup"), ("Profit_Article_Basic", "ArtGroup")]),
    (
        "BiUn",
        &[("Profit_Article", "UnitId"), ("Profit_Article_Basic", "UnitId"), ("Profit_Stock_per_Warehouse", "Unit")],
    ),
    ("VaRc", &[("Profit_Article", "VATGroup"), ("Profit_Article_Basic", "VATgroup")]),
    ("BiSt", &[("Profit_Article", "Stock")]),
    ("Bl", &[("Profit_Article", "Blocked"), ("Profit_Article_Basic", "Blocked")]),
    ("BaCo", &[("Profit_Article", "Barcode")]),
    ("BiDc", &[("Profit_Article", "BitDecimals")]),
    ("SaPrice", &[("Profit_Article_Basic", "BasicSalesPrice")]),
];

fn insert(profit: &mut Profit, code: &str, body: &Fields) {
    let now = json!(clock::with_false_z(&clock::now()));
    let article = fields([
        ("ItemCode", json!(code)),
        ("Factor", json!(1)),
        ("Blocked", json!(false)),
        ("ItemTypeCode", json!("2")),
        ("Stock", json!(false)),
        ("BitDecimals", json!(2)),
        ("CreateDate", now.clone()),
        ("ModifiedDate", now.clone()),
    ]);
    let basic = fields([
        ("ItemCode", json!(code)),
        ("Blocked", json!(false)),
        ("BasicSalesPrice", json!(0)),
        ("StockActual", json!(0)),
        ("CreateDate", now.clone()),
        ("DateModified", now),
    ]);
    let unit = fields([
        ("ItemType", json!("2")),
        ("ItemCode", json!(code)),
        ("UnitId", json!(text(body, "BiUn"))),
        ("Amount", json!(1)),
        ("BasicItem", json!(true)),
    ]);
    profit.insert("Profit_Article", article);
    profit.insert("Profit_Article_Basic", basic);
    profit.insert("Profit_Unit_per_Item", unit);
    if yes(body, "BiSt") {
        let stock = fields([("Basisartikeltype_code", json!("2")), ("Item_code", json!(code)), ("In_stock", json!(0))]);
        profit.insert("Profit_Stock_per_Warehouse", stock);
    }
    lay_over(profit, code, body);
}

fn lay_over(profit: &mut Profit, code: &str, body: &Fields) {
    let now = json!(clock::with_false_z(&clock::now()));
    for (field, columns) in SHOWN {
        let Some(value) = body.get(*field) else { continue };
        for (table, column) in *columns {
            let key = if *table == "Profit_Stock_per_Warehouse" { "Item_code" } else { "ItemCode" };
            if let Some(place) = profit.place(table, key, code) {
                profit.change(table, place, |row| {
                    row.insert((*column).to_owned(), value.clone());
                });
            }
        }
    }
    if let Some(place) = profit.place("Profit_Article", "ItemCode", code) {
        profit.change("Profit_Article", place, |row| {
            row.insert("ModifiedDate".to_owned(), now);
        });
    }
}

/// Takes delivered goods out of stock; a negative quantity puts them back. Items without stock are passed over.
pub(super) fn deliver(profit: &mut Profit, code: &str, quantity: Decimal) {
    if profit.find("Profit_Article", "ItemCode", code).is_none_or(|row| !yes(row, "Stock")) {
        return;
    }
    let columns =
        [("Profit_Article_Basic", "ItemCode", "StockActual"), ("Profit_Stock_per_Warehouse", "Item_code", "In_stock")];
    for (table, key, column) in columns {
        if let Some(place) = profit.place(table, key, code) {
            profit.change(table, place, |row| {
                let left = amount(row, column).unwrap_or_default() - quantity;
                row.insert(column.to_owned(), number(left));
            });
        }
    }
}

/// Adds to stock or takes from it. No key comes back, and nothing keeps a second one out.
pub(super) fn mutate_stock(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let body = &element.fields;
    let found = find(profit, text(body, "VaIt"), text(body, "ItCd"))?;
    judge_unit(profit, &found, text(body, "BiUn"))?;
    judge_warehouse(profit, text(body, "War"))?;
    if !holds(codes::REASONS, text(body, "ReId")) {
        return Err(Refusal::unknown(text(body, "ReId"), "Reason"));
    }
    if profit.find("Profit_Article", "ItemCode", &found.code).is_none_or(|row| !yes(row, "Stock")) {
        return Err(Refusal::general(format!("Item {} has no stock.", found.code)));
    }
    let quantity = amount(body, "QuUn").unwrap_or_default();
    match text(body, "VaOt") {
        "31" | "41" => deliver(profit, &found.code, -quantity),
        "32" | "42" => deliver(profit, &found.code, quantity),
        other => return Err(Refusal::unknown(other, "Entry sort")),
    }
    profit.effects.created("FbStockMutation", &found.code, Vec::new());
    Ok(Value::Null)
}

/// A sales price of an item.
pub(super) fn set_price(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let body = &element.fields;
    let found = find(profit, text(body, "VaIt"), text(body, "ItCd"))?;
    judge_unit(profit, &found, text(body, "BiUn"))?;
    if let Some(debtor) = filled(body, "DbId")
        && profit.find("Profit_Debtor", "DebtorId", debtor).is_none()
    {
        return Err(Refusal::unknown(debtor, "Sales contact"));
    }
    let of = |name: &str| body.get(name).cloned().unwrap_or_default();
    let row = fields([
        ("Debtor", of("DbId")),
        ("Date", of("DaBg")),
        ("Currency", of("CuId")),
        ("Volume", json!(false)),
        ("Item", json!(found.code)),
        ("Description", json!(found.description)),
        ("Quantity", json!(1)),
        ("Unit", of("BiUn")),
        ("GrossPrice", of("Pric")),
        ("Discount", json!(0)),
        ("Nettoprijs", of("Pric")),
    ]);
    profit.insert("Profit_SalesPrice", row);
    profit.effects.created("FbSalesPrice", &found.code, Vec::new());
    Ok(Value::Null)
}

/// Another unit of an item.
pub(super) fn add_unit(profit: &mut Profit, element: &Element) -> Outcome<Value> {
    let body = &element.fields;
    let found = find(profit, text(body, "VaIt"), text(body, "ItCd"))?;
    let unit = text(body, "BiUn");
    if !holds(codes::UNITS, unit) {
        return Err(Refusal::unknown(unit, "Unit"));
    }
    if judge_unit(profit, &found, unit).is_ok() {
        return Err(Refusal::exists(unit));
    }
    let row = fields([
        ("ItemType", json!(found.kind)),
        ("ItemCode", json!(found.code)),
        ("UnitId", json!(unit)),
        ("Amount", json!(1)),
        ("BasicItem", json!(false)),
    ]);
    profit.insert("Profit_Unit_per_Item", row);
    profit.effects.created("FbUnitBasicItem", &found.code, Vec::new());
    Ok(Value::Null)
}
