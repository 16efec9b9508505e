//! Asking in advance never changes an outcome: flows drawn at random, decided with all answers at once, with one at a
//! time, and by the slow twin that only ever gets the read that it cannot do without.

use proptest::prelude::*;

use super::*;
use crate::{
    check::typed::*,
    plan::sample::*,
    schema::{Kind, Ty},
    syntax::tree::{BinaryOp, FindMode},
    value::Verdict,
};

/// A drawn condition.
#[derive(Debug, Clone)]
enum Draw {
    /// A name of an earlier find, let or ensure is blank.
    NameBlank(usize),
    /// There is a row of an entity whose field is a value of an earlier name.
    Exists(usize, usize),
    /// A field of the record has this value.
    Record(usize, u8),
    And(Box<Draw>, Box<Draw>),
    Or(Box<Draw>, Box<Draw>),
    Not(Box<Draw>),
}

/// A drawn statement.
#[derive(Debug, Clone)]
enum DrawStmt {
    Find(usize, usize, u8),
    Let(usize, Draw),
    Must(usize),
    Guard(u8, Draw),
    Ensure(usize, usize, Draw),
    Write(usize, Draw),
    Each(usize, Draw),
}

fn condition() -> impl Strategy<Value = Draw> {
    let leaf = prop_oneof![
        any::<usize>().prop_map(Draw::NameBlank),
        (any::<usize>(), any::<usize>()).prop_map(|(entity, name)| Draw::Exists(entity, name)),
        (any::<usize>(), 0u8..3).prop_map(|(field, value)| Draw::Record(field, value)),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Draw::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Draw::Or(a.into(), b.into())),
            inner.prop_map(|of| Draw::Not(of.into())),
        ]
    })
}

fn statement() -> impl Strategy<Value = DrawStmt> {
    prop_oneof![
        3 => (any::<usize>(), any::<usize>(), 0u8..3).prop_map(|(e, n, m)| DrawStmt::Find(e, n, m)),
        2 => (any::<usize>(), condition()).prop_map(|(name, when)| DrawStmt::Let(name, when)),
        1 => any::<usize>().prop_map(DrawStmt::Must),
        3 => (0u8..4, condition()).prop_map(|(verdict, when)| DrawStmt::Guard(verdict, when)),
        2 => (any::<usize>(), any::<usize>(), condition()).prop_map(|(e, n, w)| DrawStmt::Ensure(e, n, w)),
        1 => (any::<usize>(), condition()).prop_map(|(name, when)| DrawStmt::Write(name, when)),
        1 => (any::<usize>(), condition()).prop_map(|(name, when)| DrawStmt::Each(name, when)),
    ]
}

/// Entities with the field that is searched and the one that is looked at.
fn entities() -> [(Arc<crate::schema::Entity>, &'static str, &'static str); 3] {
    [(debtors(), "Email", "BcCo"), (contacts(), "MailWork", "OrgNumber"), (articles(), "ItemCode", "UnitId")]
}

const FIELDS: [&str; 3] = ["email", "name", "number"];

struct Drawing {
    sample: Sample,
    /// Values that later statements may use.
    names: Vec<Expr>,
}

impl Drawing {
    fn name(&self, number: usize) -> Expr {
        self.names[number % self.names.len()].clone()
    }

    fn search(&mut self, entity: usize, name: usize) -> Search {
        let (entity, searched, _) = entities()[entity % 3].clone();
        let value = self.name(name);
        self.sample.search(&entity, |row| is(field(var(row), searched), value))
    }

    fn condition(&mut self, draw: &Draw) -> Expr {
        match draw {
            Draw::NameBlank(name) => is(self.name(*name), blank()),
            Draw::Exists(entity, name) => exists(self.search(*entity, *name)),
            Draw::Record(field, value) => is(self.sample.invoice(FIELDS[field % 3]), text(&value.to_string())),
            Draw::And(a, b) => and(self.condition(a), self.condition(b)),
            Draw::Or(a, b) => or(self.condition(a), self.condition(b)),
            Draw::Not(of) => not(self.condition(of)),
        }
    }

