//! Why a payment failed, came back, was recalled or waits: one stable list for every rail.
//!
//! **Shape.** [`Reason`] is ours: snake_case codes that the API, webhooks, console and records show
//! and that never change their meaning. Rails speak their own codes; the files `iso`, `fps`
//! and `clearbank` hold the mapping as data, and [`Coded`] keeps the rail's own code beside our reason,
//! so nothing that the other side said is lost in translation.
//!
//! **Retry.** [`Reason::retry`] answers one question: may a machine send this payment again?
//! A decline is never retried. A technical failure is retried only after asking the rail for the
//! state of the first try, because a time-out does not say that nothing happened. Only a payment
//! that certainly never left may simply be sent later.
//!
//! **Invariants.** Every function here is total. Every code of the ISO 20022 external sets for
//! status, return, cancellation and cancellation rejection is known; a code that no table has
//! becomes [`Reason::Unrecognised`] with the code kept, never a guess.

mod clearbank;
mod code;
mod fps;
mod iso;

use serde::{Deserialize, Serialize};

pub use code::{Coded, RailCode};
pub use iso::IsoSet;

/// May a machine send the payment again?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// No: the answer is a decline, or a person has to correct something first.
    Never,
    /// Only after the rail has said that the first try did not and will not happen.
    AfterEnquiry,
    /// Yes, after a pause: the first try certainly never left.
    Later,
}

/// Declares the enum and its total functions from one table, so that no column can be forgotten.
macro_rules! reasons {
    ($($variant:ident, $code:literal, $retry:ident, $status:literal, $returned:literal, $fps:literal, $text:literal;)*) => {
        /// Why a payment failed, came back, was recalled or waits.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $text] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code: the same text that JSON carries.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// May a machine send the payment again?
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Self::$variant => Retry::$retry),* }
            }

            /// One sentence for an operator.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The code that says this in pacs.002 or pain.002 (`ExternalStatusReason1Code`).
            #[must_use]
            pub const fn iso_status_code(self) -> &'static str {
                match self { $(Self::$variant => $status),* }
            }

            /// The code that says this in pacs.004 (`ExternalReturnReason1Code`).
            ///
            /// A scheme may allow fewer codes: see [`crate::scheme`].
            #[must_use]
            pub const fn iso_return_code(self) -> &'static str {
                match self { $(Self::$variant => $returned),* }
            }

            /// The code that says this in the return of a Faster Payment.
            #[must_use]
            pub const fn fps_return_code(self) -> &'static str {
                match self { $(Self::$variant => $fps),* }
            }
        }
    };
}

