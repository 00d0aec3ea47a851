//! By what right a payment is made, as it is shown: the payer's authentication, a machine's
//! mandate, a second person's approval.

use lombard_core::{
    id::Id,
    mandate::{Agency, Mandate},
    payment::Approval,
    sca::{OutOfScope, Outcome, State, WhyNot, challenge::TRIES_MAX},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::scalar::{MandateId, Moment, Time};

/// Whether the payer must authenticate, and why (not).
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentAuthentication)]
pub struct ScaView {
    #[schema(pattern = "^(required|exempt|out_of_scope)$")]
    outcome: &'static str,
    /// The article of the RTS that exempts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 11, maximum = 18, nullable = false)]
    article: Option<u8>,
    /// Why the rules do not ask for authentication at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^[a-z_]{1,40}$", nullable = false)]
    because: Option<OutOfScope>,
    /// The exemptions that were weighed and did not apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    tried: Vec<TriedView>,
    /// The fraud rate that was held against the reference of Art. 18, where it came to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    fraud_rate: Option<WeighedView>,
    /// Since when the rules that were applied are in force.
    #[schema(value_type = Time)]
    rules_from: Moment,
    /// When the payer authenticated for this payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    authenticated_at: Option<Moment>,
    /// What he is being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    challenge: Option<ChallengeView>,
}

/// A fraud rate and its reference.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentFraudRate)]
struct WeighedView {
    /// What was paid in the last 90 days with the instrument, in minor units.
    #[schema(minimum = 0)]
    total: u64,
    /// What of that was fraud, in minor units.
    #[schema(minimum = 0)]
    fraud: u64,
    /// The reference rate of the amount's band, in parts per million.
    #[schema(maximum = 1_000_000)]
    reference_ppm: u32,
    /// Up to which amount the band goes, in minor units.
    #[schema(minimum = 0)]
    band_max: u64,
}

/// An exemption that did not apply.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentExemptionTried)]
struct TriedView {
    #[schema(minimum = 11, maximum = 18)]
    article: u8,
    /// Why it did not.
    #[schema(value_type = String, pattern = "^[a-z_]{1,40}$")]
    why: WhyNot,
}

/// A question to the payer, bound to amount and payee.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentChallenge)]
struct ChallengeView {
    /// What the answer must name: it follows from payment, amount and payee.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    linked: String,
    #[schema(value_type = Time)]
    expires_at: Moment,
    #[schema(minimum = 0, maximum = 5)]
    tries_left: u32,
}

impl ScaView {
    /// The view of a decision.
    pub fn of(state: &State) -> Self {
        let (outcome, article, because) = match state.decision.outcome {
            Outcome::Required => ("required", None, None),
            Outcome::Exempt { by } => ("exempt", Some(by.article()), None),
            Outcome::OutOfScope { because } => ("out_of_scope", None, Some(because)),
        };
        let tried = state.decision.tried.iter();
        Self {
            outcome,
            article,
            because,
            tried: tried
                .map(|(article, why)| TriedView {
                    article: *article,
                    why: *why,
                })
                .collect(),
            fraud_rate: state.decision.weighed.map(|weighed| WeighedView {
                total: weighed.rate.total,
                fraud: weighed.rate.fraud,
                reference_ppm: weighed.reference_ppm,
                band_max: weighed.amount,
            }),
            rules_from: state.decision.rules_from.into(),
            authenticated_at: state.authenticated_at.map(Moment),
            challenge: state.challenge.as_ref().map(|challenge| ChallengeView {
                linked: challenge.binding.into(),
                expires_at: challenge.until.into(),
                tries_left: TRIES_MAX.saturating_sub(challenge.wrong),
            }),
        }
    }
}

/// By whom a payment was made, where a machine made it. The transaction is the payment itself.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentAgency)]
pub struct AgencyView<'a> {
    #[schema(value_type = MandateId)]
    mandate: Id<Mandate>,
    /// Who gave the mandate.
    #[schema(max_length = 140)]
    human: &'a str,
    /// By which credential it was asked.
    #[schema(max_length = 200)]
    workload: &'a str,
    /// For which agent.
    #[schema(max_length = 140)]
    agent: &'a str,
}

impl<'a> AgencyView<'a> {
    /// The view of an agency.
    pub fn of(agency: &'a Agency) -> Self {
        Self {
            mandate: agency.mandate,
            human: &agency.human,
            workload: &agency.workload,
            agent: &agency.agent,
        }
    }
}

/// Two people for one payment.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentApproval)]
pub struct ApprovalView<'a> {
    /// Who ordered it.
    #[schema(max_length = 200)]
    maker: &'a str,
    /// Who approved it, once somebody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    approver: Option<&'a str>,
}

impl<'a> ApprovalView<'a> {
    /// The view of an approval.
    pub fn of(approval: &'a Approval) -> Self {
        Self {
            maker: &approval.maker,
            approver: approval.approver.as_deref(),
        }
    }
}
