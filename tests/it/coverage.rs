//! What the tests in a flow reach of it, as `koppel test` tells it.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use jiff::civil::date;
use koppel::{
    eval::testing::{self, Bench},
    plan::{Point, PointKind},
    project::Project,
    schema::Catalog,
    value::Outcome,
};

use crate::cli::Place;

/// One of each kind that a test can reach, or not.
const FLOW: &str = r#"flow small "Small invoices"

setting journal : text = "VERK"

table term {
  days: int => condition: text(5)
  0..14  => "14"
  15..30 => "30"
  otherwise hold "no term of {days} days"
}

read invoice from jortt.invoices {
  since change
  key .id
}

find customer in jortt.customers where .id is invoice.customer_id
let days = 8 when customer.is_private else 30

skip when invoice.invoice_total is 0 because "nothing to send"

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is customer.email gives .DebtorId
  hold because "no debtor"
}

create sale in afas.FbSales gives .OrNu {
  OrNu = "J{invoice.invoice_number!}"
  DbId = debtor
  RfCs = invoice.invoice_number
  Unit = 1
  JoCo = journal
  PaCd = term(days)
  Lines = each line in invoice.line_items when line.quantity is not 0 {
    VaIt = "Artikel"
    ItCd = "DIV"
    BiUn = "STK"
    QuUn = line.quantity
  }
}
"#;

const FIRST: &str = r#"
test "an order" {
  given invoice {
    id = "a"
    customer_id = "c"
    invoice_number = "2026-1"
    invoice_total = 10
    line_items {
      quantity = 2
    }
  }
  given jortt.customers has {
    id = "c"
    email = "a@example.nl"
  }
  given afas.Profit_Debtor has {
    DebtorId = "10"
    Email = "a@example.nl"
  }
  expect create afas.FbSales {
    OrNu = "J2026-1"
  }
}
"#;

/// A test for each kind that is still open.
const MORE: [(PointKind, &str); 3] = [
    (
        PointKind::Guard,
        "test \"zero\" {\n  given invoice {\n    id = \"a\"\n    invoice_total = 0\n  }\n  expect skip \"nothing\"\n}\n",
    ),
    (PointKind::Row, "test \"a short term\" {\n  expect term(14) is \"14\"\n}\n"),
    (
        PointKind::Arm,
        "test \"a private customer\" {\n  given invoice {\n    id = \"a\"\n    customer_id = \"c\"\n  }\n  given jortt.customers has {\n    \
         id = \"c\"\n    is_private = yes\n  }\n  expect days is 8\n  expect hold \"no debtor\"\n}\n",
    ),
];

fn small(tests: &str) -> Place {
    Place::new(&[("koppel.toml", ""), ("small.flow", &format!("{FLOW}{tests}"))])
}

fn opened(place: &Path) -> Project {
    let project = Project::open(place, "live", Catalog::standard().unwrap(), date(2026, 1, 15)).unwrap();
    assert!(!project.has_errors(), "{:#?}", project.diagnostics);
    project
}

/// What is there and what the tests reach, of one kind.
fn counted(project: &Project, kind: PointKind) -> (BTreeSet<Point>, BTreeSet<Point>) {
    let (catalog, settings) = (Catalog::standard().unwrap(), project.test_settings());
    let mut counted = (BTreeSet::new(), BTreeSet::new());
    for program in &project.programs {
        let bench = Bench { program, sources: &project.sources, catalog, settings: &settings };
        let coverage = bench.coverage(&|_| true);
        counted.0.extend(coverage.points.keys().filter(|point| point.kind == kind));
        counted.1.extend(coverage.reached.iter().filter(|point| point.kind == kind));
    }
    counted
}

#[test]
fn each_kind_is_counted_and_a_test_for_it_raises_it() {
    for (kind, test) in MORE {
        let (there, before) = counted(&opened(small(FIRST).path()), kind);
        let (_, after) = counted(&opened(small(&format!("{FIRST}\n{test}")).path()), kind);
        assert!(before.len() < there.len(), "{kind:?} is open: {before:?} of {there:?}");
        assert!(after.len() > before.len() && after.is_superset(&before), "{kind:?}: {before:?} and then {after:?}");
    }
}

