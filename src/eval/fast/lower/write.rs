//! Lowers writes: what is sent, field by field, and the template that it fills.
//!
//! None for updates, writes in a loop and ensures.

use super::{
    super::{
        code::{Line, Op, Target},
        texts::Texts,
        write::Outline,
    },
    Lowering, Stands,
};
use crate::{
    plan::{
        code::{EachCode, LineCode, WriteCode},
        stands,
    },
    value::Action,
};

impl<'p> Lowering<'_, 'p> {
    pub(super) fn write(&mut self, code: &'p WriteCode) -> Option<Vec<Target<'p>>> {
        if code.action != Action::Create || code.depth > 0 {
            return None;
        }
        let mut targets = Vec::new();
        for target in &code.targets {
            if !(self.is_bare)(&target.name) {
                return None;
            }
            let facts = target.entity.write.as_ref()?;
            let object = facts.create.as_ref()?;
            let [name, entity, root] =
                [&*code.name, &target.name.to_string(), &*facts.root].map(serde_json::Value::from);
            let head =
                format!("{{\"name\":{name},\"action\":\"create\",\"entity\":{entity},\"body\":{{{root}:{{\"Element\":");
            let when = self.when(target.when.as_ref())?;
            let mut outline = Outline::new(object)?;
            let lines = self.lines(&target.lines, &mut outline)?;
            let (element, width) = outline.done()?;
            targets.push(Target { when, head, lines, width, element });
        }
        self.names.insert(code.var, Stands::Unknown);
        Some(targets)
    }

    pub(super) fn lines(&mut self, lines: &'p [LineCode], outline: &mut Outline) -> Option<Vec<Line<'p>>> {
        let mut lowered = Vec::new();
        for line in lines {
            lowered.push(match line {
                LineCode::Guard(code) => Line::Guard(self.guard(code)?),
                LineCode::Ensure(_) => return None,
                LineCode::Field(name, code, policy) => {
                    if !stands(*policy, Action::Create) {
                        continue;
                    }
                    let (out, op) = (outline.value(name)?, self.op(code)?);
                    if let Op::Const(value) = op {
                        outline.fix(out, value, &Texts { line: "", made: String::new(), plan: &self.texts });
                    }
                    Line::Field(out, op)
                }
                LineCode::Object { name, repeats, policy, when, lines } => {
                    if !stands(*policy, Action::Create) {
                        continue;
                    }
                    if *repeats {
                        return None;
                    }
                    let when = self.when(when.as_ref())?;
                    Line::Object(when, outline.object(name, |outline| self.lines(lines, outline))?)
                }
                LineCode::Each(name, each) => {
                    let EachCode { var, list, when, body, own } = &**each;
                    let mut rows = None;
                    let (each, lines) = self.each((*var, list, when.as_ref(), own), |this| {
                        let (out, width, lines) = outline.rows(name, |outline| this.lines(body, outline))?;
                        rows = Some((out, width));
                        Some(lines)
                    })?;
                    let (out, width) = rows?;
                    Line::Each { each, out, width, lines }
                }
            });
        }
        Some(lowered)
    }
}
