//! The choice of a creditor as the OpenAPI document describes it; [`super::CreditorBody`] reads it.
#![allow(dead_code)] // Only described.

use utoipa::ToSchema;

use crate::http::{input::AccountRef, wire::scalar};

/// Who is paid: an account here, or somebody outside by IBAN, by sort code, or by a token.
#[derive(ToSchema)]
#[schema(as = Creditor)]
#[serde(untagged)]
pub enum CreditorChoice {
    Here(CreditorHere),
    Iban(CreditorByIban),
    Uk(CreditorBySortCode),
    Token(CreditorByToken),
}

/// An account here.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditorHere {
    #[schema(value_type = scalar::AccountRef)]
    account: AccountRef,
}

/// An account outside, by IBAN.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditorByIban {
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    name: String,
    /// In electronic form (ISO 13616).
    #[schema(
        pattern = "^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$",
        example = "DE89370400440532013000"
    )]
    iban: String,
}

/// An account outside, by UK sort code and account number.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditorBySortCode {
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    name: String,
    #[schema(
        pattern = "^([0-9]{6}|[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2} [0-9]{2} [0-9]{2})$",
        example = "20-00-00"
    )]
    sort_code: String,
    #[schema(pattern = "^[0-9]{8}$", example = "55779911")]
    account_number: String,
}

/// An account outside that the vault knows. Who pays never sees it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditorByToken {
    /// Of a bank account, that may be paid to (`payout`) so much.
    #[schema(value_type = scalar::TokenId)]
    token: String,
    /// The payee's name; the holder's when absent.
    #[schema(
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$",
        nullable = false
    )]
    name: Option<String>,
    /// For which merchant, where the token is for one alone.
    #[schema(
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$",
        nullable = false
    )]
    merchant: Option<String>,
}
