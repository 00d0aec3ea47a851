//! Strong customer authentication: whether a payment needs it, and why not where it does not.
//!
//! **Sources.** Delegated Regulation (EU) 2018/389 ("RTS"), and the FCA's SCA-RTS for the United
//! Kingdom, which differ in their thresholds ([`rules`]). The articles are named in each answer.
//!
//! **Shape.** [`decide`] is a pure function of what is asked ([`Ask`]), of what was exempt since
//! the payer last authenticated ([`Counters`]), of the portfolio's fraud ([`fraud::Rate`]) and of
//! the [`rules::Rules`] in force at the moment. It tries the exemptions in one order, the ones
//! without a counter first, and says of each why it did not apply. [`challenge`] is what a payer
//! is asked when it is required.
//!
//! **Invariants.** Nothing exempts unless every condition of its article holds; what is not known
//! counts against. Counters are kept in the commit of the payment that they let through, so that
//! two payments at once cannot both be the last one that is exempt.

// Amounts are grouped as they are read: `100_00` is a hundred, in minor units.
#![allow(clippy::inconsistent_digit_grouping)]

pub mod challenge;
pub mod counters;
pub mod fraud;
pub mod outcome;
pub mod rules;
mod tries;

use serde::{Deserialize, Serialize};

use crate::{currency::Currency, money::Money, time::Timestamp};

pub use counters::Counters;
pub use tries::decide;

/// How the payer gives the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A credit transfer, on a website or in an app.
    RemoteTransfer,
    /// A card payment, on a website or in an app.
    RemoteCard,
    /// A card or a device held to a terminal.
    Contactless,
    /// A card put into a terminal.
    Contact,
    /// A terminal for transport fares or parking fees, with nobody there.
    UnattendedTransport,
    /// By post or by telephone.
    MailOrTelephone,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::RemoteTransfer,
        Self::RemoteCard,
        Self::Contactless,
        Self::Contact,
        Self::UnattendedTransport,
        Self::MailOrTelephone,
    ];

    /// Whether it is a remote electronic payment.
    #[must_use]
    pub const fn is_remote(self) -> bool {
        matches!(self, Self::RemoteTransfer | Self::RemoteCard)
    }
}

/// Whether it is one of a series of payments of the same amount to the same payee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// It stands alone.
    #[default]
    None,
    /// The first of a series, or the first after a change of it.
    First,
    /// A later one, with the same amount and the same payee.
    Later,
}

/// Who starts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// The payer.
    #[default]
    Payer,
    /// The payee, under a mandate that the payer gave with authentication.
    Payee,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Under whose rules.
    pub regime: rules::Regime,
    /// How the order is given.
    pub channel: Channel,
    /// Who starts it.
    #[serde(default)]
    pub initiator: Initiator,
    /// Whether it is one of a series.
    #[serde(default)]
    pub series: Series,
    /// Whether the payee is on the list of trusted beneficiaries, which the payer made with
    /// authentication.
    #[serde(default)]
    pub trusted_payee: bool,
    /// Whether payer and payee are the same person, with both accounts here.
    #[serde(default)]
    pub own_account: bool,
    /// Whether it comes by a process for corporate payers alone that the authority is satisfied
    /// with.
    #[serde(default)]
    pub corporate: bool,
    /// Whether the other side's provider is outside the regime's territory ("one leg out").
    #[serde(default)]
    pub one_leg_out: bool,
    /// Whether the real-time analysis of this payment found a low risk; absent when none was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_risk: Option<bool>,
}

impl Ask {
    /// Of an order of which no more is known.
    #[must_use]
    pub const fn plain(regime: rules::Regime, channel: Channel) -> Self {
        Self {
            regime,
            channel,
            initiator: Initiator::Payer,
            series: Series::None,
            trusted_payee: false,
            own_account: false,
            corporate: false,
            one_leg_out: false,
            low_risk: None,
        }
    }
}

/// What is known when it is decided.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How much is paid.
    pub money: Money,
    /// What was exempt since the payer last authenticated.
    pub counters: &'a Counters,
    /// The portfolio's fraud in the channel's instrument, over the last 90 days; absent when it
    /// is not known.
    pub fraud: Option<fraud::Rate>,
    /// The moment.
    pub now: Timestamp,
}

