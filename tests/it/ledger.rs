//! The ledger on real files: kills, second processes, unique numbers, privacy of what is stored.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use koppel::{
    ledger::{
        Command, Doubted, Ending, Event, Finding, Intended, Intent, Kept, Ledger, LedgerError, Part, Places, Question,
        QuestionMark, RecordName, RecordOutcome, Reply, Seen, State, Thing, Told, Verb, View, Wanted, Why, Wish,
        Wished, status,
    },
    value::{Action, EntityName, Fields, Node, Value, Verdict, Write},
};

fn places(folder: &Path) -> Places {
    Places {
        ledger: folder.join("ledger.sqlite"),
        key: folder.join("keys/key"),
        birth: Some(folder.join("ledger.birth")),
        settle: Duration::from_mins(18),
    }
}

fn open(folder: &Path) -> Ledger {
    Ledger::open(&places(folder)).unwrap()
}

fn record(key: &str) -> RecordName {
    RecordName::new(&"orders".into(), &key.into(), &"id".into())
}

/// An order with number `J…` and reference `…`.
fn order(key: &str, number: &str) -> Wanted {
    let reference = number.trim_start_matches('J');
    let mark = |field: &str, value: &str, part| QuestionMark {
        field: field.into(),
        value: Value::text(value),
        part,
        private: false,
    };
    Wanted {
        record: record(key),
        plan_version: "v1".into(),
        write: Write {
            name: "sale".into(),
            entity: EntityName { role: "afas".into(), entity: "FbSales".into() },
            action: Action::Create,
            fields: Fields(vec![("OrNu".into(), Node::Value(Value::text(number)))]),
            gives: Some("OrNu".into()),
            own_number: Some(number.into()),
            reference: Some(reference.into()),
            needs: Vec::new(),
            ensure: None,
        },
        conn: "afas".into(),
        seen: Seen::Read,
        control: true,
        question: Some(Question {
            entity: "Profit_Salesorders".into(),
            key: Some("OrderNumber".into()),
            marks: vec![
                mark("OrderNumber", number, Part::Number),
                mark("CustomerReference", reference, Part::Reference),
            ],
        }),
        thing: None,
        change: None,
        followed: false,
        watched: false,
    }
}

fn debtor_thing(ledger: &Ledger, email: &str, coc: &str) -> Thing {
    let (email, coc) = (Value::text(email), Value::text(coc));
    ledger.thing(&"debtor".into(), &"afas".into(), &"debtor".into(), &email, &[email.clone(), coc])
}

fn debtor(ledger: &Ledger, key: &str, email: &str, coc: &str) -> Wanted {
    let mark = QuestionMark { field: "Email".into(), value: Value::text(email), part: Part::Other, private: true };
    let mut wanted = order(key, "unused");
    wanted.write.name = "KnSalesRelationOrg".into();
    wanted.write.entity.entity = "KnSalesRelationOrg".into();
    wanted.write.fields = Fields(vec![("EmAd".into(), Node::Value(Value::text(email)))]);
    wanted.write.own_number = None;
    wanted.write.reference = None;
    wanted.question =
        Some(Question { entity: "Profit_Debtor".into(), key: Some("DebtorId".into()), marks: vec![mark] });
    wanted.thing = Some(debtor_thing(ledger, email, coc));
    wanted
}

async fn intend(ledger: &Ledger, wanted: Wanted) -> Intent {
    let slot = ledger.slot(&wanted.conn).await.unwrap();
    ledger.intend(&slot, wanted, None).await.unwrap()
}

#[track_caller]
fn sent(intent: Intent) -> Intended {
    match intent {
        Intent::Send(intended) => intended,
        other => panic!("not to be sent: {other:?}"),
    }
}

fn done(intended: &Intended, key: &str) -> Told {
    Told { row: intended.row(), event: Event::Answered(Reply::Done), key: Some(key.into()) }
}

fn ending(outcome: RecordOutcome) -> Ending {
    Ending {
        outcome,
        reason: None,
        hashes: [(Arc::from("id"), Arc::from("00"))].into(),
        plan_version: "v1".into(),
        sealed: outcome == RecordOutcome::Done,
        adopted: Vec::new(),
    }
}

