//! A GetConnector answers: filter, order, skip and take, and the limits of AFAS.

use serde_json::{Value, json};

use super::{
    super::{
        json::Fields,
        message::{Call, Reply},
    },
    Outcome, Profit, Refusal,
    connector::{self, Get},
    filter::{self, Filter},
    profit::folded,
};

/// Question mark and all; a longer one is not found.
pub(super) const LONGEST_QUERY: usize = 2049;

/// Rows times columns of one answer.
const MOST_CELLS: usize = 150_000;

/// Answers a read.
pub(super) fn answer(profit: &Profit, name: &str, call: &Call) -> Reply {
    let outcome = connector::get_named(name)
        .ok_or_else(|| {
            Refusal::general(format!("GetConnector '{name}' is not supported for this app or user is not authorised."))
        })
        .and_then(|get| rows(profit, get, call));
    outcome.unwrap_or_else(|refusal| refusal.reply())
}

fn whole(call: &Call, name: &str, default: i64) -> Outcome<i64> {
    match call.parameter(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => {
            text.parse().map_err(|_| Refusal::general(format!("The value '{text}' for '{name}' is not valid.")))
        }
    }
}

fn rows(profit: &Profit, get: &Get, call: &Call) -> Outcome<Reply> {
    let (skip, take) = (whole(call, "skip", 0)?, whole(call, "take", 100)?);
    if (take == -1 && skip != -1) || (skip == -1 && take != -1) || take < -1 || skip < -1 {
        return Err(Refusal::general("The combination of skip and take is not valid."));
    }
    let filter = filter::of(get, call)?;
    let order = order(get, call)?;
    let mut found = fitting(profit, get.name, &filter);
    if order.is_empty() {
        // Without an order the database promises none: each page sees another one.
        if skip > 0 && !found.is_empty() {
            let turn = (usize::try_from(skip).unwrap_or(0) / 2 + 1) % found.len();
            found.rotate_left(turn);
        }
    } else {
        sort(&mut found, &order);
    }
    let count = if take == -1 { found.len() } else { usize::try_from(take).unwrap_or(0) };
    let page: Vec<&Fields> = found.into_iter().skip(usize::try_from(skip).unwrap_or(0)).take(count).collect();
    if page.len() * get.columns().len() > MOST_CELLS {
        return Err(Refusal::general("Out of memory"));
    }
    let shown: Vec<Value> = page
        .iter()
        .map(|row| {
            get.columns()
                .iter()
                .map(|column| {
                    (
                        column.name.clone(),
                        row.get(&column.name).filter(|value| **value != "").cloned().unwrap_or_default(),
                    )
                })
                .collect::<Fields>()
                .into()
        })
        .collect();
    Ok(Reply::json(200, json!({"skip": skip.max(0), "take": shown.len(), "rows": shown})))
}

/// The rows that fit, in the order in which they came. Equalities and beginnings go through the index.
fn fitting<'a>(profit: &'a Profit, table: &str, filter: &Filter) -> Vec<&'a Fields> {
    let rows = profit.rows(table);
    if filter.is_empty() {
        return rows.iter().collect();
    }
    let fits = |row: &Fields, all: &[filter::Condition]| {
        all.iter().all(|condition| condition.fits(row.get(&condition.column).unwrap_or(&Value::Null)))
    };
    let near: Option<Vec<Vec<usize>>> =
        filter.iter().map(|all| all.iter().find_map(|condition| condition.near(profit, table))).collect();
    let Some(near) = near else {
        return rows.iter().filter(|row| filter.iter().any(|all| fits(row, all))).collect();
    };
    let fitting = filter.iter().zip(near).flat_map(|(all, near)| {
        near.into_iter().filter(move |place| rows.get(*place).is_some_and(|row| fits(row, all)))
    });
    let mut places: Vec<usize> = fitting.collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().filter_map(|place| rows.get(place)).collect()
}

/// The columns to sort by, and which of them downwards.
fn order(get: &Get, call: &Call) -> Outcome<Vec<(String, bool)>> {
    let asked = call.parameter("orderbyfieldids").unwrap_or_default();
    asked
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let down = name.starts_with('-');
            filter::column(get, name.trim_start_matches('-')).map(|column| (column.name.clone(), down))
        })
        .collect()
}

fn sort(rows: &mut Vec<&Fields>, order: &[(String, bool)]) {
    let key = |row: &Fields, column: &str| {
        let value = row.get(column).unwrap_or(&Value::Null);
        let number = if value.is_number() { super::super::json::decimal(value) } else { None };
        (number, folded(value))
    };
    let mut keyed: Vec<_> =
        rows.iter().map(|row| (order.iter().map(|(column, _)| key(row, column)).collect::<Vec<_>>(), *row)).collect();
    keyed.sort_by(|(left, _), (right, _)| {
        left.iter()
            .zip(right)
            .zip(order)
            .map(|((left, right), (_, down))| if *down { right.cmp(left) } else { left.cmp(right) })
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}
