//! Every message that koppel can say, as a user meets it.
//!
//! The examples of the register are whole projects in temporary folders: the wrong one gets exactly its message, the
//! right one none. `tests/diagnostics/snapshots` holds how each looks at 80 columns, the flow above it.

use std::{fs, path::Path, sync::LazyLock};

use koppel::{
    diagnostic::{Diagnostic, Example, Rule, SarifPart, Sources, render_sarif, render_terminal, rules},
    eval::testing,
    project::Project,
    schema::Catalog,
};
use serde_json::Value;

use crate::cli::Place;

const TODAY: &str = "2026-01-15";

/// A project in a temporary folder, judged as `koppel check` does, and as `koppel test` does where it has tests of
/// its own.
fn judged(example: Example) -> (Vec<Diagnostic>, Sources) {
    let place = tempfile::tempdir().unwrap();
    for (path, text) in example.files() {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let catalog = Catalog::standard().unwrap();
    let project = Project::open(place.path(), "live", catalog, TODAY.parse().unwrap()).unwrap();
    let mut told = project.diagnostics.clone();
    if !project.has_errors() && example.text().contains("test \"") {
        let settings = project.test_settings();
        let programs = project.programs.iter();
        let outcomes = programs.flat_map(|own| testing::run(own, &project.sources, catalog, &settings));
        let failures = outcomes.flat_map(|outcome| outcome.failures);
        told.extend(failures.map(|failure| Diagnostic::new("F703", failure.text, failure.span)));
    }
    (told, project.sources)
}

/// Every rule with what its wrong example gets; judged once for all tests.
fn all_wrong() -> &'static [(&'static Rule, Vec<Diagnostic>, Sources)] {
    static ALL: LazyLock<Vec<(&Rule, Vec<Diagnostic>, Sources)>> = LazyLock::new(|| {
        let one = |rule: &'static Rule| {
            let (told, sources) = judged(rule.wrong);
            (rule, told, sources)
        };
        rules().map(one).collect()
    });
    &ALL
}

fn codes(told: &[Diagnostic]) -> Vec<&'static str> {
    told.iter().map(|told| told.code).collect()
}

#[test]
fn every_rule_has_a_reason_and_two_examples() {
    let bare = |rule: &&Rule| rule.why.is_empty() || rule.wrong.text().is_empty() || rule.right.text().is_empty();
    let bare: Vec<_> = rules().filter(bare).map(|rule| rule.code).collect();
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn every_wrong_example_gets_its_message_and_no_other() {
    for (rule, told, _) in all_wrong() {
        assert_eq!(codes(told), [rule.code], "{told:?}");
    }
}

#[test]
fn every_right_example_gets_no_message() {
    for rule in rules() {
        let (told, _) = judged(rule.right);
        assert!(told.is_empty(), "{}: {told:?}", rule.code);
    }
}

#[test]
fn codes_stand_in_order_and_slugs_are_unique() {
    let codes: Vec<_> = rules().map(|rule| rule.code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    let mut names: Vec<_> = rules().map(|rule| rule.name).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

/// How a message looks: the example, then the message without and with colour.
fn seen(rule: &Rule, told: &[Diagnostic], sources: &Sources) -> String {
    let plain = render_terminal(told, sources, 80, false);
    let colour = render_terminal(told, sources, 80, true).replace('\u{1b}', "␛");
    [rule.wrong.text(), "---- at 80 columns\n", &plain, "---- in colour\n", &colour].concat()
}

/// Asserts a snapshot in a file under `tests/diagnostics`.
fn snapshot(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../diagnostics/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_message_reads_as_its_snapshot() {
    for (rule, told, sources) in all_wrong() {
        snapshot("snapshots", rule.code, &seen(rule, told, sources));
    }
}

#[test]
fn no_message_is_wider_than_its_terminal() {
    for (rule, told, sources) in all_wrong() {
        let text = render_terminal(told, sources, 80, false);
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{}", rule.code);
    }
}

/// Messages known to be poor: each file says in its first line why, and leaves the folder when its message is mended.
#[test]
fn poor_messages_are_kept_as_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics/poor");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "flow")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("# poor: "), "{} says why", path.display());
        let place = Place::new(&[("koppel.toml", ""), ("poor.flow", &text)]);
        snapshot("poor", path.file_stem().unwrap().to_str().unwrap(), &place.koppel(&["check"]));
    }
}

/// Is this log what SARIF 2.1.0 says? The schema is that of OASIS (oasis-tcs/sarif-spec, sarif-schema-2.1.0.json), as
/// the crate serde-sarif 0.8.0 carries it.
#[track_caller]
fn valid_sarif(log: &str) -> Value {
    // The pattern of `language` has a bracket that only lenient engines take as itself.
    let schema = include_str!("../diagnostics/sarif-2.1.0.json").replace("{2}]?$", "{2}\\\\]?$");
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let log: Value = serde_json::from_str(log).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new());
    log
}

#[test]
fn sarif_is_valid_for_every_rule() {
    let all = all_wrong().iter();
    let parts: Vec<_> =
        all.map(|(_, diagnostics, sources)| SarifPart { diagnostics, sources, folder: "flows" }).collect();
    let log = valid_sarif(&render_sarif(&parts));
    for ((rule, _, _), run) in all_wrong().iter().zip(log["runs"].as_array().unwrap()) {
        let result = &run["results"][0];
        assert_eq!(result["ruleId"], rule.code);
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], rule.code);
    }
}

