//! What the simulator says, in messages: answers, late answers, returns, refusals of recalls.

use std::sync::Arc;

use lombard_core::{
    iso20022::{
        Actor, Agent, Assignment, ChargeBearer, Coded, Original, Reason, RecallAnswer,
        RecallOutcome, RecallRequest, Refusal, Return, Settlement, SettlementMethod, Status,
        StatusReport,
    },
    money::{Amount, Money},
    rail::Rail,
};
use lombard_service::rails::{dialect::because, speak::date};

use super::{
    books::{Standing, Taken, place},
    state::{Letter, Shared},
};

/// Status and code of a standing, in the rail's words: the yes of SEPA Instant is `ACCP`.
pub fn words(rail: Rail, standing: Standing) -> (&'static str, Option<String>) {
    match standing {
        Standing::Accepted if rail == Rail::SepaInst => ("ACCP", None),
        Standing::Accepted => ("ACSC", None),
        Standing::Undecided => ("PDNG", None),
        Standing::Rejected(_) => ("RJCT", standing.code()),
    }
}

/// The rail's own codes are proprietary, ISO's are codes.
fn reason(code: &str) -> Reason {
    let fps = code.bytes().all(|byte| byte.is_ascii_digit());
    because(if fps {
        Coded::proprietary(code)
    } else {
        Coded::code(code)
    })
}

fn quote(taken: &Taken) -> Original {
    let mut original = taken.names.original();
    if taken.kind == "pacs.004" {
        original.message_name = Some(Return::NAME.to_owned());
    }
    original
}

/// How a payment stands: pacs.002.
pub fn report(shared: &Shared, taken: &Taken, standing: Standing) -> Result<String, Refusal> {
    let (status, code) = words(taken.rail, standing);
    about(shared, taken.rail, &quote(taken), status, code.as_deref())
}

/// A pacs.002 with any status.
pub fn about(
    shared: &Shared,
    rail: Rail,
    original: &Original,
    status: &str,
    code: Option<&str>,
) -> Result<String, Refusal> {
    message(shared, rail, original, status, code).1
}

fn message(
    shared: &Shared,
    rail: Rail,
    original: &Original,
    status: &str,
    code: Option<&str>,
) -> (String, Result<String, Refusal>) {
    let id = shared.message_id();
    let reference = original.tx_id.as_deref().unwrap_or_default();
    let status = Status::from_code(status);
    let final_yes = !matches!(status, Status::Rejected | Status::Pending);
    let report = StatusReport {
        message_id: id.clone(),
        created_ms: shared.now_ms(),
        original: original.clone(),
        status_id: None,
        status,
        reasons: code.map(reason).into_iter().collect(),
        accepted_ms: None,
        clearing_reference: final_yes.then(|| shared.drawn(reference)),
        instructing_agent: Some(shared.agent(rail)),
        instructed_agent: None,
    };
    (id, report.to_xml())
}

/// A pacs.002 of how a payment stands, to be sent.
pub fn report_letter(
    shared: &Shared,
    taken: &Taken,
    standing: Standing,
) -> Result<Letter, Refusal> {
    let (status, code) = words(taken.rail, standing);
    say_letter(shared, taken, status, code.as_deref())
}

/// A pacs.002 with any status, to be sent.
pub fn say_letter(
    shared: &Shared,
    taken: &Taken,
    status: &str,
    code: Option<&str>,
) -> Result<Letter, Refusal> {
    let (message_id, xml) = message(shared, taken.rail, &quote(taken), status, code);
    Ok(Letter {
        rail: taken.rail,
        message: "pacs.002",
        message_id,
        xml: xml?,
    })
}

/// Sends money of a payment back after a while: pacs.004.
pub fn give_back(
    shared: &Arc<Shared>,
    taken: &Taken,
    minor: u64,
    code: &str,
    after_ms: u64,
) -> Result<(), Refusal> {
    let Ok(amount) = Amount::try_from(minor) else {
        return Ok(());
    };
    if let Some(kept) = shared
        .books
        .lock()
        .taken(place(taken.rail, &taken.reference))
    {
        kept.returned += minor;
    }
    let letter = return_letter(
        shared,
        taken,
        Money {
            amount,
            ..taken.money
        },
        code,
    )?;
    shared.send_later(after_ms, letter);
    Ok(())
}

/// A pacs.004 of a payment, to be sent.
pub fn return_letter(
    shared: &Shared,
    taken: &Taken,
    amount: Money,
    code: &str,
) -> Result<Letter, Refusal> {
    let id = shared.message_id();
    let back = Return {
        message_id: id.clone(),
        created_ms: shared.now_ms(),
        settlement: Settlement {
            method: SettlementMethod::Clearing,
            clearing_system: None,
        },
        settlement_date: Some(date(shared.host().now())),
        return_id: Some(id.clone()),
        original: quote(taken),
        original_settlement: taken.names.settlement(),
        amount,
        charge_bearer: Some(ChargeBearer::ServiceLevel),
        reasons: vec![reason(code)],
        instructing_agent: Some(shared.agent(taken.rail)),
        instructed_agent: Some(taken.from.clone()),
    };
    Ok(Letter {
        rail: taken.rail,
        message: "pacs.004",
        message_id: id,
        xml: back.to_xml()?,
    })
}

/// Refuses a recall of Lombard's: camt.029.
pub fn refuse_recall(
    shared: &Arc<Shared>,
    rail: Rail,
    wish: &RecallRequest,
    code: &str,
) -> Result<(), Refusal> {
    let id = shared.message_id();
    let us = shared.agent(rail);
    let asker = match &wish.assignment.assigner {
        Actor::Agent(agent) => agent.clone(),
        Actor::Party(_) => Agent::default(),
    };
    let answer = RecallAnswer {
        assignment: Assignment {
            id: id.clone(),
            assigner: Actor::Agent(us),
            assignee: Actor::Agent(asker),
            created_ms: shared.now_ms(),
        },
        case: wish.case.clone(),
        outcome: RecallOutcome::Refused,
        status_id: Some(id.clone()),
        original: wish.original.clone(),
        reasons: vec![reason(code)],
    };
    let letter = Letter {
        rail,
        message: "camt.029",
        message_id: id,
        xml: answer.to_xml()?,
    };
    shared.send_later(0, letter);
    Ok(())
}
