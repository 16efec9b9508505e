//! The verbs with which a person sees to what waits: `holds`, `retry`, `redo` and `settle`, on the real program.

use std::time::{Duration, Instant};

use super::{
    Place, config,
    world::{Running, get, post, sandbox},
};

#[cfg(unix)]
mod asked;
mod changed;

/// A write that nothing recognises.
const FLOW: &str = r#"flow stock "Stock leaves the warehouse"

read invoice from jortt.invoices {
  where .list is "sent"
  since change
  key   .id
}

# allow F601: AFAS gives no key for a stock mutation; after a lost answer a person looks
create bread in afas.FbStockMutation {
  VaOt = "Afboeking"
  ReId = "JORTT"
  VaIt = "Artikel"
  ItCd = "BROOD"
  War  = "*****"
  Loc  = "*****"
  BiUn = "STK"
  QuUn = 1
  Da   = today()
  Ds   = "Jortt"
}
"#;

/// An order of a debtor that is not there yet.
const ORDER: &str = r#"flow stock "An order of a new debtor"

read invoice from jortt.invoices {
  where .list is "sent"
  since change
  key   .id
}

ensure debtor: text(16) {
  find afas.Profit_Debtor where .Email is "nieuw@x.example" gives .DebtorId
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
      Nm       = "Nieuw"
      EmAd     = "nieuw@x.example"
    }
  }
}

create sale in afas.FbSales gives .OrNu {
  OrNu = "J{invoice.invoice_number!}"
  OrDa = invoice.invoice_date
  DbId = debtor
  RfCs = invoice.invoice_number!
  Unit = 1
  CuId = "EUR"
  Lines = each line in invoice.line_items {
    VaIt = "Artikel"
    ItCd = "ADV"
    BiUn = "UUR"
    QuUn = 1
  }
}
"#;

/// A project with one invoice in a sandbox.
struct World {
    place: Place,
    url: String,
    _sandbox: Running,
}

impl World {
    fn new(flow: &str) -> Self {
        Self::with(flow, 1)
    }

    /// A project with so many invoices.
    fn with(flow: &str, invoices: usize) -> Self {
        let place = Place::new(&[("koppel.toml", &config("stock")), ("stock.flow", flow)]);
        let (running, url) = sandbox(&place, &["--size", &invoices.to_string(), "--limits", "off"]);
        Self { place, url, _sandbox: running }
    }

    /// Output and exit code, made nameless.
    fn koppel(&self, args: &[&str]) -> String {
        let against = format!("--sandbox={}", self.url);
        self.nameless(&self.place.koppel(&[args, &[&against]].concat()))
    }

    /// Addresses, moments and numbers of processes made nameless.
    fn nameless(&self, shown: &str) -> String {
        let shown = shown.replace(&self.url, "URL");
        let nameless = |text: String, what: &str, name: &str| {
            regex::Regex::new(what).unwrap().replace_all(&text, name).into_owned()
        };
        let shown = nameless(shown, r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "DAY TIME");
        let shown = nameless(shown, r"\d\d:\d\d:\d\d", "TIME");
        let shown = nameless(shown, r"process \d+", "process PID");
        // Shown for five seconds only.
        shown.replace(" (to be said after TIME)", "")
    }

    fn run(&self) -> String {
        self.koppel(&["run"])
    }

    /// The next stock mutation goes wrong so.
    fn fault(&self, kind: &str) {
        self.fault_at("FbStockMutation", kind);
    }

    fn fault_at(&self, entity: &str, kind: &str) {
        let fault = serde_json::json!([{ "system": "afas", "kind": kind, "method": "POST", "path": entity }]);
        post(&self.url, "/_control/faults", &fault);
    }

    fn serve(&self) -> Running {
        let running = Running::start(&self.place, &["serve", &format!("--sandbox={}", self.url)]);
        running.line("serving");
        running
    }

    /// How many stock mutations were made.
    fn made(&self) -> u64 {
        self.count("FbStockMutation")
    }

    fn count(&self, entity: &str) -> u64 {
        self.effects(entity, "count")
    }

    fn updated(&self, entity: &str) -> u64 {
        self.effects(entity, "updated")
    }

    fn effects(&self, entity: &str, what: &str) -> u64 {
        get(&self.url, "/_control/effects").pointer(&format!("/afas/{entity}/{what}")).unwrap().as_u64().unwrap()
    }

    /// The record, as it is typed.
    fn record(&self) -> String {
        let invoices = self.place.koppel(&["plan", "--json", &format!("--sandbox={}", self.url)]);
        let line: serde_json::Value = serde_json::from_str(invoices.lines().next().unwrap()).unwrap();
        format!("stock/{}", line["key"].as_str().unwrap())
    }

