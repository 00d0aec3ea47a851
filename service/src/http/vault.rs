//! The vault's routes: tokens, the subjects that they are about, and keys. They are the whole API
//! of `lombard vault`, and a part of it where the vault runs inside.

mod create;
mod detokenize;
mod keys;
mod look;
mod subjects;
mod view;

use lombard_core::audit::Audit;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, Call, ErrorCode, Problem};
use crate::{
    ports::CommitError,
    vault::{
        subjects::SubjectError,
        tokens::{Asker, Reader, TokenError, Tokens},
    },
};

/// The routes of the vault.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(look::get, look::delete))
        .routes(routes!(detokenize::detokenize))
        .routes(routes!(subjects::get, subjects::delete))
        .routes(routes!(subjects::export))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate, keys::rotations))
}

/// The vault of this server.
fn vault(api: &Api) -> Result<&Tokens, Problem> {
    let none = "no vault runs in this server";
    api.tokens()
        .ok_or_else(|| Problem::saying(ErrorCode::NotFound, none.into()))
}

/// The caller, as the record tells of him.
fn asker(call: &Call, purpose: &str) -> Asker {
    Asker {
        tenant: call.tenant(),
        who: call.caller().actor.to_string(),
        purpose: purpose.to_owned(),
        trace: Some(call.trace().trace_id()),
        reader: Reader::Asker,
    }
}

/// Puts a deed of the caller on record, before its answer is given.
async fn on_record(
    tokens: &Tokens,
    call: &Call,
    what: &str,
    thing: impl ToString,
) -> Result<(), CommitError> {
    let records = tokens.records();
    let now = records.host.now();
    let id = lombard_core::id::Id::new(now, records.host.random());
    let audit = Audit::new(id, call.tenant(), now, &call.caller().actor, what)
        .on(thing)
        .traced(Some(call.trace().trace_id()));
    crate::records::put_new(records, audit.key(), audit.body()).await
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NotFound => Self::not_found(),
            TokenError::Subject(SubjectError::Erased) => Self::new(ErrorCode::SubjectErased),
            TokenError::Subject(SubjectError::Read(error)) => error.into(),
            TokenError::Subject(SubjectError::Keys(error)) => {
                Self::new(ErrorCode::Unavailable).because(std::sync::Arc::new(error))
            }
            TokenError::Commit(error) => error.into(),
            error @ TokenError::NotGenuine => {
                Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
            }
        }
    }
}