const TOTAL: &str = "flow orders \"Orders\"\nread invoice from jortt.invoices {\n  since change\n  key .id\n}\n\
                     skip when \"é\" == invoice.id || invoice.id == \"x\" because \"a draft\"\n\
                     test \"t\" {\n  expect no write\n}\n";

#[test]
fn sarif_points_at_characters_with_relative_addresses_and_repairs() {
    let place = Place::new(&[("flows/koppel.toml", ""), ("flows/my orders.flow", TOTAL)]);
    let shown = place.koppel(&["check", "--sarif"]);
    let log = valid_sarif(shown.strip_suffix("exit 1").unwrap());
    let result = &log["runs"][0]["results"][0];
    let region = serde_json::json!({ "startLine": 6, "startColumn": 15, "endLine": 6, "endColumn": 17 });
    let at = &result["locations"][0]["physicalLocation"];
    assert_eq!(at["artifactLocation"]["uri"], "flows/my%20orders.flow");
    assert_eq!(at["region"], region);
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["replacements"][0]["deletedRegion"], region);
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "is");
    assert!(place.koppel(&["check", "--sarif", "--json"]).ends_with("exit 64"));
}

#[test]
fn what_can_be_mended_is_written_and_told() {
    let place = Place::new(&[("koppel.toml", ""), ("orders.flow", TOTAL)]);
    insta::assert_snapshot!(place.koppel(&["check", "--fix"]), @r#"
    mended  orders.flow:6:15  `==` → `is`
    mended  orders.flow:6:29  `||` → `or`
    mended  orders.flow:6:43  `==` → `is`
    3 repairs written into 1 file

    1 flow checked: no mistakes
    exit 0
    "#);
    let mended = fs::read_to_string(place.path().join("orders.flow")).unwrap();
    assert!(mended.contains("skip when \"é\" is invoice.id or invoice.id is \"x\" because"), "{mended}");
    assert!(place.koppel(&["check", "--fix"]).starts_with("nothing that could be mended by itself\n"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 3, "nothing is left beside the files and flow.lock");
}

#[test]
fn programs_get_what_is_left_on_standard_output_and_people_the_repairs_on_the_other() {
    let place = Place::new(&[("koppel.toml", ""), ("orders.flow", TOTAL)]);
    let shown = place.koppel(&["check", "--fix", "--json"]);
    assert!(shown.starts_with("--- stderr\nmended  orders.flow:6:15  `==` → `is`\n"), "{shown}");
}

#[test]
fn only_what_is_asked_about_is_mended() {
    let other = TOTAL.replace("flow orders", "flow other");
    let place = Place::new(&[("koppel.toml", ""), ("orders.flow", TOTAL), ("other.flow", &other)]);
    place.koppel(&["check", "--fix", "other.flow"]);
    assert_eq!(fs::read_to_string(place.path().join("orders.flow")).unwrap(), TOTAL);
    assert!(!fs::read_to_string(place.path().join("other.flow")).unwrap().contains("=="));
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_project_is_never_written() {
    let place = Place::new(&[("flows/koppel.toml", ""), ("away.flow", TOTAL)]);
    let link = place.path().join("flows/orders.flow");
    std::os::unix::fs::symlink(place.path().join("away.flow"), &link).unwrap();
    let shown = place.koppel(&["check", "--fix"]);
    assert!(shown.contains("nothing that could be mended"), "{shown}");
    assert_eq!(fs::read_to_string(place.path().join("away.flow")).unwrap(), TOTAL);
    assert!(fs::symlink_metadata(link).unwrap().is_symlink());
}

#[test]
fn a_rule_is_explained_by_its_code_or_its_name() {
    let place = Place::new(&[]);
    let page = place.koppel(&["explain", "F202"]);
    insta::assert_snapshot!(page, @r#"
    F202  unknown-field  (error)
    a field that the entity does not have

    Fields are the vendor's: the name must be one that the entity has. The nearest
    is found by its spelling and by the label that the vendor's screens show.
    `koppel schema show afas.FbSales` lists them all.

    wrong
      create order in afas.FbSales gives .OrNu {
        OrNu = "J{first_chars(invoice.id, 11)}"
        DbId = "10021"
        Unit = 1
        RfCz = invoice.invoice_number
      }

    right
      create order in afas.FbSales gives .OrNu {
        OrNu = "J{first_chars(invoice.id, 11)}"
        DbId = "10021"
        Unit = 1
        RfCs = invoice.invoice_number
      }
    exit 0
    "#);
    assert_eq!(place.koppel(&["explain", "f202"]), page);
    assert_eq!(place.koppel(&["explain", "unknown-field"]), page);
    insta::assert_snapshot!(place.koppel(&["explain", "unknwn-field"]), @r#"
    --- stderr
    there is no rule `unknwn-field`
          koppel explain F202  unknown-field: a field that the entity does not have
    exit 64
    "#);
    insta::assert_snapshot!(place.koppel(&["explain", "everything"]), @r#"
    --- stderr
    there is no rule `everything`
          `koppel explain` lists them all
    exit 64
    "#);
    // A code that is gone is never used again: its family is offered.
    insta::assert_snapshot!(place.koppel(&["explain", "F005"]), @r#"
    --- stderr
    there is no rule `F005`, or none any more
          koppel explain F004  too-deep: blocks or brackets are nested more than 64 deep
          koppel explain F006  misplaced: a statement or comment that cannot stand here
          koppel explain F003  unbalanced-brace: a brace is missing or too much
    exit 64
    "#);
    let all = place.koppel(&["explain"]);
    assert_eq!(all.lines().count(), rules().count() + 1, "a line for each, and the exit code");
    let json = place.koppel(&["explain", "F202", "--json"]);
    let row: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((row["code"].as_str(), row["severity"].as_str()), (Some("F202"), Some("error")));
}

/// The help of the only message about a sales order with this line in it.
#[track_caller]
fn help_for(line: &str) -> String {
    let flow = format!(
        "flow orders \"Orders\"\nread invoice from jortt.invoices {{\n  since change\n  key .id\n}}\n\
         create order in afas.FbSales gives .OrNu {{\n  OrNu = \"J{{first_chars(invoice.id, 11)}}\"\n  \
         DbId = \"10021\"\n  Unit = 1\n  {line}\n}}\ntest \"t\" {{\n  expect no write\n}}\n"
    );
    let place = Place::new(&[("koppel.toml", ""), ("orders.flow", &flow)]);
    let shown = place.koppel(&["check", "--json"]);
    let told: Vec<Value> =
        shown.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
    assert_eq!(told.len(), 1, "{shown}");
    assert_eq!(told[0]["code"], "F202");
    told[0]["help"].as_str().unwrap().to_owned()
}

#[test]
fn a_field_is_suggested_by_the_words_on_the_vendors_screen() {
    let cases = ["Reference", "OrderNumber", "order_number_reference", "Description", "SalesContact", "Warehouse"];
    let all: Vec<String> =
        cases.iter().map(|name| format!("{name}: {}", help_for(&format!("{name} = \"x\"")))).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    Reference: AFAS calls this `Fref` (Invoice reference) or `RfCs` (Order number/reference)
    OrderNumber: AFAS calls this `RfCs` (Order number/reference)
    order_number_reference: AFAS calls this `RfCs` (Order number/reference)
    Description: AFAS calls this `ExAd` (Delivery address description)
    SalesContact: AFAS calls this `DbId` (Sales contact)
    Warehouse: AFAS calls this `War` (Warehouse)
    "#);
}
