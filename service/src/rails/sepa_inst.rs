//! SEPA Instant Credit Transfer: euros between IBANs, with the answer in seconds.
//!
//! Service level `SEPA`, local instrument `INST`, charges `SLEV`, the clock of the scheme from the
//! acceptance time. An IBAN does not tell the BIC, so the creditor's bank is left to the gateway.

use lombard_core::{
    bank::Iban,
    iso20022::{Account, Agent, Coded, Remittance, Settlement, Status},
    rail::Rail,
    reason::Reason,
    scheme::{self, Field, Rules},
};

use super::dialect::{Dialect, Verdict, carried};
use crate::details::BankAddress;

/// See the module.
pub struct SepaInst;

impl Dialect for SepaInst {
    fn rail(&self) -> Rail {
        Rail::SepaInst
    }

    fn rules(&self) -> &'static Rules {
        &scheme::sepa_inst::RULES
    }

    fn settlement(&self) -> Settlement {
        // Which clearing mechanism carries it is between the gateway and us, not in the message.
        Settlement {
            method: lombard_core::iso20022::SettlementMethod::Clearing,
            clearing_system: None,
        }
    }

    fn service_level(&self) -> Option<Coded> {
        Some(Coded::code("SEPA"))
    }

    fn local_instrument(&self) -> Option<Coded> {
        Some(Coded::code("INST"))
    }

    fn own_agent(&self, configured: &str) -> Agent {
        Agent::bic(configured.trim())
    }

    fn spell(&self, address: &BankAddress) -> Option<(Account, Option<Agent>)> {
        match address {
            BankAddress::Iban(iban) => Some((Account::Iban(iban.as_str().to_owned()), None)),
            BankAddress::Uk(_) => None,
        }
    }

    fn read(&self, account: &Account, _agent: &Agent) -> Vec<BankAddress> {
        match account {
            Account::Iban(text) => text.parse::<Iban>().ok().map(BankAddress::Iban),
            Account::Other { .. } => None,
        }
        .into_iter()
        .collect()
    }

    fn remittance(&self, text: Option<&str>, reference: Option<&str>) -> Remittance {
        // The scheme takes one or the other; the structured one is the one that machines match.
        let sent = |text| carried(self.rules(), Field::Reference, text);
        Remittance {
            text: match reference {
                Some(_) => Vec::new(),
                None => text.and_then(sent).into_iter().collect(),
            },
            reference: reference.and_then(sent),
            ..Remittance::default()
        }
    }

    /// The interbank yes of the scheme is `ACCP`; some gateways pass the settlement's `ACSC` on.
    fn verdict(&self, status: &Status) -> Verdict {
        match status {
            Status::CustomerProfileAccepted
            | Status::SettlementCompleted
            | Status::CreditorCredited
            | Status::WithoutPosting => Verdict::Yes,
            Status::Rejected | Status::Cancelled | Status::Blocked => Verdict::No,
            _ => Verdict::NotYet,
        }
    }

    fn reject(&self, reason: Reason) -> Coded {
        match reason {
            // The scheme says `AC01` of a number that its bank does not know; ISO's own code for
            // an unknown account is not on the scheme's list.
            Reason::AccountUnknown => Coded::code("AC01"),
            Reason::CurrencyNotAccepted => Coded::code("AM03"),
            _ => Coded::code(self.rules().reject_code(reason)),
        }
    }

    fn give_back(&self, reason: Reason) -> Coded {
        Coded::code(self.rules().return_code(reason))
    }
}
