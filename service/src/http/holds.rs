//! Holds: a promise of money between two accounts, placed, posted in full or in part, or voided.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, PlaceHold},
    currency::Currency,
    hold::{Hold, HoldState},
    id::Id,
    limits::HOLD_MS_MAX,
    money::{Amount, Money},
    plan::keys,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, IdempotencyKey, Json, Page, Paging, PathId, Problem,
    input::AccountRef,
    json::{MaybeJson, Nothing},
    page::{Verdict, newest_first},
    query::Query,
    reply::{reply, shown},
    wire::{HoldView, scalar},
};

/// The routes of holds.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(place, list))
        .routes(routes!(get))
        .routes(routes!(post))
        .routes(routes!(void))
}

/// A week, as most card authorisations stand.
const EXPIRES_IN_S_DEFAULT: u32 = 7 * 24 * 60 * 60;

/// A hold to place.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaceHold)]
struct PlaceBody {
    /// Who would pay.
    #[schema(value_type = scalar::AccountRef)]
    debtor: AccountRef,
    /// Who would be paid.
    #[schema(value_type = scalar::AccountRef)]
    creditor: AccountRef,
    #[schema(value_type = scalar::Amount)]
    amount: Amount,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    /// A week when absent, 30 days at the most.
    #[schema(minimum = 1, maximum = 2_592_000)]
    expires_in_seconds: Option<u32>,
}

/// Place a hold
///
/// The money is promised: the debtor cannot spend it otherwise until the hold is posted, voided
/// or expires.
#[utoipa::path(post, path = "/v1/holds", tag = "holds",
    request_body = PlaceBody,
    responses((status = 201, description = "The money is held.", body = HoldView)))]
async fn place(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: PlaceBody = body.parse()?;
    let seconds = request.expires_in_seconds.unwrap_or(EXPIRES_IN_S_DEFAULT);
    let expires_in_ms = u64::from(seconds) * 1000;
    if !(1..=HOLD_MS_MAX).contains(&expires_in_ms) {
        let detail = format!("expected 1 to {}", HOLD_MS_MAX / 1000);
        return Err(Problem::field("/expires_in_seconds", detail));
    }
    let tenant = call.tenant();
    let (debtor, creditor) = (
        request.debtor.resolve(tenant),
        request.creditor.resolve(tenant),
    );
    let host = &api.app().host;
    let act = Act::PlaceHold(PlaceHold {
        id: Id::new(host.now(), host.random()),
        debtor,
        creditor,
        money: Money {
            amount: request.amount,
            currency: request.currency,
        },
        expires_in_ms,
    });
    let wish = key.wish("holds.place", &request);
    let executed = api.execute(call, wish, act).await;
    let answer = executed.map_err(|problem| {
        let places = [
            ("/debtor", debtor.to_string()),
            ("/creditor", creditor.to_string()),
        ];
        problem.where_it_says(&places)
    })?;
    Ok(reply(answer))
}

/// Look a hold up
#[utoipa::path(get, path = "/v1/holds/{id}", tag = "holds",
    params(("id" = inline(scalar::HoldId), Path, description = "The hold.")),
    responses((status = 200, description = "The hold.", body = HoldView)))]
async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Hold>,
) -> Result<Response, Problem> {
    let found = api.app().value(&keys::hold(call.tenant(), id)).await?;
    let hold: Hold = found.ok_or(Problem::not_found())?;
    Ok(shown(&HoldView::of(&hold)))
}

/// Holds, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct HoldPage {
    data: Vec<HoldView>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List holds
#[utoipa::path(get, path = "/v1/holds", tag = "holds",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::HoldId>), Query, description = "`next_cursor` of the page before."),
        ("state" = inline(Option<String>), Query, description = "Only those that stand so.", pattern = "^(open|posted|voided|expired)$"),
    ),
    responses((status = 200, description = "A page.", body = HoldPage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let state = query.take_with("state", |text| match text {
        "open" => Ok(HoldState::Open),
        "posted" => Ok(HoldState::Posted),
        "voided" => Ok(HoldState::Voided),
        "expired" => Ok(HoldState::Expired),
        _ => Err("expected `open`, `posted`, `voided` or `expired`".to_owned()),
    })?;
    query.finish()?;
    let wanted = |hold: &Hold| match state {
        Some(state) if hold.state != state => Verdict::Skip,
        _ => Verdict::Keep,
    };
    let partition = keys::holds_list(call.tenant());
    let page = newest_first(&api, &partition, paging, wanted).await?;
    let page: Page<HoldView> = page.map(|hold| HoldView::of(&hold));
    Ok(shown(&page))
}

/// How much of a hold is posted.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostHold)]
struct PostBody {
    /// All of it when absent; what is not posted is released.
    #[schema(value_type = Option<scalar::Amount>)]
    amount: Option<Amount>,
}

/// Post a hold
///
/// The money moves, all of it or a part; the rest of the promise ends.
#[utoipa::path(post, path = "/v1/holds/{id}/post", tag = "holds",
    params(("id" = inline(scalar::HoldId), Path, description = "The hold.")),
    request_body(content = Option<PostBody>, description = "All of it, when absent."),
    responses((status = 200, description = "It is posted.", body = HoldView)))]
async fn post(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Hold>,
    key: IdempotencyKey,
    MaybeJson(body): MaybeJson,
) -> Result<Response, Problem> {
    let PostBody { amount } = body.parse()?;
    let wish = key.wish("holds.post", &(id, amount));
    let act = Act::PostHold(id, amount);
    Ok(reply(api.execute(call, wish, act).await?))
}

/// Void a hold
///
/// The promise ends and no money moves.
#[utoipa::path(post, path = "/v1/holds/{id}/void", tag = "holds",
    params(("id" = inline(scalar::HoldId), Path, description = "The hold.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It is voided.", body = HoldView)))]
async fn void(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Hold>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let wish = key.wish("holds.void", &id);
    let act = Act::VoidHold(id);
    Ok(reply(api.execute(call, wish, act).await?))
}
