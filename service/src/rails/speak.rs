//! Payments put into messages. Names and account numbers are opened here, at the last moment, and
//! live no longer than the message.

use lombard_core::{
    id::Id,
    iso20022::{
        Account, Actor, Agent, Assignment, Case, ChargeBearer, CreditTransfer, Original,
        OriginalSettlement, Party, RecallAnswer, RecallOutcome, RecallRequest, Refusal, Return,
        StatusRequest,
    },
    ledger,
    payment::{Kind, Payment, Recall},
    reason::Reason,
    scheme::Field,
    tenant::TenantId,
    time::Timestamp,
};
use sha2::{Digest, Sha256};

use super::{
    RailError,
    dialect::{Dialect, because, cancellation_code, carried, unknown_agent},
    names::Names,
};
use crate::details::{BankAddress, Details, Holder};

/// What every message of ours needs to know.
pub struct Speaker<'a> {
    /// Which rail.
    pub dialect: &'a dyn Dialect,
    /// Us.
    pub own_agent: &'a Agent,
    /// The moment.
    pub now: Timestamp,
}

/// The account on our side, opened.
pub struct Ours {
    /// The account.
    pub account: ledger::Account,
    /// Who holds it.
    pub holder: Holder,
}

impl Speaker<'_> {
    /// The instruction of an outgoing payment: pacs.008.
    ///
    /// # Errors
    /// [`RailError::Unspeakable`] when the rail has no words for it.
    pub fn transfer(
        &self,
        tenant: TenantId,
        payment: &Payment,
        details: &Details,
        ours: &Ours,
    ) -> Result<String, RailError> {
        let rules = self.dialect.rules();
        let attempt = payment.attempt_id(tenant);
        let to = details
            .creditor_account
            .as_ref()
            .and_then(|to| self.dialect.spell(to));
        let (creditor_account, creditor_agent) =
            to.ok_or_else(|| unspeakable(Reason::AccountNumberInvalid, "no account to pay to"))?;
        let (debtor_account, debtor_agent) = self.our_account(payment, ours);
        let said = details
            .debtor_name
            .as_deref()
            .or(ours.holder.name.as_deref());
        let debtor_name = carried(rules, Field::DebtorName, said.unwrap_or(&ours.account.name))
            .ok_or_else(|| unspeakable(Reason::NameMissing, "the debtor's name"))?;
        let creditor_name = details.creditor_name.as_deref().unwrap_or_default();
        let creditor_name = carried(rules, Field::CreditorName, creditor_name)
            .ok_or_else(|| unspeakable(Reason::NameMissing, "the creditor's name"))?;
        let message = CreditTransfer {
            message_id: attempt.clone(),
            created_ms: self.now.unix_ms(),
            settlement: self.dialect.settlement(),
            settlement_date: Some(date(self.now)),
            instruction_id: Some(attempt.clone()),
            end_to_end_id: payment.end_to_end_id.clone(),
            tx_id: Some(attempt.clone()),
            uetr: Some(uetr(&attempt)),
            service_level: self.dialect.service_level(),
            local_instrument: self.dialect.local_instrument(),
            category_purpose: None,
            amount: payment.money,
            instructed_amount: None,
            accepted_ms: Some(self.now.unix_ms()),
            charge_bearer: ChargeBearer::ServiceLevel,
            instructing_agent: Some(self.own_agent.clone()),
            instructed_agent: None,
            ultimate_debtor: None,
            debtor: Party::named(&debtor_name),
            debtor_account: Some(debtor_account),
            debtor_agent,
            creditor_agent: creditor_agent.unwrap_or_else(unknown_agent),
            creditor: Party::named(&creditor_name),
            creditor_account: Some(creditor_account),
            ultimate_creditor: None,
            purpose: None,
            remittance: self
                .dialect
                .remittance(details.remittance.as_deref(), details.reference.as_deref()),
        };
        message.to_xml().map_err(unwritable)
    }

    /// Our side's account in the rail's words. An account without an address of the rail's kind is
    /// named by its own number: the gateway that speaks for us may know it.
    fn our_account(&self, payment: &Payment, ours: &Ours) -> (Account, Agent) {
        let spell = |address: &BankAddress| self.dialect.spell(address);
        match ours.holder.addresses.iter().find_map(spell) {
            Some((account, agent)) => (account, agent.unwrap_or_else(|| self.own_agent.clone())),
            None => {
                let id = payment.debtor.account().unwrap_or(ours.account.id);
                let account = Account::Other {
                    id: digits(id),
                    scheme: None,
                };
                (account, self.own_agent.clone())
            }
        }
    }

    /// The instruction of a return: pacs.004.
    ///
    /// # Errors
    /// [`RailError::Unspeakable`] when it does not fit the message.
    pub fn give_back(
        &self,
        tenant: TenantId,
        back: &Payment,
        names: &Names,
    ) -> Result<String, RailError> {
        let attempt = back.attempt_id(tenant);
        let code = self.dialect.give_back(back.reason.unwrap_or(Reason::Other));
        let message = Return {
            message_id: attempt.clone(),
            created_ms: self.now.unix_ms(),
            settlement: self.dialect.settlement(),
            settlement_date: Some(date(self.now)),
            return_id: Some(attempt),
            original: names.original(),
            original_settlement: names.settlement(),
            amount: back.money,
            charge_bearer: Some(ChargeBearer::ServiceLevel),
            reasons: vec![because(code)],
            instructing_agent: Some(self.own_agent.clone()),
            instructed_agent: Some(names.agent()),
        };
        message.to_xml().map_err(unwritable)
    }

    /// The question what became of an instruction: pacs.028.
    ///
    /// # Errors
    /// [`RailError::Unspeakable`] when it does not fit the message.
    pub fn enquiry(&self, tenant: TenantId, payment: &Payment) -> Result<String, RailError> {
        let id = format!("{}-e{}", digits(payment.id), payment.attempt.enquiries);
        let message = StatusRequest {
            message_id: id.clone(),
            created_ms: self.now.unix_ms(),
            original: self.quoted(tenant, payment),
            request_id: Some(id),
            instructing_agent: Some(self.own_agent.clone()),
            instructed_agent: None,
        };
        message.to_xml().map_err(unwritable)
    }

    /// The request for the money of an outgoing payment: camt.056.
    ///
    /// # Errors
    /// [`RailError::Unspeakable`] when it does not fit the message.
    pub fn recall(&self, tenant: TenantId, payment: &Payment) -> Result<String, RailError> {
        let recall = open_recall(payment)?;
        let id = format!("{}-c", digits(payment.id));
        let submitted = payment.attempt.submitted_at.unwrap_or(payment.created_at);
        let message = RecallRequest {
            assignment: self.assignment(&id, recall.asked_at, unknown_agent()),
            case: Some(self.case(&recall.case, self.own_agent.clone())),
            cancellation_id: Some(id),
            original: self.quoted(tenant, payment),
            original_settlement: OriginalSettlement {
                amount: Some(payment.money),
                date: Some(date(submitted)),
            },
            reasons: vec![because(cancellation_code(
                recall.reason,
                &recall.reason_code,
            ))],
        };
        message.to_xml().map_err(unwritable)
    }

    /// Our refusal of the other bank's recall: camt.029.
    ///
    /// # Errors
    /// [`RailError::Unspeakable`] when it does not fit the message.
    pub fn refusal(&self, payment: &Payment, names: &Names) -> Result<String, RailError> {
        let recall = open_recall(payment)?;
        let code = recall.refusal_code.as_deref().unwrap_or("CUST");
        let id = format!("{}-r", digits(payment.id));
        self.recall_answer(
            &id,
            self.now,
            names.agent(),
            &recall.case,
            names.original(),
            code,
        )
        .map_err(unwritable)
    }

    /// A camt.029 that refuses.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn recall_answer(
        &self,
        id: &str,
        at: Timestamp,
        to: Agent,
        case: &str,
        original: Original,
        code: &str,
    ) -> Result<String, Refusal> {
        let message = RecallAnswer {
            assignment: self.assignment(id, at, to.clone()),
            case: Some(self.case(case, to)),
            outcome: RecallOutcome::Refused,
            status_id: Some(id.to_owned()),
            original,
            reasons: vec![because(super::dialect::refusal_code(code))],
        };
        message.to_xml()
    }

    fn assignment(&self, id: &str, at: Timestamp, to: Agent) -> Assignment {
        Assignment {
            id: id.to_owned(),
            assigner: Actor::Agent(self.own_agent.clone()),
            assignee: Actor::Agent(to),
            created_ms: at.unix_ms(),
        }
    }

    fn case(&self, id: &str, creator: Agent) -> Case {
        Case {
            id: id.to_owned(),
            creator: Actor::Agent(creator),
        }
    }

    /// An instruction of ours, as other messages of ours quote it.
    fn quoted(&self, tenant: TenantId, payment: &Payment) -> Original {
        let attempt = payment.attempt_id(tenant);
        let (name, uetr) = match payment.kind {
            Kind::CreditTransfer => (CreditTransfer::NAME, Some(uetr(&attempt))),
            Kind::Return | Kind::Charge => (Return::NAME, None),
        };
        Original {
            message_id: Some(attempt.clone()),
            message_name: Some(name.to_owned()),
            message_created_ms: None,
            instruction_id: Some(attempt.clone()),
            end_to_end_id: Some(payment.end_to_end_id.clone()),
            tx_id: Some(attempt),
            uetr,
        }
    }
}

fn open_recall(payment: &Payment) -> Result<&Recall, RailError> {
    let recall = payment.recall.as_ref();
    recall.ok_or_else(|| unspeakable(Reason::Other, "the payment was not recalled"))
}

fn unspeakable(reason: Reason, what: &str) -> RailError {
    RailError::Unspeakable(reason, what.to_owned())
}

/// Names where it does not fit; a refusal never repeats a value.
fn unwritable(refusal: Refusal) -> RailError {
    RailError::Unspeakable(Reason::MessageInvalid, refusal.to_string())
}

/// The day of a moment, in UTC.
#[must_use]
pub fn date(at: Timestamp) -> String {
    let text = at.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The digits of an id, without its prefix: `_` is in no rail's character set.
#[must_use]
pub fn digits<T: lombard_core::id::Named>(id: Id<T>) -> String {
    let text = id.to_string();
    text.split_once('_')
        .map_or(text.clone(), |(_, digits)| digits.to_owned())
}

/// The unique end-to-end transaction reference of an attempt: it has the form of a UUID of
/// version 4, as ISO 20022 wants, and is the same for the same attempt.
#[must_use]
pub fn uetr(attempt: &str) -> String {
    let hash = Sha256::digest(attempt.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests;
