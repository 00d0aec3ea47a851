//! What a payment found of its parties, as it is shown.

use lombard_core::{
    id::Id,
    party::{Check, Found, Outcome, Profile, Side, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::PartyId;

/// What was found of one side of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentParty)]
pub struct FoundView<'a> {
    #[schema(value_type = String, pattern = "^(debtor|creditor)$")]
    side: Side,
    /// Whose it is, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PartyId>, nullable = false)]
    party: Option<Id<Profile>>,
    /// How far it was known when the payment was last looked at.
    #[schema(value_type = String, pattern = "^(unknown|pending|verified|rejected|expired)$")]
    state: State,
    /// What that comes to: `pass`, `hold` or `refuse`.
    #[schema(value_type = String, pattern = "^(pass|hold|refuse)$")]
    outcome: Outcome,
    /// The rule that holds or refuses the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, nullable = false)]
    rule: Option<&'a str>,
}

impl<'a> FoundView<'a> {
    /// The sides that were asked for.
    pub fn all(check: Option<&'a Check>) -> Vec<Self> {
        let found = check.iter().flat_map(|check| &check.found);
        found.map(Self::of).collect()
    }

    fn of(found: &'a Found) -> Self {
        Self {
            side: found.side,
            party: found.party,
            state: found.state,
            outcome: found.outcome,
            rule: found.rule.as_deref(),
        }
    }
}
