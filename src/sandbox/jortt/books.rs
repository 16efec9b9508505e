//! What Jortt keeps: customers, invoices, estimates, labels and the organisation.
//!
//! Records are kept in the form of the newest read (invoices v2, customers v1); lists come out in Jortt's order.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::super::{
    clock,
    effects::{Effects, Mark},
    json::{Fields, filled, text},
};

/// Jortt's data.
#[derive(Debug, Default)]
pub(in super::super) struct Books {
    pub(in super::super) organisation: Fields,
    pub(in super::super) tradenames: Vec<Value>,
    pub(in super::super) labels: Vec<Value>,
    pub(in super::super) ledger_accounts: Vec<Value>,
    pub(in super::super) estimates: Vec<Fields>,
    customers: HashMap<String, Fields>,
    /// Customers by name, as the list shows them.
    names: BTreeSet<(String, String)>,
    /// Oldest first.
    invoices: Vec<Fields>,
    places: HashMap<String, usize>,
    last_numbers: HashMap<String, u32>,
    /// From the answer that an invoice will be sent until it is.
    pub(in super::super) sending: Duration,
    /// What will be sent: when, which invoice, by which method.
    scheduled: Vec<(Instant, String, String)>,
    pub(super) effects: Effects,
}

impl Books {
    /// Books with an organisation and nothing else.
    pub(in super::super) fn new(organisation: Fields) -> Self {
        let effects = Effects::of(["invoices", "customers", "labels", "invoice_sendings"].map(str::to_owned));
        Self { organisation, effects, ..Self::default() }
    }

    // ---- customers

    pub(super) fn customer(&self, id: &str) -> Option<&Fields> {
        self.customers.get(id)
    }

    /// All customers, by name.
    pub(super) fn customers(&self) -> impl Iterator<Item = &Fields> {
        self.names.iter().filter_map(|(_, id)| self.customers.get(id))
    }

    /// Adds a customer or takes the place of the one with this id.
    pub(in super::super) fn put_customer(&mut self, customer: Fields) {
        let id = text(&customer, "id").to_owned();
        self.remove_customer(&id);
        self.names.insert((text(&customer, "customer_name").to_lowercase(), id.clone()));
        self.customers.insert(id, customer);
    }

    pub(in super::super) fn remove_customer(&mut self, id: &str) {
        if let Some(old) = self.customers.remove(id) {
            self.names.remove(&(text(&old, "customer_name").to_lowercase(), id.to_owned()));
        }
    }

    // ---- invoices

    pub(super) fn invoice(&self, id: &str) -> Option<&Fields> {
        self.places.get(id).and_then(|place| self.invoices.get(*place))
    }

    pub(super) fn invoice_mut(&mut self, id: &str) -> Option<&mut Fields> {
        self.places.get(id).and_then(|place| self.invoices.get_mut(*place))
    }

    /// All invoices, newest first.
    pub(in crate::sandbox) fn invoices(&self) -> impl Iterator<Item = &Fields> {
        self.invoices.iter().rev()
    }

    /// Adds an invoice or takes the place of the one with this id.
    pub(in super::super) fn put_invoice(&mut self, invoice: Fields) {
        self.note_number(text(&invoice, "invoice_number"));
        let id = text(&invoice, "id").to_owned();
        if let Some(old) = self.invoice_mut(&id) {
            *old = invoice;
        } else {
            self.places.insert(id, self.invoices.len());
            self.invoices.push(invoice);
        }
    }

    /// Puts the invoices in the order of their moments again, after older ones were added.
    pub(in super::super) fn sort_invoices(&mut self) {
        self.invoices
            .sort_by_cached_key(|invoice| text(invoice, "created_at").parse::<jiff::Timestamp>().unwrap_or_default());
        self.place_all();
    }

    pub(super) fn remove_invoice(&mut self, id: &str) {
        self.invoices.retain(|invoice| text(invoice, "id") != id);
        self.place_all();
    }

    fn place_all(&mut self) {
        self.places =
            self.invoices.iter().enumerate().map(|(place, invoice)| (text(invoice, "id").to_owned(), place)).collect();
    }

    /// Numbers count per year of the invoice date: `2026-0001`.
    pub(super) fn next_number(&self, date: &str) -> String {
        let year = date.get(..4).unwrap_or("0000");
        format!("{year}-{:04}", self.last_numbers.get(year).copied().unwrap_or(0) + 1)
    }

    fn note_number(&mut self, number: &str) {
        if let Some((year, count)) = number.split_once('-')
            && let Ok(count) = count.parse::<u32>()
        {
            let last = self.last_numbers.entry(year.to_owned()).or_default();
            *last = count.max(*last);
        }
    }

    /// An invoice will be sent; two sendings of one invoice are duplicates.
    pub(super) fn schedule(&mut self, id: &str, method: &str) {
        self.scheduled.push((Instant::now() + self.sending, id.to_owned(), method.to_owned()));
        let mark = Mark { family: "sending", by: "invoice", value: id.to_owned() };
        self.effects.created("invoice_sendings", id, vec![mark]);
    }

    /// Sends what is due.
    pub(super) fn send_scheduled(&mut self) {
        let now = Instant::now();
        let due: Vec<_> = self.scheduled.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, id, method) in due {
            if self.invoice(&id).is_some_and(|invoice| text(invoice, "invoice_status") == "draft") {
                self.send_invoice(&id, &method);
            }
        }
    }

    /// Sends an invoice: it gets its number and is frozen.
    pub(super) fn send_invoice(&mut self, id: &str, method: &str) {
        let Some(date) = self.invoice(id).map(|invoice| text(invoice, "invoice_date").to_owned()) else { return };
        let number = self.next_number(&date);
        self.note_number(&number);
        if let Some(invoice) = self.invoice_mut(id) {
            let due = invoice.get("invoice_total_incl_vat").cloned().unwrap_or_default();
            invoice.insert("invoice_status".to_owned(), json!("sent"));
            invoice.insert("invoice_number".to_owned(), json!(number));
            invoice.insert("invoice_date_sent".to_owned(), json!(clock::today().to_string()));
            invoice.insert("invoice_due_amount".to_owned(), due);
            invoice.insert("send_method".to_owned(), json!(method));
        }
    }

    // ---- what was created

    /// Counts a new invoice; two with one reference are duplicates.
    pub(super) fn count_invoice(&mut self, id: &str) {
        let marks = self
            .invoice(id)
            .filter(|invoice| filled(invoice, "credited_invoice_id").is_none())
            .and_then(|invoice| filled(invoice, "reference"))
            .map(|reference| Mark { family: "invoice", by: "reference", value: reference.to_owned() });
        self.effects.created("invoices", id, marks.into_iter().collect());
    }

    /// Counts a new customer; two with one e-mail or one reference are duplicates.
    pub(super) fn count_customer(&mut self, id: &str) {
        let marks = self.customer(id).map(customer_marks).unwrap_or_default();
        self.effects.created("customers", id, marks);
    }

    /// What is there now is no effect, but a second one is a duplicate.
    pub(in super::super) fn seal(&mut self) {
        for (id, customer) in &self.customers {
            for mark in customer_marks(customer) {
                self.effects.known(mark, id);
            }
        }
    }
}

fn customer_marks(customer: &Fields) -> Vec<Mark> {
    let email = filled(customer, "email").map(|email| ("e-mail", email.trim().to_lowercase()));
    let reference = filled(customer, "reference").map(|reference| ("reference", reference.to_owned()));
    [email, reference].into_iter().flatten().map(|(by, value)| Mark { family: "customer", by, value }).collect()
}