// Columns: variant, our code, retry, ISO status code, ISO return code, FPS return code, sentence.
#[rustfmt::skip]
reasons! {
    InsufficientFunds, "insufficient_funds", Never, "AM04", "AM04", "00000014", "The account to be debited does not hold enough money.";
    AmountLimit, "amount_limit", Never, "AM02", "AM02", "00000014", "The amount is above or below a limit of the scheme, a bank or an agreement.";
    AmountInvalid, "amount_invalid", Never, "AM12", "AM09", "00000014", "The amount or a control sum is missing, zero, or not the one that was meant.";
    CurrencyNotAccepted, "currency_not_accepted", Never, "AM03", "AM03", "00000008", "The account or the scheme does not take this currency.";
    AccountNumberInvalid, "account_number_invalid", Never, "AC01", "AC01", "00000001", "The account number or its stand-in is missing or wrong.";
    AccountUnknown, "account_unknown", Never, "BE06", "BE06", "00000001", "The bank has no such account.";
    AccountClosed, "account_closed", Never, "AC04", "AC04", "00000002", "The account is closed.";
    AccountBlocked, "account_blocked", Never, "AC06", "AC06", "00000003", "The account is stopped or blocked for postings.";
    AccountSwitched, "account_switched", Never, "AC15", "AC15", "00000012", "The account moved to another bank; new details are needed.";
    Terms, "terms", Never, "AG01", "AG01", "00000010", "The terms of the account or a service of its bank do not permit this payment.";
    HolderRestricted, "holder_restricted", Never, "AC06", "AC16", "00000013", "The account holder is under insolvency or another restriction that the bank treats as sensitive.";
    Deceased, "deceased", Never, "MD07", "MD07", "00000004", "The account holder has died.";
    NameMismatch, "name_mismatch", Never, "BE01", "BE01", "00000006", "The name does not belong to the account.";
    NameMissing, "name_missing", Never, "BE21", "RR03", "00000014", "A party's name is missing or not acceptable.";
    PartyDetailsMissing, "party_details_missing", Never, "BE04", "BE04", "00000014", "An address, country or identification of a party is missing or wrong.";
    ReferenceMissing, "reference_missing", Never, "RR09", "RR09", "00000005", "The payee can place this payment only with a reference, and there is none.";
    ReferenceInvalid, "reference_invalid", Never, "RR09", "RR09", "00000005", "The reference or remittance information is not acceptable.";
    Duplicate, "duplicate", Never, "AM05", "AM05", "00000014", "The payment or its identification was already received.";
    TimedOut, "timed_out", AfterEnquiry, "AB05", "MS03", "00000014", "A bank or the infrastructure did not answer in time.";
    RailUnavailable, "rail_unavailable", AfterEnquiry, "AB08", "MS03", "00000014", "A bank or the infrastructure is not online.";
    RailMalfunction, "rail_malfunction", AfterEnquiry, "AB09", "BE08", "00000014", "A bank or the infrastructure failed while working on the payment.";
    TechnicalError, "technical_error", AfterEnquiry, "FF10", "DS28", "00000014", "A technical problem stopped the payment or made it erroneous.";
    NotSent, "not_sent", Later, "AB07", "MS03", "00000014", "The payment never left: the rail could not be reached.";
    BankUnknown, "bank_unknown", Never, "RC04", "RC04", "00000014", "A bank identifier is missing, wrong or not known.";
    BankNotParticipating, "bank_not_participating", Never, "CNOR", "CNOR", "00000014", "A bank is not reachable in this scheme, or is suspended from it.";
    MessageInvalid, "message_invalid", Never, "FF01", "FF03", "00000014", "The message or one of its elements is missing, malformed or not allowed.";
    DateNotAccepted, "date_not_accepted", Never, "DT01", "DT01", "00000014", "A date is missing, wrong or not supported.";
    CutOffMissed, "cut_off_missed", Never, "TM01", "TM01", "00000014", "The payment arrived after the agreed time.";
    SettlementFailed, "settlement_failed", Never, "ED05", "ED05", "00000014", "The banks could not settle the payment among themselves.";
    FraudSuspected, "fraud_suspected", Never, "FR01", "FR01", "00000014", "The payment is suspected or known to be fraudulent.";
    Regulatory, "regulatory", Never, "RR04", "RR04", "00000014", "A law, a regulator or a court does not permit the payment, or information that they require is missing.";
    NotAuthorised, "not_authorised", Never, "AG08", "MS03", "00000014", "Whoever gave or signed the order has no right to.";
    VerificationFailed, "verification_failed", Never, "AG08", "MS03", "00000014", "The payer did not pass the verification that the payment needs.";
    AuthenticationNeeded, "authentication_needed", Never, "AG08", "MS03", "00000014", "The payer must authenticate before the payment goes on.";
    ApprovalNeeded, "approval_needed", Never, "AG08", "MS03", "00000014", "Somebody else than who gave the order must approve it.";
    PartyUnverified, "party_unverified", Never, "RR04", "RR04", "00000014", "The payer or the payee must be verified before the payment goes on.";
    PartyRefused, "party_refused", Never, "RR04", "RR04", "00000014", "Payments of this payer, or to this payee, are refused by what is known of them.";
    MandateInvalid, "mandate_invalid", Never, "MD01", "MD01", "00000014", "The mandate is missing, cancelled or does not cover the payment.";
    Declined, "declined", Never, "AG07", "AG07", "00000014", "The payer's bank or provider refused without saying why.";
    Cancelled, "cancelled", Never, "DS02", "CN01", "00000014", "The order was cancelled before it was carried out.";
    Expired, "expired", Never, "DS24", "MS03", "00000014", "The payment waited longer than it may.";
    CustomerRequested, "customer_requested", Never, "CUST", "CUST", "00000007", "The payer asked for the money back, or the payee sends it back by choice.";
    CustomerRefused, "customer_refused", Never, "MS02", "MS02", "00000014", "The payee does not agree to give the money back.";
    Recalled, "recalled", Never, "FOCR", "FOCR", "00000007", "The money came back because a recall or an investigation asked for it.";
    Refunded, "refunded", Never, "MD06", "MD06", "00000007", "The money was refunded.";
    Disputed, "disputed", Never, "MS02", "SVNR", "00000014", "The payer disputes the payment: goods or service not as agreed.";
    NotExpected, "not_expected", Never, "BE05", "BE05", "00000009", "The payee did not expect this payment or does not know the payer.";
    SenderActionRequired, "sender_action_required", Never, "MINF", "MS03", "00000011", "The sending bank must act first; details are in the rail's own code.";
    OriginalUnknown, "original_unknown", Never, "AG09", "NOOR", "00000014", "The payment that this message is about is not known to the receiver.";
    AlreadyReturned, "already_returned", Never, "AG13", "ARDT", "00000014", "The payment was already returned or rejected.";
    NoAnswer, "no_answer", Never, "NOAS", "NOAS", "00000014", "The customer of the other bank did not answer.";
    InProgress, "in_progress", Never, "G000", "G004", "00000014", "Nothing is wrong: the payment or request is under way.";
    Unspecified, "unspecified", Never, "MS03", "MS03", "00000014", "The other side gave no reason.";
    Other, "other", Never, "NARR", "NARR", "00000014", "The other side gave a reason that has no word of ours; its code is beside this one.";
    Unrecognised, "unrecognised", Never, "NARR", "NARR", "00000014", "The other side gave a code that is in no list we know; it is beside this one.";
}

