//! ISO 20022 external reason codes by our reason, set by set.
//!
//! Source: the external code sets that ISO 20022 publishes (May 2025): `ExternalStatusReason1Code`,
//! `ExternalReturnReason1Code`, `ExternalCancellationReason1Code` and
//! `ExternalPaymentCancellationRejection1Code`. The sets are kept apart because one code can
//! mean different things in them. Codes about request to pay, cheques, EBICS files and
//! settlement batches have no word of ours and are [`Reason::Other`].

use super::Reason::{self, *};

/// The external code set that a code comes from: the message says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsoSet {
    /// pacs.002 and pain.002: why a payment was rejected or waits.
    Status,
    /// pacs.004: why money comes back.
    Return,
    /// camt.056 (and camt.055): why it is asked back.
    Cancellation,
    /// camt.029: why it will not come back.
    CancellationRejection,
}

impl IsoSet {
    /// Every set.
    pub const ALL: [Self; 4] = [
        Self::Status,
        Self::Return,
        Self::Cancellation,
        Self::CancellationRejection,
    ];

    fn rows(self) -> &'static [(Reason, &'static str)] {
        match self {
            Self::Status => STATUS,
            Self::Return => RETURN,
            Self::Cancellation => CANCELLATION,
            Self::CancellationRejection => CANCELLATION_REJECTION,
        }
    }
}

#[rustfmt::skip]
static STATUS: &[(Reason, &str)] = &[
    (InsufficientFunds, "AM04"),
    (AmountLimit, "AM02 AM06 AM13 AM14 AM15 AM21 AM23 SL13 SL14 SL15 SL16 TKVE"),
    (AmountInvalid, "AM01 AM09 AM10 AM12 AM16 AM17 AM18 AM19 AM20 AM22 CH20"),
    (CurrencyNotAccepted, "AC09 AC10 AC11 AM03 AM11 CURR"),
    (AccountNumberInvalid, "AC01 AC02 AC03 AC16 BE23 TK01 TK02 TK03 TK09 TKCM TKSG TKSP"),
    (AccountUnknown, "BE06 UCRD"),
    (AccountClosed, "AC04 AC05 AC07"),
    (AccountBlocked, "AC06"),
    (AccountSwitched, "AC15"),
    (Terms, "AC12 AC13 AC14 AG01 AG02 AG03 AG12 SL01 SL02 SL03 SL11 SL12 SL17 SL18"),
    (Deceased, "MD07"),
    (NameMismatch, "BE01"),
    (NameMissing, "BE08 BE20 BE21 BE22"),
    (PartyDetailsMissing, "AG04 AG05 AG06 BE04 BE07 BE09 BE10 BE11 BE12 BE13 BE14 BE15 BE16 BE17 BE18 RC12 RR01 RR02 RR03 RR12"),
    (ReferenceInvalid, "CERI CH15 NERI RR07 RR08 RR09"),
    (Duplicate, "AB12 AM05 DS15 DS26 DU01 DU02 DU03 DU04 DU05 DUPL RF01"),
    (TimedOut, "AB01 AB03 AB05 AB06 AB11"),
    (RailUnavailable, "AB07 AB08 ED06"),
    (RailMalfunction, "AB02 AB04 AB09 AB10"),
    (TechnicalError, "DS18 FF10 TA01"),
    (BankUnknown, "AB13 AC08 AGNT ED01 RC01 RC02 RC03 RC04 RC05 RC06 RC07 RC08 RC09 RC10 RC11"),
    (BankNotParticipating, "AG10 AG11 CNOR DNOR RC13 RC15 RC16"),
    (MessageInvalid, "AB15 AB21 AB26 BE19 CH07 CH09 CH10 CH11 CH12 CH13 CH14 CH16 CH17 CH21 CH22 CHCO CHRG DS04 DS08 DS09 DS16 DS17 DS28 ERIN FF01 FF02 FF03 FF04 FF05 FF06 FF07 FF08 FF09 ID01 INDT RR10 RR11 TD02 TD03"),
    (DateNotAccepted, "BDAY CH03 CH04 DT01 DT02 DT03 DT04 EDNA"),
    (CutOffMissed, "DT05 TM01"),
    (SettlementFailed, "DC02 ED05"),
    (FraudSuspected, "FR01 FRAD"),
    (Regulatory, "AM07 ED03 NOCM RR04 RR05 RR06"),
    (NotAuthorised, "AG08 DS0A DS0B DS0C DS0D DS0E DS0F DS0G DS0H DS0K DS10 DS11 DS12 DS13 DS14 DS19 DS20 DS21 DS22 DS23 DS27"),
    (MandateInvalid, "MD01 MD02 MD05"),
    (Declined, "AG07"),
    (Cancelled, "CN01 DS02 FF11"),
    (Expired, "AEXR DS24 EDTR EOL1 TKXP"),
    (CustomerRequested, "CUST"),
    (Recalled, "FOCR RUTA"),
    (Refunded, "MD06"),
    (NotExpected, "BE05 RQNR UPAY"),
    (OriginalUnknown, "AG09 FF13 IRNR"),
    (AlreadyReturned, "AG13"),
    (NoAnswer, "NOAS"),
    (InProgress, "CH19 CHQC DS01 DS05 DS06 DS07 DT06 G000 G001 G002 G003 G004 G005 G006 REPR S000 S001 S002 S003 S004 TS01 TS04"),
    (Unspecified, "MS02 MS03"),
    (Other, "ALAC AMSE APAR ARFR ARJR ATNS CNNS DS03 DS25 EDTL FF12 IEDT INAR IPNS ISWS MINF NARR NOAR NOFR NOPG NRCH OSNS PINS RCON RECI RTNS SBRN SNRD SPII TD01"),
];

