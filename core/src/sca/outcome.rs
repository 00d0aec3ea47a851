//! What others say of a payer or a payee, in our words: the result of 3-D Secure, and of the
//! checks of a payee's name.

use serde::{Deserialize, Serialize};

/// What becomes of a card payment after 3-D Secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreeDs {
    /// The cardholder was authenticated, or his bank stands in for it: go on.
    Authenticated,
    /// He is to be asked.
    Challenge,
    /// Go on if the merchant takes the risk: nobody else does.
    NoLiabilityShift,
    /// Do not authorise.
    Refused,
}

/// Reads `transStatus` of EMV 3-D Secure 2.x; `None` for what the specification does not have.
#[must_use]
pub fn three_ds(trans_status: &str) -> Option<ThreeDs> {
    Some(match trans_status {
        "Y" | "A" => ThreeDs::Authenticated,
        "C" | "D" | "S" => ThreeDs::Challenge,
        "U" | "I" => ThreeDs::NoLiabilityShift,
        "N" | "R" => ThreeDs::Refused,
        _ => return None,
    })
}

/// What a check of a payee's name found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayeeCheck {
    /// The name is the account's.
    Match,
    /// Nearly: the payer is shown the real name, and decides.
    CloseMatch,
    /// The name fits, the kind of account (business or personal) does not.
    OtherKind,
    /// It is another name.
    NoMatch,
    /// There is no such account, or it has moved.
    NoAccount,
    /// The other side does not say.
    NotPossible,
}

/// Whose check it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckScheme {
    /// The United Kingdom's Confirmation of Payee.
    Cop,
    /// The European Verification of Payee (Regulation (EU) 2024/886).
    Vop,
}

/// Reads a scheme's code; `None` for a code that it does not have. Confirmation of Payee says a
/// match by no code at all.
#[must_use]
pub fn payee_check(scheme: CheckScheme, code: Option<&str>) -> Option<PayeeCheck> {
    use PayeeCheck::{CloseMatch, Match, NoAccount, NoMatch, NotPossible, OtherKind};
    Some(match (scheme, code) {
        (CheckScheme::Cop, None) | (CheckScheme::Vop, Some("MTCH")) => Match,
        (CheckScheme::Cop, Some("MBAM" | "BAMM" | "PAMM")) | (CheckScheme::Vop, Some("CMTC")) => {
            CloseMatch
        }
        (CheckScheme::Cop, Some("BANM" | "PANM")) => OtherKind,
        (CheckScheme::Cop, Some("ANNM")) | (CheckScheme::Vop, Some("NMTC")) => NoMatch,
        (CheckScheme::Cop, Some("AC01" | "IVCR" | "CASS")) => NoAccount,
        (CheckScheme::Cop, Some("ACNS" | "OPTO" | "SCNS")) | (CheckScheme::Vop, Some("NOAP")) => {
            NotPossible
        }
        _ => return None,
    })
}

impl PayeeCheck {
    /// Whether the payment goes ahead without asking the payer again. No answer is no reason to
    /// hold a payment back: neither scheme allows it to be one.
    #[must_use]
    pub const fn goes_ahead(self) -> bool {
        matches!(self, Self::Match | Self::NotPossible)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_schemes_has_a_meaning() {
        for (code, meaning) in [
            ("Y", ThreeDs::Authenticated),
            ("A", ThreeDs::Authenticated),
            ("C", ThreeDs::Challenge),
            ("D", ThreeDs::Challenge),
            ("S", ThreeDs::Challenge),
            ("N", ThreeDs::Refused),
            ("R", ThreeDs::Refused),
            ("U", ThreeDs::NoLiabilityShift),
            ("I", ThreeDs::NoLiabilityShift),
        ] {
            assert_eq!(three_ds(code), Some(meaning), "{code}");
        }
        assert_eq!(three_ds("y"), None);
        for (code, meaning) in [
            (None, PayeeCheck::Match),
            (Some("MBAM"), PayeeCheck::CloseMatch),
            (Some("BANM"), PayeeCheck::OtherKind),
            (Some("PANM"), PayeeCheck::OtherKind),
            (Some("BAMM"), PayeeCheck::CloseMatch),
            (Some("PAMM"), PayeeCheck::CloseMatch),
            (Some("ANNM"), PayeeCheck::NoMatch),
            (Some("AC01"), PayeeCheck::NoAccount),
            (Some("IVCR"), PayeeCheck::NoAccount),
            (Some("CASS"), PayeeCheck::NoAccount),
            (Some("ACNS"), PayeeCheck::NotPossible),
            (Some("OPTO"), PayeeCheck::NotPossible),
            (Some("SCNS"), PayeeCheck::NotPossible),
        ] {
            assert_eq!(
                payee_check(CheckScheme::Cop, code),
                Some(meaning),
                "{code:?}"
            );
        }
        for (code, meaning, ahead) in [
            ("MTCH", PayeeCheck::Match, true),
            ("CMTC", PayeeCheck::CloseMatch, false),
            ("NMTC", PayeeCheck::NoMatch, false),
            ("NOAP", PayeeCheck::NotPossible, true),
        ] {
            let found = payee_check(CheckScheme::Vop, Some(code)).unwrap();
            assert_eq!((found, found.goes_ahead()), (meaning, ahead), "{code}");
        }
        assert_eq!(payee_check(CheckScheme::Vop, None), None);
    }
}
