//! A payment as it is shown.

use std::collections::BTreeMap;

use lombard_core::{
    currency::Currency,
    id::Id,
    ledger::{Account, AliasScheme},
    lifecycle::{Pending, Stage, Status},
    payment::{
        AskedBy, Batch, Direction, External, Kind, OnInsufficientFunds, Party, Payment, Recall,
        RecallState, Warning,
    },
    rail::Rail,
    reason::{Reason, Retry},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::charge::ChargeView;
use super::party::FoundView;
use super::sca::{AgencyView, ApprovalView, ScaView};
use super::scalar::{
    self, AccountId, AddressScheme, BatchId, CurrencyCode, Metadata, Moment, PaymentId,
    PendingName, RailName, ReasonCode, StatusName, Time, TraceId,
};

/// A payment, or the return of one.
#[derive(Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentView<'a> {
    /// Names it.
    #[schema(value_type = PaymentId)]
    id: Id<Payment>,
    /// `payment`.
    #[schema(pattern = "^payment$")]
    object: &'static str,
    /// `credit_transfer`, `return` of an earlier payment's money, or `charge` of a card.
    #[schema(value_type = String, pattern = "^(credit_transfer|return|charge)$")]
    kind: Kind,
    /// `out` to somebody outside, `in` from outside, or `internal` between two accounts here.
    #[schema(value_type = String, pattern = "^(out|in|internal)$")]
    direction: Direction,
    #[schema(value_type = RailName)]
    rail: Rail,
    #[schema(value_type = scalar::Amount)]
    amount: u64,
    #[schema(value_type = CurrencyCode)]
    currency: Currency,
    #[schema(value_type = StatusName)]
    status: Status,
    /// What it waits for; absent once its outcome is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PendingName>, nullable = false)]
    pending: Option<Pending>,
    /// The rail did not answer in time: money may have moved, and we are asking.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    in_doubt: bool,
    debtor: PartyView<'a>,
    creditor: PartyView<'a>,
    /// The id that travels unchanged from debtor to creditor.
    #[schema(max_length = 35)]
    end_to_end_id: &'a str,
    /// Why it failed, was reversed, or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ReasonCode>, nullable = false)]
    reason: Option<Reason>,
    /// The rail's own code behind `reason`, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    reason_code: Option<&'a str>,
    /// Whether a machine may send it again for that reason: `never`; `after_enquiry`, once the rail has said what
    /// became of it; or `later`, since it certainly never left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, pattern = "^(never|after_enquiry|later)$")]
    retry: Option<Retry>,
    /// What happens when the debtor's account lacks the money.
    #[schema(value_type = String, pattern = "^(fail|wait)$")]
    on_insufficient_funds: OnInsufficientFunds,
    /// Minor units that came or went back for good.
    #[schema(value_type = scalar::MinorUnits)]
    returned_amount: u64,
    /// Minor units that are on their way back.
    #[schema(value_type = scalar::MinorUnits)]
    returning_amount: u64,
    /// Of a return: the payment whose money it brings back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PaymentId>, nullable = false)]
    original: Option<Id<Payment>>,
    /// Of a charge: the card, the provider, and how far it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    charge: Option<ChargeView<'a>>,
    /// A request to give the money back, and what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    recall: Option<RecallView<'a>>,
    /// By whom it was made, where a machine made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    agency: Option<AgencyView<'a>>,
    /// Who ordered it and who approved it, where it takes two.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approval: Option<ApprovalView<'a>>,
    /// Whether the payer must authenticate, and why (not).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    authentication: Option<ScaView>,
    /// What its parties' state came to, where a rule asks for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 2)]
    parties: Vec<FoundView<'a>>,
    /// The batch that it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BatchId>, nullable = false)]
    batch: Option<Id<Batch>>,
    /// The rail's own reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 140)]
    rail_reference: Option<&'a str>,
    /// What of its texts the rail does not carry as they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<WarningView<'a>>,
    /// Your own references.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Metadata, required = false)]
    metadata: &'a BTreeMap<String, String>,
    #[schema(value_type = Time)]
    created_at: Moment,
    #[schema(value_type = Time)]
    updated_at: Moment,
    /// When it first left for the rail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    submitted_at: Option<Moment>,
    /// When it is carried out, if that was later than when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    execute_at: Option<Moment>,
    /// When it fails if it still waits for funds or verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Time>, nullable = false)]
    expires_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TraceId>, nullable = false)]
    trace_id: Option<&'a str>,
}