    /// Waits until `holds` shows this.
    #[track_caller]
    fn holds(&self, part: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = self.koppel(&["holds"]);
            if shown.contains(part) {
                return shown;
            }
            assert!(Instant::now() < end, "no {part:?} in:\n{shown}");
        }
    }
}

#[test]
fn what_a_person_found_in_the_target_is_not_made_again() {
    let world = World::new(FLOW);
    world.fault("lost_answer");
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    insta::assert_snapshot!(world.holds("in doubt"), @r#"
    in doubt  stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d: bread
          no answer came and no read shows whether it was made: look in the target
          look in afas for FbStockMutation, sent DAY TIME
          it is there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened --sandbox=URL
          it is not there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --did-not-happen --sandbox=URL
    exit 2
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened"]), @r#"
    bread of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as made: it is not
    sent again, and the record goes on. That cannot be taken back.
    --- stderr
    this is asked first, and nobody can answer here
          if it is meant, add --yes
    exit 64
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "--yes"]), @r#"
    bread of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as made: it is not
    sent again, and the record goes on. That cannot be taken back.
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.koppel(&["holds"]).contains("waits for the next poll of its run"));
    assert!(world.run().ends_with("exit 0"));
    insta::assert_snapshot!(world.koppel(&["holds"]), @r#"
    nothing is held, failed or in doubt

    typed DAY TIME:  koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened
          carried out at TIME
    exit 0
    "#);
    assert_eq!(world.made(), 1);
    let logs = std::fs::read_dir(world.place.path().join(".koppel/log")).unwrap();
    let log: String = logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(log.contains(r#""kind":"wished""#) && log.contains("by the word of a person"), "{log}");
}

#[cfg(unix)]
#[test]
fn what_a_person_did_not_find_is_made_once_and_not_before_its_time() {
    let time = Duration::from_secs(6);
    let world = World::new(FLOW);
    let record = world.record();
    world.fault("reset");
    assert!(world.run().ends_with("exit 2"));
    let denied = || world.koppel(&["settle", &record, "--did-not-happen", "--yes"]);
    insta::assert_snapshot!(denied(), @r#"
    Not yet: bread may still arrive until TIME. Look again after that; if it is
    not there then, type this again.
    exit 2
    "#);
    std::thread::sleep(time);
    insta::assert_snapshot!(denied(), @r#"
    Not yet: only a process that has run for 1 minute can tell that nothing is on
    its way any more. Start koppel serve or koppel run --wait and leave it running,
    look in the target after that time, and type this again.
    exit 2
    "#);
    // The clock of a process that has just begun has seen nothing yet.
    let serve = world.serve();
    insta::assert_snapshot!(denied(), @r#"
    bread of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as not made: it is
    decided again, and sent again where the flow still wants it. If it is there
    after all, there will be two. That cannot be taken back.
    process PID carries that out at its next poll
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    let refused = world.holds("refused: by the clock of this process");
    assert!(refused.starts_with("in doubt"), "{refused}");
    assert_eq!(world.made(), 0);
    std::thread::sleep(time);
    assert!(denied().ends_with("exit 0"));
    serve.line("1 FbStockMutation created");
    world.holds("nothing is held, failed or in doubt");
    assert_eq!(serve.stop(), Some(0));
    assert_eq!(world.made(), 1);
}

#[cfg(unix)]
#[test]
fn a_serve_that_runs_decides_again_at_once_what_is_retried() {
    let waits = "find article in afas.Profit_Article where .ItemCode is \"TAART\"\n\
                 hold when article is blank because \"item TAART is not in AFAS yet\"\n\n# allow";
    let world = World::new(&FLOW.replacen("# allow", waits, 1));
    let serve = world.serve();
    serve.line("1 held");
    insta::assert_snapshot!(world.koppel(&["holds"]), @r#"
    held      stock, 1 record (stock.flow:10)
          item TAART is not in AFAS yet
          record                                since             tried again
          6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d  DAY TIME  DAY TIME
          when that is mended it goes through by itself; at once:
            koppel retry stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --sandbox=URL
    exit 2
    "#);
    let taart = serde_json::json!({ "afas": { "Profit_Article": [{ "ItemCode": "TAART" }] } });
    post(&world.url, "/_control/records", &taart);
    insta::assert_snapshot!(world.koppel(&["retry", "stock"]), @r#"
    1 record of stock is decided again
    process PID carries that out at its next poll
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    serve.line("1 FbStockMutation created");
    insta::assert_snapshot!(world.holds("nothing is held"), @r#"
    nothing is held, failed or in doubt

    typed DAY TIME:  koppel retry stock
          carried out at TIME
    exit 0
    "#);
    assert_eq!(serve.stop(), Some(0));
}

#[test]
fn a_record_that_was_done_makes_more_only_after_a_yes_and_nothing_again() {
    let world = World::new(FLOW);
    assert!(world.run().ends_with("exit 0"));
    let more = FLOW.split("# allow").nth(1).unwrap().replace("create bread", "create more");
    world.place.write("stock.flow", &format!("{FLOW}\n# allow{more}"));
    let record = world.record();
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1, "what is done is sealed");
    insta::assert_snapshot!(world.koppel(&["redo", &record]), @r#"
    stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d was done. It is decided again as if
    it were new:
          bread (afas.FbStockMutation) was made: it stays, and is not made again
          what the flow wants besides is made now; if it does not want all of this
          any more, the record is held
    --- stderr
    this is asked first, and nobody can answer here
          if it is meant, add --yes
    exit 64
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1, "nobody said yes");
    assert!(world.koppel(&["redo", &record, "--yes"]).ends_with("exit 0"));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 2, "the new one and no other");
    assert!(world.koppel(&["holds"]).starts_with("nothing is held, failed or in doubt"));
}

#[test]
fn a_number_is_asked_for_where_what_follows_needs_it_and_another_one_is_not_believed() {
    let world = World::new(ORDER);
    world.fault_at("KnSalesRelation", "invalid_json");
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    insta::assert_snapshot!(world.koppel(&["holds"]), @r#"
    in doubt  stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d: debtor
          it was made, its number is still to be read back
          look in afas for KnSalesRelationOrg, sent DAY TIME
          it is there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened NUMBER --sandbox=URL
          it is not there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --did-not-happen --sandbox=URL
    exit 2
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened"]), @r#"
    --- stderr
    under which number is it there? What follows needs it
          koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened NUMBER --sandbox=URL
    exit 64
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "10001", "--yes"]), @r#"
    debtor of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as made under 10001:
    it is not sent again, and the record goes on. That cannot be taken back.
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);

    world.fault_at("FbSales", "lost_answer");
    assert!(world.run().ends_with("exit 2"));
    let holds = world.koppel(&["holds"]);
    assert!(holds.contains("asked about until it is certain") && !holds.contains("it is there:"), "{holds}");
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "10099"]), @r#"
    --- stderr
    sale was sent with number J2026-0001, not 10099
          if J2026-0001 is there:  koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened --sandbox=URL
    exit 64
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "--write", "debtor"]), @r#"
    --- stderr
    no `debtor` of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is in doubt
          what is: sale
    exit 64
    "#);
    assert!(world.koppel(&["settle", &record, "--happened", "--yes"]).ends_with("exit 0"));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!((world.count("FbSales"), world.count("KnSalesRelationOrg")), (1, 0));
}

