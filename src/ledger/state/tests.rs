//! The table of moves, case by case.

use super::*;

const STATES: [State; 7] =
    [State::None, State::Intended, State::Unsettled, State::Confirmed, State::Keyless, State::Unclear, State::Void];

fn at(state: State) -> Standing {
    Standing { state, attempt: 1, seen: Seen::Read }
}

fn events() -> Vec<Event> {
    let findings = [Finding::Absent, Finding::Ours, Finding::Foreign, Finding::ByReference, Finding::Several];
    let replies = [
        Reply::Done,
        Reply::DoneWithoutKey,
        Reply::Keyless,
        Reply::Refused,
        Reply::NumberExists,
        Reply::NotArrived,
        Reply::Unclear,
    ];
    let mut all = vec![Event::Wanted, Event::Committed, Event::Started, Event::Elapsed, Event::Happened];
    all.extend([false, true].map(|control| Event::Gone { control }));
    all.extend([false, true].map(|late| Event::DidNotHappen { late }));
    all.extend(replies.map(Event::Answered));
    for finding in findings {
        all.push(Event::AskedNumber(finding));
        all.extend([false, true].map(|control| Event::AskedFirst { finding, control }));
        for late in [false, true] {
            all.extend([false, true].map(|control| Event::Asked { finding, late, control }));
        }
    }
    all
}

#[track_caller]
fn moves(from: Standing, event: Event, to: State, then: Command) {
    let went = transition(from, event).unwrap_or_else(|| panic!("{from:?} at {event:?} cannot happen"));
    assert_eq!((went.to.state, went.then), (to, then), "{from:?} at {event:?}");
}

fn late(finding: Finding) -> Event {
    Event::Asked { finding, late: true, control: true }
}

fn first(finding: Finding) -> Event {
    Event::AskedFirst { finding, control: true }
}

#[test]
fn only_a_committed_intention_is_ever_sent() {
    for state in STATES {
        for seen in [Seen::Read, Seen::Sign, Seen::Number, Seen::Nothing] {
            for event in events() {
                let sends = transition(Standing { state, attempt: 1, seen }, event).map(|went| went.then);
                let may = state == State::Intended && event == Event::Committed;
                assert_eq!(sends == Some(Command::Send), may, "{state:?} {seen:?} {event:?}");
            }
        }
    }
}

#[test]
fn only_what_was_never_there_or_is_void_becomes_intended() {
    for state in STATES {
        for event in events() {
            let Some(went) = transition(at(state), event) else { continue };
            if went.to.state == State::Intended && state != State::Intended {
                assert!(matches!(state, State::None | State::Void), "{state:?} {event:?}");
                assert_eq!(event, first(Finding::Absent), "{state:?}");
            }
        }
    }
}

#[test]
fn nothing_in_doubt_becomes_void_by_an_early_or_a_blind_ask() {
    for state in [State::Unsettled, State::Keyless, State::Unclear] {
        for event in events() {
            let Some(went) = transition(at(state), event) else { continue };
            if went.to.state != State::Void {
                continue;
            }
            let person = event == Event::DidNotHappen { late: true };
            assert!(state == State::Unsettled || person, "{state:?} {event:?}");
            let proof = match event {
                Event::Asked { finding, late, control } => late && (control || finding == Finding::Foreign),
                Event::AskedNumber(finding) => finding == Finding::Foreign,
                Event::Elapsed | Event::DidNotHappen { late: true } => true,
                _ => false,
            };
            assert!(proof, "{state:?} {event:?}");
        }
    }
}

#[test]
fn a_wanted_row_is_asked_for_used_waited_for_or_held() {
    moves(at(State::None), Event::Wanted, State::None, Command::Ask);
    moves(at(State::Void), Event::Wanted, State::Void, Command::Ask);
    moves(at(State::Unsettled), Event::Wanted, State::Unsettled, Command::Wait);
    moves(at(State::Keyless), Event::Wanted, State::Keyless, Command::Wait);
    moves(at(State::Confirmed), Event::Wanted, State::Confirmed, Command::UseKey(Via::Found));
    moves(at(State::Unclear), Event::Wanted, State::Unclear, Command::Hold(Why::Unclear));
    moves(at(State::Intended), Event::Wanted, State::Intended, Command::Wait);
}