    fn statement(&mut self, draw: &DrawStmt) {
        match draw {
            DrawStmt::Find(entity, name, mode) => {
                let search = self.search(*entity, *name);
                let looked_at = entities()[entity % 3].2;
                let mode = [FindMode::One, FindMode::First, FindMode::All][usize::from(*mode)];
                let (row, stmt) = self.sample.find("row", search, mode);
                self.sample.stmt(stmt);
                self.names.push(match mode {
                    FindMode::All => {
                        let all = field_of(var(row), looked_at, Ty::list(opt(Kind::Text)));
                        call("first", vec![all], opt(Kind::Text))
                    }
                    _ => field(var(row), looked_at),
                });
            }
            DrawStmt::Let(name, when) => {
                let value = choose(vec![(self.condition(when), self.name(*name))], Some(self.name(name / 7)));
                let (name, stmt) = self.sample.let_("name", value);
                self.sample.stmt(stmt);
                self.names.push(var(name));
            }
            DrawStmt::Must(name) => {
                let (name, stmt) = self.sample.let_("must", must(self.name(*name), "it"));
                self.sample.stmt(stmt);
                self.names.push(var(name));
            }
            DrawStmt::Guard(verdict, when) => {
                let verdict = [Verdict::Skip, Verdict::Hold, Verdict::Fail, Verdict::Warn][usize::from(*verdict)];
                let when = self.condition(when);
                self.sample.guard(verdict, Some(when), "a guard");
            }
            DrawStmt::Ensure(entity, name, when) => {
                let (gives, by, other) = (["DebtorId", "ContactId", "ItemCode"][entity % 3], *name, name / 5);
                let searches = [self.search(*entity, by), self.search(*entity, other)];
                let (when, key) = (self.condition(when), self.name(other));
                let ensure = self.sample.ensure("thing", |s, found| {
                    let [first, second] = searches;
                    let relation = s.var("relation");
                    let of_found = s.search(&contacts(), |row| {
                        is(field(var(row), "OrgNumber"), field(var(found), entities()[entity % 3].2))
                    });
                    let lines = vec![line("ItCd", key)];
                    let create = s.write("create", "ItCd", vec![target(&items(), Some(when), lines)]);
                    vec![
                        Alternative::Find { search: first, first: true, gives: gives.into() },
                        Alternative::Find { search: second, first: false, gives: gives.into() },
                        Alternative::FindRow(Find { var: relation, search: of_found, mode: FindMode::First }),
                        Alternative::Guard {
                            guard: guard(Verdict::Hold, Some(is(field(var(relation), "MailWork"), text("1"))), "found"),
                            of_found: true,
                        },
                        Alternative::Create(create),
                        Alternative::Guard { guard: guard(Verdict::Hold, None, "no thing"), of_found: false },
                    ]
                });
                self.names.push(var(ensure.var));
                self.sample.stmt(Stmt::Ensure(ensure));
            }
            DrawStmt::Write(name, when) => {
                let (when, value) = (self.condition(when), self.name(*name));
                let write =
                    self.sample.write("write", "OrNu", vec![target(&sales(), Some(when), vec![line("RfCs", value)])]);
                self.sample.stmt(Stmt::Write(write));
            }
            DrawStmt::Each(name, when) => {
                let element = self.sample.var("line");
                let code = field(var(element), "code");
                let before = self.names.len();
                let (row, find) = {
                    let search = self.sample.search(&articles(), |row| is(field(var(row), "ItemCode"), code.clone()));
                    self.sample.find("article", search, FindMode::One)
                };
                self.names.push(code);
                self.names.push(field(var(row), "UnitId"));
                let stop = Stmt::Guard(guard(Verdict::Hold, Some(self.condition(when)), "in a line"));
                let lines = vec![line("RfCs", self.name(*name)), line("Unit", field(var(row), "UnitId"))];
                let write = self.sample.write("line", "OrNu", vec![target(&sales(), None, lines)]);
                self.names.truncate(before);
                let list = lines_of(self.sample.record);
                let body = vec![find, stop, Stmt::Write(write)];
                self.sample.stmt(Stmt::Each(Each { var: element, list, when: None, body }));
            }
        }
    }
}

fn draw(statements: &[DrawStmt]) -> Plan {
    let sample = Sample::new();
    let names = FIELDS.map(|name| sample.invoice(name)).to_vec();
    let mut drawing = Drawing { sample, names };
    for stmt in statements {
        drawing.statement(stmt);
    }
    // Names of one kind are told apart by nothing here; the checker would ask for it.
    drawing.sample.plan()
}