/// An article of the RTS by which a payment is exempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// Art. 11: contactless at a point of sale.
    Contactless,
    /// Art. 12: unattended terminals for transport and parking.
    Unattended,
    /// Art. 13: trusted beneficiaries.
    TrustedPayee,
    /// Art. 14: recurring transactions.
    Recurring,
    /// Art. 15: transfers between accounts of the same person.
    OwnAccount,
    /// Art. 16: low-value remote transactions.
    LowValue,
    /// Art. 17: secure corporate processes.
    Corporate,
    /// Art. 18: transaction risk analysis.
    RiskAnalysis,
}

impl Exemption {
    /// In the order in which they are tried: those that use up nothing first, then those of
    /// counters, then the one that stakes the portfolio's fraud rate.
    pub const ALL: [Self; 8] = [
        Self::OwnAccount,
        Self::TrustedPayee,
        Self::Recurring,
        Self::Corporate,
        Self::Unattended,
        Self::Contactless,
        Self::LowValue,
        Self::RiskAnalysis,
    ];

    /// The number of its article.
    #[must_use]
    pub const fn article(self) -> u8 {
        match self {
            Self::Contactless => 11,
            Self::Unattended => 12,
            Self::TrustedPayee => 13,
            Self::Recurring => 14,
            Self::OwnAccount => 15,
            Self::LowValue => 16,
            Self::Corporate => 17,
            Self::RiskAnalysis => 18,
        }
    }
}

/// Why the RTS does not ask for authentication at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutOfScope {
    /// The payee starts it (PSD2 Art. 97(1) speaks of payers).
    PayeeInitiated,
    /// Not an electronic order.
    MailOrTelephone,
    /// The other provider is outside: best effort alone.
    OneLegOut,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The payer must authenticate.
    Required,
    /// He need not.
    Exempt {
        /// By this exemption.
        by: Exemption,
    },
    /// The rules do not ask it.
    OutOfScope {
        /// Why.
        because: OutOfScope,
    },
}

/// Why an exemption did not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// The payment is not of the kind that the article is about.
    NotSuch,
    /// The first of a series is authenticated.
    FirstOfSeries,
    /// The amount is in a currency for which the rules have no threshold.
    Currency,
    /// It exceeds what one payment may be.
    Amount,
    /// With it, more would have been paid since the payer last authenticated than may be.
    Cumulative,
    /// With it, more payments would have been made since then than may be.
    Count,
    /// No analysis found a low risk.
    Risk,
    /// The portfolio's fraud rate is not known, or exceeds the reference rate of the band.
    FraudRate,
    /// The rules in force have no threshold for it.
    NoThreshold,
    /// It would apply, but the payment is suspect.
    Challenged,
}

/// A decision, and what was weighed for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is decided.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The exemptions that were tried before, and why each did not apply; as `(article, why)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<(u8, WhyNot)>,
    /// The fraud rate that was held against its reference, where Art. 18 came to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighed: Option<fraud::Weighed>,
    /// Since when the rules that were applied are in force.
    pub rules_from: Timestamp,
}

impl Decision {
    /// Takes away what a payment was exempt by that is suspect: every exemption is one that a
    /// provider may make use of and need not (RTS Art. 18 and the articles before it).
    pub fn challenge(&mut self) {
        if let Outcome::Exempt { by } = self.outcome {
            self.tried.push((by.article(), WhyNot::Challenged));
            self.outcome = Outcome::Required;
        }
    }
}

/// What a command brings to the decision, beside the payment itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What is asked.
    pub ask: Ask,
    /// By which rules.
    pub rules: std::sync::Arc<rules::Rules>,
    /// The portfolio's fraud, read when the payment was asked for; absent when it is not known.
    pub fraud: Option<fraud::Rate>,
}

impl Wish {
    /// For an order of which no more is known than its currency.
    #[must_use]
    pub fn plain(currency: Currency) -> Self {
        Self {
            ask: Ask::plain(rules::Regime::of(currency), Channel::RemoteTransfer),
            rules: std::sync::Arc::new(rules::Rules::default()),
            fraud: None,
        }
    }
}

/// What a payment knows of its payer's authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What was asked.
    pub ask: Ask,
    /// What was decided, and why.
    pub decision: Decision,
    /// When it was counted among what the payer was spared, if it was and still is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// On which day ([`fraud::day_of`]) it was carried out and added to its portfolio, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_out: Option<u64>,
    /// What the payer is being asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<challenge::Challenge>,
    /// When he authenticated for this payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<Timestamp>,
    /// What somebody must confirm after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then_review: Option<crate::reason::Reason>,
}

impl State {
    /// Whether the payer must still authenticate.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.decision.outcome == Outcome::Required && self.authenticated_at.is_none()
    }
}

#[cfg(test)]
mod tests;
