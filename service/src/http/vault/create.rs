//! `POST /v1/tokens`.
//!
//! The answer that the key remembers is the token's id alone: what may be shown of a token is
//! personal data, and is read from under its subject's key for each answer.

use axum::{body::Bytes, extract::State, http::StatusCode, response::Response};
use lombard_core::{
    card::{self, CardError, Expiry, Pan},
    currency::Currency,
    id::Id,
    money::{Amount, Money},
    store::encode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{vault, view::TokenView};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        idempotency::IDEMPOTENCY_REPLAYED,
        input::{Object, Text, bank_address},
        once::{Decided, commit_once},
        reply::body,
        wire::scalar,
    },
    vault::{
        Subject, subjects,
        tokens::{BankAccount, Card, Matter, Operation, Person, Scope, Token, Tokens, Wish},
    },
};

/// Characters of a name, and of most texts about somebody.
const NAME_MAX: usize = 140;
/// Characters of a merchant's name.
const MERCHANT_MAX: usize = 64;
/// No token's scope ends later than ten years from now: leave it out instead.
const EXPIRES_IN_S_MAX: u64 = 10 * 366 * 24 * 60 * 60;

/// Something to be kept, of one kind.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateToken)]
pub struct CreateBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<CardBody>, nullable = false)]
    card: Option<Object<CardBody<'a>>>,
    #[serde(borrow)]
    #[schema(value_type = Option<AccountBody>, nullable = false)]
    bank_account: Option<Object<AccountBody<'a>>>,
    #[serde(borrow)]
    #[schema(value_type = Option<PersonBody>, nullable = false)]
    person: Option<Object<PersonBody<'a>>>,
    /// About whom it is; somebody new when absent.
    #[schema(value_type = Option<scalar::SubjectId>, nullable = false)]
    subject: Option<Id<Subject>>,
    #[serde(borrow)]
    #[schema(value_type = Option<ScopeBody>, nullable = false)]
    scope: Option<Object<ScopeBody<'a>>>,
}

/// A payment card.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CardData)]
struct CardBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[0-9](?:[ -]?[0-9]){11,18}$", example = "4242 4242 4242 4242")]
    number: Text<'a>,
    #[schema(minimum = 1, maximum = 12)]
    exp_month: u8,
    #[schema(minimum = 1000, maximum = 9999)]
    exp_year: u16,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$", nullable = false)]
    holder: Option<Text<'a>>,
    /// Its form is checked and it is forgotten at once: it is not kept, not even encrypted, and
    /// plays no part in telling a retry.
    #[serde(borrow, skip_serializing)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{3,4}$", nullable = false)]
    security_code: Option<Text<'a>>,
}

/// An account at a bank: `iban`, or `sort_code` with `account_number`.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankAccountData)]
struct AccountBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 42, nullable = false)]
    iban: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 8, nullable = false)]
    sort_code: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 10, nullable = false)]
    account_number: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$", nullable = false)]
    holder: Option<Text<'a>>,
}

/// Data about a person or a firm; at least one member.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PersonData)]
struct PersonBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 140, nullable = false)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 254, nullable = false)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 40, nullable = false)]
    phone: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", nullable = false)]
    date_of_birth: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 500, nullable = false)]
    address: Option<Text<'a>>,
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 140, nullable = false)]
    document_number: Option<Text<'a>>,
}

/// What the token may be used for. What is absent is not restricted.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateTokenScope)]
struct ScopeBody<'a> {
    /// Your name for the merchant who alone may use it.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,64}$", nullable = false)]
    merchant: Option<Text<'a>>,
    #[serde(default)]
    #[schema(inline, value_type = Vec<super::view::OperationName>, required = false)]
    operations: Vec<Operation>,
    /// With `currency`: the most that it may be used for at a time.
    #[schema(value_type = Option<scalar::Amount>, nullable = false)]
    amount_max: Option<Amount>,
    #[schema(value_type = Option<scalar::CurrencyCode>, nullable = false)]
    currency: Option<Currency>,
    #[schema(minimum = 1, maximum = 316_224_000, nullable = false)]
    expires_in_seconds: Option<u64>,
}

/// Make a token
///
/// Keeps a card, a bank account or data about a person, and answers with a token to use instead.
#[utoipa::path(post, path = "/v1/tokens", tag = "vault", request_body = CreateBody,
    responses((status = 201, description = "It is kept.", body = TokenView)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let request: CreateBody<'_> = json.parse()?;
    let app = tokens.app();
    let tenant = call.tenant();
    let wish = Wish {
        subject: request.subject,
        matter: matter(&request, app.host.now())?,
        scope: scope(request.scope.as_deref(), app.host.now())?,
    };
    let kept = key.wish_blinded("tokens.create", &request, &*app.vault, tenant);
    let subject = tokens.subject(tenant, wish.subject).await;
    let subject = subject.map_err(|error| Problem::from(error).named_in_body("/subject"))?;
    let token = tokens.draft(&subject, &wish).await?;
    let places = [subjects::key(tenant, subject.id)];
    let _turn = api.turn(tenant, &kept).await?;
    let reply = commit_once(app, tenant, &kept, &places, |read| {
        Ok(Decided {
            writes: Tokens::store(read, &subject, &token)?,
            status: 201,
            body: encode(&KeptAnswer { id: token.id }),
        })
    })
    .await?;
    let token = if reply.replayed {
        let known: KeptAnswer = lombard_core::store::decode(&reply.body);
        tokens.find(tenant, known.id).await?
    } else {
        token
    };
    let shown = tokens.shown(&token).await?;
    let view = encode(&TokenView::of(&token, shown.as_ref()));
    let mut response = body(StatusCode::CREATED, Bytes::from(view));
    if reply.replayed {
        let yes = axum::http::HeaderValue::from_static("true");
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, yes);
    }
    Ok(response)
}

