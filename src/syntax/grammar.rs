//! The grammar `grammar/flow.pest` as a parser.
//!
//! Takes a text, gives pest's pairs; only the files below `syntax` see them.
#![allow(missing_docs, clippy::pedantic)]

use pest_derive::Parser;

/// The parser that pest makes of the grammar.
#[derive(Parser)]
#[grammar = "../grammar/flow.pest"]
pub(super) struct Grammar;

/// Is it a remark, a sign or one of the `kw_…` rules? They stand last in the grammar, and pest orders rules as the grammar does.
pub(super) fn is_quiet(rule: Rule) -> bool {
    rule >= Rule::comment
}
