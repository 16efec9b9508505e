//! Decides a record that stands in registers.
//!
//! Takes a [`Program`], gives the values of what would be written or the end of the record, as the plain evaluator
//! does; or steps aside wherever that one would fail the record or do what is not known here.

use regex::{CaptureLocations, Regex};

use super::{
    super::output::Output,
    code::{Bit, Ending, FRAMES, Program, RECORD, Rows, Target},
    layout::{Condition, Layout},
    pattern::Parts,
    table::Remembered,
    texts::Texts,
    value::{Kind, Quick},
    write::text,
};
use crate::{
    plan::compute::{kept, printed},
    value::{Reason, Verdict},
};

/// What one decision has found out so far. Where there is no value, the record has [`Machine::ended`], or is decided
/// plainly.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) program: &'a Program<'a>,
    /// Those of the program, of the record, and of its rows.
    pub(super) registers: Vec<Quick>,
    /// Where each frame begins.
    pub(super) frames: [usize; FRAMES],
    /// Which lets have been worked out.
    pub(super) known: Vec<bool>,
    /// What the inputs of tables were last.
    pub(super) remembered: Vec<Remembered>,
    /// The fields of what is written.
    pub(super) outs: Vec<Quick>,
    /// Where those of the object in hand begin.
    pub(super) out: usize,
    pub(super) warnings: Vec<Reason>,
    /// How the record ends.
    pub(super) ended: Option<(Verdict, Reason)>,
    /// What is written, each with where its fields begin.
    pub(super) made: Vec<(&'a Target, usize)>,
    /// By shape, the text of this record that was taken apart last, and its parts.
    pub(super) parted: Vec<(Quick, Parts)>,
    /// Where patterns found what.
    pub(super) places: Vec<CaptureLocations>,
    /// The elements of lists in hand.
    pub(super) collected: Vec<Quick>,
    /// Where each list that is being collected begins.
    pub(super) begun: Vec<usize>,
    pub(super) texts: Texts<'a>,
}

impl<'a> Machine<'a> {
    /// For one record after the other.
    pub(super) fn new(program: &'a Program<'a>, today: Quick) -> Self {
        let mut registers = program.own.clone();
        if let Some(first) = registers.first_mut() {
            *first = today;
        }
        let mut frames = [0; FRAMES];
        if let Some(record) = frames.get_mut(RECORD as usize) {
            *record = registers.len();
        }
        Self {
            program,
            registers,
            frames,
            known: vec![false; program.lets.len()],
            remembered: vec![Remembered::NOTHING; program.inputs],
            outs: Vec::new(),
            out: 0,
            warnings: Vec::new(),
            ended: None,
            made: Vec::new(),
            parted: vec![(Quick::UNSET, Parts::None); program.shapes.len()],
            places: program.patterns.iter().map(Regex::capture_locations).collect(),
            collected: Vec::new(),
            begun: Vec::new(),
            texts: Texts::of_plan(&program.texts),
        }
    }

    /// Where the registers of the record begin.
    pub(super) fn record(&self) -> usize {
        self.program.own.len()
    }

    /// Works out what follows from other fields. None: a field is not as it should be.
    pub(super) fn derive(&mut self, layout: &Layout) -> Option<()> {
        let record = self.record();
        let today = self.registers.first()?.number();
        for derived in &layout.derived {
            let mut bits = 0;
            for (number, word) in derived.words.iter().enumerate() {
                let holds = word.when.iter().all(|(register, condition)| {
                    let value = self.registers.get(record + register).copied().unwrap_or(Quick::BLANK);
                    match condition {
                        Condition::Is(text) => value.is_text() && self.texts.get(value) == &**text,
                        Condition::Zero => value.is_number() && value.number() == 0,
                        Condition::NotZero => value.is_number() && value.number() != 0,
                        Condition::Past => value.kind() == Kind::DATE && value.number() < today,
                        Condition::Empty => value.is_blank() || (value.kind() == Kind::LIST && value.rows().1 == 0),
                    }
                });
                if holds {
                    bits |= 1 << number;
                }
            }
            *self.registers.get_mut(record + derived.register)? = Quick::words(bits);
        }
        Some(())
    }

    /// Decides the record in the registers. None: it has ended, or is to be decided plainly.
    pub(super) fn decide(&mut self) -> Option<()> {
        let program = self.program;
        self.ended = None;
        self.made.clear();
        self.known.fill(false);
        self.outs.clear();
        self.collected.clear();
        self.begun.clear();
        self.warnings.clear();
        for (text, _) in &mut self.parted {
            *text = Quick::UNSET;
        }
        self.run(&program.steps)
    }

    /// The name of the record, as a text of JSON. None: it is for the plain evaluator to name.
    pub(super) fn key(&mut self, into: &mut Output) -> Option<()> {
        let program = self.program;
        if let [only] = &program.key[..] {
            let key = self.get(*only)?;
            if key.is_text() {
                text(key, &self.texts, into);
                return Some(());
            }
        }
        let mut parts = Vec::new();
        for part in &program.key {
            parts.push(self.get(*part)?.to_value(&self.texts)?.to_string());
        }
        serde_json::to_writer(into, &parts.join("/")).ok()
    }

    /// Warns, or ends the record.
    pub(super) fn ends(&mut self, ending: &'a Ending<'a>) -> Option<()> {
        self.run(&ending.steps)?;
        let (mut text, mut masked) = (String::new(), String::new());
        for bit in &ending.bits {
            match bit {
                Bit::Chars(chars) => {
                    text.push_str(chars);
                    masked.push_str(chars);
                }
                Bit::Hole(of, print, privacy) => {
                    let value = self.get(*of)?.to_value(&self.texts)?;
                    text.push_str(&printed(&value, *print));
                    masked.push_str(&kept(&value, *print, *privacy));
                }
            }
        }
        let reason = Reason { place: ending.place.clone(), text: text.into(), masked: masked.into() };
        if ending.verdict == Verdict::Warn {
            self.warnings.push(reason);
            return Some(());
        }
        self.ended = Some((ending.verdict, reason));
        None
    }

    /// The fields of a write.
    pub(super) fn open(&mut self, target: &'a Target) {
        self.out = self.outs.len();
        self.outs.extend_from_slice(&target.fields);
        self.made.push((target, self.out));
    }

    /// Line objects: those that nothing was put into are none.
    pub(super) fn rows(&mut self, rows: &'a Rows<'a>) -> Option<()> {
        let (around, first) = (self.out, self.outs.len());
        let mut count = 0;
        self.each(&rows.each, &mut |machine, steps| {
            let row = machine.outs.len();
            machine.run(steps)?;
            if machine.outs.iter().skip(row).any(|value| !value.is_blank()) {
                count += 1;
            } else {
                machine.outs.truncate(row);
            }
            Some(())
        })?;
        self.out = around;
        *self.outs.get_mut(around + rows.out as usize)? = Quick::list(first, count, rows.width)?;
        Some(())
    }
}
