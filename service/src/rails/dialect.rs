//! What differs between rails that speak ISO 20022: how accounts and banks are named, which
//! service is asked for, what an answer means, and in which codes a reason is given.

use lombard_core::{
    iso20022::{
        Account, Agent, ClearingMember, Coded, Reason as Said, Remittance, Settlement, Status,
    },
    rail::Rail,
    reason::{IsoSet, RailCode, Reason},
    scheme::{Field, Rules},
};

use crate::details::BankAddress;

/// One rail's way of speaking. Implementations have no state.
pub trait Dialect: Send + Sync + 'static {
    /// Which rail.
    fn rail(&self) -> Rail;

    /// The rules of its scheme.
    fn rules(&self) -> &'static Rules;

    /// How its payments settle.
    fn settlement(&self) -> Settlement;

    /// `SvcLvl`, where the rail wants one.
    fn service_level(&self) -> Option<Coded>;

    /// `LclInstrm`, where the rail wants one.
    fn local_instrument(&self) -> Option<Coded>;

    /// The bank that our configuration names as us.
    fn own_agent(&self, configured: &str) -> Agent;

    /// An address in the rail's words: the account, and its bank as far as the address tells it.
    /// `None` for an address that the rail does not reach.
    fn spell(&self, address: &BankAddress) -> Option<(Account, Option<Agent>)>;

    /// The addresses under which an account of ours, as a message names it, may be registered.
    fn read(&self, account: &Account, agent: &Agent) -> Vec<BankAddress>;

    /// Free text and reference in the rail's element for them, in its lengths and characters.
    fn remittance(&self, text: Option<&str>, reference: Option<&str>) -> Remittance;

    /// What a status says of the payment.
    fn verdict(&self, status: &Status) -> Verdict;

    /// The code by which we refuse an incoming payment.
    fn reject(&self, reason: Reason) -> Coded;

    /// The code by which we send money back.
    fn give_back(&self, reason: Reason) -> Coded;
}

/// What a status says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The final yes.
    Yes,
    /// The final no.
    No,
    /// Neither; also what a status that we do not know is taken for.
    NotYet,
}

/// The first code of a message, as our reason and as it was said. A proprietary code of four or
/// eight digits is one of Faster Payments.
#[must_use]
pub fn why(set: IsoSet, said: &[Said]) -> (Reason, String) {
    let Some(code) = said.iter().find_map(|reason| reason.code.as_ref()) else {
        return (Reason::Unspecified, "-".to_owned());
    };
    let coded = match code {
        Coded::Code(code) => Reason::from_iso(set, code),
        Coded::Proprietary(code) => Reason::from_fps(code),
    };
    (coded.reason, coded.code.as_str().to_owned())
}

/// A reason with this code and nothing else.
#[must_use]
pub fn because(code: Coded) -> Said {
    Said {
        code: Some(code),
        text: Vec::new(),
    }
}

/// A code that an operator or the other bank gave, as ISO writes it if it is one of ISO's.
#[must_use]
pub fn cancellation_code(reason: Reason, given: &str) -> Coded {
    let known = Reason::from_iso(IsoSet::Cancellation, given).reason != Reason::Unrecognised;
    match (known, reason.iso_cancellation_code()) {
        (true, _) => Coded::code(given),
        (false, Some(code)) => Coded::code(code),
        (false, None) => Coded::proprietary(RailCode::sanitised(given).as_str()),
    }
}

/// A bank of which only the account number is known: the gateway finds it.
#[must_use]
pub fn unknown_agent() -> Agent {
    Agent {
        name: Some("NOTPROVIDED".to_owned()),
        ..Agent::default()
    }
}

/// One text for one bank, however a message names it: the office of a BIC does not matter, nor
/// whether a sort code is said to be one.
#[must_use]
pub fn agent_text(agent: &Agent) -> String {
    match (&agent.bic, &agent.member) {
        (Some(bic), _) => bic.chars().take(8).collect(),
        (None, Some(ClearingMember { id, .. })) => id.clone(),
        (None, None) => agent
            .lei
            .clone()
            .or_else(|| agent.name.clone())
            .unwrap_or_default(),
    }
}

/// A text as the scheme carries it in a field.
#[must_use]
pub fn carried(rules: &Rules, field: Field, text: &str) -> Option<String> {
    match rules.text(field) {
        Some(rule) => rule.carried(text),
        None => Some(text.to_owned()),
    }
}

/// The code of a refused recall: of ISO's list where it is one, else proprietary.
#[must_use]
pub fn refusal_code(given: &str) -> Coded {
    match Reason::from_iso(IsoSet::CancellationRejection, given).reason {
        Reason::Unrecognised => Coded::proprietary(RailCode::sanitised(given).as_str()),
        _ => Coded::code(given.trim()),
    }
}
