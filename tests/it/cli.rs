//! The real program in temporary folders: whole output and exit code.

mod eval;
mod verbs;
pub(crate) mod world;

pub(crate) use world::copy;

use std::{fs, path::Path};

use assert_cmd::Command;

/// A project with both systems and one run: the flow of its name, each hour.
pub(crate) fn config(run: &str) -> String {
    format!(
        r#"[connections.jortt]
client_id     = {{ env = "JORTT_CLIENT_ID" }}
client_secret = {{ env = "JORTT_CLIENT_SECRET" }}

[connections.afas]
participant = "12345"
token       = {{ env = "AFAS_TOKEN" }}

[runs.{run}]
flow  = "{run}.flow"
every = "1h"
"#
    )
}

/// A folder with files, and `koppel` started in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            place.write(path, text);
        }
        place
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(self.path()).env_clear().args(args);
        command
    }

    /// Exit code, standard output and standard error, the folder's own path made nameless.
    pub(crate) fn koppel(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().unwrap();
        let own = fs::canonicalize(self.path()).unwrap();
        let all = format!("{out}{}{err}exit {code}", if err.is_empty() { "" } else { "--- stderr\n" });
        all.replace(own.to_str().unwrap(), "PLACE").replace(self.path().to_str().unwrap(), "PLACE")
    }
}

#[test]
fn a_wrong_word_on_the_command_line_is_exit_64() {
    let place = Place::new(&[]);
    let shown = place.koppel(&["chekc"]);
    assert!(shown.contains("unrecognized subcommand 'chekc'") && shown.ends_with("exit 64"), "{shown}");
    assert!(place.koppel(&["run", "--size", "3"]).ends_with("exit 64"));
    assert!(place.koppel(&["logs", "--since", "yesterday"]).contains("write 30s, 5m, 2h or 14d"));
}

#[test]
fn help_and_version_are_no_mistake() {
    let place = Place::new(&[]);
    let shown = place.koppel(&["--help"]);
    let verbs = "check fmt test plan eval run serve status holds retry redo settle logs sandbox schema";
    for verb in verbs.split(' ') {
        assert!(shown.contains(&format!("\n  {verb} ")), "{verb} in {shown}");
    }
    assert!(shown.ends_with("exit 0"));
    assert_eq!(place.koppel(&["--version"]), format!("koppel {}\nexit 0", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_folder_without_a_project_is_told_where_it_is_looked_for() {
    insta::assert_snapshot!(Place::new(&[]).koppel(&["check"]), @r#"
    --- stderr
    there is no koppel.toml here, and none in ./flows
          go to the folder of your flows, or name it:  koppel --project DIR …
    exit 3
    "#);
    insta::assert_snapshot!(Place::new(&[]).koppel(&["run", "--project", "nowhere"]), @r#"
    --- stderr
    nowhere is no folder
    exit 3
    "#);
}

#[test]
fn the_log_is_shown_by_run_and_key() {
    let line = |key: &str, kind: &str| {
        format!(
            r#"{{"at":"2026-03-14T09:26:53Z","run":"orders","key":"{key}","kind":"{kind}","write":"sale","entity":"afas.FbSales","target_key":"J7","reason":null,"place":"orders.flow:75","fields":["OrNu","DbId"]}}"#
        )
    };
    let log = [line("7", "confirmed"), line("8", "held")].join("\n");
    let place = Place::new(&[("flows/koppel.toml", ""), ("flows/.koppel/log/live-2026-03-14.jsonl", &log)]);
    insta::assert_snapshot!(place.koppel(&["logs", "--key", "7"]), @r#"
    2026-03-14 10:26:53 orders confirmed 7 sale afas.FbSales J7 (OrNu, DbId) [orders.flow:75]
    exit 0
    "#);
    assert_eq!(place.koppel(&["logs", "--json"]), format!("{log}\nexit 0"));
    insta::assert_snapshot!(place.koppel(&["logs", "--run", "paid"]), @r#"
    --- stderr
    there is no run `paid`
          there are: none
    exit 64
    "#);
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_ends_a_verb_quietly() {
    let line = r#"{"at":"2026-03-14T09:26:53Z","run":"orders","key":"7","kind":"held"}"#;
    let log = vec![line; 20_000].join("\n");
    let place = Place::new(&[("koppel.toml", ""), (".koppel/log/live-2026-03-14.jsonl", &log)]);
    let pipe = format!("{} logs | head -n 1; echo \"${{PIPESTATUS[0]}}\"", env!("CARGO_BIN_EXE_koppel"));
    let output = Command::new("bash").current_dir(place.path()).args(["-c", &pipe]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("\n0\n"));
}

#[test]
fn the_schemas_are_what_the_vendors_files_give() {
    let place = Place::new(&[]);
    world::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib"), &place.path().join("stdlib"));
    let shown = place.koppel(&["schema", "import"]);
    assert_eq!(shown.matches(", 0 changed").count(), 2, "{shown}");
    assert!(shown.ends_with("exit 0"));
    assert!(place.koppel(&["schema", "import", "exact"]).ends_with("exit 3"));
    fs::remove_file(place.path().join("stdlib/afas/schema/FbSales.schema")).unwrap();
    place.write("stdlib/afas/schema/Gone.schema", "");
    let shown = place.koppel(&["schema", "import", "afas"]);
    assert!(shown.contains("removed    stdlib/afas/schema/Gone.schema"), "{shown}");
    assert!(shown.contains("written    stdlib/afas/schema/FbSales.schema") && shown.contains(", 1 changed"), "{shown}");
}

#[test]
fn an_entity_shows_its_fields_and_an_unknown_one_its_nearest() {
    let place = Place::new(&[]);
    let shown = place.koppel(&["schema", "show", "afas.FbSales"]);
    assert!(shown.starts_with("afas.FbSales  sales order\n\ncreate\n"), "{shown}");
    let shown = place.koppel(&["schema", "show", "afas.KnOrganisation"]);
    let conditions = ["required unless `AutoNum` is yes\n", "required when `MatchOga` is \"0\" (Zoek op BcCo)\n"];
    assert!(conditions.iter().all(|condition| shown.contains(condition)), "{shown}");
    insta::assert_snapshot!(place.koppel(&["schema", "show", "afas.FbSale"]), @r#"
    --- stderr
    there is no entity `afas.FbSale`
          afas.FbSales?
    exit 64
    "#);
}
