//! The saga as Amazon States Language: the same table, for an orchestrator that lives outside.
//!
//! **Two machines.** [`Machine::Straight`] is an Express workflow: it sends a payment to its rail and
//! asks about it while the rail is silent, for less than the five minutes that such a workflow may
//! take. What is in doubt then stays with the timers, which ask for as long as the table says.
//! [`Machine::Waiting`] is a Standard workflow: it waits for a person, by a task token, for days.
//!
//! **What a task does** is not here: each names a step, a tenant and a payment, and the function
//! behind it carries the step out as the workers do. A task is run again whenever it is not known to
//! have ended, so steps are idempotent, as everywhere.
//!
//! **Rounding.** States Language counts whole seconds; pauses are rounded up, and at least one.

use serde_json::{Map, Value, json};

use super::{Retry, StepName, step};

/// A workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Nobody need confirm the payment.
    Straight,
    /// A person is waited for.
    Waiting,
}

/// How long one task may take, in seconds: a rail's time-out, the tries to reach it, the commits.
const TASK_SECONDS: u64 = 15;
/// How long the straight machine may take, in seconds: an Express workflow ends after five minutes
/// (AWS Step Functions quotas), whether it has finished or not.
const STRAIGHT_SECONDS: u64 = 290;
/// No pause is longer in a machine that lives for minutes, in seconds.
const STRAIGHT_PAUSE_SECONDS: u64 = 60;
/// How often a task is tried again that Lambda did not start or did not end, and for how long.
const PLATFORM: Retry = Retry {
    max: 5,
    base_ms: 1_000,
    cap_ms: 20_000,
};
/// Lambda's own failures, of which nothing is known of the function's work.
const PLATFORM_ERRORS: [&str; 4] = [
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
];
/// The error by which a task says that certainly nothing was sent.
pub const NOT_SENT: &str = "NotSent";
/// The error by which a task says that the rail does not know yet.
pub const STILL_UNKNOWN: &str = "StillUnknown";
/// What a task says when the payment's outcome is known.
pub const DECIDED: &str = "decided";

/// The definition of a machine. `${SagaFunctionArn}` in it is the function behind the tasks.
#[must_use]
pub fn render(machine: Machine) -> Value {
    match machine {
        Machine::Straight => straight(),
        Machine::Waiting => waiting(),
    }
}

fn straight() -> Value {
    let (submit, enquire) = (step(StepName::Submit), step(StepName::Enquire));
    let after_submit = name(submit.otherwise);
    let after_enquire = name(enquire.otherwise);
    json!({
        "Comment": "A payment that nobody need confirm: sent to its rail, and asked about when the rail is silent.",
        "StartAt": name(Some(StepName::Submit)),
        "TimeoutSeconds": STRAIGHT_SECONDS,
        "States": {
            "Submit": caught(task(StepName::Submit, Some((NOT_SENT, submit.retry)), "Submitted"), &after_submit),
            "Submitted": decided("submit", &after_submit),
            "Enquire": caught(task(StepName::Enquire, Some((STILL_UNKNOWN, fitting(submit.retry, enquire.retry))), "Enquired"), &after_enquire),
            "Enquired": decided("enquire", &after_enquire),
            "Escalate": task(StepName::Escalate, None, "Done"),
            "Done": {"Type": "Succeed"},
        },
    })
}

fn waiting() -> Value {
    let verify = step(StepName::Verify);
    let seconds = verify.timeout_ms / 1000;
    json!({
        "Comment": "A payment that waits for a person: the task token is kept with the payment, and whoever answers gives it back.",
        "StartAt": name(Some(StepName::Verify)),
        // Its one wait ends it long before.
        "TimeoutSeconds": 4 * seconds,
        "States": {
            "Verify": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {
                    "FunctionName": "${SagaFunctionArn}",
                    "Payload": {
                        "step": "verify",
                        "tenant.$": "$.tenant",
                        "payment.$": "$.payment",
                        "token.$": "$$.Task.Token",
                    },
                },
                "ResultPath": "$.verify",
                "TimeoutSeconds": seconds,
                "Catch": [catch("Expire")],
                "Next": "Done",
            },
            "Expire": named_task("expire", None, "Done"),
            "Done": {"Type": "Succeed"},
        },
    })
}

/// The state of a step, which is named as the step is.
fn name(step: Option<StepName>) -> String {
    step.map_or_else(|| "Done".to_owned(), |step| format!("{step:?}"))
}

