//! Filters of a read: `filterfieldids` with its two companions, or `filterjson`.
//!
//! A filter is a list of alternatives, each a list of conditions that all hold. Values are never unescaped: in the plain
//! form a comma or semicolon always separates.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    super::{json::shown, message::Call},
    Outcome, Refusal,
    connector::{Column, Get},
    profit::{Profit, folded},
};

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) column: String,
    pub(super) operator: u8,
    /// As the database compares.
    pub(super) value: String,
}

/// Alternatives of conditions; no alternative at all lets every row through.
pub(super) type Filter = Vec<Vec<Condition>>;

/// `['A_Toev_Huisnr.']` is the column `A_Toev_Huisnr.`.
pub(super) fn bare(name: &str) -> &str {
    let name = name.trim();
    name.strip_prefix("['").and_then(|rest| rest.strip_suffix("']")).unwrap_or(name)
}

/// The column of this name.
pub(super) fn column<'a>(get: &'a Get, name: &str) -> Outcome<&'a Column> {
    let name = bare(name);
    get.columns()
        .iter()
        .find(|column| column.name == name)
        .ok_or_else(|| Refusal::general(format!("Connector field '{name}' not found")))
}

/// Moments are compared in one form: without the `Z`, a day as its midnight.
fn moment(text: &str) -> String {
    let text = text.strip_suffix(['z', 'Z']).unwrap_or(text);
    let day = text.len() == 10 && super::super::clock::date(text).is_some();
    if day { format!("{text}t00:00:00") } else { text.to_owned() }
}

fn is_moment(text: &str) -> bool {
    super::super::clock::date(text).is_some()
        && (text.len() == 10 || text.as_bytes().get(10).is_some_and(|byte| *byte == b't'))
}

fn condition(get: &Get, name: &str, operator: &str, value: &str) -> Outcome<Condition> {
    let column = column(get, name)?;
    let operator = if operator.trim().is_empty() { "1" } else { operator.trim() };
    let operator = operator
        .parse::<u8>()
        .ok()
        .filter(|operator| (1..=15).contains(operator))
        .ok_or_else(|| Refusal::general(format!("Operator type '{operator}' is not valid")))?;
    let value = match column.kind.as_str() {
        "integer" | "number" => {
            let number = super::super::json::decimal(&Value::String(value.to_owned()));
            number.map_or_else(|| value.trim().to_lowercase(), |number| number.normalize().to_string())
        }
        "boolean" => match value.trim().to_lowercase().as_str() {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            other => other.to_owned(),
        },
        _ => value.trim_end().to_lowercase(),
    };
    Ok(Condition { column: column.name.clone(), operator, value })
}

/// Splits at `,` and `;` and tells which stood where.
fn split(text: &str) -> (Vec<&str>, Vec<char>) {
    (text.split([',', ';']).collect(), text.chars().filter(|letter| [',', ';'].contains(letter)).collect())
}

fn plain(get: &Get, fields: &str, values: &str, operators: &str) -> Outcome<Filter> {
    let (names, separators) = split(fields);
    let (values, between_values) = split(values);
    let (operators, between_operators) = split(operators);
    let default = operators == [""];
    if values.len() != names.len()
        || between_values != separators
        || !(default || (operators.len() == names.len() && between_operators == separators))
    {
        return Err(Refusal::general("The number of filter fields, filter values and operator types is not the same."));
    }
    let mut filter: Filter = vec![Vec::new()];
    for (place, (name, value)) in names.iter().zip(&values).enumerate() {
        if place > 0 && separators.get(place - 1) == Some(&';') {
            filter.push(Vec::new());
        }
        let operator = operators.get(place).copied().unwrap_or("");
        if let Some(all) = filter.last_mut() {
            all.push(condition(get, name, operator, value)?);
        }
    }
    Ok(filter)
}

/// One or many, as a list.
fn many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

fn json(get: &Get, text: &str) -> Outcome<Filter> {
    let wrong = || Refusal::general("The filter is not a valid filterjson.");
    let read: Value = serde_json::from_str(text).map_err(|_| wrong())?;
    let filters = read.get("Filters").ok_or_else(wrong)?;
    let mut filter = Filter::new();
    for one in many(filters.get("Filter")) {
        let mut all = Vec::new();
        for field in many(one.get("Field")) {
            let part = |name: &str| field.get(name).map(shown).unwrap_or_default();
            if field.get("@FieldId").is_none() {
                return Err(wrong());
            }
            all.push(condition(get, &part("@FieldId"), &part("@OperatorType"), &part("#text"))?);
        }
        filter.push(all);
    }
    Ok(filter)
}

