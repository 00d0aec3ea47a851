//! Mandates of machines that pay: given with a key of their own, looked at, ended.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    currency::Currency,
    id::Id,
    ledger::Account,
    mandate::{self, Mandate},
    money::{Amount, Money},
    rail::Rail,
    store::{decode, encode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    access::Access,
    http::{
        Api, Call, IdempotencyKey, Json, Page, PathId, Problem,
        input::Text,
        json::Nothing,
        once::{Decided, once},
        reply::{reply, shown, shown_once},
        wire::scalar::{self, Moment},
    },
    ports::{RANGE_MAX, Range},
    tenants::{self, Agent, KeyWish, Scope},
};

/// A mandate to give.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateMandate)]
pub struct CreateBody<'a> {
    /// Who gives it: an id of your own, not a name.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    human: Text<'a>,
    /// To which agent.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    agent: Text<'a>,
    /// From which account alone.
    #[schema(value_type = scalar::AccountId)]
    account: Id<Account>,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    /// The most of one payment.
    #[schema(value_type = scalar::Amount)]
    amount_each_max: Amount,
    /// The most of all payments together.
    #[schema(value_type = scalar::Amount)]
    amount_total_max: Amount,
    /// The most payments within a minute.
    #[schema(minimum = 1, maximum = 100_000)]
    per_minute_max: Option<u32>,
    /// Ids of accounts here, or fingerprints of accounts outside; all when empty.
    #[serde(default, borrow)]
    #[schema(inline, value_type = Vec<PayeeName>, required = false)]
    payees: Vec<Text<'a>>,
    /// All when empty.
    #[serde(default)]
    #[schema(value_type = Vec<scalar::RailName>, required = false)]
    rails: Vec<Rail>,
    /// How long it is good: at most a year.
    #[schema(minimum = 1, maximum = 31_622_400)]
    expires_in_seconds: u64,
}

/// An account's id, or the fingerprint of an account outside.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^(acc_[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-f]{64})$")]
#[allow(dead_code)] // Only described.
pub struct PayeeName(String);

/// A mandate, and what is left of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Mandate)]
struct MandateView<'a> {
    #[schema(value_type = scalar::MandateId)]
    id: Id<Mandate>,
    #[schema(max_length = 140)]
    human: &'a str,
    #[schema(max_length = 140)]
    agent: &'a str,
    #[schema(value_type = scalar::AccountId)]
    account: Id<Account>,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    #[schema(value_type = scalar::Amount)]
    amount_each_max: u64,
    #[schema(value_type = scalar::Amount)]
    amount_total_max: u64,
    /// What was spent of it.
    #[schema(value_type = scalar::MinorUnits)]
    spent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    per_minute_max: Option<u32>,
    #[schema(inline, value_type = Vec<PayeeName>)]
    payees: &'a [String],
    #[schema(value_type = Vec<scalar::RailName>)]
    rails: &'a [Rail],
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    #[schema(value_type = scalar::Time)]
    expires_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    revoked_at: Option<Moment>,
    /// The key to pay by; only in the answer that gives the mandate.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    key: Option<&'a str>,
}

impl<'a> MandateView<'a> {
    fn of(mandate: &'a Mandate, key: Option<&'a str>) -> Self {
        Self {
            id: mandate.id,
            human: &mandate.human,
            agent: &mandate.agent,
            account: mandate.account,
            currency: mandate.each.currency,
            amount_each_max: mandate.each.amount.minor(),
            amount_total_max: mandate.total,
            spent: mandate.spent,
            per_minute_max: mandate.per_minute,
            payees: &mandate.payees,
            rails: &mandate.rails,
            created_at: mandate.created_at.into(),
            expires_at: mandate.expires_at.into(),
            revoked_at: mandate.revoked_at.map(Moment),
            key,
        }
    }
}

