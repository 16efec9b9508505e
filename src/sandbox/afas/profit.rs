//! What AFAS keeps: one table for each GetConnector, and tables of its own (their names begin with a dot) for what no
//! connector shows.
//!
//! Changes go through `insert`, `change` and `take_out`, which remember how to undo them: a body that is refused half-way
//! leaves nothing behind.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
};

use serde_json::{Value, json};

use super::{
    super::{
        clock,
        effects::Effects,
        json::{Fields, decimal, shown, text},
    },
    Outcome, connector,
};

/// The columns that tell rows apart, for rows that a test puts in.
const KEYS: &[(&str, &[&str])] = &[
    ("ProfitCountries", &["CoId"]),
    ("Profit_Accounts", &["Account"]),
    ("Profit_Address", &["AddressId"]),
    ("Profit_Administrations", &["AdminId"]),
    ("Profit_Article", &["ItemCode"]),
    ("Profit_Article_Basic", &["ItemCode"]),
    ("Profit_BankAccounts", &["BcCo", "IBAN"]),
    ("Profit_Contacts", &["ContactId"]),
    ("Profit_Currency", &["CurrencyId"]),
    ("Profit_Debtor", &["DebtorId"]),
    ("Profit_Debtor_Invoices", &["UnitId", "InvoiceNr"]),
    ("Profit_Deliveryaddress", &["Adres_ID"]),
    ("Profit_Deliverynotes", &["Pakbonnummer"]),
    ("Profit_Journals", &["UnitId", "JournalId"]),
    ("Profit_Languages", &["Taalcode"]),
    ("Profit_OrgPer", &["BcCo"]),
    ("Profit_SalesPrice", &["Debtor", "Item", "Date"]),
    ("Profit_SalesorderLines", &["OrderNumber", "SeqNo"]),
    ("Profit_Salesorders", &["OrderNumber"]),
    ("Profit_Stock_per_Warehouse", &["Item_code"]),
    ("Profit_Transactions", &["UnitId", "EntryNo", "SeqNo"]),
    ("Profit_Unit_per_Item", &["ItemType", "ItemCode", "UnitId"]),
    ("Profit_VAT_code", &["VatCode"]),
    ("Profit_Warehouses", &["Warehouse"]),
    ("Profit_periods_per_administration", &["Unit", "Year", "Period"]),
];

/// Columns that tell when a row was made or changed.
const STAMPS: &[&str] =
    &["CreateDate", "ModifiedDate", "Created", "Modified", "DateModified", "Gewijzigd_op", "Gewijzigd_op_2"];

/// How the database compares texts: upper and lower case alike, trailing spaces ignored; numbers by value.
pub(super) fn folded(value: &Value) -> String {
    match value {
        Value::Number(_) => decimal(value).map_or_else(|| value.to_string(), |number| number.normalize().to_string()),
        other => shown(other).trim_end().to_lowercase(),
    }
}

#[derive(Debug, Default)]
struct Table {
    rows: Vec<Fields>,
    /// For each column that was asked for: the rows of each value.
    places: RefCell<HashMap<String, BTreeMap<String, Vec<usize>>>>,
}

impl Table {
    fn places(&self, column: &str, value: &str) -> Vec<usize> {
        self.index(column, |of| of.get(value).cloned().unwrap_or_default())
    }

    /// The rows whose value begins so.
    fn places_from(&self, column: &str, start: &str) -> Vec<usize> {
        self.index(column, |of| {
            let from = of.range(start.to_owned()..).take_while(|(value, _)| value.starts_with(start));
            from.flat_map(|(_, places)| places).copied().collect()
        })
    }

    fn index<T>(&self, column: &str, look: impl FnOnce(&BTreeMap<String, Vec<usize>>) -> T) -> T {
        let mut places = self.places.borrow_mut();
        if !places.contains_key(column) {
            let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for (place, row) in self.rows.iter().enumerate() {
                of.entry(row.get(column).map(folded).unwrap_or_default()).or_default().push(place);
            }
            places.insert(column.to_owned(), of);
        }
        look(places.entry(column.to_owned()).or_default())
    }

    fn push(&mut self, row: Fields) {
        for (column, of) in self.places.get_mut() {
            of.entry(row.get(column).map(folded).unwrap_or_default()).or_default().push(self.rows.len());
        }
        self.rows.push(row);
    }

