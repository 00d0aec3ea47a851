//! Telling what became of a payment.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    id::Id,
    payment::Payment,
    store::{Body, decode, encode},
    time::Timestamp,
};
use lombard_risk::features::Outcome;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decided;
use crate::{
    exceptions,
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        once::{Decided, once},
        reply::reply,
        wire::{Moment, scalar},
    },
    risk::{
        claim,
        label::{self, Label, Source},
    },
};

/// What became of a payment.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TellLabel)]
struct LabelBody {
    #[schema(value_type = scalar::PaymentId)]
    payment: Id<Payment>,
    /// Whether it was fraud.
    fraud: bool,
    /// Who says so: `chargeback`, `claim` (authorised push payment fraud, confirmed), `analyst`,
    /// `report`, or `silence` when nobody complained in time.
    #[schema(value_type = String, pattern = "^(chargeback|claim|analyst|report|silence)$")]
    source: Source,
}

/// What is known of a payment.
#[derive(Serialize, ToSchema)]
#[schema(as = RiskLabel)]
struct LabelView {
    /// `risk_label`.
    #[schema(pattern = "^risk_label$")]
    object: &'static str,
    #[schema(value_type = scalar::PaymentId)]
    payment: Id<Payment>,
    fraud: bool,
    #[schema(value_type = String, pattern = "^(chargeback|claim|analyst|report|silence)$")]
    source: Source,
    /// When it was told.
    #[schema(value_type = scalar::Time)]
    told_at: Moment,
    /// How many seconds after the payment that was.
    delay_seconds: u64,
}

impl LabelView {
    fn of(label: &Label) -> Self {
        Self {
            object: "risk_label",
            payment: label.payment,
            fraud: label.outcome.fraud,
            source: label.source,
            told_at: label.told_at.into(),
            delay_seconds: delay(label.outcome.event.at, label.told_at),
        }
    }
}

fn delay(paid: Timestamp, told: Timestamp) -> u64 {
    told.unix_ms().saturating_sub(paid.unix_ms()) / 1000
}

/// Tell what became of a payment
///
/// A chargeback, a confirmed claim, an analyst's finding, a report, or that nobody complained. The
/// profiles of everybody whom the payment names learn it now, dated by the payment. A claim about a
/// Faster Payment opens a case with its clock (`app_claim`). It is told
/// once: told again otherwise it is refused.
#[utoipa::path(post, path = "/v1/risk/labels", tag = "risk", request_body = LabelBody,
    responses((status = 201, description = "It is known from now on.", body = LabelView)))]
pub async fn tell(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: LabelBody = body.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    let wish = key.wish("risk.labels", &request);
    let id = request.payment;
    let judged = decided(&api, &call, id).await;
    let (_, judged) = judged.map_err(|problem| problem.named_in_body("/payment"))?;
    let times_typical = judged.times_typical();
    let event = judged.event.clone();
    let label = Label {
        payment: id,
        source: request.source,
        told_at: app.host.now(),
        by: call.caller().actor.to_string(),
        outcome: Outcome {
            event,
            fraud: request.fraud,
            times_typical,
        },
    };
    let place = label::key(tenant, id);
    let note = call.note(&*app.host, "risk.label", id);
    let told = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let known = read.get(&place);
        let known = known.map(|record| decode::<Label>(&record.body.bytes));
        let mut writes = read.checks();
        let shown = match known {
            None => {
                writes.create(place.clone(), Body::of(&label));
                audit::enter(&mut writes, &note);
                if label.outcome.fraud && label.source == Source::Claim {
                    claim::start(&mut writes, &judged, &label);
                }
                LabelView::of(&label)
            }
            Some(known) if known.outcome.fraud == request.fraud => LabelView::of(&known),
            Some(_) => {
                let detail = "the opposite was told of this payment before, and was learned";
                return Err(Problem::saying(ErrorCode::AlreadyExists, detail.into()));
            }
        };
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&shown),
        })
    });
    let told = told.await?;
    // As it was told first: a claim's clock does not begin again.
    let known: Option<Label> = app.value(&place).await?;
    let claimed = known.filter(|known| known.outcome.fraud && known.source == Source::Claim);
    if let Some(case) = claimed.and_then(|known| claim::case(&judged, &known)) {
        exceptions::raise_once(app, case).await?;
    }
    Ok(reply(told))
}
