//! What the control API lets the simulated banks begin: payments to Lombard, and recalls of them.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use lombard_core::{
    currency::Currency,
    iso20022::{
        Account, Actor, Agent, Assignment, Case, ChargeBearer, Coded, CreditTransfer, Party,
        RecallRequest, Remittance,
    },
    money::{Amount, Money},
    rail::Rail,
};
use lombard_service::rails::{
    dialect::{because, unknown_agent},
    names::Names,
    speak::{date, uetr},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        books::{Sent, place},
        desk::problem,
        state::{Delivery, Letter, Shared},
    },
    unwritable,
};

/// The account from which the simulated bank pays: the example of ISO 13616 for France.
const DEBTOR_IBAN: &str = "FR1420041010050500013M02606";
/// The account number from which it pays Faster Payments.
const DEBTOR_NUMBER: &str = "31926819";

/// A payment to Lombard.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    rail: Rail,
    amount: Amount,
    /// The rail's own unless it is said.
    #[serde(default)]
    currency: Option<Currency>,
    creditor: Creditor,
    #[serde(default)]
    creditor_name: Option<String>,
    #[serde(default)]
    debtor_name: Option<String>,
    #[serde(default)]
    end_to_end_id: Option<String>,
    #[serde(default)]
    remittance: Option<String>,
    /// `TxId`. The same one again is the same payment again.
    #[serde(default)]
    reference: Option<String>,
    /// How often it is sent, one after the other.
    #[serde(default)]
    repeats: u32,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Creditor {
    Iban {
        iban: String,
    },
    Uk {
        sort_code: String,
        account_number: String,
    },
}

/// What came of it.
#[derive(Serialize)]
struct Answered {
    reference: String,
    deliveries: Vec<Delivery>,
}

pub async fn inbound(State(shared): State<Arc<Shared>>, Json(wish): Json<Inbound>) -> Response {
    let Some(currency) = wish.currency.or(wish.rail.currency()) else {
        return problem(StatusCode::NOT_FOUND, "rail_unknown", "no such rail");
    };
    let message_id = shared.message_id();
    let reference = wish.reference.clone().unwrap_or_else(|| message_id.clone());
    let money = Money {
        amount: wish.amount,
        currency,
    };
    let transfer = transfer(&shared, &wish, &message_id, &reference, money);
    let xml = match transfer.to_xml() {
        Ok(xml) => xml,
        Err(refusal) => return unwritable(&refusal),
    };
    let sent = Sent {
        names: Names::of(CreditTransfer::NAME, &transfer),
        money,
        returned: 0,
    };
    let place = place(wish.rail, &reference);
    {
        let mut books = shared.books.lock();
        if books.sent(place).is_none() {
            books.send(place, sent);
        }
    }
    let mut deliveries = Vec::new();
    for _ in 0..=wish.repeats.min(100) {
        let letter = Letter {
            rail: wish.rail,
            message: "pacs.008",
            message_id: message_id.clone(),
            xml: xml.clone(),
        };
        deliveries.push(shared.send(letter).await);
    }
    Json(Answered {
        reference,
        deliveries,
    })
    .into_response()
}

fn transfer(
    shared: &Shared,
    wish: &Inbound,
    message_id: &str,
    reference: &str,
    money: Money,
) -> CreditTransfer {
    let us = shared.agent(wish.rail);
    let (creditor_account, creditor_agent) = match &wish.creditor {
        Creditor::Iban { iban } => (Account::Iban(iban.clone()), unknown_agent()),
        Creditor::Uk {
            sort_code,
            account_number,
        } => (Account::uk(account_number), Agent::sort_code(sort_code)),
    };
    let debtor_account = match wish.rail {
        Rail::Fps => Account::uk(DEBTOR_NUMBER),
        Rail::SepaInst | Rail::Book | Rail::Card => Account::Iban(DEBTOR_IBAN.to_owned()),
    };
    let named = |given: &Option<String>, otherwise: &str| {
        Party::named(given.as_deref().unwrap_or(otherwise))
    };
    let dialect = Shared::dialect(wish.rail);
    CreditTransfer {
        message_id: message_id.to_owned(),
        created_ms: shared.now_ms(),
        settlement: lombard_core::iso20022::Settlement {
            method: lombard_core::iso20022::SettlementMethod::Clearing,
            clearing_system: None,
        },
        settlement_date: Some(date(shared.host().now())),
        instruction_id: Some(reference.to_owned()),
        end_to_end_id: wish
            .end_to_end_id
            .clone()
            .unwrap_or_else(|| reference.to_owned()),
        tx_id: Some(reference.to_owned()),
        uetr: Some(uetr(reference)),
        service_level: dialect.and_then(|dialect| dialect.service_level()),
        local_instrument: dialect.and_then(|dialect| dialect.local_instrument()),
        category_purpose: None,
        amount: money,
        instructed_amount: None,
        accepted_ms: Some(shared.now_ms()),
        charge_bearer: ChargeBearer::ServiceLevel,
        instructing_agent: Some(us.clone()),
        instructed_agent: None,
        ultimate_debtor: None,
        debtor: named(&wish.debtor_name, "Simulated Payer"),
        debtor_account: Some(debtor_account),
        debtor_agent: us,
        creditor_agent,
        creditor: named(&wish.creditor_name, "Payee"),
        creditor_account: Some(creditor_account),
        ultimate_creditor: None,
        purpose: None,
        remittance: Remittance {
            text: wish.remittance.clone().into_iter().collect(),
            reference: None,
            ..Remittance::default()
        },
    }
}

/// A recall of a payment that the simulated bank sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    rail: Rail,
    /// The payment's `TxId`.
    reference: String,
    #[serde(default = "fraud")]
    code: String,
    #[serde(default)]
    case: Option<String>,
}

fn fraud() -> String {
    "FRAD".to_owned()
}

pub async fn recall(State(shared): State<Arc<Shared>>, Json(wish): Json<Recall>) -> Response {
    let sent = shared
        .books
        .lock()
        .sent(place(wish.rail, &wish.reference))
        .cloned();
    let Some(sent) = sent else {
        return super::unknown();
    };
    let id = shared.message_id();
    let us = shared.agent(wish.rail);
    let message = RecallRequest {
        assignment: Assignment {
            id: id.clone(),
            assigner: Actor::Agent(us.clone()),
            assignee: Actor::Agent(unknown_agent()),
            created_ms: shared.now_ms(),
        },
        case: Some(Case {
            id: wish.case.unwrap_or_else(|| id.clone()),
            creator: Actor::Agent(us),
        }),
        cancellation_id: Some(id.clone()),
        original: sent.names.original(),
        original_settlement: sent.names.settlement(),
        reasons: vec![because(Coded::code(&wish.code))],
    };
    let xml = match message.to_xml() {
        Ok(xml) => xml,
        Err(refusal) => return unwritable(&refusal),
    };
    let letter = Letter {
        rail: wish.rail,
        message: "camt.056",
        message_id: id,
        xml,
    };
    Json(shared.send(letter).await).into_response()
}
