//! The question before what cannot be taken back, answered on a pseudo terminal.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{FLOW, World};

impl World {
    /// Types these at the questions, on a terminal; gives output and exit code.
    fn answered(&self, args: &[&str], answers: &[&[u8]]) -> String {
        let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_koppel"));
        command.current_dir(self.place.path()).env_clear().args(args).arg(format!("--sandbox={}", self.url));
        command.stdin(Stdio::from(terminal)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        // Only who was asked answers.
        let (mut shown, mut byte) = (Vec::new(), [0]);
        for answer in answers {
            let before = shown.len();
            while !shown[before..].ends_with(b"[y/N] ") && out.read(&mut byte).unwrap() == 1 {
                shown.extend(byte);
            }
            File::from(person.try_clone().unwrap()).write_all(answer).unwrap();
        }
        out.read_to_end(&mut shown).unwrap();
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(err, "");
        let code = child.wait().unwrap().code().unwrap();
        self.nameless(&format!("{}exit {code}", String::from_utf8(shown).unwrap()))
    }
}

/// What the terminal sends when a person ends the input.
const END: &[u8] = b"\x04";

#[test]
fn a_redo_goes_on_only_after_a_yes_on_the_terminal() {
    let world = World::new(FLOW);
    assert!(world.run().ends_with("exit 0"));
    let record = world.record();
    for no in [&b"n\n"[..], b"\n", b"yes please\n", END] {
        let shown = world.answered(&["redo", &record], &[no]);
        assert!(shown.ends_with("go on? [y/N] nothing was changed\nexit 0"), "{shown}");
        assert!(!world.koppel(&["holds"]).contains("typed"), "after {no:?}");
    }
    insta::assert_snapshot!(world.answered(&["redo", &record], &[b"y\n"]), @r#"
    stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d was done. It is decided again as if
    it were new:
          bread (afas.FbStockMutation) was made: it stays, and is not made again
          what the flow wants besides is made now; if it does not want all of this
          any more, the record is held
    go on? [y/N] the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.koppel(&["holds"]).contains("waits for the next poll of its run"));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1);
}

#[test]
fn a_word_about_a_write_in_doubt_counts_only_after_a_yes_on_the_terminal() {
    let world = World::new(FLOW);
    world.fault("lost_answer");
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    for no in [&b"N\n"[..], END] {
        let shown = world.answered(&["settle", &record, "--happened"], &[no]);
        assert!(shown.ends_with("go on? [y/N] nothing was changed\nexit 0"), "{shown}");
    }
    assert!(world.run().ends_with("exit 2"), "it is in doubt as before");
    insta::assert_snapshot!(world.answered(&["settle", &record, "--happened"], &[b"ja\n"]), @r#"
    bread of stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as made: it is not
    sent again, and the record goes on. That cannot be taken back.
    go on? [y/N] the next koppel run, or koppel serve, carries that out
          what came of it:  koppel holds --sandbox=URL
    exit 0
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1);
}

#[test]
fn a_change_of_many_records_is_asked_once() {
    let world = World::with(FLOW, 3);
    assert!(world.run().ends_with("exit 0"));
    let more = FLOW.split("# allow").nth(1).unwrap().replace("create bread", "create more");
    world.place.write("stock.flow", &format!("{FLOW}\n# allow{more}"));
    assert!(world.answered(&["redo", "--changed", "stock"], &[b"n\n"]).ends_with("nothing was changed\nexit 0"));
    assert!(world.answered(&["redo", "--changed", "stock"], &[b"y\n"]).ends_with("exit 0"));
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 6);
}

#[test]
fn who_runs_koppel_by_a_timer_can_deny_a_write_to_a_process_that_stays_for_it() {
    let world = World::new(FLOW);
    world.fault("reset");
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    let denied = |answers: &[&[u8]]| world.answered(&["settle", &record, "--did-not-happen"], answers);
    assert!(denied(&[b"n\n"]).ends_with("nothing was changed\nexit 2"));
    assert!(denied(&[b"y\n", b"n\n"]).ends_with("nothing was changed\nexit 2"), "it was there after all");
    assert!(world.run().ends_with("exit 2"), "it is in doubt as before");
    assert_eq!(world.made(), 0);
    insta::assert_snapshot!(denied(&[b"y\n", b"y\n"]), @r#"
    Not yet: only a process that has run for 1 minute can tell that nothing is on
    its way any more. Start koppel serve or koppel run --wait and leave it running,
    look in the target after that time, and type this again.
    Or this one stays for 1 minute, in which no other koppel works with this ledger,
    and asks you then.
    go on? [y/N] Look in afas now, whether FbStockMutation is there. If you go on, bread of
    stock/6c0f3f03-f94e-489a-a7bf-dc6a1e22b69d counts as not made: it is decided
    again, and sent again where the flow still wants it. If it is there after all,
    there will be two. That cannot be taken back.
    go on? [y/N] it did not happen, by the word of a person: it is decided again
    exit 0
    "#);
    assert!(world.run().ends_with("exit 0"));
    assert_eq!(world.made(), 1);
}

#[test]
fn nobody_waits_for_a_denial_where_nobody_can_look_afterwards() {
    let world = World::new(FLOW);
    world.fault("reset");
    assert!(world.run().ends_with("exit 2"));
    let record = world.record();
    let shown = world.answered(&["settle", &record, "--did-not-happen", "--yes"], &[]);
    assert!(shown.starts_with("Not yet") && !shown.contains("this one stays"), "{shown}");
    let shown = world.koppel(&["settle", &record, "--did-not-happen"]);
    assert!(shown.starts_with("Not yet") && !shown.contains("this one stays"), "{shown}");
}
