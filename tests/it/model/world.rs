//! The worlds that are explored, and the rules that can be taken out of them.

use koppel::ledger::Seen;

use super::scene::Left;

/// A rule of the protocol. Taken out, the explorer must find what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Whatever is created for the first time is asked for before.
    AskFirst,
    /// A write is on disk as intended before it is sent.
    CommitFirst,
    /// What was under way when a process ended is in doubt at the next start.
    StartInDoubt,
    /// The time of what is in doubt begins anew with the process.
    WindowsStartAnew,
    /// Absence counts only when asked for after its time.
    WaitForItsTime,
    /// Windows are measured by a clock that nobody can put forward.
    SteadyClock,
    /// Absence counts only when a key that certainly exists came back with it.
    Control,
    /// Who would create a thing has its lock.
    Lock,
    /// Under the lock it is read once more.
    ReadUnderTheLock,
    /// What another record made under this key counts as not shown yet until its reads must show it.
    OthersAreShown,
    /// A thing that the ledger knows is gone only when its time is over.
    GoneIsLate,
    /// It is gone only where another thing that certainly exists is shown.
    GoneIsSeen,
    /// After a lost ledger nothing is created until its time is over.
    Quarantine,
    /// One process at a time.
    OneProcess,
    /// What happened without a key is never sent again.
    KeylessStays,
    /// What nothing shows is never sent again.
    UnclearStays,
    /// An answer that may be wrong about its fate is no refusal.
    UnclearIsNoRefusal,
    /// A number that exists is no refusal.
    NumberIsNoRefusal,
    /// What is found and not ours is not taken for ours.
    ForeignIsForeign,
    /// A record that was done makes nothing more.
    Seal,
    /// A record of which something is made must still want that.
    HalfWay,
    /// An order goes out when the key of its debtor is known.
    DebtorFirst,
    /// A create is decided by an answer that is younger than the last void under its lock.
    YoungerThanVoid,
    /// A create is decided by an answer that is younger than the end of quarantine.
    YoungerThanQuarantine,
    /// What its time alone voided is made again only when a key that certainly exists is seen.
    OpenEyes,
    /// What was refused may have been made by an earlier attempt that no read shows.
    RefusedIsNotAbsent,
    /// A person denies nothing that may still be on its way.
    DeniedLate,
}

/// What can go wrong in a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub(super) name: &'static str,
    /// How an order is recognised.
    pub(super) seen: Seen,
    /// Records that have work.
    pub(super) records: usize,
    /// Do both records compare the debtor by the same values?
    pub(super) one_identity: bool,
    /// Reads show nothing that was written.
    pub(super) blind: bool,
    /// The number of the first order stands on a document of somebody else.
    pub(super) foreign: bool,
    pub(super) left: Left,
    pub(super) without: Option<Rule>,
}

const QUIET: Left = Left {
    faults: 0,
    crashes: 0,
    edits: 0,
    changes: 0,
    losses: 0,
    copies: 0,
    makes: 0,
    deletes: 0,
    jumps: 0,
    words: 0,
};

const WORLD: World = World {
    name: "",
    seen: Seen::Read,
    records: 2,
    one_identity: true,
    blind: false,
    foreign: false,
    left: QUIET,
    without: None,
};

const ONE: World = World { records: 1, ..WORLD };

