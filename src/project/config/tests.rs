//! Mistakes in `koppel.toml`, as a person sees them.

use super::*;
use crate::{
    diagnostic::{Sources, render_terminal},
    project::without_secrets,
};

#[track_caller]
fn shown(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("koppel.toml", without_secrets(text));
    let (_, diagnostics) = Config::parse(file, text);
    render_terminal(&diagnostics, &sources, 80, false)
}

#[test]
fn a_secret_in_the_file_is_refused_and_never_shown() {
    let text = "[connections.jortt]\nclient_id = \"abc-hush\"\nclient_secret = { env = \"JORTT\" }\n[connections.afas]\nbase = \"https://me:hush@12345.rest.afas.online/x\"\n";
    let shown = shown(text);
    assert!(!shown.contains("hush"), "{shown}");
    insta::assert_snapshot!(shown, @r#"
    F851  `client_id` stands in `koppel.toml` itself, where everybody who sees the
          file sees it
       ╭─[koppel.toml:2:1]
     2 │ client_id = "********"
       · ────┬────
       ·     ╰── only where it is found may stand here
       ╰────
    help: client_id = { env = "KOPPEL_CLIENT_ID" }
          client_id = { file = "…" }

    F851  `base` holds a name and password, which everybody who sees the file sees
       ╭─[koppel.toml:5:8]
     5 │ base = "https://*******@12345.rest.afas.online/x"
       ·        ──────────────────────────────────────────
       ╰────
    help: base = "https://…", and client_id and client_secret beside it
    "#);
}

#[test]
fn an_unknown_key_is_told_its_nearest() {
    insta::assert_snapshot!(shown("[connections.afas]\nparticipnt = \"12345\"\n[conections.jortt]\n[log]\nlevel = \"debug\"\n"), @r#"
    F852  a connection has no key `participnt`
       ╭─[koppel.toml:2:1]
     2 │ participnt = "12345"
       · ──────────
       ╰────
    help: participant

    F852  koppel.toml has no key `conections`
       ╭─[koppel.toml:3:2]
     3 │ [conections.jortt]
       ·  ──────────
       ╰────
    help: connections

    F852  [log] has no key `level`
       ╭─[koppel.toml:5:1]
     5 │ level = "debug"
       · ─────
       ╰────
    help: it has: keep
    "#);
}

#[test]
fn plain_http_goes_to_this_machine_only() {
    assert_eq!(
        shown(
            "[connections.afas]\nbase = \"http://127.0.0.1:8080/afas/ProfitRestServices\"\nlogin = \"http://[::1]:80\"\n"
        ),
        ""
    );
    insta::assert_snapshot!(shown("[connections.jortt]\nbase = \"http://127.0.0.1.example.com/\"\n"), @r#"
    F853  over plain http everybody on the way can read and change what is sent
       ╭─[koppel.toml:2:8]
     2 │ base = "http://127.0.0.1.example.com/"
       ·        ───────────────┬───────────────
       ·                       ╰─┤ allowed to this machine only (127.0.0.1,
       ·                         │ localhost)
       ╰────
    help: base = "https://127.0.0.1.example.com/"
    "#);
}

#[test]
fn values_that_cannot_be_are_told_with_a_right_one() {
    let text = "[connections.afas]\nsystem = \"aafas\"\nparticipant = 12345\n[runs.orders]\nflow = \"orders.flow\"\nevery = \"5 minutes\"\nconnections = { afas = \"afas_bee\" }\n[runs.paid]\nevery = \"0m\"\n[page]\nlisten = \"8420\"\n[settings]\njournal = \"VERK\"\n";
    insta::assert_snapshot!(shown(text), @r#"
    F854  koppel does not know a system `aafas`
       ╭─[koppel.toml:2:10]
     2 │ system = "aafas"
       ·          ───────
       ╰────
    help: system = "afas"

    F854  `participant` is a text, not a whole number
       ╭─[koppel.toml:3:15]
     3 │ participant = 12345
       ·               ─────
       ╰────
    help: participant = "12345"

    F854  `5 minutes` is no length of time
       ╭─[koppel.toml:6:9]
     6 │ every = "5 minutes"
       ·         ───────────
       ╰────
    help: a number with s, m, h or d behind it:  "30s"  "5m"  "2h"  "14d"

    F854  there is no connection `afas_bee`
       ╭─[koppel.toml:7:24]
     7 │ connections = { afas = "afas_bee" }
       ·                        ──────────
       ╰────
    help: there are: afas or jortt

    F854  the run `paid` does not say which flow it runs
       ╭─[koppel.toml:8:7]
     8 │ [runs.paid]
       ·       ────
       ╰────
    help: flow = "orders.flow"

    F854  a run cannot begin again at once
       ╭─[koppel.toml:9:9]
     9 │ every = "0m"
       ·         ────
       ╰────
    help: every = "5m"

    F854  this is no address to listen on
        ╭─[koppel.toml:11:10]
     11 │ listen = "8420"
        ·          ──────
        ╰────
    help: listen = "127.0.0.1:8420"

    F854  `journal` stands under no flow or library
        ╭─[koppel.toml:13:1]
     13 │ journal = "VERK"
        · ───────
        ╰────
    help: [settings.NAME]    # the name of the flow, or of its library file
          journal = …
    "#);
}

#[test]
fn text_that_is_no_toml_is_one_message_for_each_mistake() {
    insta::assert_snapshot!(shown("[connections.jortt\nclient_secret = \"hush\n"), @r#"
    F854  this is no TOML: unclosed table, expected `]`
       ╭─[koppel.toml:1:19]
     1 │ [connections.jortt
       ·                   ▲
       ╰────
    "#);
}