    /// The row at a place holds other values now.
    fn replace_places(&mut self, place: usize, before: &Fields, after: &Fields) {
        for (column, of) in self.places.get_mut() {
            let folded = |row: &Fields| row.get(column).map(folded).unwrap_or_default();
            let (old, new) = (folded(before), folded(after));
            if old != new {
                if let Some(places) = of.get_mut(&old) {
                    places.retain(|other| *other != place);
                }
                let places = of.entry(new).or_default();
                places.insert(places.partition_point(|other| *other < place), place);
            }
        }
    }

    fn forget_places(&mut self) {
        self.places.get_mut().clear();
    }
}

#[derive(Debug)]
enum Undo {
    Insert(String),
    Change(String, usize, Fields),
    TakeOut(String, usize, Fields),
}

/// AFAS's data.
#[derive(Debug)]
pub(in super::super) struct Profit {
    tables: BTreeMap<String, Table>,
    undo: Vec<Undo>,
    numbers: HashMap<&'static str, u64>,
    pub(super) effects: Effects,
    /// Counts entries, whose answers take turns in three forms.
    pub(super) answers: usize,
}

impl Profit {
    /// Empty tables.
    pub(in super::super) fn new() -> Self {
        let names = connector::UPDATES.iter().map(|update| update.name.to_owned());
        Self {
            tables: connector::GETS.iter().map(|get| (get.name.to_owned(), Table::default())).collect(),
            undo: Vec::new(),
            numbers: HashMap::new(),
            effects: Effects::of(names),
            answers: 0,
        }
    }

    /// All rows of a table.
    pub(super) fn rows(&self, table: &str) -> &[Fields] {
        self.tables.get(table).map_or(&[], |table| &table.rows)
    }

    /// The places of the rows whose column has this value, as the database compares.
    pub(super) fn places(&self, table: &str, column: &str, value: &Value) -> Vec<usize> {
        self.tables.get(table).map(|table| table.places(column, &folded(value))).unwrap_or_default()
    }

    /// The places of the rows whose column begins with this, as the database compares.
    pub(super) fn places_from(&self, table: &str, column: &str, start: &str) -> Vec<usize> {
        self.tables.get(table).map(|table| table.places_from(column, start)).unwrap_or_default()
    }

    /// The first row whose column has this value.
    pub(in crate::sandbox) fn find(&self, table: &str, column: &str, value: &str) -> Option<&Fields> {
        self.place(table, column, value).and_then(|place| self.rows(table).get(place))
    }

    /// The place of the first row whose column has this value; an empty value is never found.
    pub(super) fn place(&self, table: &str, column: &str, value: &str) -> Option<usize> {
        let value = value.trim_end();
        if value.is_empty() {
            return None;
        }
        self.tables.get(table)?.places(column, &value.to_lowercase()).first().copied()
    }

    /// Adds a row.
    pub(in super::super) fn insert(&mut self, table: &str, row: Fields) {
        self.tables.entry(table.to_owned()).or_default().push(row);
        self.undo.push(Undo::Insert(table.to_owned()));
    }

    /// Changes the row at a place.
    pub(super) fn change(&mut self, table: &str, place: usize, change: impl FnOnce(&mut Fields)) {
        let Some(kept) = self.tables.get_mut(table) else { return };
        let Some(row) = kept.rows.get_mut(place) else { return };
        let before = row.clone();
        change(row);
        let after = row.clone();
        kept.replace_places(place, &before, &after);
        self.undo.push(Undo::Change(table.to_owned(), place, before));
    }

    /// Takes away all rows that fit.
    pub(super) fn take_out(&mut self, table: &str, fits: impl Fn(&Fields) -> bool) {
        let Some(kept) = self.tables.get_mut(table) else { return };
        while let Some(place) = kept.rows.iter().position(&fits) {
            let row = kept.rows.remove(place);
            self.undo.push(Undo::TakeOut(table.to_owned(), place, row));
        }
        kept.forget_places();
    }

