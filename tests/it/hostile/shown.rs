//! Hostile names, e-mails, numbers and remarks through the real program: they arrive as they are, and nothing that
//! koppel shows or keeps is steered by them.

use serde_json::Value;

use super::texts;
use crate::cli::{
    Place, config,
    world::{Running, get, post, sandbox},
};

/// The number of an invoice is its key; a remark holds it.
const FLOW: &str = r#"flow sales "Invoices of anybody"

read invoice from jortt.invoices {
  where .list is "sent"
  since change
  key   .invoice_number
}

hold when invoice.remarks is not blank because "a remark: {invoice.remarks} ({invoice.invoice_number})"
fail when invoice.reference is blank because "no reference: {invoice.invoice_number}"
hold when invoice.customer_mail_to is blank because "no e-mail"

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is invoice.customer_mail_to gives .DebtorId
  create afas.KnSalesRelationOrg gives .DbId {
    IsDb = yes
    CuId = "EUR"
    ColA = "1300"
    InPv = "Reeds verstrekt, niet opnieuw verstrekken"
    AuPa = no
    PaCd = "30"
    VaDu = "1"
    KnOrganisation {
      PadAdr   = yes
      AutoNum  = yes
      MatchOga = "Altijd nieuw toevoegen"
      Nm       = invoice.customer_company_name!
      EmAd     = invoice.customer_mail_to
    }
  }
}

create sale in afas.FbSales gives .OrNu {
  OrNu = "J{invoice.reference!}"
  OrDa = invoice.invoice_date
  DbId = debtor
  RfCs = invoice.reference!
  Unit = 1
  CuId = "EUR"
  Re   = invoice.introduction
  Lines = each line in invoice.line_items {
    VaIt = "Artikel"
    ItCd = "ADV"
    BiUn = "UUR"
    Ds   = line.description
    QuUn = 1
  }
}
"#;

/// Nobody's e-mail may be found in what koppel keeps.
const SECRET: &str = "geheim.example";

fn email(number: usize, text: &str) -> String {
    format!("{number}{text}@{SECRET}").to_lowercase()
}

/// Three invoices for each text: one that goes through, one that is held, one that fails.
fn records() -> Value {
    let (mut customers, mut invoices) = (Vec::new(), Vec::new());
    for (number, text) in texts().iter().enumerate() {
        let id = |kind: usize| format!("ae3d2c0a-8a33-4a1e-9b8d-{kind:04}{number:08}");
        customers.push(serde_json::json!({
            "id": id(0), "is_private": false, "customer_name": text, "email": email(number, text)
        }));
        for (kind, remark, reference) in [(1, None, Some(number)), (2, Some(text), None), (3, None, None)] {
            let start = text.chars().take(20).collect::<String>();
            invoices.push(serde_json::json!({
                "id": id(kind), "invoice_status": "sent", "customer_id": id(0),
                "invoice_number": format!("{number}-{kind}{start}"), "invoice_date": "2026-03-14",
                "invoice_due_date": "2026-04-13", "created_at": "2026-03-14T10:22:33+01:00", "remarks": remark,
                "reference": reference.map(|number| format!("R{number}")), "introduction": text,
                "line_items": [{
                    "description": text, "quantity": "1.0", "amount": "90.00", "vat": "0.21",
                    "ledger_account_id": "f8fd3e4e-da1c-43a7-892f-1410ac13e38a"
                }]
            }));
        }
    }
    serde_json::json!({"jortt": {"customers": customers, "invoices": invoices}})
}

/// Characters that steer a terminal or that nobody sees; a line may end.
fn steers(shown: &str) -> Option<char> {
    shown.chars().find(|c| koppel::value::is_hidden(*c) && *c != '\n')
}

struct World {
    place: Place,
    url: String,
    _sandbox: Running,
}

impl World {
    fn new() -> Self {
        let place = Place::new(&[("koppel.toml", &config("sales")), ("sales.flow", FLOW)]);
        let (running, url) = sandbox(&place, &["--size", "0", "--limits", "off"]);
        post(&url, "/_control/records", &records());
        Self { place, url, _sandbox: running }
    }

    /// What a verb shows.
    #[track_caller]
    fn koppel(&self, args: &[&str]) -> String {
        let shown = self.place.koppel(&[args, &[&format!("--sandbox={}", self.url)]].concat());
        assert_eq!(steers(&shown), None, "{args:?}: {shown:?}");
        shown
    }

    /// The same for programs: each line is JSON.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Vec<Value> {
        let shown = self.koppel(&[args, &["--json"]].concat());
        let lines = shown.lines().filter(|line| !line.starts_with("exit "));
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{args:?}: {line}"))).collect()
    }

    /// What was accepted of an entity: the bodies.
    fn written(&self, entity: &str) -> Vec<Value> {
        let all = get(&self.url, "/_control/written");
        let own = all.as_array().unwrap().iter().filter(|write| write["path"].as_str().unwrap().ends_with(entity));
        own.map(|write| write["body"][entity]["Element"].clone()).collect()
    }
}

