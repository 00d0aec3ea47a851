//! A party that is made.

use axum::{extract::State, response::Response};
use lombard_core::{
    audit,
    id::Id,
    ledger::Account,
    party::{self, Kind, Profile, SIDES_MAX},
    plan::keys,
    store::encode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    belongs_here,
    view::{PartyProfile, SideName},
};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, Problem,
        input::Text,
        once::{Decided, once},
        reply::reply,
        wire::scalar,
    },
    vault::{
        Token,
        tokens::{Kind as TokenKind, TokenError},
    },
};

/// A party to make.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateParty)]
pub struct CreateBody<'a> {
    /// `person` or `business`.
    #[schema(value_type = String, pattern = "^(person|business)$")]
    kind: Kind,
    /// Where its data lives: this installation's own region, which is meant when it is absent.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[a-z0-9-]{2,32}$")]
    region: Option<Text<'a>>,
    /// Your own reference; no name.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,140}$")]
    reference: Option<Text<'a>>,
    /// The vault's token of a person or firm: its name and the like.
    #[schema(value_type = Option<scalar::TokenId>)]
    data: Option<Id<Token>>,
    /// By what payments find it: ids of accounts here, fingerprints of accounts elsewhere.
    #[serde(default, borrow)]
    #[schema(inline, value_type = Vec<SideName>, required = false, max_items = 20)]
    accounts: Vec<Text<'a>>,
}

/// Make a party
///
/// A record of a customer or payee. It is `pending` until somebody decides.
#[utoipa::path(post, path = "/v1/parties", tag = "parties", request_body = CreateBody,
    responses((status = 201, description = "It is made.", body = PartyProfile)))]
pub async fn create(
    State(api): State<Api>,
    call: Call,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: CreateBody<'_> = json.parse()?;
    let (app, tenant) = (api.app(), call.tenant());
    let region = match &request.region {
        None => app.config.parties.region.as_str(),
        Some(region) => region.checked("/region", 32)?,
    };
    belongs_here(&api, region).map_err(|problem| problem.at("/region"))?;
    let reference = request.reference.as_ref();
    let reference = reference
        .map(|text| text.checked("/reference", 140))
        .transpose()?;
    if let Some(data) = request.data {
        person(&api, &call, data, "/data").await?;
    }
    let mut sides = Vec::new();
    for (place, side) in request.accounts.iter().enumerate() {
        let side = checked_side(&api, &call, side, &format!("/accounts/{place}")).await?;
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    if sides.len() > SIDES_MAX {
        let detail = format!("expected {SIDES_MAX} at the most");
        return Err(Problem::field("/accounts", detail));
    }
    let now = app.host.now();
    let profile = Profile {
        id: Id::new(now, app.host.random()),
        kind: request.kind,
        region: region.to_owned(),
        reference: reference.map(str::to_owned),
        data: request.data.map(|token| token.to_string()),
        sides,
        documents: Vec::new(),
        decisions: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    let wish = key.wish("parties.create", &request);
    let note = call.note(&*app.host, "party.create", profile.id);
    let places = profile.keys(tenant);
    let done = once(&api, tenant, &wish, &places, |read| {
        if places.iter().any(|place| read.get(place).is_some()) {
            return Err(Problem::new(ErrorCode::AlreadyExists).at("/accounts"));
        }
        let mut writes = read.checks();
        profile.store(tenant, &mut writes);
        audit::enter(&mut writes, &note);
        Ok(Decided {
            writes,
            status: 201,
            body: encode(&PartyProfile::of(&profile, now)),
        })
    })
    .await?;
    Ok(reply(done))
}

/// A side by its name: an account of the caller's, or a fingerprint.
pub(super) async fn checked_side(
    api: &Api,
    call: &Call,
    side: &Text<'_>,
    field: &str,
) -> Result<String, Problem> {
    let expected = "expected the id of an account, or a fingerprint of 64 hexadecimal digits";
    let wrong = || Problem::field("", expected).at(field.to_owned());
    let text = side.checked("", 64).map_err(|_| wrong())?;
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() == 64 && text.bytes().all(digit) {
        return Ok(text.to_owned());
    }
    let id: Id<Account> = text.parse().map_err(|_| wrong())?;
    match api.app().get(&keys::account(call.tenant(), id)).await? {
        Some(_) => Ok(id.to_string()),
        None => Err(Problem::new(ErrorCode::ReferenceUnknown).at(field.to_owned())),
    }
}

/// Refuses a token that is not the caller's, or stands for no person.
pub(super) async fn person(
    api: &Api,
    call: &Call,
    id: Id<Token>,
    field: &'static str,
) -> Result<(), Problem> {
    let unknown = || Problem::new(ErrorCode::ReferenceUnknown).at(field);
    let tokens = api.tokens().ok_or_else(unknown)?;
    match tokens.find(call.tenant(), id).await {
        Ok(token) if token.kind == TokenKind::Person => Ok(()),
        Ok(_) => Err(Problem::field(field, "expected a token of a person")),
        Err(TokenError::NotFound) => Err(unknown()),
        Err(error) => Err(error.into()),
    }
}

/// Where the standing of a side is kept, for a profile that does not have it yet.
pub(super) fn place(call: &Call, side: &str) -> lombard_core::store::Key {
    party::side_key(call.tenant(), side)
}
