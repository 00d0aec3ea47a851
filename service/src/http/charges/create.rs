//! `POST /v1/charges`.

use axum::{extract::State, response::Response};
use lombard_core::{
    charge::Capture,
    command::{Act, MakeCharge},
    currency::Currency,
    id::Id,
    ledger::AliasScheme,
    limits::END_TO_END_ID_MAX,
    money::{Amount, Money},
    payment::External,
    rail::Rail,
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::{AccountRef, MetadataBody, Object, Text, metadata},
        payments::answered,
        prefer::{self, Wait},
        wire::{PaymentView, scalar},
    },
    risk::{self, Order, order},
    tenants,
    vault::{
        Token,
        tokens::{Kind, Operation, TokenError, Use},
    },
};

/// The longest token or name of a provider.
const PROVIDER_TEXT_MAX: usize = 255;
/// ISO 3166 has it for no country: of a card's country nothing is known.
const NO_COUNTRY: &str = "ZZ";

/// Money to take from a card.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateCharge)]
struct CreateCharge<'a> {
    #[schema(value_type = scalar::Amount)]
    amount: Amount,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    /// For which account.
    #[schema(value_type = scalar::AccountRef)]
    account: AccountRef,
    #[serde(borrow)]
    #[schema(value_type = CardBody)]
    card: Object<CardBody<'a>>,
    /// When the money is taken: `automatic` (the default), with the authorisation, or `manual`, by
    /// `POST /v1/charges/{id}/capture`.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^(automatic|manual)$", nullable = false)]
    capture: Capture,
    /// Through which provider; by currency, health and cost when absent. A provider's own token has
    /// to name it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9-]{1,64}$", example = "stripe")]
    provider: Option<Text<'a>>,
    /// The id by which both ends know it. The charge's own when absent.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,35}$", example = "ORDER-2026-0042")]
    end_to_end_id: Option<Text<'a>>,
    /// Your own references. Not for personal data: they are kept in clear.
    #[serde(default, borrow)]
    #[schema(value_type = Option<scalar::Metadata>, nullable = false)]
    metadata: MetadataBody<'a>,
}

/// Which card: exactly one of the two.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChargeCard)]
struct CardBody<'a> {
    /// A card of the vault.
    #[schema(value_type = Option<scalar::TokenId>)]
    token: Option<Id<Token>>,
    /// The provider's own token, such as a payment method of Stripe.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[!-~]{1,255}$", example = "pm_card_visa")]
    provider_token: Option<Text<'a>>,
}

