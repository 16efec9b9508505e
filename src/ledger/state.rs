//! How a row of the ledger moves: one pure function from a standing and an event to the next standing and what to do.
//!
//! Takes nothing but its arguments: no clock, no database, no network; the ledger, the engine and a model checker call
//! the same function. Promises that a row is sent from one state only, `intended` after its commit, that nothing in
//! doubt becomes void before an ask that proves absence, and that nothing without a key is ever sent again.
//!
//! Words: *in doubt* = intended, unsettled, keyless or unclear; *late* = the ask began when no earlier attempt could
//! still take effect; *control* = a key known to exist came back in the same answer, so an absence is not blindness;
//! *void* = proven not to have happened.

use serde::Serialize;

/// So many attempts may end in doubt and then in proven absence; the next one waits for a person.
pub const ATTEMPTS: u32 = 3;

/// Where a write or an ensured thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Never wanted.
    None,
    /// On disk, about to be sent or on its way.
    Intended,
    /// Nobody knows whether it happened: it is asked for.
    Unsettled,
    /// It happened, its key is known (or there is none to know).
    Confirmed,
    /// It happened, its key must be read back.
    Keyless,
    /// Nobody knows and nobody can ask: a person looks.
    Unclear,
    /// It certainly did not happen; it may be wanted afresh.
    Void,
}

impl State {
    /// May it have happened without our knowing all of it?
    #[must_use]
    pub const fn in_doubt(self) -> bool {
        matches!(self, Self::Intended | Self::Unsettled | Self::Keyless | Self::Unclear)
    }
}

/// How a write can be recognised at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// A read shows it.
    Read,
    /// A read shows it as a sign on what was there before. What shows no sign proves nothing, and what happened cannot
    /// be taken back: it is never sent again.
    Sign,
    /// No read shows it; the target refuses its own number a second time.
    Number,
    /// Nothing shows it.
    Nothing,
}

/// A row as far as its moves depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// Where it stands.
    pub state: State,
    /// Attempts since it last certainly was not there.
    pub attempt: u32,
    /// How it is recognised.
    pub seen: Seen,
}

impl Standing {
    /// A row that was never wanted.
    #[must_use]
    pub const fn new(seen: Seen) -> Self {
        Self { state: State::None, attempt: 0, seen }
    }
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A decision wants it.
    Wanted,
    /// The ask before a create.
    AskedFirst {
        /// What came back.
        finding: Finding,
        /// Did the known key come back with it? Needed where an earlier attempt was in doubt.
        control: bool,
    },
    /// The commit of `intended` is on disk, the epoch still ours.
    Committed,
    /// The target answered, or did not.
    Answered(Reply),
    /// The process started: whatever was under way is in doubt.
    Started,
    /// It was asked for.
    Asked {
        /// What came back.
        finding: Finding,
        /// Did the ask begin when no attempt could take effect any more?
        late: bool,
        /// Did the known key come back with it?
        control: bool,
    },
    /// It was asked for at once, because the target said that its number exists.
    AskedNumber(Finding),
    /// No attempt can take effect any more, and nothing can be asked from the row alone.
    Elapsed,
    /// Asked by its own key, late: the thing is not there any more.
    Gone {
        /// Did another key, known to exist, come back in the same answer?
        control: bool,
    },
    /// A person looked in the target: it is there.
    Happened,
    /// A person looked in the target: it is not there.
    DidNotHappen {
        /// Did the person look when no attempt could take effect any more?
        late: bool,
    },
}

/// What an ask found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// Nothing.
    Absent,
    /// One thing, and every mark of it is ours.
    Ours,
    /// The own number stands on something else.
    Foreign,
    /// Everything but the own number is ours: a person made it, or an earlier formula.
    ByReference,
    /// Several things.
    Several,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// It happened, with a key.
    Done,
    /// It happened, on a route that gives no key.
    DoneWithoutKey,
    /// It happened, and the key is missing or unreadable.
    Keyless,
    /// Refused, nothing happened.
    Refused,
    /// The target says that the number exists.
    NumberExists,
    /// It certainly did not arrive.
    NotArrived,
    /// Nobody knows.
    Unclear,
}

