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

/// A flow that books entries in the journal of a setting, under numbers that begin with these letters.
fn books(name: &str, letters: &str) -> String {
    let side = |account: &str, amount: &str| {
        format!(
            "  Lines {{\n    VaAs = \"Grootboekrekening\"\n    AcNr = \"{account}\"\n    EnDa = 2026-01-01\n    \
             BpDa = 2026-01-01\n    InId = number\n    {amount} = invoice.invoice_total_incl_vat\n  }}\n"
        )
    };
    format!(
        "flow {name} \"F\"\nsetting journal: text = \"VERK\"\n\
         read invoice from jortt.invoices {{\n  since change\n  key .id\n}}\n\
         let number = \"{letters}{{first_chars(invoice.id, 8)}}\"\n\
         create booking in afas.FiEntries gives .EnNo {{\n  Year = 2026\n  Peri = 1\n  UnId = 1\n  JoCo = journal\n\
         {}{}}}\ntest \"t\" {{\n  expect no write\n}}\n",
        side("1300", "AmDe"),
        side("8000", "AmCr")
    )
}

#[test]
fn two_flows_do_not_book_in_one_journal_under_one_number() {
    let told = |toml: &str, letters: &str| {
        Place::new(&[("koppel.toml", toml), ("a.flow", &books("a", "J")), ("b.flow", &books("b", letters))])
            .koppel(&["check"])
    };
    let same = told("", "J");
    assert!(same.contains("F601  `a` and `b` both book in JoCo VERK, UnId 1"), "{same}");
    assert!(same.contains("booked here as well") && same.contains("1 mistake"), "{same}");
    assert!(!told("[settings.b]\njournal = \"BANK\"\n", "J").contains("F601"));
    assert!(!told("", "K").contains("F601"));
    assert!(told("[settings.b]\njournal = \"BANK\"\n[settings.a]\njournal = \"BANK\"\n", "J").contains("JoCo BANK"));
}