#[test]
fn a_fail_of_settings_only_is_judged_before_any_test_and_not_counted() {
    let guard = "\nfail when journal is \"BANK\" because \"not this journal\"\n";
    let (there, _) = counted(&opened(small(FIRST).path()), PointKind::Guard);
    let (with, _) = counted(&opened(small(&format!("{guard}{FIRST}")).path()), PointKind::Guard);
    assert_eq!(there.len(), with.len());
}

/// Tables with more rows than this are lists: that each row is there is no rule that a test could show.
const LONG: usize = 20;

#[test]
fn the_tests_of_the_shipped_flows_reach_all_of_them() {
    let project = opened(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"));
    for kind in [PointKind::Guard, PointKind::Arm, PointKind::Outcome, PointKind::Row] {
        let (there, reached) = counted(&project, kind);
        let path = |point: &Point| project.sources.get(point.span.file).map_or("", |source| &*source.path);
        let long =
            |file: &str| kind == PointKind::Row && there.iter().filter(|other| path(other) == file).count() >= LONG;
        let own = |point: &&Point| {
            let path = path(point);
            let listed = Path::new(path).extension().is_some_and(|ending| ending == "csv") && long(path);
            !(path.starts_with("std:") || listed)
        };
        let open: Vec<String> = there
            .difference(&reached)
            .filter(own)
            .map(|point| {
                let line = project.sources.get(point.span.file).unwrap().line_column(point.span.start).0;
                format!("{}:{line}", path(point))
            })
            .collect();
        assert!(!there.is_empty() && open.is_empty(), "{kind:?}: no test reaches {open:#?}");
    }
}

#[test]
fn an_outcome_is_reached_by_what_finds_and_what_writes() {
    let nothing = "\ntest \"no debtor\" {\n  given invoice {\n    id = \"a\"\n  }\n  expect hold \"no debtor\"\n}\n";
    let (there, before) = counted(&opened(small(nothing).path()), PointKind::Outcome);
    let (_, after) = counted(&opened(small(&format!("{nothing}{FIRST}")).path()), PointKind::Outcome);
    assert_eq!((there.len(), before.len(), after.len()), (2, 0, 2), "the find, and the order");
}

#[test]
fn koppel_test_has_a_line_for_each_file_and_lists_what_is_not_reached() {
    insta::assert_snapshot!(small(FIRST).koppel(&["test", "--coverage"]), @r#"
    ok      small: an order
    1 test: passed

    small.flow  guards 0/2  rows 1/3  arms 2/3  outcomes 2/2

    not reached by any test:
    small.flow:7   row of term  0..14  => "14"
    small.flow:9   row of term  otherwise hold "no term of {days} days"
    small.flow:18  when         let days = 8 when customer.is_private else 30
    small.flow:20  skip         skip when invoice.invoice_total is 0 because "nothing to send"
    small.flow:24  hold         hold because "no debtor"
    exit 0
    "#);
    insta::assert_snapshot!(small(FIRST).koppel(&["test", "--json"]), @r#"
    {"test":"an order","flow":"small","passed":true,"failures":[]}
    {"coverage":"small.flow","guards":{"reached":0,"all":2},"rows":{"reached":1,"all":3},"arms":{"reached":2,"all":3},"outcomes":{"reached":2,"all":2}}
    exit 0
    "#);
}

#[test]
fn a_suggested_test_is_pasted_checks_passes_and_reaches_its_place() {
    let mut tests = FIRST.to_owned();
    let mut seen = Vec::new();
    loop {
        let place = small(&tests);
        let shown = place.koppel(&["test", "--suggest"]);
        if shown.starts_with("the tests reach everything") {
            break;
        }
        let block = shown.strip_suffix("exit 0").unwrap();
        assert!(!seen.contains(&block.to_owned()) && seen.len() < 10, "once more:\n{block}");
        seen.push(block.to_owned());
        if block.contains("# change what is given") {
            break;
        }
        tests = format!("{tests}\n{block}");
        let place = small(&tests);
        assert!(opened(place.path()).programs.iter().any(|program| program.tests.len() == 1 + seen.len()));
        let all = place.koppel(&["test"]);
        assert!(all.contains(&format!("{} tests: passed", 1 + seen.len())), "{block}\n{all}");
    }
    insta::assert_snapshot!(seen.join("\n"), @r#"
    # small.flow:7  0..14  => "14"
    test "row of term (small.flow:7)" {
      expect term(0) is "14"
    }

    # small.flow:18  let days = 8 when customer.is_private else 30
    test "when (small.flow:18)" {
      given invoice {
        id             = "a"
        customer_id    = "c"
        invoice_number = "2026-1"
        invoice_total  = 10
        line_items {
          quantity = 2
        }
      }
      given jortt.customers has {
        id         = "c"
        email      = "a@example.nl"
        is_private = yes
      }
      given afas.Profit_Debtor has {
        DebtorId = "10"
        Email    = "a@example.nl"
      }
      expect create afas.FbSales {
        OrNu = "J2026-1"
        DbId = "10"
        RfCs = "2026-1"
        Unit = 1
        JoCo = "VERK"
        PaCd = "14"
      }
    }

    # small.flow:24  hold because "no debtor"
    test "hold (small.flow:24)" {
      given invoice {
        id             = "a"
        customer_id    = "c"
        invoice_number = "2026-1"
        invoice_total  = 10
        line_items {
          quantity = 2
        }
      }
      given jortt.customers has {
        id    = "c"
        email = "a@example.nl"
      }
      given afas.Profit_Debtor has {
        DebtorId = "10"
        Email    = "a@example.nl"
      }
      given jortt.customers is empty
      expect hold "no debtor"
    }

    # small.flow:9  otherwise hold "no term of {days} days"
    test "row of term (small.flow:9)" {
      # change what is given until it gets there, and what is expected with it
      given invoice {
        id             = "a"
        customer_id    = "c"
        invoice_number = "2026-1"
        invoice_total  = 10
        line_items {
          quantity = 2
        }
      }
      given jortt.customers has {
        id    = "c"
        email = "a@example.nl"
      }
      given afas.Profit_Debtor has {
        DebtorId = "10"
        Email    = "a@example.nl"
      }
      expect create afas.FbSales {
        OrNu = "J2026-1"
        DbId = "10"
        RfCs = "2026-1"
        Unit = 1
        JoCo = "VERK"
        PaCd = "30"
      }
    }
    "#);
}

#[test]
fn a_place_that_is_reached_or_not_there_is_told() {
    insta::assert_snapshot!(small(FIRST).koppel(&["test", "--suggest=small.flow:1"]), @r#"
    small.flow:1: the tests reach it, or nothing to reach stands there
    exit 0
    "#);
}

#[test]
fn a_flow_without_a_test_gets_one_from_its_key() {
    let place = small("");
    let shown = place.koppel(&["test", "--suggest=small.flow:20"]);
    insta::assert_snapshot!(shown, @r#"
    # small.flow:20  skip when invoice.invoice_total is 0 because "nothing to send"
    test "skip (small.flow:20)" {
      given invoice {
        id                     = "1"
        invoice_status         = "draft"
        customer_id            = "1"
        invoice_date           = 2026-01-15
        invoice_total_incl_vat = 100.00
        list                   = "draft"
        invoice_total          = 0.00
      }
      expect skip "nothing to send"
    }
    exit 0
    "#);
    let tests = format!("\n{}", shown.strip_suffix("exit 0").unwrap());
    let all = small(&tests).koppel(&["test"]);
    assert!(all.contains("1 test: passed"), "{all}");
}

#[test]
fn a_failing_test_shows_expected_and_got_side_by_side_with_the_line_that_gave_it() {
    let wrong = FIRST.replace(
        "    OrNu = \"J2026-1\"\n",
        "    OrNu = \"J2026-2\"\n    RfCs = \"2026-1\"\n    PaCd = \"14\"\n    Lines {\n      ItCd = \"ADV\"\n      QuUn = 2\n    }\n",
    );
    insta::assert_snapshot!(small(&wrong).koppel(&["test"]), @r#"
    FAILED  small: an order
      small.flow:60  create afas.FbSales
        field       expected   got        given by
        OrNu        "J2026-2"  "J2026-1"  small.flow:28  OrNu = "J{invoice.invoice_number!}"
        PaCd        "14"       "30"       small.flow:33  PaCd = term(days)
        Lines.ItCd  "ADV"      "DIV"      small.flow:36  ItCd = "DIV"
    1 test: 1 failed

    small.flow  guards 0/2  rows 1/3  arms 2/3  outcomes 2/2
    exit 1
    "#);
}

#[test]
fn a_plan_that_is_watched_decides_what_the_plan_of_a_run_decides() {
    let project = opened(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"));
    let (catalog, settings) = (Catalog::standard().unwrap(), project.test_settings());
    let mut compared = 0;
    for program in &project.programs {
        let bench = Bench { program, sources: &project.sources, catalog, settings: &settings };
        for test in &program.tests {
            let (plain, watched) = (bench.trial(test, false).unwrap(), bench.trial(test, true).unwrap());
            // Which family a lock is of hangs on creates that the settings close; what is decided does not. Nor does a
            // second stage that the settings close decide anything.
            let decided = |trial: &testing::Trial| -> Vec<_> {
                let told = trial.decisions.iter().map(|own| (own.outcome.clone(), own.warnings.clone()));
                let closed = |(outcome, warnings): &(Outcome, Vec<_>)| {
                    matches!(outcome, Outcome::Writes(writes) if writes.is_empty()) && warnings.is_empty()
                };
                told.enumerate().filter(|(stage, own)| *stage == 0 || !closed(own)).map(|(_, own)| own).collect()
            };
            assert_eq!(decided(&plain), decided(&watched), "{}", test.name);
            assert_eq!(plain.failures, watched.failures, "{}", test.name);
            assert!(plain.reached.is_empty(), "a plan that is not watched notes nothing");
            compared += 1;
        }
    }
    assert!(compared >= 25, "{compared} tests");
}

#[test]
fn the_plan_of_a_run_has_nothing_that_notes() {
    let project = opened(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"));
    for run in &project.runs {
        let shown = format!("{:?}", run.plan);
        assert!(!shown.contains("Seen("), "{}", run.name);
    }
}

#[test]
fn what_koppel_brings_along_is_not_counted() {
    let place = Place::new(&[]);
    super::cli::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("flows"), place.path());
    let shown = place.koppel(&["test"]);
    assert!(shown.contains("orders.flow") && !shown.contains("std:"), "{shown}");
    let outcomes: usize = {
        let project = opened(place.path());
        let settings = project.test_settings();
        let of = |program: &Arc<_>| testing::run(program, &project.sources, Catalog::standard().unwrap(), &settings);
        project.programs.iter().flat_map(of).count()
    };
    assert!(shown.contains(&format!("{outcomes} tests: passed")), "{shown}");
    fs::remove_file(place.path().join("orders.test.flow")).unwrap();
    let shown = place.koppel(&["test"]);
    let orders = shown.lines().find(|line| line.starts_with("orders.flow ")).unwrap();
    assert!(orders.contains(" guards 0/"), "without tests nothing is reached: {orders}");
}

#[test]
fn tests_are_chosen_by_their_name_or_by_that_of_their_flow() {
    let place = small(FIRST);
    assert!(place.koppel(&["test", "order"]).contains("1 test: passed"));
    assert!(place.koppel(&["test", "small"]).contains("1 test: passed"));
    let none = place.koppel(&["test", "customers.flow"]);
    assert!(none.contains("no test has \"customers.flow\" in its name") && none.ends_with("exit 64"), "{none}");
}