/// Give a machine a mandate
///
/// With a key of its own, shown once, by which it can pay within the mandate and look at
/// payments, and nothing else. Its bounds hold however many pay at once. Needs the grant
/// `credentials`.
#[utoipa::path(post, path = "/v1/mandates", tag = "credentials", request_body = CreateBody,
    responses((status = 201, description = "It is good from now on.", body = MandateView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    const YEAR_S: u64 = 366 * 24 * 60 * 60;
    let request: CreateBody<'_> = json.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    if !(1..=YEAR_S).contains(&request.expires_in_seconds) {
        let detail = format!("expected 1 to {YEAR_S}");
        return Err(Problem::field("/expires_in_seconds", detail));
    }
    let account = lombard_core::plan::keys::account(tenant, request.account);
    if app.get(&account).await?.is_none() {
        return Err(Problem::not_found().named_in_body("/account"));
    }
    let wish = key.wish("mandates.create", &request);
    let now = app.host.now();
    let payee = |text: &Text<'_>| text.checked("/payees", 64).map(str::to_owned);
    let mandate = Mandate {
        id: Id::new(now, app.host.random()),
        human: request.human.checked("/human", 140)?.to_owned(),
        agent: request.agent.checked("/agent", 140)?.to_owned(),
        account: request.account,
        each: Money {
            amount: request.amount_each_max,
            currency: request.currency,
        },
        total: request.amount_total_max.minor(),
        per_minute: request.per_minute_max,
        payees: request.payees.iter().map(payee).collect::<Result<_, _>>()?,
        rails: request.rails.clone(),
        created_at: now,
        expires_at: now.plus_ms(request.expires_in_seconds * 1000),
        revoked_at: None,
        spent: 0,
        payments: 0,
        minute: (0, 0),
    };
    let access = Access {
        resources: vec!["payments".to_owned()],
        ..Access::of(Scope::Write)
    };
    call.may_hand_out(&access)?;
    let own = KeyWish {
        name: &mandate.agent,
        access,
        networks: Vec::new(),
        expires_at: Some(mandate.expires_at),
        agent: Some(Agent::of(&mandate)),
    };
    let (own, secret) = tenants::new_key(app, tenant, own).await?;
    let note = call.note(&*app.host, "mandate.create", mandate.id);
    let done = once(&api, tenant, &wish, &[], |read| {
        let mut writes = read.checks();
        writes.create(mandate::key(tenant, mandate.id), mandate.body(tenant));
        writes.create(own.key(), own.body());
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&MandateView::of(&mandate, None)),
        })
    })
    .await?;
    let shown = MandateView::of(&mandate, Some(secret.expose()));
    Ok(shown_once(done, &shown))
}

/// Mandates.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = MandatePage)]
struct MandatePage<'a> {
    data: Vec<MandateView<'a>>,
    /// Always false: the newest thousand are given.
    has_more: bool,
}

/// List mandates
///
/// Newest first, with what was spent of each.
#[utoipa::path(get, path = "/v1/mandates", tag = "credentials",
    responses((status = 200, description = "The newest thousand.", body = MandatePage)))]
pub async fn list(State(api): State<Api>, call: Call) -> Result<Response, Problem> {
    let range = Range::listed(&mandate::list(call.tenant()), RANGE_MAX).backwards();
    let found = api.app().store.range(&range).await?;
    let mandates: Vec<Mandate> = found
        .iter()
        .map(|found| decode(&found.record.body.bytes))
        .collect();
    let data: Vec<_> = mandates
        .iter()
        .map(|it| MandateView::of(it, None))
        .collect();
    Ok(shown(&Page::new(data, None::<String>)))
}

/// Look a mandate up
#[utoipa::path(get, path = "/v1/mandates/{id}", tag = "credentials",
    params(("id" = inline(scalar::MandateId), Path, description = "The mandate.")),
    responses((status = 200, description = "The mandate.", body = MandateView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Mandate>,
) -> Result<Response, Problem> {
    let found: Option<Mandate> = api.app().value(&mandate::key(call.tenant(), id)).await?;
    let mandate = found.ok_or(Problem::not_found())?;
    Ok(shown(&MandateView::of(&mandate, None)))
}

/// End a mandate
///
/// From this commit on nothing is paid under it: what is asked for is refused, and what waits
/// (for funds, a person, or its day) fails when it would go on.
#[utoipa::path(post, path = "/v1/mandates/{id}/revoke", tag = "credentials",
    params(("id" = inline(scalar::MandateId), Path, description = "The mandate.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It is ended.", body = MandateView)))]
pub async fn revoke(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Mandate>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let (app, tenant) = (api.app(), call.tenant());
    let now = app.host.now();
    let place = mandate::key(tenant, id);
    let wish = key.wish("mandates.revoke", &id);
    let note = call.note(&*app.host, "mandate.revoke", id);
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut mandate: Mandate = read.value(&place).ok_or(Problem::not_found())?;
        mandate.revoked_at.get_or_insert(now);
        let mut writes = read.checks();
        writes.update(&place, mandate.body(tenant));
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 200,
            body: encode(&MandateView::of(&mandate, None)),
        })
    })
    .await?;
    Ok(reply(done))
}