#[test]
fn of_several_writes_in_doubt_of_one_record_the_meant_one_is_named_and_the_other_stays_in_doubt() {
    let bread = FLOW.split("# allow").nth(1).unwrap();
    let stage = |write: &str, name: &str| {
        let body = format!("# allow{}", bread.replace("create bread", &format!("create {name}")));
        format!("after {write} {{\n  {}\n}}\n", body.trim_end().replace('\n', "\n  "))
    };
    let item = r#"
create item in afas.FbItemArticle gives .ItCd {
  ItCd = "K{invoice.invoice_number!}"
  Ds   = "An item"
  Grp  = "DIENST"
  BiUn = "UUR"
  VaRc = "1"
}
"#;
    let world = World::new(&format!("{ORDER}{item}\n{}\n{}", stage("sale", "bread"), stage("item", "cake")));
    let fault = serde_json::json!([
        { "system": "afas", "kind": "lost_answer", "method": "POST", "path": "FbStockMutation", "times": 2 }
    ]);
    post(&world.url, "/_control/faults", &fault);
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened"]), @r#"
    --- stderr
    which write of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is meant: bread after sale or cake after item?
          koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened --write 'bread after sale' --sandbox=URL
          koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened --write 'cake after item' --sandbox=URL
    exit 64
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "--write", "bread"]), @r#"
    --- stderr
    no `bread` of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is in doubt
          what is: bread after sale or cake after item
    exit 64
    "#);
    insta::assert_snapshot!(world.koppel(&["settle", &record, "--happened", "--write", "bread after sale", "--yes"]), @r#"
    bread after sale of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as made:
    it is not sent again, and the record goes on. That cannot be taken back.
    the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.run().ends_with("exit 2"), "the other one is still in doubt");
    insta::assert_snapshot!(world.koppel(&["holds"]), @r#"
    in doubt  stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d: cake after item
          no answer came and no read shows whether it was made: look in the target
          look in afas for FbStockMutation, sent DAY TIME
          it is there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened --sandbox=URL
          it is not there:
            koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --did-not-happen --sandbox=URL

    typed DAY TIME:  koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened
          carried out at TIME
    exit 2
    "#);
    assert!(world.koppel(&["settle", &record, "--happened", "--yes"]).ends_with("exit 0"), "only one is left");
    assert!(world.run().ends_with("exit 0"));
    assert!(world.koppel(&["holds"]).starts_with("nothing is held, failed or in doubt"));
    assert_eq!(world.made(), 2);
}

