//! ClearBank: codes of its own, and ISO codes that it uses in a narrower sense than ISO.
//!
//! Source: ClearBank's public documentation, "Faster Payments" and "SEPA Instant Credit Transfer"
//! (2026-08). A code that is not here means what ISO says. Nothing reads these codes yet; `docs/schemes.md`
//! lists them beside our reasons.

use super::Reason::{self, *};

#[rustfmt::skip]
static CODES: &[(Reason, &[&str])] = &[
    (AccountUnknown, &["AC03", "PY01"]),
    (AccountSwitched, &["CB_AccountSwitched"]),
    // AB15: the account is a suspense account of ClearBank's, which nobody pays from.
    (Terms, &["AB15"]),
    (HolderRestricted, &["CB_AccountHoldersBankrupt"]),
    (Deceased, &["MD09"]),
    (NameMismatch, &["CB_AccountNameAndNumberMismatch"]),
    (NameMissing, &["CB_PaymentBeneficiaryNameMissing"]),
    (ReferenceMissing, &["CB_PaymentReferenceMissing"]),
    (ReferenceInvalid, &["CB_PaymentReferenceIncorrect"]),
    (TimedOut, &["CB05"]),
    // BE08: error or unavailability of a participant.
    (RailMalfunction, &["BE08"]),
    // CB02: no BIC can be derived from the IBAN.
    (BankUnknown, &["CB02"]),
    (SenderActionRequired, &["CB_InitiatingPartyActionRequired"]),
    (Unspecified, &["CB01"]),
];

pub(super) fn codes(reason: Reason) -> impl Iterator<Item = &'static str> {
    let rows = CODES.iter().filter(move |row| row.0 == reason);
    rows.flat_map(|row| row.1.iter().copied())
}
