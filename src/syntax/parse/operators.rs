//! Precedence: the flat list of operands and operators of an expression becomes a tree of them.
//!
//! Takes the pairs of an `expr`, gives a [`Node`]; building the syntax tree from it is the next step.

use std::sync::LazyLock;

use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::Pair;
use crate::syntax::grammar::{Rule, is_quiet};

/// An expression as a tree of pairs.
#[derive(Debug)]
pub(super) enum Node<'i> {
    /// An operand.
    Operand(Pair<'i>),
    /// `not x`, `-x`
    Before(Pair<'i>, Box<Node<'i>>),
    /// `x!`
    Behind(Box<Node<'i>>, Pair<'i>),
    /// `a op b`
    Between(Box<Node<'i>>, Pair<'i>, Box<Node<'i>>),
}

/// Weakest first.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let infix = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(infix(Rule::op_else))
        .op(infix(Rule::op_when))
        .op(infix(Rule::op_or))
        .op(infix(Rule::op_and))
        .op(Op::prefix(Rule::op_not))
        .op(infix(Rule::op_is)
            | infix(Rule::op_is_not)
            | infix(Rule::op_in)
            | infix(Rule::op_not_in)
            | infix(Rule::op_lt)
            | infix(Rule::op_le)
            | infix(Rule::op_gt)
            | infix(Rule::op_ge))
        .op(infix(Rule::op_default))
        .op(infix(Rule::op_add) | infix(Rule::op_sub))
        .op(infix(Rule::op_mul) | infix(Rule::op_div))
        .op(Op::prefix(Rule::op_neg))
        .op(Op::postfix(Rule::must))
});

/// The tree of an `expr` or `source`; none when there is nothing in it.
pub(super) fn tree(pair: Pair<'_>) -> Option<Node<'_>> {
    // Remarks may stand between the lines of an expression.
    let mut inner = pair.into_inner().filter(|pair| !is_quiet(pair.as_rule())).peekable();
    inner.peek()?;
    let node = PRECEDENCE
        .map_primary(Node::Operand)
        .map_prefix(|operator, node| Node::Before(operator, Box::new(node)))
        .map_postfix(|node, operator| Node::Behind(Box::new(node), operator))
        .map_infix(|left, operator, right| Node::Between(Box::new(left), operator, Box::new(right)))
        .parse(inner);
    Some(node)
}