#[tokio::test]
async fn a_write_that_was_on_its_way_when_the_process_died_is_settled_before_it_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let before = sent(intend(&ledger, order("1", "J1")).await);
    assert_eq!(before.attempt(), 1);
    drop(ledger);

    let ledger = open(folder.path());
    let doubts = ledger.doubts().await.unwrap();
    assert_eq!(doubts.len(), 1);
    let row = &doubts[0];
    assert_eq!(row.standing.state, State::Unsettled);
    assert_eq!(row.own_number.as_deref(), Some("J1"));
    assert_eq!(row.question, order("1", "J1").question, "it can be asked for from the row alone");
    assert!(matches!(intend(&ledger, order("1", "J1")).await, Intent::InDoubt));

    let absent = |late, control| Event::Asked { finding: Finding::Absent, late, control };
    let tell = async |event| ledger.tell(Told { row: row.id, event, key: None }).await.unwrap();
    assert_eq!(tell(absent(false, true)).await, Command::AskAgain, "an early ask proves nothing");
    assert_eq!(tell(absent(true, false)).await, Command::Hold(Why::Blind), "nor does a blind one");
    assert!(matches!(intend(&ledger, order("1", "J1")).await, Intent::InDoubt));
    assert_eq!(tell(absent(true, true)).await, Command::DecideAgain);
    assert_eq!(sent(intend(&ledger, order("1", "J1")).await).attempt(), 2);
}

#[tokio::test]
async fn a_write_found_after_a_kill_keeps_its_key_and_is_never_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    sent(intend(&ledger, order("1", "J1")).await);
    drop(ledger);

    let ledger = open(folder.path());
    let row = ledger.doubts().await.unwrap().remove(0);
    let event = Event::Asked { finding: Finding::Ours, late: false, control: true };
    ledger.tell(Told { row: row.id, event, key: Some("J1".into()) }).await.unwrap();
    let Intent::UseKey(key) = intend(&ledger, order("1", "J1")).await else { panic!("it is there") };
    assert_eq!(&*key, "J1");
    assert!(ledger.doubts().await.unwrap().is_empty());
    assert_eq!(ledger.control("afas", "FbSales", None).await.unwrap().as_deref(), Some("J1"));
}

#[tokio::test]
async fn an_answer_about_a_row_that_moved_since_it_was_asked_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let unclear = |intended: &Intended| Told { row: intended.row(), event: Event::Answered(Reply::Unclear), key: None };
    let first = sent(intend(&ledger, order("1", "J1")).await);
    ledger.tell(unclear(&first)).await.unwrap();
    let absent = || Told {
        row: first.row(),
        event: Event::Asked { finding: Finding::Absent, late: true, control: true },
        key: None,
    };
    let (slow, quick) = (Instant::now(), Instant::now());
    assert_eq!(ledger.answer(absent(), quick).await.unwrap(), Command::DecideAgain);
    let second = sent(intend(&ledger, order("1", "J1")).await);
    ledger.tell(unclear(&second)).await.unwrap();

    assert_eq!(ledger.answer(absent(), slow).await.unwrap(), Command::Rest, "it is about the attempt before");
    assert_eq!(ledger.doubts().await.unwrap()[0].standing.state, State::Unsettled);
    let found = Told {
        row: first.row(),
        event: Event::Asked { finding: Finding::Ours, late: false, control: true },
        key: Some("J1".into()),
    };
    ledger.answer(found.clone(), Instant::now()).await.unwrap();
    assert_eq!(ledger.answer(found.clone(), slow).await.unwrap(), Command::Rest, "two may ask, one of them settles it");
    let late = Instant::now();
    assert_eq!(ledger.answer(found, late).await.unwrap(), Command::Rest, "it was settled after it was seen in doubt");
}

#[tokio::test]
async fn what_was_asked_before_the_end_of_quarantine_stays_in_quarantine() {
    let settle = Duration::from_millis(30);
    let folder = tempfile::tempdir().unwrap();
    sent(intend(&open(folder.path()), order("1", "J1")).await);
    std::fs::remove_file(places(folder.path()).ledger).unwrap();
    let ledger = open(folder.path());
    let asked = Instant::now();
    tokio::time::sleep(settle).await;
    assert!(ledger.quarantined(settle, asked), "it may have missed what the ledger forgot");
    assert!(!ledger.quarantined(settle, Instant::now()));
}

