//! Account identifiers: IBAN, BIC, and UK sort codes with account numbers.
//!
//! **Shape.** Each identifier is a small `Copy` type that can only hold a well-formed value:
//! [`Iban`], [`Bic`], [`uk::UkAccount`]. Parsing is strict, as a border wants it: electronic form, upper
//! case, nothing around it. Where a person types, [`Iban::read`] takes the printed form and says what
//! it changed. The `check_*` functions answer what `lombard check` prints.
//!
//! **What a check can know.** A right check digit says that nobody mistyped; it does not say that
//! the account exists. A bank may refuse an IBAN that is valid here, and that is the rail's answer.
//!
//! **Personal data.** An account number identifies a person. `Debug` masks it, so that it does not
//! reach a log by accident; `Display` writes it in full, for messages and for the vault.

pub mod bic;
mod country;
pub mod iban;
pub mod uk;

use serde::Serialize;

pub use bic::{Bic, check_bic};
pub use iban::{Iban, check_iban};
pub use uk::check_uk_account;

/// The verdict on an identifier, as `lombard check … --json` prints it.
///
/// `valid` says whether it may be used. `checked` says whether the verdict rests on a check: a UK
/// sort code that the weight table does not have is valid and not checked, as the standard asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// May the identifier be used?
    pub valid: bool,
    /// Could it be checked at all?
    pub checked: bool,
    /// A stable code for what is wrong or remarkable; none if there is nothing to say.
    pub reason: Option<&'static str>,
    /// The same as a sentence.
    pub detail: Option<String>,
}

impl Check {
    /// Valid, checked, nothing to say.
    #[must_use]
    pub fn passed() -> Self {
        Self {
            valid: true,
            checked: true,
            reason: None,
            detail: None,
        }
    }

    /// Valid, with a remark; `checked` says whether a check stands behind it.
    #[must_use]
    pub fn remarked(checked: bool, reason: &'static str, detail: impl ToString) -> Self {
        Self {
            checked,
            reason: Some(reason),
            detail: Some(detail.to_string()),
            ..Self::passed()
        }
    }

    /// Not valid.
    #[must_use]
    pub fn failed(reason: &'static str, detail: impl ToString) -> Self {
        Self {
            valid: false,
            ..Self::remarked(true, reason, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_prints_what_scripts_read() {
        let json = serde_json::to_value(check_iban("GB82WEST12345698765432")).expect("JSON");
        assert_eq!(
            json,
            serde_json::json!({"valid": true, "checked": true, "reason": null, "detail": null})
        );
        let json = serde_json::to_value(check_iban("GB83WEST12345698765432")).expect("JSON");
        assert_eq!(json["valid"], false);
        assert_eq!(json["checked"], true);
        assert_eq!(json["reason"], "check_digits");
    }
}
