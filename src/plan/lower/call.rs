//! Calls of functions: the standard ones with patterns compiled and lifting known, those of the flow.

use super::Lowering;
use crate::{
    check::typed::{DefineId, Expr, ExprKind},
    diagnostic::Span,
    function::{Function, Takes},
    plan::code::{Arg, Call, Code, DefineCode, Holds, Operator},
    schema::Kind,
    value::Value,
};

/// Functions whose second argument is a number of decimals.
const ROUNDING: &[&str] = &["round", "round_even", "floor", "ceil"];

impl Lowering<'_> {
    /// A call of a standard function. `round` of a percentage counts in points, which is two places of its fraction.
    pub(super) fn call(&mut self, function: &'static Function, typed: &[Expr], expr: &Expr) -> Code {
        let mut args: Vec<Arg> = typed
            .iter()
            .enumerate()
            .map(|(number, arg)| match &arg.kind {
                ExprKind::Pattern(pattern) => Arg::Pattern(pattern.clone()),
                ExprKind::Columns(columns) => Arg::Columns(columns.clone()),
                _ => {
                    let lifts = function.params.get(number).is_some_and(|param| {
                        !param.optional
                            && !matches!(
                                param.takes,
                                Takes::Anything | Takes::List | Takes::Texts | Takes::Numbers | Takes::Records
                            )
                    });
                    Arg::Value(self.expr(arg), lifts)
                }
            })
            .collect();
        let percent = typed.first().is_some_and(|number| number.ty.kind == Kind::Percent);
        if percent && ROUNDING.contains(&function.name) {
            in_points(&mut args, expr.span);
        }
        let list = Holds::of(&expr.ty).is_list();
        let code = Code::Function(Box::new(Call { function, args, list, span: expr.span }));
        self.folded(code)
    }

    /// Lowers a function when it is first called.
    pub(super) fn define_code(&mut self, id: DefineId) {
        let number = id.0 as usize;
        let program = self.program;
        let Some(define) = program.defines.get(number) else { return };
        if self.lowered.defines.get(number).is_some_and(Option::is_some) {
            return;
        }
        let row = self.row.take();
        let (body, mut own) = self.scope(|low| low.expr(&define.body));
        self.row = row;
        own.extend(&define.params);
        if let Some(place) = self.lowered.defines.get_mut(number) {
            *place = Some(DefineCode { params: define.params.clone(), own, body });
        }
    }
}

/// The places of a percentage as those of its fraction.
fn in_points(args: &mut [Arg], span: Span) {
    let Some(Arg::Value(places, _)) = args.get_mut(1) else { return };
    let points = match std::mem::replace(places, Code::Const(Value::Blank)) {
        Code::Const(Value::Blank) => Code::Const(Value::Int(0)),
        points => points,
    };
    *places = match points {
        Code::Const(Value::Int(points)) => Code::Const(Value::Int(points.saturating_add(2))),
        points => Code::Arithmetic(Operator::Add, Box::new((points, Code::Const(Value::Int(2)))), span),
    };
}