/// Whether the next process still waits after a loss, when the one before ran for longer than one of its connections
/// needs.
async fn waits_again(longest: Duration) -> bool {
    let shorter = Duration::from_millis(30);
    let folder = tempfile::tempdir().unwrap();
    let places = Places { settle: longest, ..places(folder.path()) };
    sent(intend(&Ledger::open(&places).unwrap(), order("1", "J1")).await);
    std::fs::remove_file(&places.ledger).unwrap();
    let ledger = Ledger::open(&places).unwrap();
    assert!(ledger.quarantine_left().is_some());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(!ledger.quarantined(shorter, Instant::now()), "on that connection it is over");
    // A commit, with which the mark is written when it may be.
    sent(intend(&ledger, order("2", "J2")).await);
    drop(ledger);
    Ledger::open(&places).unwrap().quarantined(shorter, Instant::now())
}

#[tokio::test]
async fn a_loss_is_over_when_the_slowest_connection_of_the_project_has_waited() {
    assert!(waits_again(Duration::from_hours(1)).await, "another run's connection needs longer");
    assert!(!waits_again(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn a_second_process_is_refused_by_name_until_the_first_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let error = Ledger::open(&places(folder.path())).unwrap_err();
    assert!(matches!(&error, LedgerError::Locked { pid: Some(pid), .. } if *pid == std::process::id()), "{error}");
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(first);
    open(folder.path());
}

#[tokio::test]
async fn a_number_belongs_to_one_record_over_all_flows() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let first = sent(intend(&ledger, order("1", "J1")).await);
    assert!(matches!(intend(&ledger, order("2", "J1")).await, Intent::Other(other) if &*other.key == "1"));
    ledger.tell(done(&first, "J1")).await.unwrap();
    assert!(matches!(intend(&ledger, order("2", "J1")).await, Intent::Other(other) if &*other.key == "1"));

    let mut same_reference = order("2", "K1");
    same_reference.write.reference = Some("1".into());
    assert!(matches!(intend(&ledger, same_reference).await, Intent::Other(_)), "references are unique as well");

    let mut other_entity = order("2", "J1");
    other_entity.write.entity.entity = "FbDeliveryNote".into();
    sent(intend(&ledger, other_entity).await);
}

#[tokio::test]
async fn a_renamed_run_and_an_edited_key_find_what_was_made_before() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let first = sent(intend(&ledger, order("1", "J1")).await);
    let mut renamed = order("1", "J1");
    renamed.record.run = "invoices".into();
    assert!(matches!(intend(&ledger, renamed.clone()).await, Intent::InDoubt), "while it is in doubt, it waits");
    ledger.tell(done(&first, "J1")).await.unwrap();
    assert!(matches!(intend(&ledger, renamed).await, Intent::UseKey(key) if &*key == "J1"));

    let mut edited = order("2026-1", "J1");
    edited.record.run = "invoices".into();
    edited.record.key_fields = "number".into();
    assert!(matches!(intend(&ledger, edited).await, Intent::UseKey(key) if &*key == "J1"));
}

#[tokio::test]
async fn a_refused_write_may_be_sent_by_a_later_decision_also_by_another_record() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let first = sent(intend(&ledger, order("1", "J1")).await);
    let refused = Told { row: first.row(), event: Event::Answered(Reply::Refused), key: None };
    assert_eq!(ledger.tell(refused).await.unwrap(), Command::Fail);
    sent(intend(&ledger, order("2", "J1")).await);
}