#[test]
fn the_ask_before_a_create_finds_intends_or_holds() {
    let none = Standing::new(Seen::Read);
    let went = transition(none, first(Finding::Absent)).unwrap();
    assert_eq!((went.to.state, went.to.attempt, went.then), (State::Intended, 1, Command::Commit));
    moves(none, first(Finding::Ours), State::Confirmed, Command::UseKey(Via::Found));
    moves(none, first(Finding::ByReference), State::Confirmed, Command::UseKey(Via::Found));
    moves(none, first(Finding::Foreign), State::None, Command::Hold(Why::Taken));
    moves(none, first(Finding::Several), State::None, Command::Hold(Why::Several));
}

#[test]
fn answers_move_an_intention_as_the_table_says() {
    let row = at(State::Intended);
    moves(row, Event::Answered(Reply::Done), State::Confirmed, Command::UseKey(Via::Answer));
    moves(row, Event::Answered(Reply::DoneWithoutKey), State::Confirmed, Command::UseKey(Via::Answer));
    moves(row, Event::Answered(Reply::Keyless), State::Keyless, Command::AskAgain);
    moves(row, Event::Answered(Reply::Refused), State::Void, Command::Fail);
    moves(row, Event::Answered(Reply::NumberExists), State::Unsettled, Command::Ask);
    moves(row, Event::Answered(Reply::Unclear), State::Unsettled, Command::AskAgain);
    let went = transition(row, Event::Answered(Reply::NotArrived)).unwrap();
    assert_eq!((went.to.state, went.to.attempt), (State::Void, 0), "an attempt that did not arrive does not count");
}

#[test]
fn a_late_answer_still_settles_a_row_in_doubt() {
    let row = at(State::Unsettled);
    moves(row, Event::Answered(Reply::Done), State::Confirmed, Command::UseKey(Via::Answer));
    moves(row, Event::Answered(Reply::Keyless), State::Keyless, Command::AskAgain);
}

#[test]
fn a_number_that_exists_is_ours_foreign_or_unknown() {
    let row = at(State::Unsettled);
    moves(row, Event::AskedNumber(Finding::Ours), State::Confirmed, Command::UseKey(Via::Number));
    moves(row, Event::AskedNumber(Finding::Foreign), State::Void, Command::Hold(Why::Taken));
    moves(row, Event::AskedNumber(Finding::Absent), State::Unsettled, Command::AskAgain);
    let unreadable = Standing { state: State::Intended, attempt: 1, seen: Seen::Number };
    moves(unreadable, Event::Answered(Reply::NumberExists), State::Confirmed, Command::UseKey(Via::Number));
}

#[test]
fn a_start_puts_everything_under_way_in_doubt() {
    moves(at(State::Intended), Event::Started, State::Unsettled, Command::AskAgain);
    moves(at(State::Unsettled), Event::Started, State::Unsettled, Command::AskAgain);
    moves(at(State::Keyless), Event::Started, State::Keyless, Command::AskAgain);
    moves(at(State::Confirmed), Event::Started, State::Confirmed, Command::Rest);
    let unrecognised = Standing { state: State::Intended, attempt: 1, seen: Seen::Nothing };
    moves(unrecognised, Event::Started, State::Unclear, Command::Hold(Why::Unclear));
}