/// Every world of the protocol.
pub(super) const WORLDS: [World; 19] = [
    World { name: "a quiet day", ..WORLD },
    World { name: "answers are lost, late or refused", left: Left { faults: 2, ..QUIET }, ..WORLD },
    World { name: "the process dies", left: Left { crashes: 2, ..QUIET }, ..WORLD },
    World { name: "it dies and answers are lost", left: Left { crashes: 1, faults: 1, ..QUIET }, ..WORLD },
    World {
        name: "two identities share an e-mail",
        one_identity: false,
        left: Left { crashes: 1, faults: 1, ..QUIET },
        ..WORLD
    },
    World { name: "the flow is edited", left: Left { crashes: 1, faults: 2, edits: 1, ..QUIET }, ..ONE },
    World { name: "the records change", left: Left { crashes: 1, faults: 1, changes: 1, ..QUIET }, ..WORLD },
    World { name: "a person makes the debtor", left: Left { faults: 1, makes: 1, ..QUIET }, ..WORLD },
    World { name: "a person deletes the debtor", left: Left { crashes: 1, deletes: 1, ..QUIET }, ..WORLD },
    World { name: "the ledger is lost", left: Left { crashes: 2, losses: 1, faults: 1, ..QUIET }, ..ONE },
    World {
        name: "an older copy of the ledger is put back",
        left: Left { crashes: 2, copies: 1, faults: 1, ..QUIET },
        ..ONE
    },
    World { name: "the clock is put forward", left: Left { jumps: 1, crashes: 1, faults: 1, ..QUIET }, ..ONE },
    World { name: "reads show nothing", blind: true, left: Left { crashes: 1, faults: 2, ..QUIET }, ..ONE },
    World {
        name: "the number is somebody else's",
        foreign: true,
        left: Left { crashes: 1, faults: 1, ..QUIET },
        ..ONE
    },
    World {
        name: "only the number tells an order",
        seen: Seen::Number,
        left: Left { crashes: 2, faults: 2, ..QUIET },
        ..ONE
    },
    World { name: "a sign tells an order", seen: Seen::Sign, left: Left { crashes: 2, faults: 2, ..QUIET }, ..ONE },
    World { name: "nothing tells an order", seen: Seen::Nothing, left: Left { crashes: 2, faults: 2, ..QUIET }, ..ONE },
    World {
        name: "a person settles what is unclear",
        seen: Seen::Nothing,
        left: Left { crashes: 1, faults: 2, words: 1, ..QUIET },
        ..ONE
    },
    World { name: "five things go wrong with one record", left: Left { crashes: 2, faults: 3, ..QUIET }, ..ONE },
];

/// Each rule, in the world that shows what it is for, with the property that breaks.
pub(super) fn without() -> Vec<(World, &'static str)> {
    let of = |rule, world: World, property| (World { without: Some(rule), ..world }, property);
    let left = |left| World { left, ..ONE };
    let both = |left| World { left, ..WORLD };
    vec![
        of(Rule::AskFirst, left(Left { losses: 1, crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::CommitFirst, left(Left { crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::StartInDoubt, left(Left { crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::WindowsStartAnew, left(Left { crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::WaitForItsTime, left(Left { faults: 1, ..QUIET }), super::ONCE),
        of(Rule::SteadyClock, left(Left { faults: 1, jumps: 1, ..QUIET }), super::ONCE),
        of(Rule::Control, World { blind: true, ..left(Left { faults: 1, ..QUIET }) }, super::ONCE),
        of(Rule::Lock, World { one_identity: false, ..WORLD }, super::ONCE),
        of(Rule::ReadUnderTheLock, both(Left { makes: 1, ..QUIET }), super::ONCE),
        of(Rule::OthersAreShown, World { one_identity: false, ..WORLD }, super::ONCE),
        of(Rule::GoneIsLate, WORLD, super::ONCE),
        of(Rule::GoneIsSeen, World { blind: true, ..WORLD }, super::ONCE),
        of(Rule::Quarantine, left(Left { losses: 1, crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::OneProcess, WORLD, super::ONCE),
        of(Rule::KeylessStays, left(Left { faults: 1, ..QUIET }), super::ONCE),
        of(Rule::UnclearStays, World { seen: Seen::Nothing, ..left(Left { faults: 1, ..QUIET }) }, super::ONCE),
        of(Rule::UnclearIsNoRefusal, left(Left { faults: 1, ..QUIET }), super::TRUE),
        of(
            Rule::NumberIsNoRefusal,
            World { seen: Seen::Number, ..left(Left { losses: 1, crashes: 1, ..QUIET }) },
            super::TRUE,
        ),
        of(Rule::ForeignIsForeign, World { foreign: true, ..ONE }, super::LOST),
        of(Rule::Seal, left(Left { edits: 1, ..QUIET }), super::ONCE),
        of(Rule::HalfWay, left(Left { edits: 1, faults: 1, ..QUIET }), super::ONCE),
        of(Rule::DebtorFirst, WORLD, super::ORPHAN),
        of(Rule::YoungerThanVoid, World { one_identity: false, ..both(Left { faults: 1, ..QUIET }) }, super::ONCE),
        of(Rule::YoungerThanQuarantine, left(Left { losses: 1, crashes: 1, ..QUIET }), super::ONCE),
        of(Rule::OpenEyes, World { blind: true, ..left(Left { faults: 1, ..QUIET }) }, super::ONCE),
        of(
            Rule::RefusedIsNotAbsent,
            World { seen: Seen::Number, ..left(Left { faults: 1, crashes: 1, ..QUIET }) },
            super::TRUE,
        ),
        of(Rule::DeniedLate, World { seen: Seen::Nothing, ..left(Left { faults: 1, words: 1, ..QUIET }) }, super::ONCE),
    ]
}
