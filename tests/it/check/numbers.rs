//! Numbers of our own that two runs would make alike.

use crate::cli::Place;

/// A flow that makes orders whose numbers begin with these letters.
fn flow(name: &str, letters: &str) -> String {
    format!(
        "flow {name} \"F\"\nread invoice from jortt.invoices {{\n  since change\n  key .id\n}}\n\
         create order in afas.FbSales gives .OrNu {{\n  OrNu = \"{letters}{{first_chars(invoice.id, 8)}}\"\n  \
         DbId = \"10021\"\n  Unit = 1\n}}\ntest \"t\" {{\n  expect no write\n}}\n"
    )
}

const BELGIUM: &str = "[connections.afas_be]\nsystem = \"afas\"\nparticipant = \"12345\"\n\
                       token = { env = \"T\" }\n[runs.b]\nflow = \"b.flow\"\nconnections = { afas = \"afas_be\" }\n";

#[test]
fn two_flows_on_one_connection_have_letters_of_their_own() {
    let same = Place::new(&[("koppel.toml", ""), ("a.flow", &flow("a", "J")), ("b.flow", &flow("b", "J"))]);
    let told = same.koppel(&["check"]);
    assert!(told.contains("F601  `a` and `b` both make numbers of `FbSales` that begin with \"J\""), "{told}");
    assert!(told.contains("made here as well") && told.contains("1 mistake"), "{told}");
    let other = Place::new(&[("koppel.toml", ""), ("a.flow", &flow("a", "J")), ("b.flow", &flow("b", "K"))]);
    assert!(!other.koppel(&["check"]).contains("F601"));
}

#[test]
fn on_two_connections_the_letters_may_be_the_same() {
    let place = Place::new(&[("koppel.toml", BELGIUM), ("a.flow", &flow("a", "J")), ("b.flow", &flow("b", "J"))]);
    let told = place.koppel(&["check"]);
    assert!(!told.contains("F601"), "{told}");
    let twice = "[runs.one]\nflow = \"a.flow\"\n[runs.two]\nflow = \"a.flow\"\n";
    let place = Place::new(&[("koppel.toml", twice), ("a.flow", &flow("a", "J"))]);
    let told = place.koppel(&["check"]);
    assert!(told.contains("F601  `one` and `two` both make numbers"), "{told}");
}