impl<'a> PaymentView<'a> {
    /// The view of a payment.
    #[must_use]
    pub fn of(payment: &'a Payment) -> Self {
        let waits = matches!(payment.stage, Stage::Verifying | Stage::AwaitingFunds);
        Self {
            id: payment.id,
            object: "payment",
            kind: payment.kind,
            direction: payment.direction,
            rail: payment.rail,
            amount: payment.money.amount.minor(),
            currency: payment.money.currency,
            status: payment.stage.status(),
            pending: payment.stage.pending(),
            in_doubt: payment.stage == Stage::InDoubt,
            debtor: PartyView::of(&payment.debtor),
            creditor: PartyView::of(&payment.creditor),
            end_to_end_id: &payment.end_to_end_id,
            reason: payment.reason,
            retry: payment.reason.map(Reason::retry),
            reason_code: payment.reason_code.as_deref(),
            on_insufficient_funds: payment.on_insufficient_funds,
            returned_amount: payment.returned,
            returning_amount: payment.returning,
            original: payment.original,
            charge: payment
                .charge
                .as_deref()
                .map(|it| ChargeView::of(it, payment.stage)),
            recall: payment.recall.as_ref().map(RecallView::of),
            warnings: payment.warnings.iter().map(WarningView::of).collect(),
            agency: payment.agency.as_ref().map(AgencyView::of),
            approval: payment.approval.as_ref().map(ApprovalView::of),
            authentication: payment.sca.as_deref().map(ScaView::of),
            parties: FoundView::all(payment.parties.as_deref()),
            batch: payment.batch,
            rail_reference: payment.attempt.rail_reference.as_deref(),
            metadata: &payment.metadata,
            created_at: payment.created_at.into(),
            updated_at: payment.updated_at.into(),
            submitted_at: payment.attempt.submitted_at.map(Moment),
            execute_at: payment.execute_at.map(Moment),
            expires_at: payment.expires_at.filter(|_| waits).map(Moment),
            trace_id: payment.trace.as_deref(),
        }
    }
}

/// One side of a payment.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Party)]
pub enum PartyView<'a> {
    /// An account here.
    Account {
        /// Which.
        #[schema(value_type = AccountId)]
        account: Id<Account>,
    },
    /// An account elsewhere, of which this much may be shown to everybody.
    External {
        /// How it is addressed.
        #[schema(value_type = AddressScheme)]
        scheme: AliasScheme,
        /// ISO 3166 code of the account's country.
        #[schema(pattern = "^[A-Z]{2}$")]
        country: &'a str,
        /// The last four characters of the account number.
        #[schema(pattern = "^[0-9A-Z]{1,4}$")]
        last4: &'a str,
        /// The same account has the same fingerprint.
        #[schema(pattern = "^[0-9a-f]{64}$")]
        fingerprint: &'a str,
    },
}

impl<'a> PartyView<'a> {
    /// The view of a side.
    #[must_use]
    pub fn of(party: &'a Party) -> Self {
        match party {
            Party::Account(account) => Self::Account { account: *account },
            Party::External(External {
                scheme,
                country,
                last4,
                fingerprint,
            }) => Self::External {
                scheme: *scheme,
                country,
                last4,
                fingerprint,
            },
        }
    }
}

/// A text that goes out otherwise than it was given, or not at all.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentWarning)]
pub struct WarningView<'a> {
    /// Such as `cut` or `respelled`; `not_carried` for what has no place on the rail.
    #[schema(max_length = 40)]
    rule: &'a str,
    /// The member of the request, such as `/reference`.
    #[schema(max_length = 40)]
    field: &'a str,
}

impl<'a> WarningView<'a> {
    fn of(warning: &'a Warning) -> Self {
        Self {
            rule: &warning.rule,
            field: &warning.field,
        }
    }
}

/// A request to give the money back.
#[derive(Serialize, ToSchema)]
#[schema(as = Recall)]
pub struct RecallView<'a> {
    /// Whose wish it is: `us`, or `them`, the other bank.
    #[schema(value_type = String, pattern = "^(us|them)$")]
    asked_by: AskedBy,
    #[schema(value_type = ReasonCode)]
    reason: Reason,
    /// The asker's code behind `reason`.
    #[schema(max_length = 100)]
    reason_code: &'a str,
    /// The case under which both sides know it.
    #[schema(max_length = 140)]
    case: &'a str,
    /// `asked`, `granted` or `refused`.
    #[schema(value_type = String, pattern = "^(asked|granted|refused)$")]
    state: RecallState,
    #[schema(value_type = Time)]
    asked_at: Moment,
    /// From when on an answer is overdue, by the rail's scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Time, nullable = false)]
    answer_by: Option<Moment>,
    /// Why it was refused, as the answerer says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 100)]
    refusal_code: Option<&'a str>,
}

impl<'a> RecallView<'a> {
    fn of(recall: &'a Recall) -> Self {
        Self {
            asked_by: recall.asked_by,
            reason: recall.reason,
            reason_code: &recall.reason_code,
            case: &recall.case,
            state: recall.state,
            asked_at: recall.asked_at.into(),
            answer_by: recall.answer_by.map(Into::into),
            refusal_code: recall.refusal_code.as_deref(),
        }
    }
}
