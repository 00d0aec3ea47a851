//! Looking at accounts: one, now or as of a moment, and the list.

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    ledger::{Account, Balance, Rollup},
    limits::NAME_MAX,
    plan::keys,
    store::{decode, encode},
};
use utoipa::ToSchema;

use crate::http::{
    Api, Call, Page, Paging, Problem,
    call::PathOf,
    input::AccountRef,
    page::{Verdict, newest_first},
    query::Query,
    reply::{body, shown},
    wire::{AccountView, scalar},
};

use super::entries::balance_as_of;

/// Accounts, newest first.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
struct AccountPage<'a> {
    data: Vec<AccountView<'a>>,
    /// Whether there may be more after them.
    has_more: bool,
    /// Where to go on.
    #[schema(nullable = false, max_length = 100)]
    next_cursor: Option<String>,
}

/// Look an account up
///
/// With its balance now, or as of a moment: what it was after the last entry made then or before.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "accounts",
    params(("id" = inline(scalar::AccountRef), Path, description = "The account."),
           ("at" = inline(Option<scalar::Time>), Query, description = "As of this moment.")),
    responses((status = 200, description = "The account.", body = AccountView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathOf(account): PathOf<AccountRef>,
    mut query: Query,
) -> Result<Response, Problem> {
    let at = query.take_with("at", super::entries::moment)?;
    query.finish()?;
    let id = account.resolve(call.tenant());
    let (account, mut balance) = find(&api, &call, id).await?;
    if let Some(at) = at {
        balance = balance_as_of(&api, call.tenant(), &account, balance, at).await?;
    }
    Ok(shown(&AccountView::of(&account, &balance)))
}

/// The caller's account of an id, and where it stands.
pub async fn find(api: &Api, call: &Call, id: Id<Account>) -> Result<(Account, Balance), Problem> {
    let tenant = call.tenant();
    let both = [keys::account(tenant, id), keys::balance(tenant, id)];
    let mut found = api.app().store.get(&both).await?.into_iter();
    let account = found.next().flatten().ok_or(Problem::not_found())?;
    let account: Account = decode(&account.body.bytes);
    let balance = found.next().flatten();
    // A house account has no balance before its first entry is rolled up.
    let balance = balance.map_or_else(
        || Balance::opening(account.id, account.currency, account.created_at),
        |record| decode(&record.body.bytes),
    );
    Ok((account, balance))
}

/// List accounts
///
/// House accounts of the chart are listed last.
#[utoipa::path(get, path = "/v1/accounts", tag = "accounts",
    params(
        ("limit" = inline(Option<u32>), Query, description = "How many at the most; 25 when absent.", minimum = 1, maximum = 100),
        ("cursor" = inline(Option<scalar::AccountId>), Query, description = "`next_cursor` of the page before."),
        ("kind" = inline(Option<String>), Query, description = "Only `constrained` or only `house` ones.", pattern = "^(constrained|house)$"),
        ("name" = inline(Option<String>), Query, description = "Only those of this name, such as `fps/settlement/GBP`.", min_length = 1, max_length = 140),
    ),
    responses((status = 200, description = "A page.", body = AccountPage)))]
pub async fn list(
    State(api): State<Api>,
    call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let paging = Paging::of(&mut query)?;
    let kind = query.take_with("kind", |text| match text {
        "constrained" => Ok(Rollup::Constrained),
        "house" => Ok(Rollup::House),
        _ => Err("expected `constrained` or `house`".to_owned()),
    })?;
    let name = query.take_text("name", NAME_MAX)?;
    query.finish()?;
    let wanted = |account: &Account| {
        let wanted = kind.is_none_or(|kind| account.id.rollup() == kind)
            && name.as_ref().is_none_or(|name| account.name == *name);
        if wanted { Verdict::Keep } else { Verdict::Skip }
    };
    let partition = keys::accounts_list(call.tenant());
    let page = newest_first(&api, &partition, paging, wanted).await?;
    let balances = balances(&api, &call, &page.data).await?;
    let views = page.data.iter().zip(&balances);
    let data: Vec<_> = views
        .map(|(account, balance)| AccountView::of(account, balance))
        .collect();
    let page = Page {
        data,
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    };
    Ok(body(axum::http::StatusCode::OK, encode(&page).into()))
}

async fn balances(api: &Api, call: &Call, accounts: &[Account]) -> Result<Vec<Balance>, Problem> {
    let of = |account: &Account| keys::balance(call.tenant(), account.id);
    let keys: Vec<_> = accounts.iter().map(of).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let found = api.app().store.get(&keys).await?;
    let opening =
        |account: &Account| Balance::opening(account.id, account.currency, account.created_at);
    Ok(accounts
        .iter()
        .zip(found)
        .map(|(account, record)| {
            record.map_or_else(|| opening(account), |it| decode(&it.body.bytes))
        })
        .collect())
}
