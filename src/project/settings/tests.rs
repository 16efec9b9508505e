//! Settings of `koppel.toml` against declared ones, as a person sees the mistakes.

use super::*;
use crate::{
    check::typed::{Row, RowResult, Table},
    diagnostic::{Sources, render_terminal},
    project::without_secrets,
    schema::ColumnRef,
};

const FLOW: &str =
    "flow orders\nsetting start_date: date\nsetting document: one of \"order\", \"invoice\" = \"order\"\n";

/// A flow `orders` and a library `debtor`, with one setting of each kind.
fn programs(sources: &mut Sources) -> Vec<Arc<Program>> {
    let file = sources.add("orders.flow", FLOW);
    let span = Span::new(file, 20, 30);
    let words = |words: &[&str]| Kind::OneOf(words.iter().map(|word| Arc::from(*word)).collect());
    let ty = |kind: Kind| Ty::new(kind);
    let duty = Ty { reference: Some(ColumnRef { of: "vat".into(), column: "duty".into() }), ..Ty::new(Kind::Text) };
    let short = Ty { max: Some(5), ..Ty::new(Kind::Text) };
    let declared = [
        ("orders", "start_date", ty(Kind::Date), None),
        ("orders", "document", ty(words(&["order", "invoice"])), Some(Value::text("order"))),
        ("orders", "journal", short.or_blank(), None),
        ("orders", "statuses", Ty::list(ty(words(&["sent", "paid"]))), Some(Value::List(Arc::from([])))),
        ("debtor", "tolerance", ty(Kind::Money), Some(Value::Blank)),
        ("debtor", "rate", ty(Kind::Percent), Some(Value::Blank)),
        ("debtor", "duty", duty, Some(Value::Blank)),
    ];
    let settings = declared.map(|(owner, name, ty, default)| Setting {
        name: name.into(),
        owner: owner.into(),
        ty,
        default,
        span,
    });
    let row = |duty: &str| Row {
        cells: vec![Cell::In(vec![Value::text(duty)])],
        result: RowResult::Values(Vec::new()),
        span,
    };
    let table = Table {
        name: "vat".into(),
        first: false,
        inputs: vec![("duty".into(), Ty::new(Kind::Text))],
        results: Vec::new(),
        rows: vec![row("1"), row("4")],
        otherwise: None,
        params: Vec::new(),
        span,
    };
    vec![Arc::new(Program {
        name: "orders".into(),
        title: None,
        file,
        vars: Vec::new(),
        settings: settings.into(),
        tables: vec![table],
        defines: Vec::new(),
        constants: Vec::new(),
        source: None,
        body: Vec::new(),
        afters: Vec::new(),
        tests: Vec::new(),
    })]
}

#[track_caller]
fn judged(text: &str) -> (String, SettingValues) {
    let mut sources = Sources::default();
    let programs = programs(&mut sources);
    let file = sources.add("koppel.toml", without_secrets(text));
    let (config, mistakes) = Config::parse(file, text);
    assert!(mistakes.is_empty(), "{mistakes:?}");
    let declared = Declared::new(&programs);
    let values = declared.values(config.settings.iter());
    let mut found = declared.judge(&config);
    found.extend(programs.iter().flat_map(|program| {
        let lines: Vec<_> = config.settings.iter().collect();
        unset(program, &lines, "")
    }));
    (render_terminal(&found, &sources, 80, false), values)
}

#[test]
fn right_values_become_values_of_the_declared_type() {
    let (shown, values) = judged(
        "[settings.orders]\nstart_date = 2026-01-01\nstatuses = [\"paid\"]\n[settings.debtor]\ntolerance = 0.05\nrate = \"21%\"\nduty = \"4\"\n",
    );
    assert_eq!(shown, "");
    let value = |owner: &str, name: &str| values.get(&(owner.into(), name.into())).unwrap().clone();
    assert_eq!(value("orders", "start_date").to_string(), "2026-01-01");
    assert_eq!(value("debtor", "tolerance"), Value::eur(Decimal::new(5, 2)));
    assert_eq!(value("debtor", "rate"), Value::Decimal(Decimal::new(21, 2)));
    assert_eq!(value("orders", "statuses"), Value::List(Arc::from([Value::text("paid")])));
}