#[test]
fn asking_settles_a_row_in_doubt() {
    let row = at(State::Unsettled);
    let early = |finding| Event::Asked { finding, late: false, control: true };
    moves(row, early(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
    moves(row, early(Finding::Absent), State::Unsettled, Command::AskAgain);
    moves(row, early(Finding::Foreign), State::Unsettled, Command::AskAgain);
    moves(row, late(Finding::Absent), State::Void, Command::DecideAgain);
    moves(row, late(Finding::Foreign), State::Void, Command::Hold(Why::Taken));
    moves(row, late(Finding::ByReference), State::Confirmed, Command::UseKey(Via::Found));
    moves(row, late(Finding::Several), State::Unsettled, Command::Hold(Why::Several));
    let blind = Event::Asked { finding: Finding::Absent, late: true, control: false };
    moves(row, blind, State::Unsettled, Command::Hold(Why::Blind));
}

#[test]
fn after_three_attempts_in_doubt_a_person_looks() {
    let third = Standing { attempt: ATTEMPTS, ..at(State::Unsettled) };
    moves(third, late(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
    for absent in [late(Finding::Absent), Event::Elapsed] {
        let went = transition(third, absent).unwrap();
        assert_eq!((went.to.state, went.to.attempt), (State::Void, ATTEMPTS), "{absent:?}");
        moves(went.to, first(Finding::Absent), State::Void, Command::Hold(Why::Attempts));
    }
    let went = transition(third, Event::DidNotHappen { late: true }).unwrap();
    moves(went.to, first(Finding::Absent), State::Intended, Command::Commit);
}

#[test]
fn an_attempt_after_one_in_doubt_needs_open_eyes() {
    let voided = Standing { state: State::Void, attempt: 1, seen: Seen::Read };
    let blind = Event::AskedFirst { finding: Finding::Absent, control: false };
    moves(voided, blind, State::Void, Command::Hold(Why::Blind));
    moves(voided, first(Finding::Absent), State::Intended, Command::Commit);
    moves(Standing { attempt: 0, ..voided }, blind, State::Intended, Command::Commit);
    moves(Standing { seen: Seen::Number, ..voided }, blind, State::Intended, Command::Commit);
}

#[test]
fn a_refusal_after_an_unreadable_attempt_in_doubt_is_for_a_person() {
    let second = Standing { state: State::Intended, attempt: 2, seen: Seen::Number };
    moves(second, Event::Answered(Reply::Refused), State::Unclear, Command::Hold(Why::Refused));
    moves(Standing { attempt: 1, ..second }, Event::Answered(Reply::Refused), State::Void, Command::Fail);
    moves(Standing { seen: Seen::Read, ..second }, Event::Answered(Reply::Refused), State::Void, Command::Fail);
}

#[test]
fn a_person_settles_what_is_in_doubt_and_denies_nothing_that_may_still_arrive() {
    for state in [State::Unsettled, State::Keyless, State::Unclear] {
        moves(at(state), Event::Happened, State::Confirmed, Command::UseKey(Via::Person));
        moves(at(state), Event::DidNotHappen { late: false }, state, Command::Wait);
        moves(at(state), Event::DidNotHappen { late: true }, State::Void, Command::DecideAgain);
    }
    for state in [State::None, State::Intended, State::Confirmed] {
        assert_eq!(transition(at(state), Event::Happened), None, "{state:?}");
        assert_eq!(transition(at(state), Event::DidNotHappen { late: true }), None, "{state:?}");
    }
}

#[test]
fn what_has_no_key_is_read_back_and_never_sent_again() {
    let row = at(State::Keyless);
    moves(row, late(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
    moves(row, late(Finding::Absent), State::Keyless, Command::Hold(Why::NoKey));
    moves(row, late(Finding::Several), State::Keyless, Command::Hold(Why::Several));
    assert_eq!(transition(row, Event::Elapsed), None);
}

#[test]
fn an_unclear_row_waits_for_proof() {
    let row = at(State::Unclear);
    moves(row, late(Finding::Absent), State::Unclear, Command::Hold(Why::Unclear));
    moves(row, late(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
}

#[test]
fn what_shows_by_a_sign_is_asked_about_and_never_void_once_it_may_have_happened() {
    let row = Standing { seen: Seen::Sign, ..at(State::Intended) };
    moves(row, Event::Answered(Reply::Unclear), State::Unsettled, Command::AskAgain);
    let row = Standing { seen: Seen::Sign, ..at(State::Unsettled) };
    moves(row, late(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
    let early = Event::Asked { finding: Finding::Absent, late: false, control: true };
    moves(row, early, State::Unsettled, Command::AskAgain);
    for control in [false, true] {
        let event = Event::Asked { finding: Finding::Absent, late: true, control };
        moves(row, event, State::Unclear, Command::Hold(Why::NoSign));
    }
    moves(row, Event::Elapsed, State::Unclear, Command::Hold(Why::NoSign));
    let row = Standing { seen: Seen::Sign, ..at(State::Unclear) };
    moves(row, Event::Wanted, State::Unclear, Command::Hold(Why::NoSign));
    moves(row, late(Finding::Absent), State::Unclear, Command::Hold(Why::NoSign));
    moves(row, late(Finding::Ours), State::Confirmed, Command::UseKey(Via::Asked));
    for state in [State::Intended, State::Unsettled, State::Keyless, State::Unclear] {
        for event in events() {
            let Some(went) = transition(Standing { seen: Seen::Sign, ..at(state) }, event) else { continue };
            let certainly_not = matches!(
                event,
                Event::Answered(Reply::Refused | Reply::NotArrived)
                    | Event::Asked { finding: Finding::Foreign, .. }
                    | Event::AskedNumber(Finding::Foreign)
                    | Event::DidNotHappen { late: true }
            );
            assert!(went.to.state != State::Void || certainly_not, "{state:?} {event:?}");
        }
    }
}

#[test]
fn a_thing_that_is_gone_may_be_made_again() {
    moves(at(State::Confirmed), Event::Gone { control: true }, State::Void, Command::DecideAgain);
    let blind = Event::Gone { control: false };
    moves(at(State::Confirmed), blind, State::Confirmed, Command::UseKey(Via::Found));
}
