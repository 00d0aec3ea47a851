//! Tokens looked at and taken away.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{on_record, vault, view::TokenView};
use crate::{
    http::{
        Api, Call, PathId, Problem,
        reply::{body, shown},
        wire::scalar,
    },
    records::{Then, change},
    vault::tokens::{Token, key},
};

/// Look a token up
///
/// Shows what may be shown; never what it stands for.
#[utoipa::path(get, path = "/v1/tokens/{id}", tag = "vault",
    params(("id" = inline(scalar::TokenId), Path, description = "The token.")),
    responses((status = 200, description = "The token.", body = TokenView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Token>,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let token = tokens.find(call.tenant(), id).await?;
    let view = tokens.shown(&token).await?;
    Ok(shown(&TokenView::of(&token, view.as_ref())))
}

/// Take a token away
///
/// It stands for nothing any more. Other tokens of the same subject stay.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "vault",
    params(("id" = inline(scalar::TokenId), Path, description = "The token.")),
    responses((status = 204, description = "It is gone, or was never there.")))]
pub async fn delete(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Token>,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let place = key(call.tenant(), id);
    let gone = change(tokens.app(), &place, |found: Option<Token>| match found {
        Some(_) => (Then::Delete, true),
        None => (Then::Keep, false),
    })
    .await?;
    if gone {
        on_record(tokens, &call, "token.delete", id).await?;
    }
    Ok(body(StatusCode::NO_CONTENT, Default::default()))
}
