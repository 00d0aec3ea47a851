//! The verifiable log: proofs for those who have an account here, and the log's files for
//! everybody.
//!
//! The files are the public face of the log (C2SP tlog-tiles): they need no key, never change once
//! they are there, and may be cached for ever, but for the checkpoint. Proofs are a convenience:
//! whoever has the files can make them himself.

mod files;
mod proof;
mod statement;

use std::sync::Arc;

use axum::Router;
use lombard_core::proof::Hash;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, ErrorCode, Problem, wire::scalar};
use crate::proof::{
    Log,
    log::Published,
    reader::{ReadLogError, published},
};

/// The routes of proofs.
pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(proof::of_transaction))
        .routes(routes!(proof::of_deed))
        .routes(routes!(proof::of_growth))
        .routes(routes!(proof::status))
        .routes(routes!(statement::statement))
}

/// The log's files. Their paths are another standard's, so they are not in the document.
pub fn files() -> Router<Api> {
    files::routes()
}

/// A checkpoint that a proof leads to.
#[derive(Serialize, ToSchema)]
#[schema(as = LogCheckpoint)]
struct CheckpointView {
    /// How many leaves the log had.
    size: u64,
    /// The root of the tree, in base64.
    #[schema(value_type = scalar::LogHash)]
    root: String,
    /// The signed note (C2SP tlog-checkpoint), with all its signatures.
    #[schema(value_type = scalar::LogNote)]
    note: String,
    /// Whether as many witnesses have cosigned it as the operator's policy asks for.
    witnessed: bool,
}

impl CheckpointView {
    fn of(published: &Published) -> Self {
        Self {
            size: published.head.size,
            root: published.head.root.to_string(),
            note: String::from_utf8_lossy(&published.bytes).into_owned(),
            witnessed: published.quorum,
        }
    }
}

fn texts(path: &[Hash]) -> Vec<String> {
    path.iter().map(Hash::to_string).collect()
}

/// The log, if this server keeps one, and its published checkpoint.
async fn current(api: &Api) -> Result<(&Arc<Log>, Arc<Published>), Problem> {
    let log = api.log().ok_or(Problem::not_found())?;
    log.look().await?;
    Ok((log, published(log)?))
}

impl From<ReadLogError> for Problem {
    fn from(error: ReadLogError) -> Self {
        match error {
            ReadLogError::NotYet => Self::new(ErrorCode::NotInLogYet),
            error => Self::new(ErrorCode::Internal).because(Arc::new(error)),
        }
    }
}
