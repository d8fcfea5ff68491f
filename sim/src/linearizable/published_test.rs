//! The checker agrees with what others have published about theirs.

use std::collections::{BTreeMap, VecDeque};

use super::*;

/// A queue, first in, first out.
#[derive(Clone, Debug)]
struct Queue;

#[derive(Debug)]
enum QueueCall {
    Enq(char),
    Deq,
}

impl Specification for Queue {
    type State = VecDeque<char>;
    type Call = QueueCall;
    type Answer = Option<char>;

    fn step(state: &VecDeque<char>, call: &QueueCall, answer: Option<&Option<char>>) -> Option<VecDeque<char>> {
        let mut after = state.clone();
        let said = match call {
            QueueCall::Enq(item) => {
                after.push_back(*item);
                None
            }
            QueueCall::Deq => Some(after.pop_front()?),
        };
        answer.is_none_or(|answer| *answer == said).then_some(after)
    }
}

/// A register that is 0 in the beginning.
#[derive(Clone, Debug)]
struct Register;

#[derive(Debug)]
enum RegisterCall {
    Write(u64),
    Read,
}

impl Specification for Register {
    type State = u64;
    type Call = RegisterCall;
    type Answer = u64;

    fn step(state: &u64, call: &RegisterCall, answer: Option<&u64>) -> Option<u64> {
        match call {
            RegisterCall::Write(value) => Some(*value),
            RegisterCall::Read => answer.is_none_or(|answer| answer == state).then_some(*state),
        }
    }
}

/// What a line of a history says: a process asks, or is told.
enum Said<S: Specification> {
    Asks(S::Call),
    Told(S::Answer),
}

/// A history from its lines; who is told nothing has an operation whose outcome is unknown.
fn history<S: Specification>(lines: impl IntoIterator<Item = (char, Said<S>)>) -> Vec<Operation<S>> {
    let mut operations: Vec<Operation<S>> = Vec::new();
    let mut open = BTreeMap::new();
    for (moment, (process, said)) in lines.into_iter().enumerate() {
        match said {
            Said::Asks(call) => {
                let before = open.insert(process, operations.len());
                assert!(before.is_none(), "{process} asks for one thing at a time");
                let begun = moment as u64;
                operations.push(Operation {
                    begun,
                    call,
                    answer: None,
                });
            }
            Said::Told(answer) => {
                let operation = open.remove(&process).expect("it has asked");
                operations[operation].answer = Some((moment as u64, answer));
            }
        }
    }
    operations
}

/// `Enq(x) A; Ok() A`, as in the paper.
fn queue(text: &str) -> Verdict {
    let line = |line: &str| {
        let (said, process) = line.trim().split_once(' ').expect("what, and who");
        let (name, argument) = said.trim_end_matches(')').split_once('(').expect("a call");
        let argument = argument.chars().next();
        let said = match name {
            "Enq" => Said::Asks(QueueCall::Enq(argument.expect("an item"))),
            "Deq" => Said::Asks(QueueCall::Deq),
            _ => Said::Told(argument),
        };
        (process.chars().next().expect("a process"), said)
    };
    check::<Queue>(&history(text.split(';').map(line)))
}

/// `W100 A; ok A; R B; 100 B`: a write, a read.
fn register(text: &str) -> Verdict {
    let line = |line: &str| {
        let (said, process) = line.trim().split_once(' ').expect("what, and who");
        let number = |text: &str| text.parse::<u64>().expect("a number");
        let said = match said.split_at(1) {
            ("W", value) => Said::Asks(RegisterCall::Write(number(value))),
            ("R", "") => Said::Asks(RegisterCall::Read),
            ("o", _) => Said::Told(0),
            _ => Said::Told(number(said)),
        };
        (process.chars().next().expect("a process"), said)
    };
    check::<Register>(&history(text.split(';').map(line)))
}

fn is_broken(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Broken(_))
}

/// Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990, figure 1: the
/// histories H1 to H4 of a queue, as their events stand in the text.
#[test]
fn queues_of_herlihy_and_wing() {
    // An enqueue that has not ended, and two that overlap.
    let first = "Enq(x) A; Enq(y) B; Ok() B; Ok() A; Deq() B; Ok(x) B; Deq() A; Ok(y) A; Enq(z) A";
    assert_eq!(queue(first), Verdict::Linearizable);
    // x came before y, and y leaves first.
    assert!(is_broken(&queue(
        "Enq(x) A; Ok() A; Enq(y) B; Deq() A; Ok() B; Ok(y) A"
    )));
    // An enqueue takes effect before it ends.
    assert_eq!(queue("Enq(x) A; Deq() B; Ok(x) B"), Verdict::Linearizable);
    // y came once, and leaves twice.
    assert!(is_broken(&queue(
        "Enq(x) A; Enq(y) B; Ok() A; Ok() B; Deq() A; Deq() C; Ok(y) A; Ok(y) C"
    )));
}

/// The register of the tests of Porcupine (github.com/anishathalye/porcupine, `TestRegisterModel` and `TestZeroDuration`), which has
/// its first two from a quiz of MIT 6.824, 2017, section VII.
#[test]
fn registers_of_porcupine() {
    assert_eq!(register("W100 A; R B; R C; 0 C; 100 B; ok A"), Verdict::Linearizable);
    assert!(is_broken(&register("W200 A; R B; 200 B; R C; 0 C; ok A")));
    assert_eq!(
        register("W100 A; R B; R C; 0 C; R D; 0 D; 100 B; ok A"),
        Verdict::Linearizable
    );
    assert!(is_broken(&register("W200 A; R B; 200 B; R C; 200 C; R D; 0 D; ok A")));
}

/// The histories in the README of Knossos (github.com/jepsen-io/knossos): a write that crashed and was read, and a value that nobody
/// has written, from a test of RethinkDB.
#[test]
fn registers_of_knossos() {
    assert_eq!(register("R A; W3 B; 3 A"), Verdict::Linearizable);
    assert!(is_broken(&register("W0 A; ok A; R B; W4 C; 3 B; ok C; R D; 4 D")));
}

#[test]
fn the_longest_beginning_names_what_fits() {
    assert_eq!(
        register("W1 A; ok A; R B; 1 B; W2 A; ok A; R B; 1 B"),
        Verdict::Broken(vec![0, 1, 2])
    );
}

#[test]
fn a_search_that_takes_too_long_is_given_up() {
    // 24 writes whose outcome nobody knows, and a read of what was never written.
    let writes = ('a'..='x')
        .zip(1..)
        .map(|(process, value)| format!("W{value} {process}; "));
    let text = writes.collect::<String>() + "R A; 99 A";
    assert_eq!(register(&text), Verdict::GivenUp);
}