#[tokio::test]
async fn the_confirm_of_one_write_and_the_intention_of_the_next_are_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let first = sent(intend(&ledger, order("1", "J1")).await);
    let mut next = order("1", "J2");
    next.write.name = "second".into();
    let slot = ledger.slot(&next.conn).await.unwrap();
    let second = sent(ledger.intend(&slot, next, Some(done(&first, "J1"))).await.unwrap());
    ledger.finish(record("1"), ending(RecordOutcome::Done), Some(done(&second, "J2"))).await.unwrap();
    drop(ledger);

    let ledger = open(folder.path());
    let known = ledger.records("orders", "", vec!["1".into(), "2".into()]).await.unwrap();
    let states: Vec<_> = known[0].rows.iter().map(|row| (row.standing.state, row.target_key.as_deref())).collect();
    assert_eq!(states, [(State::Confirmed, Some("J1")), (State::Confirmed, Some("J2"))]);
    let own = known[0].record.as_ref().unwrap();
    assert_eq!((own.outcome, own.sealed), (RecordOutcome::Done, true));
    assert_eq!(own.hashes, ending(RecordOutcome::Done).hashes);
    assert!(known[1].record.is_none());
}

#[tokio::test]
async fn a_record_of_which_something_is_on_its_way_is_open_and_without_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    sent(intend(&ledger, order("1", "J1")).await);
    let known = ledger.records("orders", "", vec!["1".into()]).await.unwrap().remove(0).record.unwrap();
    assert_eq!(known.outcome, RecordOutcome::Open);
    assert!(known.hashes.is_empty(), "a record that was only seen is decided again");
    assert_eq!(ledger.waiting("orders").await.unwrap(), [Arc::from("1")]);
}

#[tokio::test]
async fn many_writes_share_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let all = (0..200).map(|n| {
        let ending = ending(RecordOutcome::Skipped);
        ledger.finish(record(&n.to_string()), ending, None)
    });
    for result in futures_util::future::join_all(all).await {
        result.unwrap();
    }
    drop(ledger);
    let connection = rusqlite::Connection::open(places(folder.path()).ledger).unwrap();
    let counted = |sentence: &str| connection.query_row(sentence, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(counted("SELECT count(*) FROM record"), 200);
    let commits = counted("SELECT commits FROM meta");
    assert!((1..200).contains(&commits), "{commits} commits");
}

#[tokio::test]
async fn no_email_and_no_payload_stands_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let email = "jansen@bakkerij.example";
    let intended = sent(intend(&ledger, debtor(&ledger, "1", email, "12345678")).await);
    let reason =
        Kept { verdict: Verdict::Hold, place: "orders.flow:7".into(), masked: "no debtor for •••".into() };
    let held = Ending { reason: Some(reason), ..ending(RecordOutcome::Held) };
    ledger.finish(record("1"), held, Some(done(&intended, "10021"))).await.unwrap();
    sent(intend(&ledger, order("2", "J2026-0042")).await);
    drop(ledger);

    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds(email) && !holds("bakkerij") && !holds("12345678"));
    assert!(holds("10021") && holds("J2026-0042"), "keys and own numbers are in plain, to be asked for");
}

#[tokio::test]
async fn one_thing_in_doubt_keeps_everything_under_its_key_from_being_made() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let first = sent(intend(&ledger, debtor(&ledger, "1", "a@x.example", "1")).await);
    assert!(matches!(intend(&ledger, debtor(&ledger, "2", "a@x.example", "1")).await, Intent::InDoubt));
    let same_mail = debtor(&ledger, "2", " A@X.example", "2");
    assert!(matches!(intend(&ledger, same_mail.clone()).await, Intent::InDoubt), "the e-mail is the lock");
    ledger.tell(done(&first, "100")).await.unwrap();
    assert!(
        matches!(intend(&ledger, debtor(&ledger, "2", "a@x.example", "1")).await, Intent::UseKey(key) if &*key == "100")
    );
    sent(intend(&ledger, same_mail).await);

    let thing = debtor_thing(&ledger, "a@x.example", "1");
    let rows = ledger.under(&thing.lock).await.unwrap();
    let mine: Vec<_> = rows.iter().filter(|row| row.is(&thing)).collect();
    assert_eq!((rows.len(), mine.len()), (2, 1), "two companies with one accountant's e-mail stay two");
    assert!(mine[0].question.is_none(), "a question that needs the e-mail cannot be asked from the row");
}

