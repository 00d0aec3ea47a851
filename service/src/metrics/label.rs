//! Labels: each an enum, so that a metric has as many series as the enum has values and no more.

use lombard_core::{
    command::{Act, Reply},
    lifecycle::{Pending, Stage},
    rail::Rail,
    risk::Action,
};
use lombard_risk::decision::Fallback;

use crate::risk::label::Source;

use crate::{exceptions, ports::ExecuteError};

/// A label with all its values.
pub trait Label: Copy + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Its values, in the order of [`Label::index`].
    const ALL: &'static [Self];
    /// As it stands in a series.
    fn value(self) -> &'static str;
    /// Its place among [`Label::ALL`].
    fn index(self) -> usize;
}

/// Declares labels: the enum, and how each value is written.
macro_rules! labels {
    ($($(#[$about:meta])* $name:ident, $label:literal: $($(#[$doc:meta])* $variant:ident = $value:literal),+;)*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl Label for $name {
            const NAME: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn value(self) -> &'static str {
                match self { $(Self::$variant => $value),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    )*};
}

labels! {
    /// Whose fraud rate.
    Portfolio, "portfolio":
        /// Remote card payments under the rules of the European Union.
        EuCard = "eu_card",
        /// Remote credit transfers under them.
        EuTransfer = "eu_transfer",
        /// Remote card payments under those of the United Kingdom.
        UkCard = "uk_card",
        /// Remote credit transfers under them.
        UkTransfer = "uk_transfer";

    /// Why a request was turned away before it was looked at.
    Shed, "reason":
        /// The API key asked too often (429).
        RateLimited = "rate_limited",
        /// Too much was going on (503).
        Overloaded = "overloaded",
        /// All connections were taken (503, or closed).
        Connections = "connections";

    /// What kind of command was carried out.
    Deed, "deed":
        /// A payment was asked for.
        Pay = "pay",
        /// A rail brought a payment, a return or a recall.
        Receive = "receive",
        /// A rail, or its silence, told of a payment.
        Report = "report",
        /// A timer was due.
        Timer = "timer",
        /// House accounts were added up.
        RollUp = "roll_up",
        /// Anything else.
        Other = "other";

    /// What became of a command.
    Decided, "outcome":
        /// Committed, or answered as before.
        Done = "done",
        /// Decided against; nothing was written.
        Rejected = "rejected",
        /// The queue was full.
        Overloaded = "overloaded",
        /// The store takes no writes.
        Unavailable = "unavailable",
        /// The answer was lost.
        Unknown = "unknown";

    /// Which store of the process.
    Store, "store":
        /// Payments, accounts, the ledger.
        Ledger = "ledger",
        /// Tokens and the keys of subjects.
        Vault = "vault";

    /// A reader of the change feed.
    Consumer, "consumer":
        /// Adds up house accounts.
        Rollup = "rollup",
        /// Counts payments of batches.
        Batches = "batches",
        /// Wakes payments that wait for money.
        Funds = "funds",
        /// Carries payments to Faster Payments.
        RailsFps = "rails-fps",
        /// Carries payments to SEPA Instant.
        RailsSepaInst = "rails-sepa_inst",
        /// Carries charges to payment service providers.
        RailsCard = "rails-card",
        /// Sends webhooks.
        Webhooks = "webhooks",
        /// Folds payments into the profiles of risk.
        Risk = "risk",
        /// Counts what is pending.
        Standing = "standing",
        /// Tells people of exceptions.
        Alerts = "alerts",
        /// Any other.
        Other = "other";

    /// How a job of a consumer went.
    JobEnd, "outcome":
        /// It was done.
        Done = "done",
        /// It failed and is tried again.
        Retried = "retried",
        /// Our own store was busy; it is tried again.
        Busy = "busy",
        /// It became an exception.
        GivenUp = "given_up";

    /// What became of a call to a rail's gateway.
    Call, "outcome":
        /// It answered, or took the message.
        Answered = "answered",
        /// It refuses the message as invalid.
        Refused = "refused",
        /// The message never left.
        NotSent = "not_sent",
        /// No answer, or none that can be read: the payment is in doubt.
        Unknown = "unknown";

    /// What became of one try of a webhook.
    Tried, "outcome":
        /// The endpoint took it.
        Taken = "taken",
        /// The endpoint wants no more (410).
        Gone = "gone",
        /// It failed, and is tried again or given up.
        Failed = "failed";

    /// A way to tell people of an exception.
    Channel, "channel":
        /// Any address that takes JSON.
        Webhook = "webhook",
        /// A channel of Slack.
        Slack = "slack",
        /// A service of PagerDuty.
        Pagerduty = "pagerduty";

    /// What became of an alert.
    AlertEnd, "outcome":
        /// The channel took it.
        Told = "told",
        /// The channel did not take it at any try.
        Failed = "failed",
        /// Somebody silenced its kind.
        Silenced = "silenced";

    /// What became of a file that a source left for us, or of a look for one.
    Fetched, "outcome":
        /// It was reconciled.
        Taken = "taken",
        /// It had been, under another time or name.
        Known = "known",
        /// It is no statement.
        Unreadable = "unreadable",
        /// The source could not be looked at.
        Unreachable = "unreachable";

    /// Whether a token was read back.
    Detokenised, "outcome":
        /// It was.
        Done = "done",
        /// Its scope forbids it.
        Refused = "refused",
        /// It cannot be opened.
        Unreadable = "unreadable";

    /// What became of a span.
    SpanEnd, "outcome":
        /// The collector took it.
        Told = "told",
        /// Its trace is not among those that are kept.
        LeftOut = "left_out",
        /// The queue was full.
        Dropped = "dropped",
        /// The collector did not take it.
        Refused = "refused";

    /// What was kept out of logs and answers.
    Redacted, "kind":
        /// A card number.
        CardNumber = "card_number",
        /// An IBAN.
        Iban = "iban",
        /// A sort code with an account number.
        UkAccount = "uk_account",
        /// An e-mail address.
        Email = "email";
}

impl Deed {
    /// Of an act.
    #[must_use]
    pub const fn of(act: &Act) -> Self {
        match act {
            Act::Pay(_) => Self::Pay,
            Act::Receive(_) | Act::ReceiveReturn(_) | Act::ReceiveRecall(..) => Self::Receive,
            Act::Report(..) => Self::Report,
            Act::Fire(_) => Self::Timer,
            Act::RollUp(_) => Self::RollUp,
            _ => Self::Other,
        }
    }
}

impl Decided {
    /// Of what a bank said.
    #[must_use]
    pub const fn of(answer: &Result<Reply, ExecuteError>) -> Self {
        match answer {
            Ok(_) => Self::Done,
            Err(ExecuteError::Rejected(_)) => Self::Rejected,
            Err(ExecuteError::Overloaded) => Self::Overloaded,
            Err(ExecuteError::Unavailable(_)) => Self::Unavailable,
            Err(ExecuteError::Unknown(_)) => Self::Unknown,
        }
    }
}

impl Consumer {
    /// The consumer of a name; [`Consumer::Other`] for one that the list does not have.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.iter().find(|one| one.value() == name);
        known.copied().unwrap_or(Self::Other)
    }
}

impl Label for Rail {
    const NAME: &'static str = "rail";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for exceptions::Kind {
    const NAME: &'static str = "kind";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Action {
    const NAME: &'static str = "action";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Source {
    const NAME: &'static str = "source";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Fallback {
    const NAME: &'static str = "why";
    const ALL: &'static [Self] = &[Self::TooSlow, Self::Unavailable];

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Pending {
    const NAME: &'static str = "reason";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Stage {
    const NAME: &'static str = "stage";
    const ALL: &'static [Self] = &Self::ALL;

    fn value(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Verifying => "verifying",
            Self::Scheduled => "scheduled",
            Self::AwaitingFunds => "awaiting_funds",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::Submitted => "submitted",
            Self::InDoubt => "in_doubt",
            Self::Authorised => "authorised",
            Self::Cleared => "cleared",
            Self::Settled => "settled",
            Self::Failed => "failed",
            Self::Reversed => "reversed",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn holds<L: Label>() {
        for (place, label) in L::ALL.iter().enumerate() {
            assert_eq!(label.index(), place, "{} {}", L::NAME, label.value());
        }
        let values: BTreeSet<_> = L::ALL.iter().map(|label| label.value()).collect();
        assert_eq!(values.len(), L::ALL.len(), "{}", L::NAME);
    }

    #[test]
    fn each_value_has_its_own_place_and_text() {
        holds::<Rail>();
        holds::<exceptions::Kind>();
        holds::<Pending>();
        holds::<Stage>();
        holds::<Consumer>();
    }
}
