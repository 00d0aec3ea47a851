//! What the messages say: the parts that several of them share.
//!
//! **Shape.** Plain values. Text is kept as it stood in the message; amounts are [`Money`], exact;
//! moments are Unix milliseconds in UTC; dates are ISO text (`2026-11-23`), because a settlement
//! date has no zone.
//!
//! **Personal data.** Parties and accounts are in these values. They have no business in a log, so
//! nothing here implements `Display`.

use crate::money::Money;

/// A code from a published list, or a word that two parties agreed on (`Cd` or `Prtry`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coded {
    /// A code of an ISO 20022 external code set.
    Code(String),
    /// A proprietary value, such as a UK local instrument.
    Proprietary(String),
}

impl Coded {
    /// A code of a published list.
    #[must_use]
    pub fn code(code: &str) -> Self {
        Self::Code(code.to_owned())
    }

    /// A proprietary value.
    #[must_use]
    pub fn proprietary(value: &str) -> Self {
        Self::Proprietary(value.to_owned())
    }

    /// The value, whichever kind it is.
    #[must_use]
    pub fn value(&self) -> &str {
        let (Self::Code(value) | Self::Proprietary(value)) = self;
        value
    }
}

/// The UK's clearing system code for sort codes (ISO 20022 external code set).
pub const UK_SORT_CODES: &str = "GBDSC";

/// A bank, by any of the ways in which messages name one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agent {
    /// ISO 9362, 8 or 11 characters.
    pub bic: Option<String>,
    /// Membership of a clearing system, such as a sort code.
    pub member: Option<ClearingMember>,
    /// ISO 17442.
    pub lei: Option<String>,
    /// The name, where nothing better is known.
    pub name: Option<String>,
}

/// A member of a clearing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearingMember {
    /// The clearing system, such as `GBDSC`; absent where the rail implies it.
    pub system: Option<Coded>,
    /// The member's number in it, such as a sort code.
    pub id: String,
}

impl Agent {
    /// The bank with this BIC.
    #[must_use]
    pub fn bic(bic: &str) -> Self {
        Self {
            bic: Some(bic.to_owned()),
            ..Self::default()
        }
    }

    /// The UK bank behind a sort code (six digits).
    #[must_use]
    pub fn sort_code(digits: &str) -> Self {
        let member = ClearingMember {
            system: Some(Coded::code(UK_SORT_CODES)),
            id: digits.to_owned(),
        };
        Self {
            member: Some(member),
            ..Self::default()
        }
    }

    /// The sort code, if the agent is named by one.
    #[must_use]
    pub fn as_sort_code(&self) -> Option<&str> {
        let member = self.member.as_ref()?;
        let uk = member
            .system
            .as_ref()
            .is_none_or(|system| system.value() == UK_SORT_CODES);
        let digits = member.id.len() == 6 && member.id.bytes().all(|byte| byte.is_ascii_digit());
        (uk && digits).then_some(&member.id)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// ISO 13616.
    Iban(String),
    /// Any other number: for the UK the eight digits, with the sort code as the agent's.
    Other {
        /// The number.
        id: String,
        /// What kind of number it is, such as `BBAN`.
        scheme: Option<Coded>,
    },
}

impl Account {
    /// A UK account number; the sort code goes with the agent ([`Agent::sort_code`]).
    #[must_use]
    pub fn uk(number: &str) -> Self {
        Self::Other {
            id: number.to_owned(),
            scheme: Some(Coded::code("BBAN")),
        }
    }

    /// The number, whatever kind it is.
    #[must_use]
    pub fn number(&self) -> &str {
        let (Self::Iban(number) | Self::Other { id: number, .. }) = self;
        number
    }

    /// Sort code and account number, if this is a UK account: eight digits at an agent with a sort
    /// code, or both in one number of fourteen.
    #[must_use]
    pub fn as_uk<'a>(&'a self, agent: &'a Agent) -> Option<(&'a str, &'a str)> {
        let Self::Other { id, .. } = self else {
            return None;
        };
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match id.len() {
            8 => Some((agent.as_sort_code()?, id)),
            14 => Some(id.split_at(6)),
            _ => None,
        }
    }
}

