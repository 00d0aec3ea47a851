//! UK Faster Payments: pounds between sort codes and account numbers.
//!
//! The infrastructure itself still speaks ISO 8583; its gateways speak ISO 20022 by the published
//! mapping. Accounts are `Othr` with the scheme `BBAN` and the sort code is the agent's; the
//! reference is structured creditor reference (18 characters arrive); refusals carry the four
//! digits of the scheme as a proprietary code.

use lombard_core::{
    bank::{Iban, uk::UkAccount},
    iso20022::{Account, Agent, Coded, Remittance, Settlement, Status},
    rail::Rail,
    reason::Reason,
    scheme::{self, Field, Rules},
};

use super::dialect::{Dialect, Verdict, carried};
use crate::details::BankAddress;

/// See the module.
pub struct Fps;

/// A single immediate payment, as Pay.UK's mapping names the kind.
const SINGLE_IMMEDIATE_PAYMENT: &str = "SIP";
/// Refused for no reason of the list (`1100`, general).
const REFUSED: &str = "1100";

impl Dialect for Fps {
    fn rail(&self) -> Rail {
        Rail::Fps
    }

    fn rules(&self) -> &'static Rules {
        &scheme::fps::RULES
    }

    fn settlement(&self) -> Settlement {
        Settlement::clearing(Coded::proprietary("FPS"))
    }

    fn service_level(&self) -> Option<Coded> {
        None
    }

    fn local_instrument(&self) -> Option<Coded> {
        Some(Coded::proprietary(SINGLE_IMMEDIATE_PAYMENT))
    }

    fn own_agent(&self, configured: &str) -> Agent {
        let digits: String = configured.chars().filter(char::is_ascii_digit).collect();
        Agent::sort_code(&digits)
    }

    fn spell(&self, address: &BankAddress) -> Option<(Account, Option<Agent>)> {
        let account = match address {
            BankAddress::Uk(account) => *account,
            BankAddress::Iban(iban) => UkAccount::of_iban(iban)?,
        };
        let agent = Agent::sort_code(account.sort_code().as_str());
        Some((Account::uk(account.number()), Some(agent)))
    }

    fn read(&self, account: &Account, agent: &Agent) -> Vec<BankAddress> {
        let mut found = Vec::new();
        if let Some((sort_code, number)) = account.as_uk(agent)
            && let Ok(account) = UkAccount::parse(sort_code, number)
        {
            found.push(BankAddress::Uk(account));
        }
        if let Account::Iban(iban) = account
            && let Ok(iban) = iban.parse::<Iban>()
        {
            found.extend(UkAccount::of_iban(&iban).map(BankAddress::Uk));
            found.push(BankAddress::Iban(iban));
        }
        found
    }

    fn remittance(&self, text: Option<&str>, reference: Option<&str>) -> Remittance {
        // One field arrives at the payee: the reference, or else the beginning of the text.
        let said = reference.or(text);
        Remittance {
            text: Vec::new(),
            reference: said.and_then(|said| carried(self.rules(), Field::Reference, said)),
            ..Remittance::default()
        }
    }

    /// A qualified acceptance (`ACWP`: the payee has the money within two hours) is as final as an
    /// unqualified one.
    fn verdict(&self, status: &Status) -> Verdict {
        match status {
            Status::SettlementCompleted
            | Status::CreditorCredited
            | Status::WithoutPosting
            | Status::WithChange => Verdict::Yes,
            Status::Rejected | Status::Cancelled | Status::Blocked => Verdict::No,
            _ => Verdict::NotYet,
        }
    }

    fn reject(&self, reason: Reason) -> Coded {
        let four = |code: &&str| code.len() == 4;
        Coded::proprietary(reason.fps_codes().find(four).unwrap_or(REFUSED))
    }

    fn give_back(&self, reason: Reason) -> Coded {
        Coded::proprietary(reason.fps_return_code())
    }
}