#[test]
fn hostile_records_arrive_as_they_are_and_steer_nothing_that_is_shown_or_kept() {
    let world = World::new();
    let planned = world.json(&["plan"]);
    assert_eq!(planned.len(), texts().len() * 3);
    world.koppel(&["plan"]);
    assert!(world.koppel(&["run"]).ends_with("exit 2"));

    // What arrived is what Jortt has; what is too long for AFAS is held.
    let debtors = world.written("KnSalesRelationOrg");
    let made: Vec<(&str, &str)> = debtors
        .iter()
        .map(|debtor| &debtor["Objects"][0]["KnOrganisation"]["Element"]["Fields"])
        .map(|fields| (fields["Nm"].as_str().unwrap(), fields["EmAd"].as_str().unwrap()))
        .collect();
    let short: Vec<(usize, String)> =
        texts().into_iter().enumerate().filter(|(_, text)| text.chars().count() < 100).collect();
    for (number, text) in &short {
        let email = email(*number, text);
        let same = made.iter().filter(|(name, own)| *name == text && *own == email).count();
        assert_eq!(same, 1, "{text:?} in {made:?}");
    }
    assert_eq!(made.len(), short.len());
    assert_eq!(world.written("FbSales").len(), short.len());

    // A second run finds each of them again.
    assert!(world.koppel(&["run"]).ends_with("exit 2"));
    world.json(&["run"]);
    assert_eq!((world.written("KnSalesRelationOrg").len(), world.written("FbSales").len()), (made.len(), short.len()));

    // What is shown of them.
    let status = world.json(&["status"]);
    assert_eq!(status[0]["records"]["done"], short.len());
    let held = world.json(&["holds"]);
    assert_eq!(held.len(), texts().len() * 3 - short.len());
    for verb in [&["status"][..], &["holds"], &["logs"], &["retry", "sales"], &["retry", "--all"]] {
        world.koppel(verb);
    }
    let events = world.json(&["logs"]);
    for line in &held {
        let key = line["waiting"]["record"].as_str().unwrap();
        assert!(events.iter().any(|event| event["key"] == key), "{key:?} is in the log");
        if !key.contains('\0') {
            let shown = world.koppel(&["retry", &format!("sales/{key}")]);
            assert!(shown.lines().next().unwrap().ends_with(" is decided again"), "{shown}");
        }
    }

    // What is kept: a line for each event, and nobody's e-mail.
    let logs = std::fs::read_dir(world.place.path().join(".koppel/log")).unwrap();
    let log: String = logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(steers(&log), None);
    assert_eq!(log.lines().count(), events.len());
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(event["kind"].is_string() && event["run"] == "sales", "{line}");
    }
    for file in std::fs::read_dir(world.place.path().join(".koppel")).unwrap().map(|file| file.unwrap().path()) {
        if file.is_file() {
            let bytes = std::fs::read(&file).unwrap();
            let found = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!found, "an e-mail in {}", file.display());
        }
    }
    assert!(!log.contains(SECRET));
}

#[cfg(unix)]
#[test]
fn a_serve_tells_of_hostile_records_without_being_steered() {
    let world = World::new();
    let serve = Running::start(&world.place, &["serve", &format!("--sandbox={}", world.url)]);
    for part in ["serving", "FbSales created", "failed", "held"] {
        let line = serve.line(part);
        assert_eq!(steers(&line), None, "{line:?}");
    }
    assert_eq!(serve.stop(), Some(0));
}

#[test]
fn a_page_about_a_flow_shows_what_is_hidden_in_its_texts() {
    let title = "a | b <script>\u{202e}`c`";
    let flow = FLOW.replace("Invoices of anybody", title).replace("a remark", "a \u{2066}rem | ark\u{200b}");
    let place = Place::new(&[("koppel.toml", &config("sales")), ("sales.flow", &flow)]);
    for verb in [&["docs", "sales.flow"][..], &["check"], &["check", "--json"], &["test"], &["fmt", "--check"]] {
        let shown = place.koppel(verb);
        assert_eq!(steers(&shown), None, "{verb:?}: {shown:?}");
    }
    let flow = flow.replace("RfCs = invoice.reference!", "RfCs = \"a|`b`\"");
    place.write("sales.flow", &flow);
    let page = place.koppel(&["docs", "sales.flow"]);
    assert!(page.starts_with("# a | b \\<script>\\u{202e}\\`c\\`\n"), "{page}");
    assert!(page.contains("| always `` \"a\\|`b`\" `` |"), "{page}");
}