#[test]
fn the_log_of_a_sandbox_is_shown_as_other_verbs_show_theirs() {
    let world = World::new(FLOW);
    assert!(world.koppel(&["logs"]).starts_with("nothing in the log of the sandbox URL ("));
    assert!(world.run().ends_with("exit 0"));
    let shown = world.koppel(&["logs"]);
    assert!(shown.contains("stock confirmed") && shown.ends_with("exit 0"), "{shown}");
    assert!(world.place.koppel(&["logs"]).starts_with("nothing in the log of environment `live`"));
}

#[test]
fn what_cannot_be_meant_is_told_with_what_to_type_instead() {
    let world = World::new(FLOW);
    for verb in [&["holds"][..], &["holds", "stock"], &["retry", "stock/7"], &["redo", "--changed", "stock"]] {
        assert_eq!(world.koppel(verb), "--- stderr\nnothing has run yet:  koppel run\nexit 3");
    }
    let unknown = "--- stderr\nthere is no run `stok`\n      stock?\nexit 64";
    let unknown_run: [&[&str]; 9] = [
        &["holds", "stok"],
        &["retry", "stok"],
        &["retry", "stok/7"],
        &["redo", "stok/7"],
        &["redo", "--changed", "stok"],
        &["settle", "stok/7", "--happened"],
        &["logs", "--run", "stok"],
        &["plan", "stok"],
        &["run", "stok"],
    ];
    for verb in unknown_run {
        assert_eq!(world.koppel(verb), unknown, "{verb:?}");
    }
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.koppel(&["logs", "--run", "stok"]), unknown);
    assert!(world.koppel(&["logs", "--run", "stock"]).contains("stock done"));
    let record = world.record();
    let key = record.trim_start_matches("stock/");
    let wrong: [&[&str]; 14] = [
        &["holds", "stok"],
        &["retry"],
        &["retry", "--all"],
        &["retry", "stok"],
        &["retry", key],
        &["retry", "stock", "--failed"],
        &["retry", &record],
        &["redo", "stock"],
        &["redo", "12"],
        &["redo", key],
        &["redo", &format!("{record}x")],
        &["settle", "stok/12", "--happened"],
        &["settle", &record, "--happened"],
        &["settle", &record],
    ];
    let told = wrong.map(|args| format!("$ koppel {}\n{}", args.join(" "), world.koppel(args)));
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    $ koppel holds stok
    --- stderr
    there is no run `stok`
          stock?
    exit 64

    $ koppel retry
    --- stderr
    retry what?
          one record:            koppel retry RUN/KEY --sandbox=URL
          what waits of a run:   koppel retry RUN --sandbox=URL
          what waits of all:     koppel retry --all --sandbox=URL
    exit 64

    $ koppel retry --all
    nothing is held or failed
    exit 0

    $ koppel retry stok
    --- stderr
    there is no run `stok`
          stock?
    exit 64

    $ koppel retry 6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d
    --- stderr
    name the run of record 6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d too
          koppel retry stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --sandbox=URL
    exit 64

    $ koppel retry stock --failed
    nothing of stock is failed
    exit 0

    $ koppel retry stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d
    --- stderr
    stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is done, there is nothing to try again
          if it is to make more:  koppel redo stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --sandbox=URL
    exit 64

    $ koppel redo stock
    --- stderr
    which record of stock?
          koppel redo stock/KEY --sandbox=URL
          what waits:  koppel holds stock --sandbox=URL
    exit 64

    $ koppel redo 12
    --- stderr
    there is no record `12`
          koppel redo RUN/KEY --sandbox=URL
          what waits:  koppel holds --sandbox=URL
    exit 64

    $ koppel redo 6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d
    --- stderr
    name the run of record 6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d too
          koppel redo stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --sandbox=URL
    exit 64

    $ koppel redo stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69dx
    --- stderr
    stock has no record `6c0f3f03-f94e-489a-a7bf-dc6a1e22b69dx`
          koppel redo stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --sandbox=URL
    exit 64

    $ koppel settle stok/12 --happened
    --- stderr
    there is no run `stok`
          stock?
    exit 64

    $ koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d --happened
    --- stderr
    nothing of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is in doubt
          what is:  koppel holds --sandbox=URL
    exit 64

    $ koppel settle stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d
    --- stderr
    nothing of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d is in doubt
          what is:  koppel holds --sandbox=URL
    exit 64
    "#);
}