/// What is to be done after a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Nothing.
    Rest,
    /// Ask whether it is there, then tell [`Event::AskedFirst`] or [`Event::AskedNumber`].
    Ask,
    /// Ask again after a while.
    AskAgain,
    /// Commit, tell [`Event::Committed`].
    Commit,
    /// Send it, once.
    Send,
    /// Its key may be used; nothing is sent.
    UseKey(Via),
    /// Wait until it is settled.
    Wait,
    /// It may be wanted again by a fresh decision.
    DecideAgain,
    /// The record fails with the target's words.
    Fail,
    /// The record is held.
    Hold(Why),
}

/// How a row came to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// By the answer of the attempt.
    Answer,
    /// By asking after an unclear answer.
    Asked,
    /// By the target's refusal of its number.
    Number,
    /// It was there before anything was sent.
    Found,
    /// By the word of a person.
    Person,
}

/// Why a record is held by its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The own number stands on something else.
    Taken,
    /// Several things carry its marks.
    Several,
    /// Nothing came back, not even what certainly exists.
    Blind,
    /// Three attempts ended in nothing.
    Attempts,
    /// An earlier attempt got no answer, this one was refused, and nothing shows whether the first one happened.
    Refused,
    /// An earlier attempt got no answer, nothing shows whether it happened, and now it would get another number.
    Renumbered,
    /// It happened, and nothing shows its key.
    NoKey,
    /// Nothing can show whether it happened.
    Unclear,
    /// It shows no sign of having happened, and may have.
    NoSign,
}

impl Why {
    /// Why a row waits that is unclear.
    const fn unclear(seen: Seen) -> Self {
        match seen {
            Seen::Sign => Self::NoSign,
            Seen::Read | Seen::Number | Seen::Nothing => Self::Unclear,
        }
    }
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Taken => "its number stands on another document: look there, and give this one another number",
            Self::Several => "several documents carry its number or reference: look which one is right",
            Self::Blind => {
                "it may have been made, and the question for it shows nothing at all: \
                 may the user of this connection read what it writes?"
            }
            Self::Attempts => {
                "sent three times without an answer and never found: look in the target before it is sent again"
            }
            Self::Refused => {
                "sent before without an answer and refused now, and no read shows whether the first one was made: \
                 look in the target"
            }
            Self::Renumbered => {
                "sent before without an answer, and no read shows whether it was made; now it would be made under \
                 another number, and perhaps twice: look in the target"
            }
            Self::NoKey => "it was made, and no read shows under which key: look it up in the target",
            Self::Unclear => "no answer came and no read shows whether it was made: look in the target",
            Self::NoSign => {
                "no answer came, and nothing shows that it went out: look in the target whether it did. It is never sent \
                 again by itself, since that could not be taken back"
            }
        })
    }
}

/// The next standing, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Where the row stands now.
    pub to: Standing,
    /// What to do.
    pub then: Command,
}