#[rustfmt::skip]
static RETURN: &[(Reason, &str)] = &[
    (InsufficientFunds, "AM04"),
    (AmountLimit, "AM02 AM06 SL13 SL14"),
    (AmountInvalid, "AM01 AM09 AM10"),
    (CurrencyNotAccepted, "AM03 CURR"),
    (AccountNumberInvalid, "AC01 AC02 AC03"),
    (AccountUnknown, "BE06"),
    (AccountClosed, "AC04 AC07"),
    (AccountBlocked, "AC06"),
    (AccountSwitched, "AC15"),
    (Terms, "AC13 AG01 AG02 SL01 SL02 SL11 SL12"),
    // Here AC16 is an account in sequestration, in a status it is a card number.
    (HolderRestricted, "AC16 AC17"),
    (Deceased, "MD07"),
    (NameMismatch, "BE01"),
    (PartyDetailsMissing, "BE04 BE07 BE10 BE11 BE16 BE17 RR01 RR02 RR03 RR12"),
    (ReferenceInvalid, "RR07 RR08 RR09"),
    (Duplicate, "AM05 DUPL RF01"),
    (RailMalfunction, "BE08"),
    (TechnicalError, "DS28"),
    (BankUnknown, "AC14 AGNT ED01 RC01 RC03 RC04 RC07 RC08 RC11"),
    (BankNotParticipating, "CNOR DNOR"),
    (MessageInvalid, "ERIN FF03 FF04 FF05 FF06 FF07 RR11"),
    (DateNotAccepted, "DT01 DT04"),
    (CutOffMissed, "TM01"),
    (SettlementFailed, "DC04 ED05"),
    (FraudSuspected, "EMVL FR01 PINL"),
    (Regulatory, "AM07 ED03 NOCM RR04 RR05 RR06"),
    (MandateInvalid, "FRTR MD01 MD02 MD05"),
    (Declined, "AG07"),
    (Cancelled, "CN01 SP01 SP02"),
    (CustomerRequested, "CUST"),
    (Recalled, "FOCR RUTA"),
    (Refunded, "MD06"),
    (Disputed, "SVNR"),
    (NotExpected, "BE05 UPAY"),
    (OriginalUnknown, "NOOR"),
    (AlreadyReturned, "ARDT"),
    (NoAnswer, "NOAS"),
    (InProgress, "G004"),
    (Unspecified, "MS02 MS03"),
    (Other, "CNPC DT02 NARR TRAC"),
];

#[rustfmt::skip]
static CANCELLATION: &[(Reason, &str)] = &[
    (AmountInvalid, "AM09"),
    (CurrencyNotAccepted, "CURR"),
    (AccountNumberInvalid, "AC02 AC03"),
    (PartyDetailsMissing, "BE16"),
    (Duplicate, "DRTP DUPL"),
    (TechnicalError, "TECH"),
    (BankUnknown, "AGNT"),
    (DateNotAccepted, "DT01"),
    (SettlementFailed, "COVR"),
    (FraudSuspected, "FRAD"),
    (NotAuthorised, "UAPA"),
    (MandateInvalid, "FRTR"),
    (Expired, "DS24"),
    (CustomerRequested, "CUST ENUE"),
    (Recalled, "CUTA"),
    (Refunded, "MD06"),
    (Disputed, "SVNR"),
    (NotExpected, "UPAY"),
    (Other, "BIAS ECAG FRNA INCR INDM MODT NARR NFNA PAID PPRC SYAD WNTB"),
];

// ARJT and RNPR are SEPA's additions to the set.
#[rustfmt::skip]
static CANCELLATION_REJECTION: &[(Reason, &str)] = &[
    (InsufficientFunds, "AM04"),
    (AccountClosed, "AC04"),
    (Regulatory, "LEGL RR04"),
    (Expired, "AEXR"),
    // Here CUST is the payee's decision, in a cancellation it is the payer's wish.
    (CustomerRefused, "CUST"),
    (OriginalUnknown, "NOOR RCNR URTP"),
    (AlreadyReturned, "ARDT ARJT"),
    (NoAnswer, "ADAC ARPL NOAS"),
    (InProgress, "PTNA"),
    (Other, "AACR ACLR AGNT ARFR ARJR IDMN NARR PATE RCAR RCPR RNPR RQDA WSEQ"),
];

/// Finds a code. The tables are short and the question is rare, so it reads them through.
pub(super) fn lookup(set: IsoSet, code: &str) -> Option<Reason> {
    let has = |row: &&(Reason, &str)| row.1.split(' ').any(|known| known == code);
    set.rows().iter().find(has).map(|row| row.0)
}

pub(super) fn codes(set: IsoSet, reason: Reason) -> impl Iterator<Item = &'static str> {
    let rows = set.rows().iter().filter(move |row| row.0 == reason);
    rows.flat_map(|row| row.1.split(' '))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_is_in_its_set_once() {
        for set in IsoSet::ALL {
            let mut seen = BTreeSet::new();
            for (reason, codes) in set.rows() {
                for code in codes.split(' ') {
                    assert_eq!(code.len(), 4, "{set:?} {reason}: {code:?}");
                    assert!(seen.insert(code), "{set:?}: {code} twice");
                }
            }
        }
    }
}
