//! DELETE: keys in the path, for documents and entries. There is no way back.

use super::{super::message::Reply, Outcome, Profit, Refusal, connector, document, entry};

/// Answers a DELETE; `keys` is the path below the connector, as written.
pub(super) fn answer(profit: &mut Profit, name: &str, keys: &[String]) -> Reply {
    match profit.in_one(|profit| remove(profit, name, keys)) {
        Ok(()) => Reply::empty(200),
        Err(refusal) => refusal.reply(),
    }
}

fn remove(profit: &mut Profit, name: &str, keys: &[String]) -> Outcome<()> {
    let unsupported = || Refusal::general(format!("UpdateConnector '{name}' does not support DELETE with these keys."));
    let update = connector::update_named(name).ok_or_else(unsupported)?;
    let parts: Vec<&str> = keys.iter().map(String::as_str).collect();
    match (update.name, parts.as_slice()) {
        (
            document @ ("FbSales" | "FbSalesQuotation" | "FbDeliveryNote" | "FbDirectInvoice"),
            [object, "@OrNu", number],
        ) if object.eq_ignore_ascii_case(document) => document::remove(profit, document, number),
        ("FiEntries", [.., "@EnNo", number]) => entry::remove(profit, number),
        _ => Err(unsupported()),
    }
}