fn task(step: StepName, retry: Option<(&str, Retry)>, next: &str) -> Value {
    named_task(&format!("{step:?}").to_lowercase(), retry, next)
}

fn named_task(step: &str, retry: Option<(&str, Retry)>, next: &str) -> Value {
    let own = retry.map(|(error, retry)| attempts(&[error], retry));
    let platform = attempts(&PLATFORM_ERRORS, PLATFORM);
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": "${SagaFunctionArn}",
            "Payload": {"step": step, "tenant.$": "$.tenant", "payment.$": "$.payment"},
        },
        "ResultSelector": {"outcome.$": "$.Payload.outcome"},
        "ResultPath": format!("$.{step}"),
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": own.into_iter().chain([platform]).collect::<Vec<_>>(),
        "Next": next,
    })
}

/// A task that goes on elsewhere when it has failed for good.
fn caught(task: Value, next: &str) -> Value {
    let mut state: Map<String, Value> = match task {
        Value::Object(state) => state,
        other => return other,
    };
    state.insert("Catch".to_owned(), json!([catch(next)]));
    Value::Object(state)
}

fn catch(next: &str) -> Value {
    json!({"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": next})
}

/// Ends when a task's outcome is known, and goes on otherwise.
fn decided(step: &str, otherwise: &str) -> Value {
    json!({
        "Type": "Choice",
        "Choices": [{
            "Variable": format!("$.{step}.outcome"),
            "StringEquals": DECIDED,
            "Next": "Done",
        }],
        "Default": otherwise,
    })
}

fn attempts(errors: &[&str], retry: Retry) -> Value {
    let (first, most) = interval(retry);
    json!({
        "ErrorEquals": errors,
        "IntervalSeconds": first,
        "MaxAttempts": retry.max,
        "BackoffRate": 2,
        "MaxDelaySeconds": most,
        "JitterStrategy": "FULL",
    })
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000).max(1)
}

/// As many enquiries as fit into the straight machine behind a submission, when everything takes as
/// long as it may.
fn fitting(submit: Retry, enquire: Retry) -> Retry {
    let enquire = Retry {
        cap_ms: enquire.cap_ms.min(STRAIGHT_PAUSE_SECONDS * 1000),
        ..enquire
    };
    let room = STRAIGHT_SECONDS - longest(submit);
    let fits = |max: &u32| {
        longest(Retry {
            max: *max,
            ..enquire
        }) <= room
    };
    let max = (0..=enquire.max).take_while(fits).last().unwrap_or(0);
    Retry { max, ..enquire }
}

/// The longest that a task takes with all its tries, in seconds, as States Language counts them.
fn longest(retry: Retry) -> u64 {
    let (first, most) = interval(retry);
    let pauses: u64 = (0..retry.max).map(|n| (first << n.min(32)).min(most)).sum();
    pauses + u64::from(retry.max + 1) * TASK_SECONDS
}

/// The first pause and the longest, in seconds; the longest must be longer than the first.
fn interval(retry: Retry) -> (u64, u64) {
    let first = seconds(retry.base_ms);
    (first, seconds(retry.cap_ms).max(first + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_straight_machine_ends_before_it_is_ended() {
        let (submit, enquire) = (step(StepName::Submit), step(StepName::Enquire));
        let fitted = fitting(submit.retry, enquire.retry);
        assert!(longest(submit.retry) + longest(fitted) <= STRAIGHT_SECONDS);
        assert!(fitted.max >= 3, "or there is no use in asking: {fitted:?}");
    }

    #[test]
    fn every_state_is_there_and_reachable() {
        for machine in [Machine::Straight, Machine::Waiting] {
            let machine = render(machine);
            let states = machine["States"].as_object().unwrap();
            let mut reached = vec![machine["StartAt"].as_str().unwrap().to_owned()];
            let mut at = 0;
            while at < reached.len() {
                let state = &states[&reached[at]];
                let catches = state["Catch"].as_array().into_iter().flatten();
                let choices = state["Choices"].as_array().into_iter().flatten();
                let nexts = catches.chain(choices).map(|it| &it["Next"]);
                for next in nexts.chain([&state["Next"], &state["Default"]]) {
                    if let Some(next) = next.as_str().filter(|it| !reached.iter().any(|r| r == it))
                    {
                        reached.push(next.to_owned());
                    }
                }
                at += 1;
            }
            assert_eq!(reached.len(), states.len());
            assert!(reached.iter().any(|name| name == "Done"));
        }
    }
}