#[test]
fn an_unset_setting_is_told_at_its_declaration() {
    insta::assert_snapshot!(judged("").0, @r#"
    F111  the setting `start_date` has no default and no value
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ──────────
       ╰────
    help: in koppel.toml:
          [settings.orders]
          start_date = 2026-01-01
    "#);
}

#[test]
fn an_unknown_setting_or_owner_is_told_its_nearest() {
    let text = "[settings.orders]\nstart_date = 2026-01-01\njurnal = \"VERK\"\n[settings.order]\njournal = \"VERK\"\n[settings.shared]\nduty = \"1\"\n";
    insta::assert_snapshot!(judged(text).0, @r#"
    F112  `orders` has no setting `jurnal`
       ╭─[koppel.toml:3:1]
     3 │ jurnal = "VERK"
       · ──────
       ╰────
    help: journal

    F112  no flow or library `order` declares settings
       ╭─[koppel.toml:4:11]
     4 │ [settings.order]
       ·           ─────
       ╰────
    help: [settings.orders]

    F112  no flow or library `shared` declares settings
       ╭─[koppel.toml:6:11]
     6 │ [settings.shared]
       ·           ──────
       ╰────
    help: [settings.debtor]
    "#);
}

#[test]
fn a_value_of_another_type_is_told_at_the_key_with_a_right_one() {
    let text = "[settings.orders]\nstart_date = \"2026-01-01\"\ndocument = \"invoise\"\njournal = \"VERKOOP\"\nstatuses = \"sent\"\n[settings.debtor]\ntolerance = \"0.05\"\nrate = 21\nduty = \"9\"\n";
    insta::assert_snapshot!(judged(text).0, @r#"
    F113  the setting `start_date` is a date, not a text
       ╭─[koppel.toml:2:14]
     2 │ start_date = "2026-01-01"
       ·              ────────────
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: start_date = 2026-01-01    # without quotes

    F107  `invoise` is not a value that the setting `document` can have
       ╭─[koppel.toml:3:12]
     3 │ document = "invoise"
       ·            ────┬────
       ·                ╰── one of "order", "invoice"
       ╰────
    help: document = "invoice"

    F113  the setting `journal` has at most 5 characters
       ╭─[koppel.toml:4:11]
     4 │ journal = "VERKOOP"
       ·           ────┬────
       ·               ╰── 7 characters
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────

    F113  the setting `statuses` is a list, not a text
       ╭─[koppel.toml:5:12]
     5 │ statuses = "sent"
       ·            ──────
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: statuses = ["sent"]

    F113  the setting `tolerance` is an amount, not a text
       ╭─[koppel.toml:7:13]
     7 │ tolerance = "0.05"
       ·             ──────
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: tolerance = 0.05

    F113  the setting `rate` is a percentage, not a whole number
       ╭─[koppel.toml:8:8]
     8 │ rate = 21
       ·        ──
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: rate = "21%"

    F107  `9` is not a value that the setting `duty` can have
       ╭─[koppel.toml:9:8]
     9 │ duty = "9"
       ·        ─┬─
       ·         ╰── one of "1", "4"
       ╰────
    help: duty = "1"
    "#);
}

#[test]
fn settings_of_other_environments_and_tests_are_judged_too() {
    let text = "[settings.orders]\nstart_date = 2026-01-01\n[env.test.settings.orders]\nstart_date = 1\n[test.settings.debtor]\nrat = \"21%\"\n[runs.x]\nflow = \"orders.flow\"\nsettings = { orders = { document = \"order\", journal = 7 } }\n";
    insta::assert_snapshot!(judged(text).0, @r#"
    F113  the setting `start_date` is a date, not a whole number
       ╭─[koppel.toml:4:14]
     4 │ start_date = 1
       ·              ─
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: start_date = 2026-01-01

    F112  `debtor` has no setting `rat`
       ╭─[koppel.toml:6:1]
     6 │ rat = "21%"
       · ───
       ╰────
    help: rate

    F113  the setting `journal` is a text, not a whole number
       ╭─[koppel.toml:9:55]
     9 │ settings = { orders = { document = "order", journal = 7 } }
       ·                                                       ─
       ╰────
       ╭─[orders.flow:2:9]
     2 │ setting start_date: date
       ·         ─────┬────
       ·              ╰── declared here
       ╰────
    help: journal = "7"
    "#);
}