/// Charge a card
///
/// Answers when the charge is accepted and durable. What the provider says comes later: look, listen
/// to events, or send `Prefer: wait=N`. A charge is a payment of kind `charge`; a decline is an
/// answer too (`FAILED`), not an error. Where payments are judged, a charge that is declined never
/// reaches its provider. The card's number leaves the vault only for the provider.
#[utoipa::path(post, path = "/v1/charges", tag = "charges",
    params(("Prefer", Header)),
    request_body = CreateCharge,
    responses((status = 201, description = "Accepted: the charge, a payment.", body = PaymentView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    wait: Wait,
    body: Json,
) -> Result<Response, Problem> {
    let tenant = call.tenant();
    let request: CreateCharge<'_> = body.parse()?;
    let wish = key.wish("charges.create", &request);
    let mut make = match prepared(&api, tenant, &request).await {
        Ok(make) => make,
        // It may have been made before the token was forgotten, or a provider switched off.
        Err(problem) => return answered(&api, tenant, &wish, problem).await,
    };
    let account = make.creditor.to_string();
    // Of requests that are repeated while the first still runs, one is judged.
    let turn = api.turn(tenant, &wish).await?;
    let before = wish.record_key(tenant);
    make.risk = risk::assess(api.app(), tenant, &Order::from(&make), None, &before).await;
    tenants::open_accounts_of(api.app(), tenant, Rail::Card, make.money.currency).await?;
    let act = Act::Charge(Box::new(make));
    let executed = api.app().execute(call.command(wish, act)).await;
    drop(turn);
    let placed = |error| Problem::from(error).where_it_says(&[("/account", account)]);
    let reply = executed.map_err(placed)?;
    prefer::answer(&api, tenant, wait, reply).await
}

/// The command that the request asks for.
async fn prepared(
    api: &Api,
    tenant: TenantId,
    request: &CreateCharge<'_>,
) -> Result<MakeCharge, Problem> {
    let host = &api.app().host;
    let id = Id::new(host.now(), host.random());
    let money = Money {
        amount: request.amount,
        currency: request.currency,
    };
    let end_to_end_id = match &request.end_to_end_id {
        Some(text) => text
            .checked("/end_to_end_id", END_TO_END_ID_MAX)?
            .to_owned(),
        None => id.to_string().trim_start_matches("pay_").to_owned(),
    };
    let (card, token) = card(api, tenant, &request.card, money).await?;
    let metadata = metadata(&request.metadata)?;
    if api.app().risk.is_some() {
        order::check(&metadata).map_err(|why| Problem::field("/metadata", why))?;
    }
    Ok(MakeCharge {
        id,
        money,
        card,
        token,
        creditor: request.account.resolve(tenant),
        provider: provider(api, request, money)?,
        capture: request.capture,
        end_to_end_id,
        authenticated: order::is_authenticated(&metadata),
        metadata,
        risk: None,
    })
}

/// What may be shown of the card, and its token.
async fn card(
    api: &Api,
    tenant: TenantId,
    body: &CardBody<'_>,
    money: Money,
) -> Result<(External, String), Problem> {
    let external = |last4: String, fingerprint| External {
        scheme: AliasScheme::Card,
        country: NO_COUNTRY.to_owned(),
        last4,
        fingerprint,
    };
    match (body.token, &body.provider_token) {
        (Some(id), None) => {
            let (last4, fingerprint) = of_vault(api, tenant, id, money).await?;
            Ok((external(last4, fingerprint), id.to_string()))
        }
        (None, Some(text)) => {
            let text = text.checked("/card/provider_token", PROVIDER_TEXT_MAX)?;
            if text.parse::<Id<Token>>().is_ok() {
                let detail = "a token of the vault is named by `token`";
                return Err(Problem::field("/card/provider_token", detail));
            }
            let domain = format!("card-token/{}", tenant.short());
            let fingerprint = api.app().vault.blind(&domain, text);
            Ok((external("XXXX".to_owned(), fingerprint), text.to_owned()))
        }
        _ => {
            let detail = "a card is named by either `token` or `provider_token`";
            Err(Problem::field("/card", detail))
        }
    }
}

/// The last four digits of a card of the vault that may be charged so much, and its fingerprint.
async fn of_vault(
    api: &Api,
    tenant: TenantId,
    id: Id<Token>,
    money: Money,
) -> Result<(String, String), Problem> {
    const FIELD: &str = "/card/token";
    let refused = |why: String| Problem::field(FIELD, why);
    let tokens = api.tokens();
    let tokens = tokens.ok_or_else(|| refused("the vault is not on this server".into()))?;
    let token = match tokens.find(tenant, id).await {
        Ok(token) if token.kind == Kind::Card => token,
        Ok(_) | Err(TokenError::NotFound) => {
            return Err(refused("there is no such token of a card".into()));
        }
        Err(error) => return Err(error.into()),
    };
    let wanted = Use {
        merchant: None,
        operation: Operation::Charge,
        money: Some(money),
    };
    let allowed = token.scope.allows(&wanted, api.app().host.now());
    allowed.map_err(|why| refused(format!("{why} (rule `{}`)", why.code())))?;
    let shown = tokens.shown(&token).await?;
    let shown = shown.ok_or_else(|| refused("its subject was erased".into()))?;
    Ok((shown.last4.unwrap_or_default(), shown.fingerprint))
}

/// The provider that is named if it fits, or the one that fits best.
fn provider(api: &Api, request: &CreateCharge<'_>, money: Money) -> Result<String, Problem> {
    let Some(cards) = api.app().rails.cards() else {
        return Err(Problem::new(ErrorCode::RailOff));
    };
    match &request.provider {
        Some(name) if cards.takes(name.as_str(), money) => Ok(name.as_str().to_owned()),
        Some(_) => {
            let code = money.currency.code();
            let detail = format!("no provider of this name is switched on that takes {code}");
            Err(Problem::field("/provider", detail))
        }
        None if request.card.provider_token.is_some() => {
            let detail = "a provider's own token needs the provider's name";
            Err(Problem::field("/provider", detail))
        }
        None => match cards.route(money, &[]) {
            Some(name) => Ok(name.to_owned()),
            None => Err(Problem::new(ErrorCode::RailOff).at("/currency".to_owned())),
        },
    }
}
