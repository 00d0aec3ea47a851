//! What a charge has beside other payments, as it is shown.

use lombard_core::{
    charge::{Asked, Capture, Charge},
    lifecycle::Stage,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::MinorUnits;

/// What a charge has beside other payments. Its amount is what was authorised and, once it has
/// cleared, what was captured.
#[derive(Serialize, ToSchema)]
#[schema(as = Charge)]
pub struct ChargeView<'a> {
    /// The card: a token of the vault, or the provider's own.
    #[schema(max_length = 255)]
    token: &'a str,
    /// Through which provider it goes.
    #[schema(max_length = 64)]
    provider: &'a str,
    /// `automatic`, with the authorisation, or `manual`.
    #[schema(value_type = String, pattern = "^(automatic|manual)$")]
    capture: Capture,
    /// Whether the card's bank promises the money, and nothing was yet captured or let go of.
    authorised: bool,
    /// Minor units that were, or are to be, authorised.
    #[schema(value_type = MinorUnits)]
    authorised_amount: u64,
    /// Minor units that are to be captured, or were.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MinorUnits>, nullable = false)]
    capture_amount: Option<u64>,
    /// Minor units that are kept back from its receiver for disputes that have taken nothing yet.
    #[schema(value_type = MinorUnits)]
    reserved_amount: u64,
    /// Minor units that disputes have taken, won or lost, and not given back.
    #[schema(value_type = MinorUnits)]
    disputed_amount: u64,
}

impl<'a> ChargeView<'a> {
    /// The view of a charge at a stage.
    #[must_use]
    pub fn of(charge: &'a Charge, stage: Stage) -> Self {
        Self {
            token: &charge.token,
            provider: &charge.provider,
            capture: charge.capture,
            authorised: stage == Stage::Authorised,
            authorised_amount: charge.authorised.minor(),
            capture_amount: match charge.asked {
                Asked::Capture(amount) => Some(amount.minor()),
                Asked::Authorisation | Asked::Void => None,
            },
            reserved_amount: charge.reserved,
            disputed_amount: charge.disputed,
        }
    }
}
