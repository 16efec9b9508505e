//! The AFAS envelope: plain fields into `Element`, `Fields`, `Objects`.
//!
//! Takes the JSON of a write under its wire names, gives the body of an `UpdateConnector`. Promises that a list becomes
//! an array of elements and that nothing is left out.
//!
//! # Shape
//! ```json
//! {"FbSales":{"Element":{"Fields":{"DbId":"10001"},
//!   "Objects":[{"FbSalesLines":{"Element":[{"Fields":{"ItCd":"ADV"}}]}}]}}}
//! ```

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

/// The body of a write.
pub(in crate::connector) fn envelope(root: &str, fields: Json) -> Json {
    named(root.to_owned(), element(fields))
}

/// `{name: {"Element": element}}`, made by hand: `json!` would copy all that is below, once for each level.
fn named(name: String, element: Json) -> Json {
    let wrapped = Map::from_iter([("Element".to_owned(), element)]);
    Json::Object(Map::from_iter([(name, Json::Object(wrapped))]))
}

fn element(fields: Json) -> Json {
    let Json::Object(all) = fields else { return fields };
    let mut own = Map::with_capacity(all.len());
    let mut objects: Vec<Json> = Vec::new();
    let mut wrapped = Map::new();
    for (name, value) in all {
        match value {
            Json::Object(_) => objects.push(named(name, element(value))),
            Json::Array(lines) => {
                objects.push(named(name, lines.into_iter().map(element).collect()));
            }
            // `@Action` and keys as attributes stand on the element itself.
            value if name.starts_with('@') => {
                wrapped.insert(name, value);
            }
            value => {
                own.insert(name, value);
            }
        }
    }
    wrapped.insert("Fields".to_owned(), Json::Object(own));
    if !objects.is_empty() {
        wrapped.insert("Objects".to_owned(), Json::Array(objects));
    }
    Json::Object(wrapped)
}

/// Adds values to the objects that are there: `KnOrganisation.MatchOga`. What a flow gave stays.
pub(in crate::connector) fn add(fields: &mut Json, adds: &BTreeMap<String, String>) {
    for (path, value) in adds {
        let mut steps: Vec<&str> = path.split('.').collect();
        let Some(last) = steps.pop() else { continue };
        let mut place = Some(&mut *fields);
        for step in steps {
            place = place.and_then(|place| place.get_mut(step));
        }
        if let Some(Json::Object(object)) = place {
            object.entry(last).or_insert_with(|| Json::String(value.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_lines_and_sub_objects_go_where_afas_wants_them() {
        let fields = json!({
            "DbId": "10001",
            "FbSalesLines": [{"ItCd": "ADV", "QuUn": 2}, {"ItCd": "B"}],
            "KnOrganisation": {"Nm": "Linde", "KnBasicAddressAdr": {"CoId": "NL"}},
            "Unit": 1
        });
        assert_eq!(
            envelope("FbSales", fields).to_string(),
            concat!(
                r#"{"FbSales":{"Element":{"Fields":{"DbId":"10001","Unit":1},"Objects":["#,
                r#"{"FbSalesLines":{"Element":[{"Fields":{"ItCd":"ADV","QuUn":2}},{"Fields":{"ItCd":"B"}}]}},"#,
                r#"{"KnOrganisation":{"Element":{"Fields":{"Nm":"Linde"},"Objects":["#,
                r#"{"KnBasicAddressAdr":{"Element":{"Fields":{"CoId":"NL"}}}}]}}}]}}}"#
            )
        );
    }

    #[test]
    fn an_action_stands_on_its_element() {
        let body = envelope("FbSales", json!({"FbSalesLines": [{"@Action": "insert", "ItCd": "A"}]}));
        let line = &body["FbSales"]["Element"]["Objects"][0]["FbSalesLines"]["Element"][0];
        assert_eq!(line, &json!({"@Action": "insert", "Fields": {"ItCd": "A"}}));
    }

    #[test]
    fn what_an_update_adds_is_added_only_to_what_is_sent() {
        let adds = BTreeMap::from([("KnOrganisation.MatchOga".to_owned(), "9".to_owned())]);
        let mut fields = json!({"PaCd": "14"});
        add(&mut fields, &adds);
        assert_eq!(fields, json!({"PaCd": "14"}));
        let mut fields = json!({"KnOrganisation": {"Nm": "x"}});
        add(&mut fields, &adds);
        assert_eq!(fields, json!({"KnOrganisation": {"Nm": "x", "MatchOga": "9"}}));
    }
}
