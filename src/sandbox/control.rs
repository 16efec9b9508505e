//! The control paths: what was created, what shall fail, what else is there.
//!
//! `GET /_control`, `GET /_control/effects`, `GET /_control/written`, `GET /_control/calls`, `GET|POST|DELETE /_control/faults`, `POST /_control/records`.
//! Bad input gets a 400 with one clear sentence and changes nothing.

use serde_json::{Value, json};

use super::{
    afas, jortt,
    json::Fields,
    message::{self, Call, Reply},
    server::House,
};

/// Answers a control call.
pub(super) fn answer(house: &House, call: &Call) -> Reply {
    let outcome = match (call.method.as_str(), call.segments().as_slice()) {
        ("GET", []) => Ok(json!({"id": house.id, "jortt": "/jortt", "afas": "/afas/ProfitRestServices"})),
        ("GET", ["effects"]) => Ok(json!({"afas": house.afas.effects(), "jortt": house.jortt.effects()})),
        ("GET", ["written"]) => Ok(house.written.list()),
        ("GET", ["calls"]) => Ok(house.calls.shown()),
        ("GET", ["faults"]) => Ok(house.faults.list()),
        ("POST", ["faults"]) => house.faults.add(&call.body).map(|count| json!({"added": count})),
        ("DELETE", ["faults"]) => {
            house.faults.clear();
            Ok(json!({}))
        }
        ("POST", ["records"]) => records(house, call),
        (method, path) => {
            let known = "GET /_control, GET /_control/effects, GET /_control/written, GET /_control/calls, GET, POST and \
                         DELETE /_control/faults, POST /_control/records";
            return bad(404, &format!("{method} /_control/{} does not exist; there is {known}", path.join("/")));
        }
    };
    match outcome {
        Ok(value) => Reply::json(200, value),
        Err(sentence) => bad(400, &sentence),
    }
}

fn bad(status: u16, sentence: &str) -> Reply {
    Reply::json(status, json!({"error": sentence}))
}

/// Adds or changes records in both systems.
fn records(house: &House, call: &Call) -> Result<Value, String> {
    put(house, &message::object(&call.body)?.into())?;
    Ok(json!({}))
}

/// Puts `{"jortt": {"invoices": […]}, "afas": {"Profit_Debtor": […]}}` into both systems.
pub(super) fn put(house: &House, records: &Value) -> Result<(), String> {
    let (invoicing, accounts) = lists(records)?;
    house.jortt.put_records(invoicing);
    house.afas.put_records(accounts);
    Ok(())
}

/// The lists of both systems, judged.
pub(super) fn lists(records: &Value) -> Result<(Fields, Fields), String> {
    let body = records.as_object().ok_or("records must be an object with `jortt` and `afas`")?;
    let part = |name: &str| match body.get(name) {
        None => Ok(serde_json::Map::new()),
        Some(Value::Object(lists)) => Ok(lists.clone()),
        Some(_) => Err(format!("`{name}` must be an object with a list for each kind of record")),
    };
    if let Some(other) = body.keys().find(|name| !["jortt", "afas"].contains(&name.as_str())) {
        return Err(format!("`{other}` is no system: records belong to `jortt` or `afas`"));
    }
    let (invoicing, accounts) = (part("jortt")?, part("afas")?);
    jortt::check_records(&invoicing)?;
    afas::check_rows(&accounts)?;
    Ok((invoicing, accounts))
}