fn some(value: u8) -> Value {
    if value == 0 { Value::Blank } else { Value::text(&value.to_string()) }
}

fn held(rows: &[(u8, u8, u8)]) -> Held {
    rows.iter().enumerate().fold(Held::default(), |held, (number, (entity, a, b))| {
        let id = Value::text(&format!("id{number}"));
        match entity % 3 {
            0 => held.with("afas.Profit_Debtor", &[("DebtorId", id), ("Email", some(*a)), ("BcCo", some(*b))]),
            1 => {
                held.with("afas.Profit_Contacts", &[("ContactId", id), ("MailWork", some(*a)), ("OrgNumber", some(*b))])
            }
            _ => held.with("afas.Profit_Article", &[("ItemCode", some((*a).max(1))), ("UnitId", some(*b))]),
        }
    })
}

/// Decides with answers given one at a time, the pick of which is left to the caller.
fn decide_one_by_one(
    plan: &Plan,
    record: &Record,
    held: &Held,
    mut pick: impl FnMut(usize) -> usize,
) -> (Decision, Reads) {
    let confirmed = BTreeMap::new();
    let moment = Moment { today: "2026-01-15".parse().unwrap(), confirmed: &confirmed, left: &NothingLeft };
    let mut reads = Reads::default();
    loop {
        match step(plan, record, &reads, moment) {
            Step::Decided(decision) => return (decision, reads),
            Step::Wants(asks) => {
                let ask = asks[pick(asks.len()) % asks.len()].clone();
                let rows = held.answer(&ask);
                assert!(reads.0.insert(ask, rows).is_none(), "asked once");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn asking_in_advance_never_changes_an_outcome(
        statements in proptest::collection::vec(statement(), 1..9),
        fields in (0u8..3, 0u8..3, 0u8..3),
        lines in proptest::collection::vec(0u8..3, 0..3),
        rows in proptest::collection::vec((0u8..3, 0u8..3, 0u8..3), 0..8),
        picks in proptest::collection::vec(any::<usize>(), 1..8),
    ) {
        let plan = draw(&statements);
        let held = held(&rows);
        let lines = lines.iter().map(|code| Value::Record(record(&[("code", some(*code))]))).collect();
        let invoice = record(&[
            ("email", some(fields.0)),
            ("name", some(fields.1)),
            ("number", some(fields.2)),
            ("line_items", list(lines)),
        ]);
        let at_once = decide(&plan, &invoice, &held);
        // The first ask is the one that reading downwards stands at: nothing is read that is not needed.
        let (slow, needed) = decide_one_by_one(&plan, &invoice, &held, |_| 0);
        prop_assert_eq!(&at_once, &slow);
        let mut picks = picks.into_iter().cycle();
        let (shuffled, _) = decide_one_by_one(&plan, &invoice, &held, |_| picks.next().unwrap_or(0));
        prop_assert_eq!(&at_once, &shuffled);
        // And what the slow twin never read, nobody can have hung on.
        for missing in needed.0.keys() {
            let mut fewer = needed.clone();
            fewer.0.remove(missing);
            let confirmed = BTreeMap::new();
            let moment = Moment { today: "2026-01-15".parse().unwrap(), confirmed: &confirmed, left: &NothingLeft };
            if let Step::Wants(asks) = step(&plan, &invoice, &fewer, moment) {
                prop_assert!(asks.contains(missing));
            }
        }
    }
}

/// A name that is worked out in advance is not worked out again, and a warning is told once.
#[test]
fn a_warning_of_a_waiting_step_is_not_told_twice() {
    let mut s = Sample::new();
    s.guard(Verdict::Warn, None, "once");
    let email = s.invoice("email");
    let search = s.search(&debtors(), |row| is(field(var(row), "Email"), email));
    s.guard(Verdict::Hold, Some(not(exists(search))), "nobody");
    let in_list = binary(BinaryOp::In, text("a"), constant(list(vec![Value::text("a")])));
    s.guard(Verdict::Warn, Some(in_list), "never reached");
    let decision = decide(&s.plan(), &record(&[("email", Value::text("a@b.nl"))]), &Held::default());
    assert_eq!(decision.warnings.len(), 1);
}
