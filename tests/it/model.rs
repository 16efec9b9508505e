//! The protocol explored: every order of steps, crashes, lost and late answers in small worlds, and each rule taken out.
//!
//! The moves of a row are those of `koppel::ledger::state::transition`, which the engine calls as well. A rule that is
//! taken out must show its counterexample: else the model could not see what the rule is for.

mod protocol;
mod scene;
mod world;

use stateright::{Checker, HasDiscoveries, Model};

use self::world::{WORLDS, without};

const ONCE: &str = "no effect happens twice";
const LOST: &str = "what is told as done was made";
const ORPHAN: &str = "no order is made before its debtor";
const TRUE: &str = "what is told as failed was not made";
const POSSIBLE: &str = "no move is asked for that the table does not have";
const ENDS: &str = "every state can reach an end";

#[test]
fn no_world_shows_an_effect_twice_or_lost() {
    let mut broken = Vec::new();
    for world in WORLDS {
        let begun = std::time::Instant::now();
        let checker = world.checker().threads(2).spawn_bfs().join();
        println!("{:>9} states, {:.1} s: {}", checker.unique_state_count(), begun.elapsed().as_secs_f64(), world.name);
        for (property, path) in checker.discoveries() {
            let steps: Vec<String> = path.into_actions().iter().map(|action| format!("{action:?}")).collect();
            broken.push(format!("{}: not so that {property}: {}", world.name, steps.join(", ")));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_rule_that_is_taken_out_shows_what_it_is_for() {
    let mut unseen = Vec::new();
    for (world, property) in without() {
        let all = [property].into();
        let checker = world.checker().threads(2).finish_when(HasDiscoveries::AllOf(all)).spawn_bfs().join();
        let rule = world.without;
        match checker.discovery(property) {
            Some(path) => {
                let steps = path.into_actions();
                println!("without {rule:?}, {} steps: not so that {property}", steps.len());
            }
            None => unseen.push(format!("without {rule:?} it still holds that {property}")),
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}
