//! UK Faster Payments: reject codes (four digits) and return codes (eight digits).
//!
//! Source: public documentation of participants (Numeral, LHV Connect, ClearBank) and
//! fpserrorcodes.co.uk; Pay.UK's own list is not public, so a code that is missing here is
//! possible and is kept as unrecognised.

use super::Reason::{self, *};

/// Reject codes and return codes by reason.
#[rustfmt::skip]
static CODES: &[(Reason, &[&str])] = &[
    (InsufficientFunds, &["1172"]),
    (CurrencyNotAccepted, &["1165", "00000008"]),
    (AccountUnknown, &["1114", "00000001"]),
    (AccountClosed, &["1160", "00000002"]),
    (AccountBlocked, &["1161", "00000003"]),
    (AccountSwitched, &["1166", "1179", "1180", "00000012"]),
    (Terms, &["1170", "00000010"]),
    (HolderRestricted, &["1169", "00000013"]),
    (Deceased, &["1167", "00000004"]),
    (NameMismatch, &["1162", "00000006"]),
    (NameMissing, &["1171"]),
    (ReferenceMissing, &["1163", "00000005"]),
    (ReferenceInvalid, &["1164"]),
    // 9913 is a payment id that the infrastructure itself has seen.
    (Duplicate, &["1181", "9913"]),
    // 4021: the infrastructure gave up; 9911: the receiver did not answer it.
    (TimedOut, &["4021", "9911"]),
    (RailUnavailable, &["9910", "9912"]),
    (RailMalfunction, &["1909", "9902"]),
    // An agency that is not known, against one that is known and closed or stopped.
    (BankUnknown, &["1173", "1176"]),
    (BankNotParticipating, &["1174", "1175", "1177", "1178"]),
    (MessageInvalid, &["1930"]),
    (CustomerRequested, &["00000007"]),
    (NotExpected, &["00000009"]),
    (SenderActionRequired, &["1168", "00000011"]),
    (Unspecified, &["1100", "00000014"]),
];

pub(super) fn lookup(code: &str) -> Option<Reason> {
    CODES
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map(|row| row.0)
}

pub(super) fn codes(reason: Reason) -> impl Iterator<Item = &'static str> {
    let rows = CODES.iter().filter(move |row| row.0 == reason);
    rows.flat_map(|row| row.1.iter().copied())
}