/// The move of a row at an event; none where it cannot happen.
#[must_use]
#[expect(clippy::match_same_arms, reason = "each arm is a row of the table")]
pub fn transition(from: Standing, event: Event) -> Option<Move> {
    use State::{Confirmed, Intended, Keyless, None as Never, Unclear, Unsettled, Void};
    let stay = |then| Some(Move { to: from, then });
    let go = |state, then| Some(Move { to: Standing { state, ..from }, then });
    let void = |then| Some(Move { to: Standing { state: Void, attempt: 0, ..from }, then });
    let unclear = || go(Unclear, Command::Hold(Why::unclear(from.seen)));
    // Proven absent after an attempt in doubt: the attempts stay counted, and bound those to come.
    let absent = || if from.seen == Seen::Sign { unclear() } else { go(Void, Command::DecideAgain) };
    let doubt = || match from.seen {
        Seen::Nothing => unclear(),
        Seen::Read | Seen::Sign | Seen::Number => go(Unsettled, Command::AskAgain),
    };
    match (from.state, event) {
        (Never | Void, Event::Wanted) => stay(Command::Ask),
        (Intended | Unsettled | Keyless, Event::Wanted) => stay(Command::Wait),
        (Confirmed, Event::Wanted) => stay(Command::UseKey(Via::Found)),
        (Unclear, Event::Wanted) => unclear(),

        (Never | Void, Event::AskedFirst { finding, control }) => match finding {
            Finding::Absent if from.attempt >= ATTEMPTS => stay(Command::Hold(Why::Attempts)),
            // Its time alone voided it, perhaps: what nothing showed then must be asked for with open eyes now.
            Finding::Absent if from.attempt > 0 && from.seen == Seen::Read && !control => {
                stay(Command::Hold(Why::Blind))
            }
            Finding::Absent => Some(Move {
                to: Standing { state: Intended, attempt: from.attempt + 1, ..from },
                then: Command::Commit,
            }),
            Finding::Ours | Finding::ByReference => go(Confirmed, Command::UseKey(Via::Found)),
            Finding::Foreign => stay(Command::Hold(Why::Taken)),
            Finding::Several => stay(Command::Hold(Why::Several)),
        },

        (Intended, Event::Committed) => stay(Command::Send),

        (Intended | Unsettled, Event::Answered(Reply::Done | Reply::DoneWithoutKey)) => {
            go(Confirmed, Command::UseKey(Via::Answer))
        }
        (Intended | Unsettled, Event::Answered(Reply::Keyless)) => match from.seen {
            Seen::Read | Seen::Sign => go(Keyless, Command::AskAgain),
            // Its number is its key where no read shows it; without one a person looks.
            Seen::Number => go(Confirmed, Command::UseKey(Via::Number)),
            Seen::Nothing => go(Unclear, Command::Hold(Why::NoKey)),
        },
        // A refusal says nothing of an earlier attempt that no read shows.
        (Intended, Event::Answered(Reply::Refused)) if from.seen == Seen::Number && from.attempt > 1 => {
            go(Unclear, Command::Hold(Why::Refused))
        }
        (Intended, Event::Answered(Reply::Refused)) => void(Command::Fail),
        (Intended, Event::Answered(Reply::NotArrived)) => Some(Move {
            to: Standing { state: Void, attempt: from.attempt.saturating_sub(1), ..from },
            then: Command::DecideAgain,
        }),
        (Intended, Event::Answered(Reply::NumberExists)) => match from.seen {
            Seen::Read | Seen::Sign => go(Unsettled, Command::Ask),
            Seen::Number => go(Confirmed, Command::UseKey(Via::Number)),
            Seen::Nothing => doubt(),
        },
        (Intended, Event::Answered(Reply::Unclear)) => doubt(),

        (Intended, Event::Started) => doubt(),
        (Unsettled | Keyless, Event::Started) => stay(Command::AskAgain),
        (_, Event::Started) => stay(Command::Rest),

        (Unsettled, Event::AskedNumber(finding)) => match finding {
            Finding::Ours => go(Confirmed, Command::UseKey(Via::Number)),
            Finding::Foreign => void(Command::Hold(Why::Taken)),
            Finding::Absent | Finding::ByReference | Finding::Several => stay(Command::AskAgain),
        },

        (Unsettled | Keyless | Unclear, Event::Asked { finding: Finding::Ours, .. }) => {
            go(Confirmed, Command::UseKey(Via::Asked))
        }
        (Unclear, Event::Asked { .. }) => unclear(),
        (Unsettled | Keyless, Event::Asked { late: false, .. }) => stay(Command::AskAgain),
        (Unsettled, Event::Asked { finding, control, .. }) => match finding {
            Finding::Foreign => void(Command::Hold(Why::Taken)),
            Finding::ByReference => go(Confirmed, Command::UseKey(Via::Found)),
            Finding::Several => stay(Command::Hold(Why::Several)),
            // The record that would bear the sign was there before the write: blind or not, it stays unclear.
            Finding::Ours | Finding::Absent if control || from.seen == Seen::Sign => absent(),
            Finding::Ours | Finding::Absent => stay(Command::Hold(Why::Blind)),
        },
        (Keyless, Event::Asked { finding, control, .. }) => stay(Command::Hold(match finding {
            Finding::Foreign => Why::Taken,
            Finding::Several => Why::Several,
            _ if control => Why::NoKey,
            _ => Why::Blind,
        })),

        (Unsettled, Event::Elapsed) => absent(),
        (Confirmed, Event::Gone { control: true }) => void(Command::DecideAgain),
        // A read that shows nothing at all says nothing of it.
        (Confirmed, Event::Gone { control: false }) => stay(Command::UseKey(Via::Found)),

        (Unsettled | Keyless | Unclear | Void, Event::Happened) => go(Confirmed, Command::UseKey(Via::Person)),
        // What may still be on its way cannot be denied yet.
        (Unsettled | Keyless | Unclear, Event::DidNotHappen { late: false }) => stay(Command::Wait),
        (Unsettled | Keyless | Unclear | Void, Event::DidNotHappen { .. }) => void(Command::DecideAgain),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
