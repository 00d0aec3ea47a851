//! What each scheme requires of a payment: limits, fields, character sets, deadlines, codes.
//!
//! **Shape.** A scheme is data: [`Rules`], one constant per scheme in [`fps`] and [`sepa_inst`]. Each
//! figure carries its source and how sure it is ([`Sourced`]); `docs/schemes.md` is written from
//! these tables. [`check()`] holds an [`Instruction`] against the rules and returns every
//! [`Finding`], not only the first.
//!
//! **Nothing is cut or replaced in silence.** What a scheme refuses is refused here, before money is
//! held. What a scheme would shorten, and what has a usual spelling in its character set, is a
//! warning that shows the very text that will be sent ([`Finding::sent`]); the caller decides.
//!
//! Adding a scheme is adding a file with one constant.

mod calendar;
mod charset;
mod check;
pub mod fps;
pub mod sepa_inst;

pub use calendar::{Period, is_target_day};
pub use charset::Charset;
pub use check::{Account, Finding, Instruction, Rule, Severity, check};

use time::Date;

use crate::rail::Rail;
use crate::reason::Reason;

/// How sure a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// Read in a document of the scheme, a regulator or a bank that takes part.
    Primary,
    /// Read in somebody else's account of it.
    Secondary,
    /// Our own decision, where the scheme leaves it open.
    Ours,
}

/// A figure with its source.
#[derive(Debug, Clone, Copy)]
pub struct Sourced<T> {
    /// The figure.
    pub value: T,
    /// Where it was read.
    pub source: &'static str,
    /// How sure it is.
    pub sure: Sure,
}

/// The rules of one scheme.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The rail that the scheme runs on.
    pub rail: Rail,
    /// The scheme's name.
    pub name: &'static str,
    /// The most that one payment may carry, in minor units; none if the scheme sets no limit.
    pub amount_max: Sourced<Option<u64>>,
    /// What an account is.
    pub account: Sourced<AccountKind>,
    /// The text fields.
    pub texts: &'static [TextRule],
    /// How long things take.
    pub timing: Timing,
    /// For what reasons money may be asked back, and until when.
    pub recalls: &'static [Recall],
    /// Until when the answer to a recall is due.
    pub recall_answer: Sourced<Period>,
    /// Until when a received payment may be returned; none if returns only answer recalls.
    pub return_within: Sourced<Option<Period>>,
    /// The reasons that a return may give, as ISO 20022 codes; the last is the one for all else.
    pub return_codes: Sourced<&'static [&'static str]>,
    /// The reasons that a rejection is known to give, as ISO 20022 codes; the last is the one for all else.
    pub reject_codes: Sourced<&'static [&'static str]>,
    /// The reasons that a refused recall may give, as ISO 20022 codes.
    pub recall_refusal_codes: Sourced<&'static [&'static str]>,
}

/// What a scheme addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Sort code and account number, or the British IBAN that holds them.
    Uk,
    /// The IBAN of a SEPA country.
    SepaIban,
}

/// A part of a payment instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// How much.
    Amount,
    /// In what currency.
    Currency,
    /// Who pays.
    DebtorName,
    /// From which account.
    DebtorAccount,
    /// Who is paid.
    CreditorName,
    /// To which account.
    CreditorAccount,
    /// At which bank (BIC).
    CreditorBank,
    /// The payer's identification, which travels to the payee.
    EndToEndId,
    /// What for: the payment reference or remittance information.
    Reference,
}

impl Field {
    /// The field's path in the API.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::DebtorName => "debtor.name",
            Self::DebtorAccount => "debtor.account",
            Self::CreditorName => "creditor.name",
            Self::CreditorAccount => "creditor.account",
            Self::CreditorBank => "creditor.bic",
            Self::EndToEndId => "end_to_end_id",
            Self::Reference => "reference",
        }
    }
}

/// What a scheme does with a text that is longer than it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooLong {
    /// It carries the beginning and drops the rest: a warning.
    Cut,
    /// It rejects the message: a refusal.
    Refuse,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// People read it: a character may be sent in its usual spelling.
    Words,
    /// Machines compare it: nothing in it is ever replaced.
    Identification {
        /// May it begin or end with a slash, or have two in a row?
        any_slashes: bool,
    },
}

/// The rule of one text field. Lengths are in characters.
#[derive(Debug, Clone, Copy)]
pub struct TextRule {
    /// Which field.
    pub field: Field,
    /// Must it be there?
    pub required: bool,
    /// The length of the ISO 20022 element: anything longer is refused.
    pub chars_max: usize,
    /// What the scheme carries of it.
    pub carried_max: usize,
    /// What happens between the two lengths.
    pub too_long: TooLong,
    /// Which characters it may have.
    pub charset: Charset,
    /// What it is for.
    pub kind: TextKind,
    /// Where the rule was read.
    pub source: &'static str,
    /// How sure it is.
    pub sure: Sure,
}

/// How long things take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long one call to the rail may take before the payment is in doubt.
    pub call_ms: Sourced<u64>,
    /// By when the scheme means to be done.
    pub target_ms: Sourced<u64>,
    /// By when the sender has a final answer.
    pub answer_ms: Sourced<u64>,
    /// By when the payee has the money.
    pub funds_ms: Sourced<u64>,
}

/// A reason to ask money back.
#[derive(Debug, Clone, Copy)]
pub struct Recall {
    /// `ExternalCancellationReason1Code`.
    pub code: &'static str,
    /// How long after the payment it may be sent.
    pub within: Period,
    /// Where it was read.
    pub source: &'static str,
    /// How sure it is.
    pub sure: Sure,
}

impl Rules {
    /// The rules of a rail; none for payments on our own books, and for cards, whose rules are their providers'.
    #[must_use]
    pub const fn of(rail: Rail) -> Option<Self> {
        match rail {
            Rail::Book | Rail::Card => None,
            Rail::Fps => Some(fps::RULES),
            Rail::SepaInst => Some(sepa_inst::RULES),
        }
    }

    /// The rule of a text field.
    #[must_use]
    pub fn text(&self, field: Field) -> Option<&'static TextRule> {
        self.texts.iter().find(|rule| rule.field == field)
    }

    /// The last day on which a payment of `paid` may be recalled for a reason; none if the reason is not
    /// one to recall for.
    #[must_use]
    pub fn recall_until(&self, code: &str, paid: Date) -> Option<Date> {
        let recall = self.recalls.iter().find(|recall| recall.code == code)?;
        recall.within.after(paid)
    }

    /// The code for a return of ours: the reason's own if the scheme takes it.
    #[must_use]
    pub fn return_code(&self, reason: Reason) -> &'static str {
        allowed(self.return_codes.value, reason.iso_return_code())
    }

    /// The code for a rejection of ours: the reason's own if the scheme knows it.
    #[must_use]
    pub fn reject_code(&self, reason: Reason) -> &'static str {
        allowed(self.reject_codes.value, reason.iso_status_code())
    }
}

/// The code if it is in the list, or else the last of the list. An empty list takes any code.
fn allowed(codes: &'static [&'static str], code: &'static str) -> &'static str {
    match codes.last() {
        Some(other) if !codes.contains(&code) => other,
        _ => code,
    }
}

#[cfg(test)]
mod tests;