    /// Does the work of one body: all of it, or nothing when it is refused. Numbers that were given out stay given out.
    pub(super) fn in_one<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.undo.clear();
        let outcome = work(self);
        if outcome.is_err() {
            while let Some(step) = self.undo.pop() {
                let (Undo::Insert(name) | Undo::Change(name, ..) | Undo::TakeOut(name, ..)) = &step;
                let Some(table) = self.tables.get_mut(name) else { continue };
                match step {
                    Undo::Insert(_) => {
                        table.rows.pop();
                    }
                    Undo::Change(_, place, row) => {
                        if let Some(changed) = table.rows.get_mut(place) {
                            *changed = row;
                        }
                    }
                    Undo::TakeOut(_, place, row) => table.rows.insert(place, row),
                }
                table.forget_places();
            }
        }
        self.undo.clear();
        outcome
    }

    /// The next free number of a series that starts somewhere: none that stands in this column already.
    pub(super) fn next(&mut self, series: &'static str, start: u64, taken: (&str, &str)) -> u64 {
        loop {
            let last = self.numbers.entry(series).or_insert(start);
            let number = *last;
            *last += 1;
            if self.place(taken.0, taken.1, &number.to_string()).is_none() {
                return number;
            }
        }
    }

    /// Adds rows that a test puts in, or lays them over those with the same key.
    pub(super) fn put_rows(&mut self, lists: Fields) {
        let now = json!(clock::with_false_z(&clock::now()));
        for (name, list) in lists {
            let Some(get) = connector::get_named(&name) else { continue };
            let Value::Array(records) = list else { continue };
            for record in records {
                let Value::Object(mut row) = record else { continue };
                for stamp in STAMPS {
                    if get.columns().iter().any(|column| column.name == *stamp) {
                        row.entry(*stamp).or_insert_with(|| now.clone());
                    }
                }
                let keys = keys(get.name);
                let same = |place: &usize| {
                    let old = self.rows(get.name).get(*place);
                    keys.iter().all(|key| old.and_then(|old| old.get(*key)).map(folded) == row.get(*key).map(folded))
                };
                let first = keys.first().and_then(|key| Some((*key, row.get(*key)?)));
                let near = first.map(|(key, value)| self.places(get.name, key, value)).unwrap_or_default();
                match near.into_iter().find(same) {
                    Some(place) => self.change(get.name, place, |old| old.extend(row)),
                    None => self.insert(get.name, row),
                }
            }
        }
        self.seal();
    }

    /// Gives every row the same stamps, so that the same seed gives the same rows on every day.
    pub(in super::super) fn stamp(&mut self, moment: &str) {
        for table in self.tables.values_mut() {
            for row in &mut table.rows {
                for stamp in STAMPS {
                    if let Some(value) = row.get_mut(*stamp) {
                        *value = json!(moment);
                    }
                }
            }
            table.forget_places();
        }
    }

    /// What is there now is no effect, but a second one is a duplicate.
    pub(in super::super) fn seal(&mut self) {
        self.undo.clear();
        let debtors = self.rows("Profit_Debtor").iter().flat_map(|row| {
            let marks = super::relation::marks(text(row, "Email"), text(row, "ChOfCommNr"));
            marks.into_iter().map(|mark| (mark, text(row, "DebtorId").to_owned()))
        });
        let orders = self.rows("Profit_Salesorders").iter().flat_map(|row| {
            let mark = super::document::mark("FbSales", "RfCs", text(row, "CustomerReference"));
            mark.into_iter().map(|mark| (mark, text(row, "OrderNumber").to_owned()))
        });
        let marks: Vec<_> = debtors.chain(orders).collect();
        for (mark, key) in marks {
            self.effects.known(mark, &key);
        }
    }
}

fn keys(name: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(table, _)| *table == name).map_or(&[], |(_, keys)| keys)
}

/// Can these rows be put? The error is a sentence.
pub(in super::super) fn check_rows(lists: &Fields) -> Result<(), String> {
    for (name, list) in lists {
        let get = connector::get_named(name)
            .ok_or_else(|| format!("AFAS has no GetConnector `{name}` here: rows are put under the name of one"))?;
        let Value::Array(records) = list else { return Err(format!("`afas.{name}` must be a list of rows")) };
        for (place, record) in records.iter().enumerate() {
            let Value::Object(row) = record else { return Err(format!("`afas.{name}[{place}]` must be an object")) };
            if let Some(other) = row.keys().find(|key| !get.columns().iter().any(|column| column.name == **key)) {
                return Err(format!("`{other}` in `afas.{name}[{place}]` is no column of {}", get.name));
            }
            if let Some(key) = keys(get.name).iter().find(|key| row.get(**key).is_none_or(Value::is_null)) {
                return Err(format!("`afas.{name}[{place}]` needs `{key}`, which is its key"));
            }
        }
    }
    Ok(())
}