impl Reason {
    /// Reads an ISO 20022 reason code of a set.
    ///
    /// The set matters: `BE08` is a missing debtor name in a status and a bank's error in a return.
    #[must_use]
    pub fn from_iso(set: IsoSet, code: &str) -> Coded {
        Coded::new(iso::lookup(set, code.trim()), code)
    }

    /// Reads a Faster Payments code: a four-digit reject code or an eight-digit return code.
    #[must_use]
    pub fn from_fps(code: &str) -> Coded {
        Coded::new(fps::lookup(code.trim()), code)
    }

    /// The code that asks for this in a recall, camt.056 (`ExternalCancellationReason1Code`), if one exists.
    #[must_use]
    pub const fn iso_cancellation_code(self) -> Option<&'static str> {
        match self {
            Self::Duplicate => Some("DUPL"),
            Self::TechnicalError | Self::RailMalfunction => Some("TECH"),
            Self::FraudSuspected => Some("FRAD"),
            Self::AccountNumberInvalid | Self::AccountUnknown => Some("AC03"),
            Self::AmountInvalid => Some("AM09"),
            Self::CustomerRequested => Some("CUST"),
            _ => None,
        }
    }

    /// The codes of a rail's list that mean this reason, for documentation.
    pub fn iso_codes(self, set: IsoSet) -> impl Iterator<Item = &'static str> {
        iso::codes(set, self)
    }

    /// The Faster Payments codes that mean this reason, for documentation.
    pub fn fps_codes(self) -> impl Iterator<Item = &'static str> {
        fps::codes(self)
    }

    /// The ClearBank codes that mean this reason beyond ISO's, for documentation.
    pub fn clearbank_codes(self) -> impl Iterator<Item = &'static str> {
        clearbank::codes(self)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.code())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_are_what_json_carries() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let json = serde_json::to_string(reason).expect("a unit variant serializes");
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(
                serde_json::from_str::<Reason>(&json).expect("reads back"),
                *reason
            );
            assert!(reason.describe().ends_with('.'), "{reason}");
        }
    }

    #[test]
    fn what_we_send_is_a_code_of_its_list() {
        for reason in Reason::ALL {
            for (set, code) in [
                (IsoSet::Status, reason.iso_status_code()),
                (IsoSet::Return, reason.iso_return_code()),
            ] {
                assert_ne!(
                    Reason::from_iso(set, code).reason,
                    Reason::Unrecognised,
                    "{reason}: {code}"
                );
            }
            if let Some(code) = reason.iso_cancellation_code() {
                assert_ne!(
                    Reason::from_iso(IsoSet::Cancellation, code).reason,
                    Reason::Unrecognised
                );
            }
            assert_ne!(
                Reason::from_fps(reason.fps_return_code()).reason,
                Reason::Unrecognised
            );
        }
    }

    /// A reason that ISO has a word for comes back as itself. The others are listed: ISO has no word
    /// for them, so they travel under a wider one.
    #[test]
    fn what_we_send_means_the_same_to_us() {
        let status: Vec<_> = Reason::ALL
            .iter()
            .filter(|reason| {
                Reason::from_iso(IsoSet::Status, reason.iso_status_code()).reason != **reason
            })
            .map(|reason| reason.code())
            .collect();
        assert_eq!(
            status,
            [
                "holder_restricted",
                "reference_missing",
                "not_sent",
                "verification_failed",
                "authentication_needed",
                "approval_needed",
                "party_unverified",
                "party_refused",
                "customer_refused",
                "disputed",
                "sender_action_required",
                "unrecognised"
            ]
        );
        let returned: Vec<_> = Reason::ALL
            .iter()
            .filter(|reason| {
                Reason::from_iso(IsoSet::Return, reason.iso_return_code()).reason != **reason
            })
            .map(|reason| reason.code())
            .collect();
        assert_eq!(
            returned,
            [
                "name_missing",
                "reference_missing",
                "timed_out",
                "rail_unavailable",
                "not_sent",
                "not_authorised",
                "verification_failed",
                "authentication_needed",
                "approval_needed",
                "party_unverified",
                "party_refused",
                "expired",
                "customer_refused",
                "sender_action_required",
                "unrecognised"
            ]
        );
    }

    #[test]
    fn only_technical_reasons_are_ever_sent_again() {
        let again = |wanted| -> Vec<_> {
            let of = |reason: &&Reason| reason.retry() == wanted;
            Reason::ALL
                .iter()
                .filter(of)
                .map(|reason| reason.code())
                .collect()
        };
        assert_eq!(
            again(Retry::AfterEnquiry),
            [
                "timed_out",
                "rail_unavailable",
                "rail_malfunction",
                "technical_error"
            ]
        );
        assert_eq!(again(Retry::Later), ["not_sent"]);
    }

    #[test]
    fn codes_of_each_rail() {
        for (coded, reason) in [
            (
                Reason::from_iso(IsoSet::Status, "AC04"),
                Reason::AccountClosed,
            ),
            (Reason::from_iso(IsoSet::Status, "AB05"), Reason::TimedOut),
            (
                Reason::from_iso(IsoSet::Status, "BE08"),
                Reason::NameMissing,
            ),
            (
                Reason::from_iso(IsoSet::Return, "BE08"),
                Reason::RailMalfunction,
            ),
            (Reason::from_iso(IsoSet::Return, "FOCR"), Reason::Recalled),
            (
                Reason::from_iso(IsoSet::Cancellation, "CUST"),
                Reason::CustomerRequested,
            ),
            (
                Reason::from_iso(IsoSet::CancellationRejection, "CUST"),
                Reason::CustomerRefused,
            ),
            (Reason::from_fps("1114"), Reason::AccountUnknown),
            (Reason::from_fps("4021"), Reason::TimedOut),
            (Reason::from_fps("00000004"), Reason::Deceased),
        ] {
            assert_eq!(coded.reason, reason, "{coded:?}");
        }
    }

    #[test]
    fn an_unknown_code_is_kept() {
        for coded in [
            Reason::from_iso(IsoSet::Status, "ZZ99"),
            Reason::from_iso(IsoSet::Status, "ac04"),
            Reason::from_fps("0000"),
        ] {
            assert_eq!(coded.reason, Reason::Unrecognised, "{coded:?}");
            assert_eq!(coded.reason.retry(), Retry::Never);
        }
        assert_eq!(
            Reason::from_iso(IsoSet::Status, "ZZ99").code.as_str(),
            "ZZ99"
        );
    }
}
