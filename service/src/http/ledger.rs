//! The ledger: balanced transactions, of the tenant's own and of its payments.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, PostLegs},
    currency::Currency,
    id::Id,
    ledger::{Layer, Leg, Side, Transaction},
    limits::LEGS_MAX,
    money::{Amount, Money},
    plan::keys,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api, Call, IdempotencyKey, Json, Page, Paging, PathId, Problem,
    input::{AccountRef, Object},
    page::{Verdict, newest_first},
    query::Query,
    reply::{reply, shown},
    wire::{TransactionView, scalar},
};

/// The routes of the ledger.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(post, list))
        .routes(routes!(get))
}

/// A transaction to post.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostTransaction)]
struct PostBody {
    /// Debits and credits must be equal for each currency.
    #[schema(min_items = 2, max_items = 32)]
    #[schema(value_type = Vec<LegBody>)]
    legs: Vec<Object<LegBody>>,
}

/// One line of it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostLeg)]
struct LegBody {
    #[schema(value_type = scalar::AccountRef)]
    account: AccountRef,
    #[schema(value_type = scalar::SideName)]
    side: Side,
    #[schema(value_type = scalar::Amount)]
    amount: Amount,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
}

/// Post a transaction
///
/// Any number of legs, balanced for each currency, posted at once or not at all. To fund an
/// account, debit a house account such as `fps/settlement/GBP` and credit the account.
#[utoipa::path(post, path = "/v1/ledger", tag = "ledger",
    request_body = PostBody,
    responses((status = 201, description = "It is posted.", body = TransactionView)))]
async fn post(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: PostBody = body.parse()?;
    if !(2..=LEGS_MAX).contains(&request.legs.len()) {
        let detail = format!(
            "expected 2 to {LEGS_MAX} legs, found {}",
            request.legs.len()
        );
        return Err(Problem::field("/legs", detail));
    }
    let tenant = call.tenant();
    let leg = |leg: &Object<LegBody>| Leg {
        account: leg.account.resolve(tenant),
        side: leg.side,
        layer: Layer::Posted,
        money: Money {
            amount: leg.amount,
            currency: leg.currency,
        },
    };
    let legs: Vec<Leg> = request.legs.iter().map(leg).collect();
    let accounts: Vec<_> = legs.iter().map(|leg| leg.account).collect();
    let host = &api.app().host;
    let id = Id::new(host.now(), host.random());
    let wish = key.wish("ledger.post", &request);
    let act = Act::PostLegs(PostLegs { id, legs });
    let executed = api.execute(call, wish, act).await;
    let answer = executed.map_err(|problem| {
        let numbered = accounts.iter().enumerate();
        let places: Vec<_> = numbered
            .map(|(number, id)| (format!("/legs/{number}/account"), id.to_string()))
            .collect();
        problem.where_it_says(&places)
    })?;
    Ok(reply(answer))
}

/// Look a transaction up
#[utoipa::path(get, path = "/v1/ledger/{id}", tag = "ledger",
    params(("id" = inline(scalar::TransactionId), Path, description = "The transaction.")),
    responses((status = 200, description = "The transaction.", body = TransactionView)))]
async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Transaction>,
) -> Result<Response, Problem> {
    let found = api
        .app()
        .value(&keys::transaction(call.tenant(), id))
        .await?;
    let transaction: Transaction = found.ok_or(Problem::not_found())?;
    Ok(shown(&TransactionView::of(&transaction)))
}

/// Transactions, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct TransactionPage<'a> {
    data: Vec<TransactionView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// List transactions
#[utoipa::path(get, path = "/v1/ledger", tag = "ledger",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::TransactionId>), Query, description = "`next_cursor` of the page before."),
        ("payment" = inline(Option<scalar::PaymentId>), Query, description = "Only those of this payment."),
    ),
    responses((status = 200, description = "A page.", body = TransactionPage)))]
async fn list(State(api): State<Api>, call: Call, mut query: Query) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let payment = query.take("payment")?;
    query.finish()?;
    let wanted = |transaction: &Transaction| {
        if payment.is_none() || transaction.payment == payment {
            Verdict::Keep
        } else {
            Verdict::Skip
        }
    };
    let partition = keys::ledger_list(call.tenant());
    let page = newest_first(&api, &partition, paging, wanted).await?;
    let data: Vec<_> = page.data.iter().map(TransactionView::of).collect();
    Ok(shown(&Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}