/// What the key remembers.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    id: Id<Token>,
}

fn matter(request: &CreateBody<'_>, now: lombard_core::time::Timestamp) -> Result<Matter, Problem> {
    match (&request.card, &request.bank_account, &request.person) {
        (Some(card), None, None) => card_of(card, now).map(Matter::Card),
        (None, Some(account), None) => account_of(account).map(Matter::BankAccount),
        (None, None, Some(person)) => person_of(person).map(Matter::Person),
        _ => Err(Problem::field(
            "",
            "a token is of one of `card`, `bank_account` and `person`",
        )),
    }
}

fn card_of(body: &CardBody<'_>, now: lombard_core::time::Timestamp) -> Result<Card, Problem> {
    let invalid = |member: &'static str| {
        move |error: CardError| {
            let detail = format!("{error} (rule `{}`)", error.code());
            Problem::saying(ErrorCode::CardInvalid, detail.into()).at(member)
        }
    };
    let pan = Pan::parse(body.number.as_str()).map_err(invalid("/card/number"))?;
    let expiry = Expiry::new(body.exp_year, body.exp_month)
        .and_then(|expiry| expiry.at(now))
        .map_err(invalid("/card/exp_year"))?;
    if let Some(code) = &body.security_code {
        card::check_security_code(pan.brand(), code.as_str())
            .map_err(invalid("/card/security_code"))?;
    }
    let holder = text(body.holder.as_ref(), "/card/holder", NAME_MAX)?;
    // A number where a name belongs would be shown as one.
    if holder
        .as_deref()
        .is_some_and(|holder| Pan::parse(holder).is_ok())
    {
        return Err(Problem::field("/card/holder", "this is no name"));
    }
    Ok(Card::new(&pan, expiry, holder))
}

fn account_of(body: &AccountBody<'_>) -> Result<BankAccount, Problem> {
    let (iban, sort_code) = (body.iban.as_ref(), body.sort_code.as_ref());
    let address = bank_address(
        iban,
        sort_code,
        body.account_number.as_ref(),
        "/bank_account",
    )?;
    let missing = "expected `iban`, or `sort_code` with `account_number`";
    Ok(BankAccount {
        address: address.ok_or_else(|| Problem::field("/bank_account", missing))?,
        holder: text(body.holder.as_ref(), "/bank_account/holder", NAME_MAX)?,
    })
}

fn person_of(body: &PersonBody<'_>) -> Result<Person, Problem> {
    let person = Person {
        name: text(body.name.as_ref(), "/person/name", NAME_MAX)?,
        email: text(body.email.as_ref(), "/person/email", 254)?,
        phone: text(body.phone.as_ref(), "/person/phone", 40)?,
        date_of_birth: text(body.date_of_birth.as_ref(), "/person/date_of_birth", 10)?,
        address: text(body.address.as_ref(), "/person/address", 500)?,
        document_number: text(
            body.document_number.as_ref(),
            "/person/document_number",
            NAME_MAX,
        )?,
    };
    if person.fields().next().is_none() {
        return Err(Problem::field("/person", "expected at least one member"));
    }
    Ok(person)
}

fn text(
    text: Option<&Text<'_>>,
    field: &'static str,
    chars_max: usize,
) -> Result<Option<String>, Problem> {
    let checked = text.map(|text| text.checked(field, chars_max).map(str::to_owned));
    checked.transpose()
}

fn scope(
    body: Option<&ScopeBody<'_>>,
    now: lombard_core::time::Timestamp,
) -> Result<Scope, Problem> {
    let Some(body) = body else {
        return Ok(Scope::default());
    };
    let amount_max = match (body.amount_max, body.currency) {
        (Some(amount), Some(currency)) => Some(Money { amount, currency }),
        (None, None) => None,
        _ => {
            let detail = "`amount_max` and `currency` go together";
            return Err(Problem::field("/scope/amount_max", detail));
        }
    };
    let expires_at = match body.expires_in_seconds {
        None => None,
        Some(seconds @ 1..=EXPIRES_IN_S_MAX) => Some(now.plus_ms(seconds * 1000)),
        Some(_) => {
            let detail = format!("expected 1 to {EXPIRES_IN_S_MAX}");
            return Err(Problem::field("/scope/expires_in_seconds", detail));
        }
    };
    Ok(Scope {
        merchant: text(body.merchant.as_ref(), "/scope/merchant", MERCHANT_MAX)?,
        operations: body.operations.clone(),
        amount_max,
        expires_at,
    })
}
