//! Telling what became of a payment.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    id::Id,
    payment::Payment,
    store::{decode, encode},
};
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
        label::{self, Label, Source, Told},
        portfolio::Joining,
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
    /// When a claim followed, where the fraud was known before.
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_at: Option<Moment>,
}

impl LabelView {
    fn of(label: &Label) -> Self {
        Self {
            object: "risk_label",
            payment: label.payment,
            fraud: label.outcome.fraud,
            source: label.source,
            told_at: label.told_at.into(),
            delay_seconds: label.delay().as_secs(),
            claimed_at: label.claimed_at.map(Into::into),
        }
    }
}

/// Tell what became of a payment
///
/// A chargeback, a confirmed claim, an analyst's finding, a report, or that nobody complained. The
/// profiles of everybody whom the payment names learn it now, dated by the payment. A claim about a
/// Faster Payment opens a case with its clock (`app_claim`), also when the fraud was reported before.
/// That a payment was genuine holds until a weightier source says otherwise: silence weighs less than an analyst,
/// an analyst less than a report, and a report less than a claim or a chargeback. That it was fraud is never taken back.
/// Fraud that the payer did not authorise counts in the fraud rate of its instrument (`/v1/risk/fraud_rates`), in the same
/// commit; a payer who was deceived (`claim`) did authorise it.
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
    let by = call.caller().actor.to_string();
    let label = Label::new(&judged, request.fraud, request.source, app.host.now(), &by);
    let place = label::key(tenant, id);
    let joining = Joining::of(app, tenant, id).await?;
    let mut wanted = vec![place.clone()];
    wanted.extend(joining.iter().flat_map(Joining::keys));
    let note = call.note(&*app.host, "risk.label", id);
    let told = once(&api, tenant, &wish, &wanted, |read| {
        let known = read.get(&place);
        let known = known.map(|record| decode::<Label>(&record.body.bytes));
        let mut writes = read.checks();
        let shown = match label.clone().after(known) {
            Told::News(label) => {
                label.write(&mut writes, &judged);
                if let Some(joining) = &joining {
                    joining.write(read, &mut writes, &label, app.host.now());
                }
                audit::enter(&mut writes, &note);
                label
            }
            Told::Known(label) => label,
            Told::Opposite => {
                let detail = "the opposite was told of this payment before, and was learned";
                return Err(Problem::saying(ErrorCode::AlreadyExists, detail.into()));
            }
        };
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&LabelView::of(&shown)),
        })
    });
    let told = told.await?;
    // As it was claimed first: a claim's clock does not begin again.
    let known: Option<Label> = app.value(&place).await?;
    if let Some(case) = known.and_then(|known| claim::case(&judged, &known)) {
        exceptions::raise_once(app, case).await?;
    }
    Ok(reply(told))
}
