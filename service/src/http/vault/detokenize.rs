//! `POST /v1/tokens/{id}/detokenize`: what a token stands for, for those who may and say why.
//!
//! Nothing of the answer is kept under the idempotency key: a retry is another deed, and is
//! on record as one.

use axum::{extract::State, response::Response};
use lombard_core::{
    currency::Currency,
    id::Id,
    money::{Amount, Money},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{asker, vault};
use crate::{
    details::BankAddress,
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem, input::Text, reply::shown,
        wire::scalar,
    },
    vault::tokens::{DetokenizeError, Matter, Operation, Person, Token, Use},
};

/// Why it is to be seen, and what will be done with it.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Detokenize)]
pub struct DetokenizeBody<'a> {
    /// Why, for the record. Not for personal data.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,200}$", example = "payout 4711 to the holder")]
    purpose: Text<'a>,
    /// What it is for; `read` when absent.
    #[schema(inline, value_type = Option<super::view::OperationName>, required = false)]
    operation: Option<Operation>,
    /// For which merchant.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, max_length = 64, nullable = false)]
    merchant: Option<Text<'a>>,
    /// Of how much, with `currency`.
    #[schema(value_type = Option<scalar::Amount>, nullable = false)]
    amount: Option<Amount>,
    #[schema(value_type = Option<scalar::CurrencyCode>, nullable = false)]
    currency: Option<Currency>,
}

/// What a token stands for.
#[derive(Serialize, ToSchema)]
#[schema(as = Detokenized)]
struct DetokenizedView<'a> {
    #[schema(value_type = scalar::TokenId)]
    id: Id<Token>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    card: Option<CardView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bank_account: Option<AccountView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::PersonMembers>, nullable = false)]
    person: Option<&'a Person>,
}

/// A card in full.
#[derive(Serialize, ToSchema)]
#[schema(as = DetokenizedCard)]
struct CardView<'a> {
    #[schema(pattern = "^[0-9]{12,19}$")]
    number: &'a str,
    #[schema(minimum = 1, maximum = 12)]
    exp_month: u8,
    #[schema(minimum = 1000, maximum = 9999)]
    exp_year: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 140, nullable = false)]
    holder: Option<&'a str>,
}

/// A bank account in full.
#[derive(Serialize, ToSchema)]
#[schema(as = DetokenizedBankAccount)]
struct AccountView<'a> {
    #[serde(flatten)]
    #[schema(value_type = scalar::BankAddressMembers)]
    address: BankAddress,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 140, nullable = false)]
    holder: Option<&'a str>,
}

/// Read a token back
///
/// Needs a credential with the grant `detokenize`. Each time is on record with its purpose before
/// it is answered; an unusual number within an hour alerts a person.
#[utoipa::path(post, path = "/v1/tokens/{id}/detokenize", tag = "vault",
    params(("id" = inline(scalar::TokenId), Path, description = "The token.")),
    request_body = DetokenizeBody,
    responses((status = 200, description = "What it stands for.", body = DetokenizedView)))]
pub async fn detokenize(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Token>,
    _: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let request: DetokenizeBody<'_> = json.parse()?;
    let purpose = request.purpose.checked("/purpose", 200)?;
    let merchant = request.merchant.as_ref();
    let merchant = merchant
        .map(|text| text.checked("/merchant", 64))
        .transpose()?;
    let money = match (request.amount, request.currency) {
        (Some(amount), Some(currency)) => Some(Money { amount, currency }),
        (None, None) => None,
        _ => {
            return Err(Problem::field(
                "/amount",
                "`amount` and `currency` go together",
            ));
        }
    };
    let wanted = Use {
        merchant,
        operation: request.operation.unwrap_or(Operation::Read),
        money,
    };
    let asker = asker(&call, purpose);
    let (token, matter) = tokens.detokenize(id, &asker, &wanted).await?;
    Ok(shown(&view(&token, &matter)))
}

fn view<'a>(token: &Token, matter: &'a Matter) -> DetokenizedView<'a> {
    let mut view = DetokenizedView {
        id: token.id,
        card: None,
        bank_account: None,
        person: None,
    };
    match matter {
        Matter::Card(card) => {
            view.card = Some(CardView {
                number: &card.number,
                exp_month: card.exp_month,
                exp_year: card.exp_year,
                holder: card.holder.as_deref(),
            });
        }
        Matter::BankAccount(account) => {
            view.bank_account = Some(AccountView {
                address: account.address,
                holder: account.holder.as_deref(),
            });
        }
        Matter::Person(person) => view.person = Some(person),
    }
    view
}

impl From<DetokenizeError> for Problem {
    fn from(error: DetokenizeError) -> Self {
        match error {
            DetokenizeError::Token(error) => error.into(),
            DetokenizeError::OutOfScope(why) => {
                let detail = format!("{why} (rule `{}`)", why.code());
                Self::saying(ErrorCode::TokenOutOfScope, detail.into())
            }
        }
    }
}
