//! Where "required" of the vendor's files is wrong in practice: one row for each, with its reason.

/// What is true of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    Needed,
    NotNeeded,
}

/// One correction. It holds wherever the object stands.
#[derive(Debug)]
pub(super) struct Correction {
    /// `POST`, `PUT`, or `*` for both.
    pub(super) verb: &'static str,
    pub(super) object: &'static str,
    pub(super) field: &'static str,
    pub(super) truth: Truth,
    #[expect(dead_code, reason = "the reason is for the reader of the table")]
    reason: &'static str,
}

const fn row(
    verb: &'static str,
    object: &'static str,
    field: &'static str,
    truth: Truth,
    reason: &'static str,
) -> Correction {
    Correction { verb, object, field, truth, reason }
}

use Truth::{Needed, NotNeeded};

/// All corrections.
pub(super) const CORRECTIONS: &[Correction] = &[
    row("*", "KnOrganisation", "BcCo", NotNeeded, "numbered by AutoNum"),
    row("*", "KnPerson", "BcCo", NotNeeded, "numbered by AutoNum"),
    row("*", "KnOrganisation", "BcId", NotNeeded, "internal, never sent; a PUT goes by MatchOga 0 with BcCo, or 9"),
    row("*", "KnPerson", "BcId", NotNeeded, "internal, never sent; a PUT goes by MatchPer 0 with BcCo, or 9"),
    row("POST", "KnSalesRelationOrg", "CdDa", NotNeeded, "a preferred delivery address is no must"),
    row("POST", "KnSalesRelationPer", "CdDa", NotNeeded, "a preferred delivery address is no must"),
    row("*", "KnPerson", "AddToPortal", NotNeeded, "a portal is no must"),
    row("POST", "KnBasicAddressAdr", "BeginDate", NotNeeded, "ignored for a first address"),
    row("POST", "KnBasicAddressPad", "BeginDate", NotNeeded, "ignored for a first address"),
    row("PUT", "KnBasicAddressAdr", "BeginDate", Needed, "the start of a change"),
    row("PUT", "KnBasicAddressPad", "BeginDate", Needed, "the start of a change"),
    row("POST", "FiEntries", "EnNo", NotNeeded, "AFAS gives it"),
    row("POST", "FbSalesLines", "BiUn", NotNeeded, "not on text lines; on others the rule of the document asks for it"),
    row("POST", "FbSalesQuotationLines", "BiUn", NotNeeded, "as above"),
    row("POST", "FbDeliveryNoteLines", "BiUn", NotNeeded, "as above"),
    row("POST", "FbDirectInvoiceLines", "BiUn", NotNeeded, "as above"),
    row("POST", "FbDeliveryNote", "DbId", NotNeeded, "not when SoOr is given; else the rule of the note asks for it"),
    row("POST", "FbStockMutation", "Qu", NotNeeded, "AFAS works it out of QuUn"),
    row("PUT", "KnContact", "CdId", NotNeeded, "BcCoOga with BcCoPer find it too"),
    row("POST", "FbItemArticle", "VaRc", Needed, "an article without a rate group cannot be sold"),
    row("POST", "KnPerson", "LaNm", Needed, "a person has a name"),
    row("POST", "FbSales", "Unit", Needed, "left out, AFAS takes the last one that the user worked in"),
    row("POST", "FbSalesQuotation", "Unit", Needed, "as above"),
    row("POST", "FbDeliveryNote", "Unit", Needed, "as above"),
    row("POST", "FbDirectInvoice", "Unit", Needed, "as above"),
    row("POST", "FiEntryPar", "UnId", Needed, "as above"),
];