#[tokio::test]
async fn a_lock_of_a_thing_is_held_by_one_task_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let a = debtor_thing(&ledger, "a@x.example", "1").lock;
    let b = debtor_thing(&ledger, "b@x.example", "1").lock;
    let held = ledger.lock(vec![a.clone(), b.clone()]).await;
    let mut waiting = std::pin::pin!(ledger.lock(vec![b, a]));
    assert!(waiting.as_mut().now_or_never().is_none());
    drop(held);
    waiting.await;
}

#[tokio::test]
async fn ten_writes_of_a_connection_are_under_way_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let afas: Arc<str> = "afas".into();
    let mut slots = Vec::new();
    for _ in 0..10 {
        slots.push(ledger.slot(&afas).await.unwrap());
    }
    let mut eleventh = std::pin::pin!(ledger.slot(&afas));
    assert!(eleventh.as_mut().now_or_never().is_none());
    ledger.slot(&"jortt".into()).await.unwrap();
    slots.pop();
    eleventh.await.unwrap();
}

#[tokio::test]
async fn another_key_or_a_lost_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let key = places(folder.path()).key;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&key, [1; 32]).unwrap();
    assert!(matches!(Ledger::open(&places(folder.path())), Err(LedgerError::OtherKey { .. })));
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(Ledger::open(&places(folder.path())), Err(LedgerError::Key { .. })));
}

#[tokio::test]
async fn another_system_on_a_known_connection_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    ledger.connect("afas", "O12345AA").await.unwrap();
    ledger.connect("afas", "O12345AA").await.unwrap();
    let error = ledger.connect("afas", "T12345AA").await.unwrap_err();
    assert!(
        matches!(&error, LedgerError::OtherSystem { known, found, .. } if known == "O12345AA" && found == "T12345AA")
    );
}

#[tokio::test]
async fn a_lost_or_restored_ledger_creates_nothing_until_the_old_one_can_do_no_more() {
    let settle = Duration::from_hours(1);
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    assert!(!ledger.quarantined(settle, Instant::now()), "a new installation has lost nothing");
    drop(ledger);
    let copy = folder.path().join("backup");
    std::fs::copy(places(folder.path()).ledger, &copy).unwrap();
    let ledger = open(folder.path());
    assert!(!ledger.quarantined(settle, Instant::now()));
    sent(intend(&ledger, order("1", "J1")).await);
    drop(ledger);

    std::fs::rename(&copy, places(folder.path()).ledger).unwrap();
    for _ in 0..2 {
        let ledger = open(folder.path());
        assert!(ledger.quarantined(settle, Instant::now()), "also at the next start");
        assert!(!ledger.quarantined(Duration::ZERO, Instant::now()));
    }
    std::fs::remove_file(places(folder.path()).ledger).unwrap();
    assert!(open(folder.path()).quarantined(settle, Instant::now()));
}

#[tokio::test]
async fn nothing_is_done_on_a_ledger_that_was_replaced_while_it_was_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let path = places(folder.path()).ledger;
    let copy = folder.path().join("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    let slot = ledger.slot(&"afas".into()).await.unwrap();
    let error = ledger.intend(&slot, order("1", "J1"), None).await.unwrap_err();
    assert!(matches!(error, LedgerError::Replaced { .. }), "{error}");
    let error = ledger.intend(&slot, order("2", "J2"), None).await.unwrap_err();
    assert!(matches!(error, LedgerError::Replaced { .. }), "and not later either: {error}");
}

#[tokio::test]
async fn held_records_wait_longer_each_time_and_status_tells_why() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let reason = Kept { verdict: Verdict::Hold, place: "orders.flow:7".into(), masked: "waits for •••".into() };
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let held = Ending { reason: Some(reason.clone()), ..ending(RecordOutcome::Held) };
        ledger.finish(record("1"), held, None).await.unwrap();
        let told = status(&places(folder.path()).ledger).unwrap();
        let waiting = &told.waiting[0];
        assert_eq!(
            (waiting.place.as_deref(), waiting.reason.as_deref()),
            (Some("orders.flow:7"), Some("waits for •••"))
        );
        pauses.push(waiting.next_try.unwrap().duration_since(waiting.at.unwrap()).as_mins());
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 360, 360, 360]);
    sent(intend(&ledger, order("2", "J2")).await);
    let told = status(&places(folder.path()).ledger).unwrap();
    assert_eq!(told.records["orders"]["held"], 1);
    assert_eq!(told.doubts[0].number.as_deref(), Some("J2"));
}

