//! The schemas and facts of `stdlib/`, built into the binary.
//!
//! Takes nothing, gives the [`Catalog`] of both systems, made once. The lists below are the files of
//! `stdlib/<system>/schema/`; a test compares them.

use std::sync::{Arc, OnceLock};

use super::{Catalog, SchemaError, load};

/// File names with their texts.
type Files = &'static [(&'static str, &'static str)];

macro_rules! embedded {
    ($system:literal: $($entity:literal)*) => {
        &[$((
            concat!($entity, ".schema"),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/", $system, "/schema/", $entity, ".schema")),
        )),*]
    };
}

const AFAS: Files = embedded!("afas":
    "FbDeliveryNote" "FbDirectInvoice" "FbFreeOrder" "FbItemArticle" "FbSales" "FbSalesPrice"
    "FbSalesQuotation" "FbStockMutation" "FbUnitBasicItem" "FiEntries" "FiInvoice" "KnAddress" "KnContact"
    "KnOrganisation" "KnPerson" "KnSalesRelationOrg" "KnSalesRelationPer" "ProfitCountries" "Profit_Accounts"
    "Profit_Address" "Profit_Administrations" "Profit_Article" "Profit_Article_Basic" "Profit_BankAccounts"
    "Profit_Contacts" "Profit_Currency" "Profit_Debtor" "Profit_Debtor_Invoices" "Profit_Deliveryaddress"
    "Profit_Deliverynotes" "Profit_Journals" "Profit_Languages" "Profit_OrgPer" "Profit_SalesPrice"
    "Profit_SalesorderLines" "Profit_Salesorders" "Profit_Stock_per_Warehouse" "Profit_Transactions"
    "Profit_Unit_per_Item" "Profit_VAT_code" "Profit_Warehouses" "Profit_periods_per_administration"
);

const JORTT: Files = embedded!("jortt":
    "bank_accounts" "customers" "estimates" "invoice_labels" "invoice_send_settings"
    "invoice_sendings" "invoices" "labels" "ledger_accounts"
    "organization" "tradenames" "vat_percentages"
);

const AFAS_FACTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/afas/facts.toml"));
const JORTT_FACTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/jortt/facts.toml"));

impl Catalog {
    /// What koppel knows of Jortt and AFAS, made at the first call.
    ///
    /// # Errors
    /// A mistake in the files that were built in.
    pub fn standard() -> Result<&'static Self, SchemaError> {
        static STANDARD: OnceLock<Result<Catalog, SchemaError>> = OnceLock::new();
        STANDARD.get_or_init(load_all).as_ref().map_err(Clone::clone)
    }
}

fn load_all() -> Result<Catalog, SchemaError> {
    let (afas, jortt) =
        rayon::join(|| load::system("afas", AFAS, AFAS_FACTS), || load::system("jortt", JORTT, JORTT_FACTS));
    let systems = [afas?, jortt?].map(|system| (system.name.clone(), Arc::new(system)));
    Ok(Catalog { systems: systems.into() })
}
