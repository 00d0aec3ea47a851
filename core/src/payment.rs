//! A payment: what was asked, where it stands, and what it waits for.
//!
//! Personal data is not here. Who the other side is (name, account, remittance text) is sealed
//! by the vault into [`Payment::sealed`] before a plan sees it; in clear there is only what a
//! screen may show to everybody, such as the last four characters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    charge::Charge,
    id::{Id, Named},
    ledger::{Account, AliasScheme},
    lifecycle::Stage,
    money::Money,
    rail::Rail,
    reason::Reason,
    tenant::TenantId,
    time::Timestamp,
};

/// A file of payments that came in together. Its record is the service's.
#[derive(Debug)]
pub enum Batch {}

impl Named for Batch {
    const PREFIX: &'static str = "bat";
}

impl Named for Payment {
    const PREFIX: &'static str = "pay";
}

/// One movement of money from a debtor to a creditor, over one rail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// `pay_…`.
    pub id: Id<Payment>,
    /// What kind of movement it is.
    pub kind: Kind,
    /// Whether money leaves us, comes to us, or stays on our books.
    pub direction: Direction,
    /// The way it takes.
    pub rail: Rail,
    /// How much.
    pub money: Money,
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// The end-to-end id that travels unchanged from debtor to creditor (at most 35 characters).
    pub end_to_end_id: String,
    /// Where it stands.
    pub stage: Stage,
    /// Why it failed, was reversed, or waits for verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The rail's own code behind `reason`, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// What to do when the debtor's account lacks the money.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_insufficient_funds: OnInsufficientFunds,
    /// Submission to the rail.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempt: Attempt,
    /// Minor units that came back, or went back, for good.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returned: u64,
    /// Minor units that are on their way back. `returned + returning` never exceeds the amount.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returning: u64,
    /// A statement has told of it. One that is reversed may have been told of before, after, or never.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Of a return: the payment whose money it brings back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Id<Payment>>,
    /// A request to give the money back, ours or the other side's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recall: Option<Recall>,
    /// Of a charge: the card, the provider, and how far it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Box<Charge>>,
    /// Whether its payer must authenticate, and how far that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sca: Option<Box<crate::sca::State>>,
    /// What it asks of its parties, and what was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parties: Option<Box<crate::party::Check>>,
    /// By whom it was made, where a machine made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<crate::mandate::Agency>,
    /// Who gave the order and who approved it, where it takes two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What it uses of limits of risk until it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<crate::risk::Used>,
    /// The batch that it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Id<Batch>>,
    /// The other side's name, account and remittance text, sealed by the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// What of its texts the rail does not carry as they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// The tenant's own references.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it is to be carried out, if that was later than when it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execute_at: Option<Timestamp>,
    /// When it fails if it still waits for funds or verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many events its timeline has.
    pub events: u32,
    /// The W3C trace id of the request that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A text that goes out otherwise than it was given, or not at all. The text itself is personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The rule's code, such as `cut` or `respelled`; `not_carried` for what has no place on the rail.
    pub rule: String,
    /// The member of the API's body, as a JSON pointer.
    pub field: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Payment {
    /// Whether its money went back before a statement told that it had come: both must stand there.
    #[must_use]
    pub const fn expects_settlement(&self) -> bool {
        matches!(self.stage, Stage::Reversed) && self.returned > 0 && !self.settled
    }

    /// What of the amount has neither come back nor is on its way back, in minor units.
    #[must_use]
    pub const fn returnable(&self) -> u64 {
        self.money
            .amount
            .minor()
            .saturating_sub(self.returned)
            .saturating_sub(self.returning)
    }

    /// Whether all of the amount has come back, or gone back, and stays there: what is contested in
    /// a dispute may be ours again.
    #[must_use]
    pub fn is_all_back(&self) -> bool {
        let contested = self.charge.as_ref().map_or(0, |it| it.contested);
        self.returned.saturating_sub(contested) >= self.money.amount.minor()
    }

    /// The key that the rail knows this payment by, always the same for the same payment: the
    /// rail's own duplicate check then makes our retries harmless. See [`attempt_id`].
    #[must_use]
    pub fn attempt_id(&self, tenant: TenantId) -> String {
        if crate::planted!(FreshAttempt) && self.attempt.enquiries > 0 {
            return format!("{}{}", attempt_id(tenant, self.id), self.attempt.enquiries);
        }
        attempt_id(tenant, self.id)
    }
}

