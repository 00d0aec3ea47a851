//! Opening and closing accounts.

use axum::{extract::State, response::Response};
use lombard_core::{
    command::{Act, OpenAccount},
    currency::Currency,
    id::Id,
    ledger::Rollup,
    limits::NAME_MAX,
    rail::Rail,
    scheme::{Field, Rules},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    details::{BankAddress, Holder},
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        call::PathOf,
        input::{AccountRef, MetadataBody, Object, Text, bank_address, metadata},
        json::Nothing,
        reply::{reply, warn},
        wire::{AccountView, scalar},
    },
};

/// An account to open.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpenAccount)]
struct OpenBody<'a> {
    /// A label of yours. Not a person's name: it is kept in clear.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$", example = "Wallet 4711")]
    name: Text<'a>,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    /// `constrained` (the default): never overdrawn. `house`: one of your own, which may stand
    /// anywhere and has no bank address.
    #[serde(default = "constrained")]
    #[schema(value_type = Option<String>, pattern = "^(constrained|house)$", nullable = false)]
    kind: Rollup,
    /// How the outside world addresses it.
    #[serde(borrow)]
    #[schema(value_type = Option<AddressChoice>)]
    address: Option<Object<AddressBody<'a>>>,
    /// Who holds it; what rails show as the debtor. Sealed.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    holder_name: Option<Text<'a>>,
    /// Your own references. Not for personal data: they are kept in clear.
    #[serde(default, borrow)]
    #[schema(value_type = Option<scalar::Metadata>, nullable = false)]
    metadata: MetadataBody<'a>,
}

const fn constrained() -> Rollup {
    Rollup::Constrained
}

/// A bank address, however it is spelled.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AddressBody<'a> {
    #[serde(borrow)]
    iban: Option<Text<'a>>,
    #[serde(borrow)]
    sort_code: Option<Text<'a>>,
    #[serde(borrow)]
    account_number: Option<Text<'a>>,
}

/// An IBAN, or a sort code with an account number. Sealed; the last four characters are shown.
#[derive(ToSchema)]
#[schema(as = BankAddress)]
#[serde(untagged)]
#[allow(dead_code)] // Only described.
enum AddressChoice {
    Iban(ByIban),
    Uk(BySortCode),
}

/// An IBAN in electronic form (ISO 13616).
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct ByIban {
    #[schema(
        pattern = "^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$",
        example = "DE89370400440532013000"
    )]
    iban: String,
}

/// A UK sort code and account number.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)] // Only described.
struct BySortCode {
    #[schema(
        pattern = "^([0-9]{6}|[0-9]{2}-[0-9]{2}-[0-9]{2}|[0-9]{2} [0-9]{2} [0-9]{2})$",
        example = "20-00-00"
    )]
    sort_code: String,
    #[schema(pattern = "^[0-9]{8}$", example = "55779911")]
    account_number: String,
}

/// Open an account
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts",
    request_body = OpenBody,
    responses((status = 201, description = "It is open.", body = AccountView,
        headers(("Lombard-Warning" = String, description = "What the scheme will do to the holder's name on its way, or to the account's where there is none: `rule;field`. A name of which it carries nothing must be given with each payment (`debtor.name`).")))))]
pub async fn open(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    body: Json,
) -> Result<Response, Problem> {
    let request: OpenBody<'_> = body.parse()?;
    let act = command(&api, &call, &request)?;
    let vault = api.app().vault.as_ref();
    let wish = key.wish_blinded("accounts.open", &request, vault, call.tenant());
    let executed = api.execute(call, wish, act).await;
    let answer = executed.map_err(|problem| match problem.code {
        ErrorCode::AddressTaken => problem.at("/address"),
        _ => problem,
    })?;
    let mut response = reply(answer);
    warn(&mut response, said_on_rails(&request).into_iter());
    Ok(response)
}

/// What the scheme that pays from such an account does to its holder's name.
fn said_on_rails(request: &OpenBody<'_>) -> Vec<(&'static str, &'static str)> {
    let rail = Rail::ALL
        .into_iter()
        .find(|rail| rail.currency() == Some(request.currency));
    let rules = rail
        .filter(|_| request.kind == Rollup::Constrained)
        .and_then(Rules::of);
    let rule = rules.and_then(|rules| rules.text(Field::DebtorName));
    let (name, field) = match &request.holder_name {
        Some(name) => (name, "holder_name"),
        None => (&request.name, "name"),
    };
    let found = rule.map_or_else(Vec::new, |rule| rule.findings(name.as_str()));
    found.iter().map(|it| (it.rule.code(), field)).collect()
}

fn command(api: &Api, call: &Call, request: &OpenBody<'_>) -> Result<Act, Problem> {
    let app = api.app();
    let id = Id::new(app.host.now(), app.host.random()).of_kind(request.kind);
    let address = address(request)?;
    let name = request.holder_name.as_ref();
    let name = name
        .map(|name| name.checked("/holder_name", NAME_MAX))
        .transpose()?;
    let holder = Holder {
        name: name.map(str::to_owned),
        addresses: address.into_iter().collect(),
    };
    let sealed = if holder == Holder::default() {
        None
    } else {
        Some(holder.seal(app.vault.as_ref(), call.tenant(), id)?)
    };
    let alias = |address: BankAddress| address.alias(app.vault.as_ref());
    Ok(Act::OpenAccount(OpenAccount {
        id,
        name: request.name.checked("/name", NAME_MAX)?.to_owned(),
        currency: request.currency,
        aliases: address.map(alias).into_iter().collect(),
        sealed,
        metadata: metadata(&request.metadata)?,
    }))
}

fn address(request: &OpenBody<'_>) -> Result<Option<BankAddress>, Problem> {
    let Some(body) = &request.address else {
        return Ok(None);
    };
    let (iban, sort_code) = (body.iban.as_ref(), body.sort_code.as_ref());
    let address = bank_address(iban, sort_code, body.account_number.as_ref(), "/address")?;
    match (request.kind, address) {
        (Rollup::House, Some(_)) => Err(Problem::field(
            "/address",
            "a house account has no bank address",
        )),
        (_, None) => Err(Problem::field(
            "/address",
            "an address is `iban` alone, or `sort_code` with `account_number`",
        )),
        (Rollup::Constrained, address) => Ok(address),
    }
}

/// Close an account
///
/// Only one that has nothing in it, nothing pending, and no payment waiting. It takes no more
/// entries from then on. A house account cannot be closed.
#[utoipa::path(post, path = "/v1/accounts/{id}/close", tag = "accounts",
    params(("id" = inline(scalar::AccountRef), Path, description = "The account.")),
    request_body(content = Option<Nothing>, description = "Nothing, or an empty object."),
    responses((status = 200, description = "It is closed.", body = AccountView)))]
pub async fn close(
    State(api): State<Api>,
    call: Call,
    PathOf(account): PathOf<AccountRef>,
    key: IdempotencyKey,
    _: Nothing,
) -> Result<Response, Problem> {
    let id = account.resolve(call.tenant());
    let wish = key.wish("accounts.close", &id);
    let act = Act::CloseAccount(id);
    Ok(reply(api.execute(call, wish, act).await?))
}
