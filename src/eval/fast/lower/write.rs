//! Lowers writes: what is sent, field by field, and the template that it fills.
//!
//! None for updates, writes in a loop and ensures.

use super::{
    super::{
        code::{Rows, Step, Target},
        texts::Texts,
        value::Quick,
        write::Outline,
    },
    Lowering, Stands,
};
use crate::{
    plan::{
        code::{EachCode, LineCode, TargetCode, WriteCode},
        stands,
    },
    value::Action,
};

impl<'p> Lowering<'_, 'p> {
    pub(super) fn write(&mut self, code: &'p WriteCode) -> Option<()> {
        if code.action != Action::Create || code.depth > 0 {
            return None;
        }
        self.targets(&code.name, &code.targets)?;
        self.names.insert(code.var, Stands::Unknown);
        Some(())
    }

    /// The first target that applies.
    fn targets(&mut self, name: &str, targets: &'p [TargetCode]) -> Option<()> {
        let Some((target, others)) = targets.split_first() else { return Some(()) };
        if !(self.is_bare)(&target.name) {
            return None;
        }
        let facts = target.entity.write.as_ref()?;
        let object = facts.create.as_ref()?;
        let [name_of, entity, root] = [name, &target.name.to_string(), &*facts.root].map(serde_json::Value::from);
        let head =
            format!("{{\"name\":{name_of},\"action\":\"create\",\"entity\":{entity},\"body\":{{{root}:{{\"Element\":");
        let mut end = 0;
        self.when(target.when.as_ref(), |this| {
            let open = this.jump();
            let mut outline = Outline::new(object)?;
            let always = this.fields(|this| this.all_lines(&target.lines, &mut outline))?;
            let (element, width) = outline.done()?;
            let fields = blank_but(&always, width)?;
            *this.steps.get_mut(open)? = Step::Open(Box::new(Target { head, fields, element }));
            end = this.jump();
            Some(())
        })?;
        self.perhaps(|this| this.targets(name, others))?;
        self.land(end, Step::Go)
    }

    /// Lines, and behind them what they give to the fields, all at once.
    fn all_lines(&mut self, lines: &'p [LineCode], outline: &mut Outline) -> Option<()> {
        let around = std::mem::take(&mut self.puts);
        let lowered = self.lines(lines, outline);
        let puts = std::mem::replace(&mut self.puts, around);
        if !puts.is_empty() {
            self.steps.push(Step::Put(puts.into()));
        }
        lowered
    }

    fn lines(&mut self, lines: &'p [LineCode], outline: &mut Outline) -> Option<()> {
        for line in lines {
            match line {
                LineCode::Guard(code) => self.guard(code)?,
                LineCode::Ensure(_) => return None,
                LineCode::Field(name, code, policy) => {
                    if !stands(*policy, Action::Create) {
                        continue;
                    }
                    let (out, value) = (outline.value(name)?, self.value(code)?);
                    let always = self.always(value);
                    if let Some(always) = always {
                        let texts = str::from_utf8(self.texts.written()).ok()?;
                        outline.fix(out, always, &Texts::of_plan(texts));
                    }
                    match always {
                        Some(always) if self.conditions == 0 => self.fields.push((out, always)),
                        _ => self.puts.push((u32::try_from(out).ok()?, value)),
                    }
                }
                LineCode::Object { name, repeats, policy, when, lines } => {
                    if !stands(*policy, Action::Create) {
                        continue;
                    }
                    if *repeats {
                        return None;
                    }
                    self.when(when.as_ref(), |this| outline.object(name, |outline| this.all_lines(lines, outline)))?;
                }
                LineCode::Each(name, each) => {
                    let EachCode { var, list, when, body, own } = &**each;
                    let mut rows = None;
                    let each = self.each((*var, list, when.as_ref(), own), |this| {
                        let begin = this.jump();
                        let (out, width, always) =
                            outline.rows(name, |outline| this.fields(|this| this.all_lines(body, outline)))?;
                        *this.steps.get_mut(begin)? = Step::Row(blank_but(&always, width)?);
                        rows = Some((u32::try_from(out).ok()?, width));
                        Some(())
                    })?;
                    let (out, width) = rows?;
                    self.steps.push(Step::Rows(Box::new(Rows { each, out, width })));
                }
            }
        }
        Some(())
    }

    /// Lowers a write or a line object, and gives its fields that are always the same.
    fn fields(&mut self, lower: impl FnOnce(&mut Self) -> Option<()>) -> Option<Vec<(usize, Quick)>> {
        let around = (std::mem::take(&mut self.fields), std::mem::take(&mut self.conditions));
        let lowered = lower(self);
        let always = std::mem::take(&mut self.fields);
        (self.fields, self.conditions) = around;
        lowered.map(|()| always)
    }
}

/// So many fields, of which some have a value from the beginning.
fn blank_but(always: &[(usize, Quick)], width: usize) -> Option<Box<[Quick]>> {
    let mut fields = vec![Quick::UNSET; width];
    for (out, value) in always {
        *fields.get_mut(*out)? = *value;
    }
    Some(fields.into())
}
