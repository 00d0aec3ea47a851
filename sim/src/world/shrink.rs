//! Makes a failing world smaller for as long as it still fails: fewer clients, fewer kinds of faults,
//! fewer steps. What is left is what the failure needs, or near to it.

use super::{Outcome, Setting, run, weather::Fault};

/// A failing setting, made smaller, with its outcome and history.
#[must_use]
pub fn shrink(setting: &Setting) -> (Setting, Outcome) {
    let mut best = setting.clone();
    best.told = false;
    let mut outcome = run(&best);
    let mut fails = |tried: &Setting, best: &mut Setting| {
        let found = run(tried);
        if found.violation.is_some() {
            *best = tried.clone();
            outcome = found;
        }
    };
    let clients = run(&best).clients;
    for client in 0..clients {
        let mut tried = best.clone();
        tried.without_clients.push(client);
        if tried.without_clients.len() < clients {
            fails(&tried, &mut best);
        }
    }
    for fault in Fault::ALL {
        let mut tried = best.clone();
        tried.without.push(fault);
        fails(&tried, &mut best);
    }
    // From the fewest steps up: the first that fails is the shortest.
    let most = best.steps.unwrap_or(super::client::STEPS_MAX);
    for steps in 0..most {
        let mut tried = best.clone();
        tried.steps = Some(steps);
        fails(&tried, &mut best);
        if best.steps == Some(steps) {
            break;
        }
    }
    best.told = true;
    let outcome = run(&best);
    (best, outcome)
}