/// What a verb does: looks, and writes a wish beside the process that has the ledger.
fn wish(folder: &Path, verb: Verb, key: Option<&str>, write: Option<&str>) {
    let view = View::open(&places(folder).ledger).unwrap().unwrap();
    let wish = |text: &str| -> Arc<str> { text.into() };
    let (key, write) = (key.map(wish), write.map(wish));
    view.wish(&[Wish { run: "orders".into(), key, verb, write, target_key: Some("".into()) }]).unwrap();
}

async fn last_wish(ledger: &Ledger) -> Wished {
    ledger.wishes("orders").await.unwrap().pop().unwrap()
}

/// How long an attempt may still arrive.
fn settle(time: Duration) -> std::collections::HashMap<Arc<str>, Duration> {
    [("afas".into(), time)].into()
}

#[tokio::test]
async fn a_wish_is_written_beside_the_process_that_has_the_ledger_and_carried_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    for (key, outcome) in [
        ("1", RecordOutcome::Failed),
        ("2", RecordOutcome::Held),
        ("3", RecordOutcome::Skipped),
        ("4", RecordOutcome::Done),
    ] {
        ledger.finish(record(key), ending(outcome), None).await.unwrap();
    }
    let counted = || status(&places(folder.path()).ledger).unwrap().records["orders"].clone();
    wish(folder.path(), Verb::RetryFailed, None, None);
    let wished = last_wish(&ledger).await;
    assert_eq!(ledger.wished_after(0).await.unwrap(), [(wished.id, "orders".into())]);
    assert!(ledger.wished_after(wished.id).await.unwrap().is_empty());
    let came = ledger.carry_out(wished.clone(), settle(Duration::ZERO)).await.unwrap();
    assert_eq!(came, Some(Ok("1 record is decided again".into())));
    assert_eq!(counted(), [("open", 1), ("held", 1), ("skipped", 1), ("done", 1)].map(|(o, n)| (o.into(), n)).into());
    assert_eq!(ledger.carry_out(wished, settle(Duration::ZERO)).await.unwrap(), None, "it has ended");

    // One that is named is decided again whatever it waits for; what is done has no need of it.
    wish(folder.path(), Verb::Retry, Some("3"), None);
    assert!(ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap().unwrap().is_ok());
    wish(folder.path(), Verb::Retry, Some("4"), None);
    let came = ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap();
    assert_eq!(came, Some(Err("nothing of it waits any more".into())));
    assert_eq!(counted()["open"], 2);
}

