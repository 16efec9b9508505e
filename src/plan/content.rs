//! What belongs to a record although other rows hold it: the rows of a `find all` that hang on its key.
//!
//! Takes a lowered flow, gives the places of those finds. A line of an order that changes is a change of the order,
//! also where the order itself has no mark of it.

use super::{
    code::{Code, Definition, Lowered},
    filter::Template,
};
use crate::{
    check::typed::{Program, Stmt, VarId},
    syntax::tree::FindMode,
};

/// The `find all`s of column 0 that compare a field with the key of the record.
pub(super) fn finds(lowered: &Lowered, program: &Program) -> Vec<VarId> {
    let Some(source) = &program.source else { return Vec::new() };
    let finds = program.body.iter().filter_map(|stmt| match stmt {
        Stmt::Find(find) if find.mode == FindMode::All => Some(find.var),
        _ => None,
    });
    let is_key = |code: &Code| is_key(lowered, code, source.var, &source.key);
    finds
        .filter(|var| match lowered.definition(*var) {
            Definition::Find(find) => hangs_on(&find.search.filter, &is_key),
            _ => false,
        })
        .collect()
}

fn hangs_on(filter: &Template, is_key: &dyn Fn(&Code) -> bool) -> bool {
    match filter {
        Template::Is(_, operand) => is_key(&operand.code),
        Template::And(parts) => parts.iter().any(|part| hangs_on(part, is_key)),
        _ => false,
    }
}

/// A field of the record's key, perhaps by another name.
fn is_key(lowered: &Lowered, code: &Code, record: VarId, key: &[std::sync::Arc<str>]) -> bool {
    match code {
        Code::Field(of, field) => matches!(**of, Code::Slot(var) if var == record) && key.contains(field.name()),
        Code::Slot(var) => match lowered.definition(*var) {
            Definition::Let(code) => is_key(lowered, code, record, key),
            _ => false,
        },
        _ => false,
    }
}
