//! The lifecycle as a table that a payments person can read, and the promises it keeps.

use expect_test::expect_file;
use lombard_core::lifecycle::{Effect, Happened, Stage, Status, Verdict, apply};

/// Which statuses may follow each other is fixed by the design; stages only refine it.
fn may_follow(from: Status, to: Status) -> bool {
    use Status::{AuthPending, Cleared, Failed, Initiated, Reversed, Settled};
    match (from, to) {
        (Initiated, AuthPending | Failed | Cleared)
        | (AuthPending, Failed | Cleared)
        | (Cleared, Settled | Reversed)
        | (Settled, Reversed) => true,
        (a, b) => a == b,
    }
}

#[test]
fn the_table_is_as_reviewed() {
    let mut table = String::new();
    for stage in Stage::ALL {
        let pending = stage
            .pending()
            .map_or(String::new(), |why| format!(" ({why:?})"));
        table += &format!("{stage:?}: {}{pending}\n", stage.status().name());
        for news in Happened::ALL {
            let line = match apply(stage, news) {
                Verdict::Moves(next, effects) => format!("{next:?} {effects:?}"),
                Verdict::Noted => "noted".to_owned(),
                Verdict::Impossible => continue,
            };
            table += &format!("    {news:?} -> {line}\n");
        }
    }
    expect_file!["transitions.txt"].assert_eq(&table);
}

#[test]
fn every_stage_that_is_not_final_says_what_it_waits_for() {
    for stage in Stage::ALL {
        let waits = matches!(stage.status(), Status::Initiated | Status::AuthPending);
        assert_eq!(stage.pending().is_some(), waits, "{stage:?}");
    }
}

#[test]
fn statuses_only_follow_each_other_as_designed() {
    for stage in Stage::ALL {
        for news in Happened::ALL {
            if let Verdict::Moves(next, _) = apply(stage, news) {
                let (from, to) = (stage.status(), next.status());
                assert!(
                    may_follow(from, to),
                    "{stage:?} + {news:?} goes from {from:?} to {to:?}"
                );
            }
        }
    }
}

#[test]
fn the_end_is_the_end() {
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_terminal()) {
        for news in Happened::ALL {
            if let Verdict::Moves(next, effects) = apply(stage, news) {
                assert_eq!(next, stage, "{stage:?} + {news:?}");
                assert_eq!(effects, [Effect::Contradiction], "{stage:?} + {news:?}");
            }
        }
    }
}

#[test]
fn a_decided_payment_never_fails_and_never_goes_back() {
    for stage in [Stage::Cleared, Stage::Settled] {
        for news in Happened::ALL {
            if let Verdict::Moves(next, _) = apply(stage, news) {
                assert!(
                    next.is_decided() && next != Stage::Failed,
                    "{stage:?} + {news:?}"
                );
            }
        }
    }
}

/// Walks every path and counts promises: a hold is placed at most once, ends exactly once, and
/// stands for as long as the outcome is open.
#[test]
fn a_hold_ends_exactly_once() {
    let mut seen = std::collections::BTreeSet::new();
    let mut todo = vec![(Stage::New, false)];
    while let Some((stage, held)) = todo.pop() {
        if !seen.insert((stage, held)) {
            continue;
        }
        assert_eq!(
            held,
            stage.is_held(),
            "{stage:?} is reached with a hold: {held}"
        );
        for news in Happened::ALL {
            let Verdict::Moves(next, effects) = apply(stage, news) else {
                continue;
            };
            let mut held = held;
            for effect in effects {
                match effect {
                    Effect::Hold => {
                        assert!(!held, "{stage:?} + {news:?} holds twice");
                        held = true;
                    }
                    Effect::Post | Effect::Void => {
                        assert!(held, "{stage:?} + {news:?} ends a hold that is not there");
                        held = false;
                    }
                    _ => {}
                }
            }
            todo.push((next, held));
        }
    }
    assert_eq!(
        seen.len(),
        Stage::ALL.len(),
        "every stage is reached, in one way: {seen:?}"
    );
}

#[test]
fn a_time_out_never_fails_a_payment() {
    for stage in Stage::ALL {
        if let Verdict::Moves(next, _) = apply(stage, Happened::TimedOut) {
            assert_eq!(next, Stage::InDoubt);
        }
    }
}

#[test]
fn what_has_left_cannot_be_cancelled() {
    for stage in [
        Stage::Submitted,
        Stage::InDoubt,
        Stage::Cleared,
        Stage::Settled,
    ] {
        assert_eq!(
            apply(stage, Happened::Cancelled),
            Verdict::Impossible,
            "{stage:?}"
        );
    }
}
