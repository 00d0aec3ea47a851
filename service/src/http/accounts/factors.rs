//! The factors by which the payer of an account authenticates.

use axum::{extract::State, response::Response};
use data_encoding::BASE32_NOPAD;
use lombard_core::{
    audit,
    id::Id,
    ledger::Account,
    store::{Body, encode},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    factors,
    http::{
        Api, Call, IdempotencyKey, Json, PathId, Problem,
        input::Text,
        once::{Decided, once},
        reply::shown_once,
        wire::scalar::{self, Moment},
    },
};

/// What the payer chose.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolFactors)]
struct EnrolBody<'a> {
    /// Known to him alone: 4 to 12 digits.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[0-9]{4,12}$")]
    pin: Text<'a>,
}

/// What the payer's generator needs; shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = EnrolledFactors)]
struct EnrolledView<'a> {
    #[schema(value_type = scalar::AccountId)]
    account: Id<Account>,
    /// For an app that makes one-time passwords (RFC 6238: SHA-1, six digits, 30 seconds). Not in
    /// the answer to a repeated request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z2-7]{32}$", nullable = false)]
    totp_secret: Option<&'a str>,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
}

/// Enrol a payer's factors
///
/// In place of those that the account had. The answer shows the generator's secret, once; it is
/// kept nowhere in clear, so a repeated request is answered without it.
#[utoipa::path(post, path = "/v1/accounts/{id}/factors", tag = "accounts",
    params(("id" = inline(scalar::AccountId), Path, description = "The account.")),
    request_body = EnrolBody,
    responses((status = 201, description = "The payer can authenticate.", body = EnrolledView)))]
pub async fn enrol(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Account>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: EnrolBody<'_> = json.parse()?;
    let pin = request.pin.checked("/pin", 12)?;
    if pin.len() < 4 || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::field("/pin", "expected 4 to 12 digits"));
    }
    super::list::find(&api, &call, id).await?;
    let (app, tenant) = (api.app(), call.tenant());
    let wish = key.wish_blinded("accounts.factors", &(id, &request), &*app.vault, tenant);
    let (made, secret) = factors::new(app, tenant, id, pin).await?;
    let view = |totp_secret| EnrolledView {
        account: id,
        totp_secret,
        created_at: made.created_at.into(),
    };
    let place = factors::place(tenant, id);
    let note = call.note(&*app.host, "account.enrol_factors", id);
    let done = once(&api, tenant, &wish, std::slice::from_ref(&place), |read| {
        let mut writes = read.checks();
        writes.put(&place, Body::of(&made));
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&view(None)),
        })
    })
    .await?;
    let secret = Zeroizing::new(BASE32_NOPAD.encode(&secret));
    Ok(shown_once(done, &view(Some(&secret))))
}
