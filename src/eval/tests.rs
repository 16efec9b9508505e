//! Decisions of small flows, rows given by hand.

mod advance;
mod again;
mod ensuring;
mod order;
mod updating;
mod values;
mod writing;

use std::{collections::BTreeMap, sync::Arc};

use super::{Moment, NothingLeft, Reads, Step, step};
use crate::{
    plan::{Plan, sample::Held},
    value::{Ask, Decision, Outcome, Reason, Record, Value, Write},
};

/// Decides with everything answered; gives the asks of each round, too.
fn decide_in_rounds(
    plan: &Plan,
    record: &Record,
    held: &Held,
    confirmed: &[(&str, Value)],
) -> (Decision, Vec<Vec<Ask>>) {
    let confirmed: BTreeMap<Arc<str>, Value> =
        confirmed.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    let moment = Moment { today: "2026-01-15".parse().unwrap(), confirmed: &confirmed, left: &NothingLeft };
    let (mut reads, mut rounds) = (Reads::default(), Vec::new());
    loop {
        match step(plan, record, &reads, moment) {
            Step::Decided(decision) => return (decision, rounds),
            Step::Wants(asks) => {
                assert!(!asks.is_empty(), "it waits for something");
                for ask in &asks {
                    assert!(reads.0.insert(ask.clone(), held.answer(ask)).is_none(), "asked once");
                }
                rounds.push(asks);
            }
        }
    }
}

fn decide(plan: &Plan, record: &Record, held: &Held) -> Decision {
    decide_in_rounds(plan, record, held, &[]).0
}

fn writes(decision: &Decision) -> &[Write] {
    match &decision.outcome {
        Outcome::Writes(writes) => writes,
        other => panic!("no writes but {other:?}"),
    }
}

fn reason(decision: &Decision) -> &Reason {
    match &decision.outcome {
        Outcome::Skip(reason) | Outcome::Hold(reason) | Outcome::Fail(reason) => reason,
        Outcome::Writes(_) => panic!("it writes"),
    }
}

fn asked(asks: &[Ask]) -> Vec<String> {
    asks.iter().map(|ask| ask.entity.entity.to_string()).collect()
}
