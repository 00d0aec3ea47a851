//! Subjects: looked at, exported, and forgotten.

use axum::{extract::State, http::StatusCode, response::Response};
use lombard_core::{id::Id, store::encode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{asker, vault, view::TokenView};
use crate::{
    http::{
        Api, Call, PathId, Problem,
        reply::{body, shown},
        wire::scalar::{self, Moment},
    },
    vault::{
        Subject,
        erasure::{LEGAL_BASIS, Outcome},
        tokens::{Matter, Person, TokenError, Tokens},
    },
};

/// Somebody about whom something is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Subject)]
struct SubjectView {
    #[schema(value_type = scalar::SubjectId)]
    id: Id<Subject>,
    /// `active`, `erasure_deferred` or `erased`.
    #[schema(inline, value_type = String, pattern = "^(active|erasure_deferred|erased)$")]
    state: &'static str,
    #[schema(value_type = scalar::Time)]
    created_at: Moment,
    /// The number of the data key that seals now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    key_number: Option<u32>,
    /// Since when that key is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    key_made_at: Option<Moment>,
    /// Until when the law wants the data kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    kept_until: Option<Moment>,
    /// Why it is kept although somebody wants to be forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, nullable = false)]
    reason: Option<&'static str>,
    /// Since when the keys are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::Time>, nullable = false)]
    erased_at: Option<Moment>,
}

impl SubjectView {
    fn of(subject: &Subject) -> Self {
        let erasure = subject.erasure.as_ref();
        let erased_at = erasure.and_then(|erasure| erasure.erased_at);
        let deferred = erasure.filter(|erasure| erasure.erased_at.is_none());
        let key = subject.keys.last();
        Self {
            id: subject.id,
            state: match (erased_at, deferred) {
                (Some(_), _) => "erased",
                (None, Some(_)) => "erasure_deferred",
                (None, None) => "active",
            },
            created_at: subject.created_at.into(),
            key_number: key.map(|key| key.number),
            key_made_at: key.map(|key| key.made_at.into()),
            kept_until: deferred.map(|erasure| erasure.not_before.into()),
            reason: deferred.map(|_| LEGAL_BASIS),
            erased_at: erased_at.map(Moment),
        }
    }
}

/// Look a subject up
#[utoipa::path(get, path = "/v1/subjects/{id}", tag = "vault",
    params(("id" = inline(scalar::SubjectId), Path, description = "The subject.")),
    responses((status = 200, description = "The subject.", body = SubjectView)))]
pub async fn get(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Subject>,
) -> Result<Response, Problem> {
    let subject = find(vault(&api)?, &call, id).await?;
    Ok(shown(&SubjectView::of(&subject)))
}

async fn find(tokens: &Tokens, call: &Call, id: Id<Subject>) -> Result<Subject, Problem> {
    let found = tokens.subjects().find(call.tenant(), id).await?;
    found.ok_or(Problem::not_found())
}

/// Forget a subject
///
/// Destroys the subject's keys: what was sealed under them cannot be read any more, here or in
/// any backup. The ledger and its proofs stay. While the law wants the data kept the wish is put
/// on record (202), and carried out when the time has come. Needs the grant `erase`.
#[utoipa::path(delete, path = "/v1/subjects/{id}", tag = "vault",
    params(("id" = inline(scalar::SubjectId), Path, description = "The subject.")),
    responses((status = 200, description = "The keys are destroyed.", body = SubjectView),
        (status = 202, description = "Deferred, with the reason and the time.", body = SubjectView)))]
pub async fn delete(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Subject>,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let (subject, outcome) = tokens.erase(id, &asker(&call, "asked for")).await?;
    let status = match outcome {
        Outcome::Erased(_) => StatusCode::OK,
        Outcome::Deferred(_) => StatusCode::ACCEPTED,
    };
    Ok(body(status, encode(&SubjectView::of(&subject)).into()))
}

/// Everything that is kept about somebody.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExport)]
struct ExportView<'a> {
    subject: SubjectView,
    data: Vec<ExportedToken<'a>>,
}

/// A token, and the data behind it.
#[derive(Serialize, ToSchema)]
#[schema(as = SubjectExportToken)]
struct ExportedToken<'a> {
    token: TokenView<'a>,
    /// Personal data in full. Of a card all but the number: its holder has the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 140, nullable = false)]
    holder: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::BankAddressMembers>, nullable = false)]
    address: Option<crate::details::BankAddress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<scalar::PersonMembers>, nullable = false)]
    person: Option<&'a Person>,
}

/// Export a subject's data
///
/// For a request of access (GDPR Art. 15). Needs the grant `detokenize`; each token that is read
/// is on record.
#[utoipa::path(get, path = "/v1/subjects/{id}/export", tag = "vault",
    params(("id" = inline(scalar::SubjectId), Path, description = "The subject.")),
    responses((status = 200, description = "All of it.", body = ExportView)))]
pub async fn export(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Subject>,
) -> Result<Response, Problem> {
    let tokens = vault(&api)?;
    let subject = find(tokens, &call, id).await?;
    let asker = asker(&call, "export for the subject");
    let mut read = Vec::new();
    for token in tokens.of_subject(&subject).await? {
        let matter = match tokens.read_for_subject(&token, &asker).await {
            Ok(matter) => Some(matter),
            Err(TokenError::Subject(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let view = tokens.shown(&token).await?;
        read.push((token, matter, view));
    }
    let data = read.iter().map(|(token, matter, view)| {
        let mut exported = ExportedToken {
            token: TokenView::of(token, view.as_ref()),
            holder: None,
            address: None,
            person: None,
        };
        fill(&mut exported, matter.as_ref());
        exported
    });
    Ok(shown(&ExportView {
        subject: SubjectView::of(&subject),
        data: data.collect(),
    }))
}

fn fill<'a>(exported: &mut ExportedToken<'a>, matter: Option<&'a Matter>) {
    match matter {
        Some(Matter::Card(card)) => exported.holder = card.holder.as_deref(),
        Some(Matter::BankAccount(account)) => {
            exported.holder = account.holder.as_deref();
            exported.address = Some(account.address);
        }
        Some(Matter::Person(person)) => exported.person = Some(person),
        None => {}
    }
}