/// The text by which a rail knows a payment: the tenant's eight letters, a hyphen, and the 26
/// digits of the payment's id.
///
/// 35 characters, all of `Max35Text`, and every one of them in the character set of each rail
/// (`_` is not). With the tenant in it, whatever a rail says of a payment leads to the payment's
/// key, without a record of where it went.
#[must_use]
pub fn attempt_id(tenant: TenantId, payment: Id<Payment>) -> String {
    let id = payment.to_string();
    let digits = id.split_once('_').map_or(id.as_str(), |(_, digits)| digits);
    format!("{}-{digits}", tenant.short())
}

/// Reads what [`attempt_id`] wrote; `None` for any other text, which is then somebody else's
/// reference.
#[must_use]
pub fn parse_attempt_id(text: &str) -> Option<(TenantId, Id<Payment>)> {
    let (tenant, digits) = text.split_once('-')?;
    if tenant.starts_with("ten_") {
        return None;
    }
    let payment = format!("{}_{digits}", Payment::PREFIX).parse().ok()?;
    Some((tenant.parse().ok()?, payment))
}

/// What kind of movement a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money that somebody sends (pacs.008).
    CreditTransfer,
    /// Money of an earlier payment that goes back (pacs.004; a refund of a charge).
    Return,
    /// Money that is taken from a card.
    Charge,
}

/// Seen from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From an account of ours to the outside.
    Out,
    /// From the outside to an account of ours.
    In,
    /// Between two accounts of ours.
    Internal,
}

/// One side of a payment: an account of ours, or somebody outside of whom only this much is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// An account on our books.
    Account(Id<Account>),
    /// An account elsewhere.
    External(External),
}

impl Party {
    /// The account, when it is ours.
    #[must_use]
    pub const fn account(&self) -> Option<Id<Account>> {
        match self {
            Self::Account(id) => Some(*id),
            Self::External(_) => None,
        }
    }
}

/// What may be shown of an account elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// How it is addressed.
    pub scheme: AliasScheme,
    /// ISO 3166 code of the account's country.
    pub country: String,
    /// The last four characters of the account number.
    pub last4: String,
    /// Keyed hash of the whole address: the same payee gives the same text, within a tenant.
    pub fingerprint: String,
}

/// Ciphertext and the name of the key that opens it. Only the vault can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Which key.
    pub key: String,
    /// Nonce and ciphertext, in base64.
    pub data: String,
}

/// Two people for one payment. What was approved is what was ordered: amount and payee of a
/// payment never change, and one that waits too long expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who gave the order.
    pub maker: String,
    /// Who approved it, once somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
}

/// What to do when the debtor's account lacks the money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInsufficientFunds {
    /// The payment fails at once.
    #[default]
    Fail,
    /// The payment waits until there is enough, or it expires.
    Wait,
}

/// What we know of the submission to the rail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When the instruction first left us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// How often we have asked the rail what became of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enquiries: u32,
    /// When we ask next, while the outcome is in doubt. A timer of another moment is an old one
    /// and comes to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_enquiry: Option<Timestamp>,
    /// The rail's own reference, from its final yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rail_reference: Option<String>,
}

/// A request to give the money of a payment back (camt.056), and what came of it (camt.029, or
/// pacs.004 when it was granted).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Who asked.
    pub asked_by: AskedBy,
    /// Why, as the asker says.
    pub reason: Reason,
    /// The asker's code behind `reason`.
    pub reason_code: String,
    /// The case under which both sides know it.
    pub case: String,
    /// Where it stands.
    pub state: RecallState,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// From when on an answer is overdue; none where the rail has no time for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<Timestamp>,
    /// Why it was refused, as the answerer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal_code: Option<String>,
}

/// Whose wish a recall is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBy {
    /// Ours.
    Us,
    /// The other bank's.
    Them,
}

/// Where a recall stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecallState {
    /// It waits for an answer.
    Asked,
    /// The money comes back.
    Granted,
    /// It does not.
    Refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_id_leads_back_and_suits_every_rail() {
        let tenant = TenantId::new(0x1234_5678_9abc);
        let payment = Id::new(Timestamp::from_unix_ms(1_795_000_000_123), u128::MAX / 3);
        let text = attempt_id(tenant, payment);
        assert_eq!(parse_attempt_id(&text), Some((tenant, payment)));
        assert_eq!(text.len(), 35);
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        );
        for other in ["", "-", "NOTPROVIDED", &text[1..], &format!("ten_{text}")] {
            assert_eq!(parse_attempt_id(other), None, "{other}");
        }
    }
}
