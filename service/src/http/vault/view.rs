//! Tokens as the API shows them.

use lombard_core::id::Id;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    http::wire::scalar::{self, Moment},
    vault::tokens::{Kind, Operation, Scope, Shown, Token},
};

/// A token, and what may be shown of what it stands for.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenView<'a> {
    #[schema(value_type = scalar::TokenId)]
    id: Id<Token>,
    /// What it stands for.
    #[serde(rename = "type")]
    #[schema(inline, value_type = String, pattern = "^(card|bank_account|person)$")]
    kind: Kind,
    /// Whom it is about.
    #[schema(value_type = scalar::SubjectId)]
    subject: Id<crate::vault::Subject>,
    /// True once the subject was erased: nothing can be shown or used any more.
    erased: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[a-z]{3,20}$", nullable = false)]
    brand: Option<&'static str>,
    /// A card's first eight digits, or six of a number of fewer than sixteen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{6,8}$", nullable = false)]
    bin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9A-Z]{4}$", nullable = false)]
    last4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 12, nullable = false)]
    exp_month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1000, maximum = 9999, nullable = false)]
    exp_year: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$", nullable = false)]
    country: Option<&'a str>,
    /// Which members a person's data has.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(inline, value_type = Vec<FieldName>, required = false)]
    fields: &'a [String],
    /// Keyed hash: the same thing gives the same text within a tenant, and nothing can be looked
    /// up by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9a-f]{64}$", nullable = false)]
    fingerprint: Option<&'a str>,
    scope: ScopeView<'a>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
}

/// A member of a person's data.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[a-z_]{3,20}$")]
#[allow(dead_code)] // Only described.
pub struct FieldName(String);

/// What a token may be used for. What is absent is not restricted.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenScope)]
pub struct ScopeView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, nullable = false)]
    merchant: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Operation]>::is_empty")]
    #[schema(inline, value_type = Vec<OperationName>, required = false)]
    operations: &'a [Operation],
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Amount>, nullable = false)]
    amount_max: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::CurrencyCode>, nullable = false)]
    currency: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    expires_at: Option<Moment>,
}

/// What can be done with a token.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^(charge|payout|refund|read)$")]
#[allow(dead_code)] // Only described.
pub struct OperationName(String);

impl<'a> ScopeView<'a> {
    fn of(scope: &'a Scope) -> Self {
        Self {
            merchant: scope.merchant.as_deref(),
            operations: &scope.operations,
            amount_max: scope.amount_max.map(|money| money.amount.minor()),
            currency: scope.amount_max.map(|money| money.currency.code()),
            expires_at: scope.expires_at.map(Moment),
        }
    }
}

impl<'a> TokenView<'a> {
    /// A token, with what may be shown of it; `None` when its subject was erased.
    pub fn of(token: &'a Token, shown: Option<&'a Shown>) -> Self {
        Self {
            id: token.id,
            kind: token.kind,
            subject: token.subject,
            erased: shown.is_none(),
            brand: shown.and_then(|shown| Some(shown.brand?.name())),
            bin: shown.and_then(|shown| shown.bin.as_deref()),
            last4: shown.and_then(|shown| shown.last4.as_deref()),
            exp_month: shown.and_then(|shown| shown.exp_month),
            exp_year: shown.and_then(|shown| shown.exp_year),
            country: shown.and_then(|shown| shown.country.as_deref()),
            fields: shown.map_or(&[], |shown| &shown.fields),
            fingerprint: shown.map(|shown| shown.fingerprint.as_str()),
            scope: ScopeView::of(&token.scope),
            created_at: token.created_at.into(),
        }
    }
}