/// A person or company.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// The name.
    pub name: Option<String>,
    /// Where they are.
    pub address: Option<Address>,
    /// ISO 17442, of an organisation.
    pub lei: Option<String>,
    /// Another identification: a BIC, or a number of whichever kind. Read only; it is not written.
    pub id: Option<String>,
}

impl Party {
    /// A party of which only the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::default()
        }
    }
}

/// A postal address, structured, as lines, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Street.
    pub street: Option<String>,
    /// Number in the street.
    pub building: Option<String>,
    /// Postcode.
    pub postcode: Option<String>,
    /// Town.
    pub town: Option<String>,
    /// ISO 3166, two letters.
    pub country: Option<String>,
    /// Free lines, at most seven.
    pub lines: Vec<String>,
}

/// What a payment is for, in the words of the payer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remittance {
    /// Free text, each at most 140 characters.
    pub text: Vec<String>,
    /// The creditor's reference (ISO 11649 `RF…` or a national one).
    pub reference: Option<String>,
    /// What else is said in structured form: further references, numbers of documents, additional text. Read
    /// only; it is not written.
    pub also: Vec<String>,
}

/// How and where a payment settles between banks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Through a clearing system, or over an account that one has with the other.
    pub method: SettlementMethod,
    /// Which clearing system, where there is one.
    pub clearing_system: Option<Coded>,
}

impl Settlement {
    /// Settled through the clearing system.
    #[must_use]
    pub fn clearing(system: Coded) -> Self {
        Self {
            method: SettlementMethod::Clearing,
            clearing_system: Some(system),
        }
    }
}

/// `SttlmMtd`: how two banks settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettlementMethod {
    /// `CLRG`: through a clearing system.
    Clearing,
    /// `INDA`: over the account that the instructed bank holds.
    InstructedAgent,
    /// `INGA`: over the account that the instructing bank holds.
    InstructingAgent,
    /// `COVE`: by a cover payment.
    Cover,
}

/// `ChrgBr`: who pays the banks' fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeBearer {
    /// `DEBT`: the debtor pays all.
    Debtor,
    /// `CRED`: the creditor pays all.
    Creditor,
    /// `SHAR`: each pays their own.
    Shared,
    /// `SLEV`: as the service level says; the only one in SEPA.
    ServiceLevel,
}

/// Which payment another message speaks of, by every name that it may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Original {
    /// The message that carried it.
    pub message_id: Option<String>,
    /// What kind of message that was, such as `pacs.008.001.08`.
    pub message_name: Option<String>,
    /// When that message was made, Unix milliseconds.
    pub message_created_ms: Option<u64>,
    /// The instructing bank's reference.
    pub instruction_id: Option<String>,
    /// The debtor's reference, unchanged from end to end.
    pub end_to_end_id: Option<String>,
    /// The first bank's reference.
    pub tx_id: Option<String>,
    /// The unique end-to-end transaction reference, a UUID of version 4.
    pub uetr: Option<String>,
}

/// Why something was refused, returned or recalled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The code, such as `AC04`, or a scheme's own.
    pub code: Option<Coded>,
    /// Further words, each at most 105 characters.
    pub text: Vec<String>,
}

impl Reason {
    /// A reason that is only a code of the ISO list.
    #[must_use]
    pub fn code(code: &str) -> Self {
        Self {
            code: Some(Coded::code(code)),
            text: Vec::new(),
        }
    }
}

/// Who asks or answers in a recall: usually a bank, sometimes a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A bank.
    Agent(Agent),
    /// Somebody else.
    Party(Party),
}

/// Who passed an investigation to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The reference of this message.
    pub id: String,
    /// Who sends it.
    pub assigner: Actor,
    /// Who is to act on it.
    pub assignee: Actor,
    /// When it was made, Unix milliseconds.
    pub created_ms: u64,
}

/// An investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its reference.
    pub id: String,
    /// Who opened it.
    pub creator: Actor,
}

/// The amount and date of the payment that another message speaks of, as far as it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginalSettlement {
    /// What was settled between the banks.
    pub amount: Option<Money>,
    /// On which day, ISO text.
    pub date: Option<String>,
}
