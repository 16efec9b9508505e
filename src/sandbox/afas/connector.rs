//! The connectors that this AFAS has: one entry for each of the vendor's own files, read when it is first asked for.

use std::sync::OnceLock;

use serde_json::Value;

/// A column of a GetConnector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// `string`, `integer`, `number` or `boolean`.
    pub(super) kind: String,
    pub(super) label: String,
}

/// A GetConnector.
#[derive(Debug)]
pub(super) struct Get {
    pub(super) name: &'static str,
    file: &'static str,
    columns: OnceLock<Vec<Column>>,
}

/// An UpdateConnector.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) name: &'static str,
    file: &'static str,
    schemas: OnceLock<Value>,
}

const fn get(name: &'static str, file: &'static str) -> Get {
    Get { name, file, columns: OnceLock::new() }
}

const fn update(name: &'static str, file: &'static str) -> Update {
    Update { name, file, schemas: OnceLock::new() }
}

impl Get {
    /// The columns, in the vendor's order.
    pub(super) fn columns(&self) -> &[Column] {
        self.columns.get_or_init(|| {
            let file: Value = serde_json::from_str(self.file).unwrap_or_default();
            let listed = file.pointer("/properties/rows/items/properties").and_then(Value::as_object);
            let part = |field: &Value, name: &str| field.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
            listed
                .into_iter()
                .flatten()
                .map(|(name, field)| Column {
                    name: name.clone(),
                    kind: part(field, "type"),
                    label: part(field, "description"),
                })
                .collect()
        })
    }
}

impl Update {
    /// The root object, which is the connector's name but for one.
    pub(super) fn root(&self) -> &'static str {
        if self.name == "FiEntries" { "FiEntryPar" } else { self.name }
    }

    /// The vendor's schema of the bodies of a verb, if the connector has that verb.
    pub(super) fn schema(&self, verb: &str) -> Option<&Value> {
        self.schemas
            .get_or_init(|| serde_json::from_str(self.file).unwrap_or_default())
            .get(format!("{}_{verb}", self.name))
    }
}

/// The GetConnector of this name, upper and lower case alike.
pub(super) fn get_named(name: &str) -> Option<&'static Get> {
    GETS.iter().find(|get| get.name.eq_ignore_ascii_case(name))
}

/// The UpdateConnector of this name, upper and lower case alike.
pub(super) fn update_named(name: &str) -> Option<&'static Update> {
    UPDATES.iter().find(|update| update.name.eq_ignore_ascii_case(name))
}

macro_rules! vendor {
    ($kind:literal, $name:literal) => {
        include_str!(concat!("../../../stdlib/afas/vendor/", $kind, ".", $name, ".json"))
    };
}

/// All reads.
pub(super) static GETS: [Get; 25] = [
    get("ProfitCountries", vendor!("get", "ProfitCountries")),
    get("Profit_Accounts", vendor!("get", "Profit_Accounts")),
    get("Profit_Address", vendor!("get", "Profit_Address")),
    get("Profit_Administrations", vendor!("get", "Profit_Administrations")),
    get("Profit_Article", vendor!("get", "Profit_Article")),
    get("Profit_Article_Basic", vendor!("get", "Profit_Article_Basic")),
    get("Profit_BankAccounts", vendor!("get", "Profit_BankAccounts")),
    get("Profit_Contacts", vendor!("get", "Profit_Contacts")),
    get("Profit_Currency", vendor!("get", "Profit_Currency")),
    get("Profit_Debtor", vendor!("get", "Profit_Debtor")),
    get("Profit_Debtor_Invoices", vendor!("get", "Profit_Debtor_Invoices")),
    get("Profit_Deliveryaddress", vendor!("get", "Profit_Deliveryaddress")),
    get("Profit_Deliverynotes", vendor!("get", "Profit_Deliverynotes")),
    get("Profit_Journals", vendor!("get", "Profit_Journals")),
    get("Profit_Languages", vendor!("get", "Profit_Languages")),
    get("Profit_OrgPer", vendor!("get", "Profit_OrgPer")),
    get("Profit_SalesPrice", vendor!("get", "Profit_SalesPrice")),
    get("Profit_SalesorderLines", vendor!("get", "Profit_SalesorderLines")),
    get("Profit_Salesorders", vendor!("get", "Profit_Salesorders")),
    get("Profit_Stock_per_Warehouse", vendor!("get", "Profit_Stock_per_Warehouse")),
    get("Profit_Transactions", vendor!("get", "Profit_Transactions")),
    get("Profit_Unit_per_Item", vendor!("get", "Profit_Unit_per_Item")),
    get("Profit_VAT_code", vendor!("get", "Profit_VAT_code")),
    get("Profit_Warehouses", vendor!("get", "Profit_Warehouses")),
    get("Profit_periods_per_administration", vendor!("get", "Profit_periods_per_administration")),
];

/// All writes.
pub(super) static UPDATES: [Update; 17] = [
    update("FbDeliveryNote", vendor!("update", "FbDeliveryNote")),
    update("FbDirectInvoice", vendor!("update", "FbDirectInvoice")),
    update("FbFreeOrder", vendor!("update", "FbFreeOrder")),
    update("FbItemArticle", vendor!("update", "FbItemArticle")),
    update("FbSales", vendor!("update", "FbSales")),
    update("FbSalesPrice", vendor!("update", "FbSalesPrice")),
    update("FbSalesQuotation", vendor!("update", "FbSalesQuotation")),
    update("FbStockMutation", vendor!("update", "FbStockMutation")),
    update("FbUnitBasicItem", vendor!("update", "FbUnitBasicItem")),
    update("FiEntries", vendor!("update", "FiEntries")),
    update("FiInvoice", vendor!("update", "FiInvoice")),
    update("KnAddress", vendor!("update", "KnAddress")),
    update("KnContact", vendor!("update", "KnContact")),
    update("KnOrganisation", vendor!("update", "KnOrganisation")),
    update("KnPerson", vendor!("update", "KnPerson")),
    update("KnSalesRelationOrg", vendor!("update", "KnSalesRelationOrg")),
    update("KnSalesRelationPer", vendor!("update", "KnSalesRelationPer")),
];