#[tokio::test]
async fn the_seal_of_a_record_is_lifted_and_what_it_made_stays() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let order = sent(intend(&ledger, order("1", "J1")).await);
    ledger.finish(record("1"), ending(RecordOutcome::Done), Some(done(&order, "J1"))).await.unwrap();
    wish(folder.path(), Verb::Redo, Some("1"), None);
    assert!(ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap().unwrap().is_ok());
    let known = ledger.records("orders", "", vec!["1".into()]).await.unwrap().pop().unwrap();
    let own = known.record.unwrap();
    assert_eq!((own.outcome, own.sealed), (RecordOutcome::Open, false));
    assert_eq!(known.rows[0].standing.state, State::Confirmed);
    wish(folder.path(), Verb::Redo, Some("1"), None);
    assert!(ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn the_word_of_a_person_settles_a_row_but_denies_nothing_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let unclear = async |key: &str| {
        let wanted = Wanted { seen: Seen::Nothing, question: None, ..order(key, &format!("J{key}")) };
        let row = sent(intend(&ledger, wanted).await).row();
        let told = Told { row, event: Event::Answered(Reply::Unclear), key: None };
        assert_eq!(ledger.tell(told).await.unwrap(), Command::Hold(Why::Unclear));
    };
    let state = async |key: &str| {
        let known = ledger.records("orders", "", vec![key.into()]).await.unwrap().pop().unwrap();
        (known.rows[0].standing.state, known.record.unwrap().outcome)
    };
    unclear("1").await;
    let view = View::open(&places(folder.path()).ledger).unwrap().unwrap();
    let Doubted { row, reason } = view.doubts().unwrap().pop().unwrap();
    assert!(row.quiet_since.is_some() && reason.is_some(), "{row:?} {reason:?}");

    wish(folder.path(), Verb::DidNotHappen, Some("1"), Some("sale"));
    let came = ledger.carry_out(last_wish(&ledger).await, settle(Duration::from_mins(18))).await.unwrap().unwrap();
    assert!(came.unwrap_err().contains("may still arrive until"));
    assert_eq!(state("1").await, (State::Unclear, RecordOutcome::Held));
    let wished = view.wishes(jiff::Timestamp::MIN).unwrap().pop().unwrap();
    assert!(wished.ended.is_some() && wished.refused.is_some(), "{wished:?}");

    // What cannot be judged here waits for who can.
    wish(folder.path(), Verb::DidNotHappen, Some("1"), Some("sale"));
    assert_eq!(ledger.carry_out(last_wish(&ledger).await, [].into()).await.unwrap(), None);
    assert!(ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap().unwrap().is_ok());
    assert_eq!(state("1").await, (State::Void, RecordOutcome::Open));

    unclear("2").await;
    wish(folder.path(), Verb::Happened, Some("2"), Some("other"));
    let came = ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap();
    assert_eq!(came, Some(Err("it is not in doubt any more".into())));
    wish(folder.path(), Verb::Happened, Some("2"), Some("sale"));
    // Whoever polls may settle it, also for a run that is not there any more.
    assert_eq!(ledger.wishes("paid").await.unwrap().len(), 1);
    assert!(
        ledger.carry_out(last_wish(&ledger).await, settle(Duration::from_mins(18))).await.unwrap().unwrap().is_ok()
    );
    assert_eq!(state("2").await, (State::Confirmed, RecordOutcome::Open));
}

#[tokio::test]
async fn what_was_sent_as_often_as_may_be_waits_for_the_word_of_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let tell = async |row, event| ledger.tell(Told { row, event, key: None }).await.unwrap();
    for _ in 0..koppel::ledger::state::ATTEMPTS {
        let row = sent(intend(&ledger, order("1", "J1")).await).row();
        tell(row, Event::Answered(Reply::Unclear)).await;
        tell(row, Event::Asked { finding: Finding::Absent, late: true, control: true }).await;
    }
    let view = View::open(&places(folder.path()).ledger).unwrap().unwrap();
    assert!(view.doubts().unwrap().is_empty(), "its record does not wait for it");
    assert!(matches!(intend(&ledger, order("1", "J1")).await, Intent::Held(Why::Attempts)));
    ledger.finish(record("1"), ending(RecordOutcome::Held), None).await.unwrap();
    let row = view.doubts().unwrap().pop().unwrap().row;
    assert_eq!((row.standing.state, &*row.title()), (State::Void, "sale"));

    wish(folder.path(), Verb::DidNotHappen, Some("1"), Some("sale"));
    assert!(
        ledger.carry_out(last_wish(&ledger).await, settle(Duration::from_mins(18))).await.unwrap().unwrap().is_ok()
    );
    assert_eq!(sent(intend(&ledger, order("1", "J1")).await).attempt(), 1);
}

#[tokio::test]
async fn how_long_a_record_waits_is_kept_over_its_tries() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(folder.path());
    let since = || status(&places(folder.path()).ledger).unwrap().waiting.pop().map(|own| (own.since, own.at));
    ledger.finish(record("1"), ending(RecordOutcome::Held), None).await.unwrap();
    let (first, _) = since().unwrap();
    wish(folder.path(), Verb::Retry, Some("1"), None);
    ledger.carry_out(last_wish(&ledger).await, settle(Duration::ZERO)).await.unwrap();
    ledger.finish(record("1"), ending(RecordOutcome::Held), None).await.unwrap();
    let (again, at) = since().unwrap();
    assert!(again == first && at > first, "{again:?} {first:?} {at:?}");
    ledger.finish(record("1"), ending(RecordOutcome::Done), None).await.unwrap();
    ledger.finish(record("1"), ending(RecordOutcome::Held), None).await.unwrap();
    assert!(since().unwrap().0 > first, "in between it was done");
}