/// The filter of a call.
pub(super) fn of(get: &Get, call: &Call) -> Outcome<Filter> {
    let part = |name: &str| call.parameter(name).unwrap_or_default();
    let (fields, filterjson) = (part("filterfieldids"), part("filterjson"));
    if !filterjson.trim().is_empty() {
        return json(get, &filterjson);
    }
    if fields.trim().is_empty() {
        return Ok(Filter::new());
    }
    plain(get, &fields, &part("filtervalues"), &part("operatortypes"))
}

/// Orders two folded values: as numbers or moments where both are, else as texts.
fn ordered(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<rust_decimal::Decimal>(), right.parse::<rust_decimal::Decimal>()) {
        return left.cmp(&right);
    }
    if is_moment(left) && is_moment(right) {
        return moment(left).cmp(&moment(right));
    }
    left.cmp(right)
}

impl Condition {
    /// The places of the rows that may fit, where they can be found by their very value, or its beginning; none where
    /// all rows must be looked at. Moments have several forms.
    pub(super) fn near(&self, profit: &Profit, table: &str) -> Option<Vec<usize>> {
        match self.operator {
            1 if !is_moment(&self.value) => {
                Some(profit.places(table, &self.column, &Value::String(self.value.clone())))
            }
            10 => Some(profit.places_from(table, &self.column, &self.value)),
            _ => None,
        }
    }

    /// Does a value of this column fit?
    pub(super) fn fits(&self, value: &Value) -> bool {
        let there = folded(value);
        let wanted = self.value.as_str();
        let order = || ordered(&there, wanted);
        match self.operator {
            1 => order() == Ordering::Equal,
            2 => !there.is_empty() && order() != Ordering::Less,
            3 => !there.is_empty() && order() != Ordering::Greater,
            4 => !there.is_empty() && order() == Ordering::Greater,
            5 => !there.is_empty() && order() == Ordering::Less,
            6 | 15 => there.contains(wanted),
            7 => order() != Ordering::Equal,
            8 => there.is_empty(),
            9 => !there.is_empty(),
            10 => there.starts_with(wanted),
            11 => !there.contains(wanted),
            12 => !there.starts_with(wanted),
            13 => there.ends_with(wanted),
            14 => !there.ends_with(wanted),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::connector::get_named, *};

    fn fits(operator: &str, value: &str, there: &Value) -> bool {
        let get = get_named("Profit_Debtor").unwrap();
        condition(get, "Email", operator, value).unwrap().fits(there)
    }

    #[test]
    fn each_operator_means_what_afas_says() {
        let there = json!("Info@Bakkerij.example");
        let yes = [("1", "info@bakkerij.EXAMPLE  "), ("2", "a"), ("3", "z"), ("4", "a"), ("5", "z"), ("6", "bakker")];
        let more = [
            ("7", "q"),
            ("9", "\"\""),
            ("10", "info"),
            ("11", "q"),
            ("12", "q"),
            ("13", ".example"),
            ("14", "q"),
            ("15", "kerij"),
        ];
        for (operator, value) in yes.iter().chain(&more) {
            assert!(fits(operator, value, &there), "{operator} {value}");
        }
        for (operator, value) in [("8", ""), ("7", "info@bakkerij.example"), ("10", "q"), ("13", "q")] {
            assert!(!fits(operator, value, &there), "{operator} {value}");
        }
        assert!(fits("8", "x", &Value::Null));
    }

    #[test]
    fn times_are_compared_with_and_without_their_z() {
        let get = get_named("Profit_Debtor").unwrap();
        let since = condition(get, "ModifiedDate", "2", "2026-03-14T10:00:00").unwrap();
        assert!(since.fits(&json!("2026-03-14T10:00:00Z")));
        assert!(!since.fits(&json!("2026-03-14T09:59:59Z")));
        let day = condition(get, "ModifiedDate", "2", "2026-03-14").unwrap();
        assert!(day.fits(&json!("2026-03-14T00:00:00Z")));
    }

    #[test]
    fn a_comma_in_a_value_is_a_separator_all_the_same() {
        let get = get_named("Profit_Debtor").unwrap();
        assert!(plain(get, "DebtorName", "Jansen, Zn", "1").is_err());
        let filter = plain(get, "DebtorId,Email;Email", "1,a@b.nl;c@d.nl", "1,1;1").unwrap();
        assert_eq!(filter.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn an_unknown_field_is_named() {
        let get = get_named("Profit_Debtor").unwrap();
        let refusal = plain(get, "Emial", "a", "1").unwrap_err();
        assert_eq!(refusal, Refusal::general("Connector field 'Emial' not found"));
    }
}
