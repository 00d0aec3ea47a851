//! What is done with a party: documents taken in, accounts added, decisions.

use axum::{extract::State, response::Response};
use lombard_core::{
    id::Id,
    party::{DOCUMENTS_MAX, Decision, Document, DocumentKind, Profile, SIDES_MAX, State as Known},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Change,
    create::{checked_side, person, place},
    find,
    view::{PartyProfile, SideName},
};
use crate::{
    http::{
        Api, Call, ErrorCode, IdempotencyKey, Json, PathId, Problem, input::Text, reply::reply,
        wire::scalar,
    },
    vault::Token,
};

/// A document that was seen.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddPartyDocument)]
struct DocumentBody<'a> {
    #[schema(value_type = scalar::PartyDocumentKind)]
    kind: DocumentKind,
    /// ISO 3166 code of who issued it.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[A-Z]{2}$")]
    country: Text<'a>,
    /// The vault's token for its number.
    #[schema(value_type = Option<scalar::TokenId>)]
    data: Option<Id<Token>>,
    /// When it stops proving anything.
    #[serde(borrow)]
    #[schema(value_type = Option<scalar::Time>)]
    good_until: Option<Text<'a>>,
}

/// Take a document in
///
/// What it is and how long it is good, never what it says: that is the vault's.
#[utoipa::path(post, path = "/v1/parties/{id}/documents", tag = "parties",
    params(("id" = inline(scalar::PartyId), Path, description = "The party.")),
    request_body = DocumentBody,
    responses((status = 200, description = "It is taken in.", body = PartyProfile)))]
pub async fn documents(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Profile>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: DocumentBody<'_> = json.parse()?;
    let country = request.country.checked("/country", 2)?;
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Problem::field("/country", "expected two capital letters"));
    }
    let good_until = moment(request.good_until.as_ref(), "/good_until")?;
    let seen = find(&api, &call, id).await?;
    if let Some(data) = request.data {
        person(&api, &call, data, "/data").await?;
    }
    let now = api.app().host.now();
    let change = Change {
        seen: &seen,
        deed: "party.document",
        why: None,
        also: None,
    };
    let wish = key.wish("parties.documents", &(id, &request));
    let done = change.make(&api, &call, &wish, |profile| {
        if profile.documents.len() >= DOCUMENTS_MAX {
            let detail = format!("a party has {DOCUMENTS_MAX} documents at the most");
            return Err(Problem::saying(ErrorCode::NotApplicable, detail.into()));
        }
        profile.documents.push(Document {
            kind: request.kind,
            country: country.to_owned(),
            data: request.data.map(|token| token.to_string()),
            good_until,
            added_at: now,
        });
        profile.updated_at = now;
        Ok(())
    });
    Ok(reply(done.await?))
}

/// One more account of a party.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddPartyAccount)]
struct AccountBody<'a> {
    #[serde(borrow)]
    #[schema(inline, value_type = SideName)]
    account: Text<'a>,
}

/// Add an account of a party
///
/// From now on payments from and to it ask for this party; an account is one party's.
#[utoipa::path(post, path = "/v1/parties/{id}/accounts", tag = "parties",
    params(("id" = inline(scalar::PartyId), Path, description = "The party.")),
    request_body = AccountBody,
    responses((status = 200, description = "It is added.", body = PartyProfile)))]
pub async fn accounts(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Profile>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: AccountBody<'_> = json.parse()?;
    let side = checked_side(&api, &call, &request.account, "/account").await?;
    let seen = find(&api, &call, id).await?;
    let now = api.app().host.now();
    let change = Change {
        seen: &seen,
        deed: "party.account",
        why: None,
        also: Some(place(&call, &side)),
    };
    let wish = key.wish("parties.accounts", &(id, &request));
    let done = change.make(&api, &call, &wish, |profile| {
        if profile.sides.len() >= SIDES_MAX {
            let detail = format!("a party has {SIDES_MAX} accounts at the most");
            return Err(Problem::saying(ErrorCode::NotApplicable, detail.into()));
        }
        profile.sides.push(side.clone());
        profile.updated_at = now;
        Ok(())
    });
    Ok(reply(done.await?))
}

/// What is decided about a party.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecideParty)]
struct DecisionBody<'a> {
    /// `verified`; `rejected`; or `pending`, to be decided anew.
    #[schema(value_type = String, pattern = "^(pending|verified|rejected)$")]
    state: Decided,
    /// Why; it is kept, and no place for personal data.
    #[serde(borrow)]
    #[schema(value_type = String, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,500}$")]
    reason: Text<'a>,
}

/// What somebody can decide.
#[derive(Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Decided {
    Pending,
    Verified,
    Rejected,
}

/// Decide about a party
///
/// `verified` takes the documents that its kind needs (a person: identity and address; a firm: register,
/// address and owners), and is good as long as they are. Payments that wait for the party go on, or fail,
/// by the rules that they were made under. Needs the grant `review`.
#[utoipa::path(post, path = "/v1/parties/{id}/decisions", tag = "parties",
    params(("id" = inline(scalar::PartyId), Path, description = "The party.")),
    request_body = DecisionBody,
    responses((status = 200, description = "It is decided.", body = PartyProfile)))]
pub async fn decisions(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Profile>,
    key: IdempotencyKey,
    json: Json,
) -> Result<Response, Problem> {
    let request: DecisionBody<'_> = json.parse()?;
    let reason = request.reason.checked("/reason", 500)?;
    let seen = find(&api, &call, id).await?;
    let now = api.app().host.now();
    let finding = api.identifier().check(&seen, now).await;
    let finding = finding.map_err(|cause| Problem::new(ErrorCode::Unavailable).because(cause))?;
    let change = Change {
        seen: &seen,
        deed: "party.decide",
        why: Some(reason),
        also: None,
    };
    let wish = key.wish("parties.decisions", &(id, &request));
    let by = call.caller().actor.to_string();
    let done = change.make(&api, &call, &wish, |profile| {
        let (state, valid_until) = match request.state {
            Decided::Pending => (Known::Pending, None),
            Decided::Rejected => (Known::Rejected, None),
            Decided::Verified if finding.lacks.is_empty() => {
                (Known::Verified, Some(finding.valid_until))
            }
            Decided::Verified => {
                let lacks: Vec<_> = finding.lacks.iter().map(|need| need.name()).collect();
                let detail = format!("there is no proof of: {}", lacks.join(", "));
                return Err(Problem::saying(ErrorCode::ProofsMissing, detail.into()));
            }
        };
        profile.decide(Decision {
            state,
            by: by.clone(),
            reason: reason.to_owned(),
            at: now,
            valid_until,
        });
        Ok(())
    });
    Ok(reply(done.await?))
}

fn moment(text: Option<&Text<'_>>, field: &'static str) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let moment = Timestamp::parse_rfc3339(text.checked(field, 40)?);
    let expected = "expected a moment, such as 2031-11-22T00:00:00.000Z";
    moment
        .map(Some)
        .ok_or_else(|| Problem::field(field, expected))
}
