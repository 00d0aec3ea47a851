//! Proofs: that a transaction is in the log, and that the log only grew.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use lombard_core::{
    audit::{self, Audit},
    id::{Id, Named},
    ledger::Transaction,
    plan::keys,
    proof::{Hash, text::Proof, tree::Head},
    tenant::TenantId,
};
use serde::Serialize;
use tlog_tiles::record_hash;
use utoipa::ToSchema;

use super::{CheckpointView, current, texts};
use crate::{
    http::{Api, Call, ErrorCode, PathId, Problem, query::Query, reply::shown, wire::scalar},
    proof::{
        Log,
        log::Published,
        reader::{Placed, ReadLogError},
    },
};

/// How long a request waits for the checkpoint that covers a transaction of just now.
const WAIT: Duration = Duration::from_millis(2_000);
/// The media type of C2SP tlog-proof's text.
const AS_TEXT: &str = "text/plain";

/// That a transaction is in the log.
#[derive(Serialize, ToSchema)]
#[schema(as = LedgerProof)]
struct ProofView {
    /// Which transaction.
    #[schema(value_type = scalar::TransactionId)]
    transaction: Id<Transaction>,
    #[serde(flatten)]
    inclusion: InclusionView,
}

/// That a deed on record is in the log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditProof)]
struct DeedProofView {
    /// Which deed.
    #[schema(value_type = scalar::AuditId)]
    deed: Id<Audit>,
    /// The record as it is kept, byte for byte: its SHA-256, in hexadecimal, is the leaf's `digest`.
    #[schema(max_length = 4_096)]
    record: String,
    #[serde(flatten)]
    inclusion: InclusionView,
}

/// A leaf's way to a signed root.
#[derive(Serialize, ToSchema)]
#[schema(as = LogInclusion)]
struct InclusionView {
    /// The place of its leaf, from 0.
    index: u64,
    /// The leaf: canonical JSON (RFC 8785), to be hashed byte for byte as it is here.
    #[schema(value_type = scalar::LogLeaf)]
    leaf: String,
    /// SHA-256 of a zero byte and the leaf, in base64 (RFC 6962 §2.1).
    #[schema(value_type = scalar::LogHash)]
    leaf_hash: String,
    /// The audit path from the leaf's sibling to the root's child, in base64.
    #[schema(value_type = Vec<scalar::LogHash>)]
    path: Vec<String>,
    /// The checkpoint whose root the path leads to.
    checkpoint: CheckpointView,
}

/// Prove a ledger transaction
///
/// That the transaction is a leaf of the verifiable log: the leaf, its place, the audit path and
/// the signed checkpoint. With `Accept: text/plain` the same as a C2SP `tlog-proof` file, to be
/// kept and verified without this server. A transaction of this moment is waited for.
#[utoipa::path(get, path = "/v1/ledger/{id}/proof", tag = "ledger",
    params(("id" = inline(scalar::TransactionId), Path, description = "The transaction.")),
    responses((status = 200, description = "The proof.", body = ProofView)))]
pub async fn of_transaction(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Transaction>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = keys::transaction(call.tenant(), id);
    if api.app().get(&key).await?.is_none() {
        return Err(Problem::not_found());
    }
    let proof = prove(&api, call.tenant(), id).await?;
    if wants_text(&headers) {
        return Ok(proof.as_text());
    }
    Ok(shown(&ProofView {
        transaction: id,
        inclusion: proof.view(),
    }))
}

/// Prove a deed on record
///
/// That the record of the deed is a leaf of the verifiable log, by its hash: the record, the leaf, its
/// place, the audit path and the signed checkpoint. With `Accept: text/plain` the leaf's proof as a C2SP
/// `tlog-proof` file. A deed of this moment is waited for.
#[utoipa::path(get, path = "/v1/audit/{id}/proof", tag = "credentials",
    params(("id" = inline(scalar::AuditId), Path, description = "The deed.")),
    responses((status = 200, description = "The proof.", body = DeedProofView)))]
pub async fn of_deed(
    State(api): State<Api>,
    call: Call,
    PathId(id): PathId<Audit>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = api.app().get(&audit::key(call.tenant(), id)).await?;
    let record = found.ok_or(Problem::not_found())?.body.bytes;
    let proof = prove(&api, call.tenant(), id).await?;
    if wants_text(&headers) {
        return Ok(proof.as_text());
    }
    Ok(shown(&DeedProofView {
        deed: id,
        record: String::from_utf8_lossy(&record).into_owned(),
        inclusion: proof.view(),
    }))
}

fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    accept.is_some_and(|accept| accept.starts_with(AS_TEXT))
}

/// A leaf under a checkpoint, and its way there.
struct Inclusion {
    published: Arc<Published>,
    placed: Placed,
    path: Vec<Hash>,
}

impl Inclusion {
    fn view(&self) -> InclusionView {
        InclusionView {
            index: self.placed.index,
            leaf: String::from_utf8_lossy(&self.placed.leaf).into_owned(),
            leaf_hash: record_hash(&self.placed.leaf).to_string(),
            path: texts(&self.path),
            checkpoint: CheckpointView::of(&self.published),
        }
    }

    fn as_text(&self) -> Response {
        let proof = Proof {
            leaf: self.placed.leaf.to_vec(),
            index: self.placed.index,
            path: self.path.clone(),
            checkpoint: self.published.bytes.to_vec(),
        };
        as_text(proof.to_text())
    }
}

async fn prove<T: Named>(api: &Api, tenant: TenantId, id: Id<T>) -> Result<Inclusion, Problem> {
    let (log, published, placed) = find(api, tenant, id).await?;
    let path = log.inclusion(&published.head, placed.index).await?;
    Ok(Inclusion {
        published,
        placed,
        path,
    })
}

/// A leaf, waiting for the checkpoint that covers it.
async fn find<T: Named>(
    api: &Api,
    tenant: TenantId,
    id: Id<T>,
) -> Result<(Arc<Log>, Arc<Published>, Placed), Problem> {
    let log = api.log().ok_or(Problem::not_found())?;
    log.look().await?;
    let mut news = log.subscribe();
    let looking = async {
        loop {
            let published = news.borrow_and_update().clone();
            if let Some(published) = published
                && let Some(placed) = log.find(&published, tenant, id).await?
            {
                return Ok((log.clone(), published, placed));
            }
            // Who only follows the log hears of nothing: the caller asks again.
            if log.settings.followed || news.changed().await.is_err() {
                return Err(ReadLogError::NotYet.into());
            }
        }
    };
    match tokio::time::timeout(WAIT, looking).await {
        Ok(found) => found,
        Err(_) => Err(ReadLogError::NotYet.into()),
    }
}

fn as_text(text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let own = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, own);
    response
}

/// That the log grew from one size to another by adding leaves only.
#[derive(Serialize, ToSchema)]
#[schema(as = LogConsistency)]
struct GrowthView {
    /// The earlier size.
    from: u64,
    /// The root that the log had then, in base64.
    #[schema(value_type = scalar::LogHash)]
    from_root: String,
    /// The later size.
    to: u64,
    /// The root that the log had then, in base64.
    #[schema(value_type = scalar::LogHash)]
    to_root: String,
    /// The consistency proof (RFC 6962 §2.1.2), in base64.
    #[schema(value_type = Vec<scalar::LogHash>)]
    proof: Vec<String>,
}

/// Prove that the log only grew
///
/// The consistency proof between two sizes of the log; without `to`, up to the published
/// checkpoint.
#[utoipa::path(get, path = "/v1/log/consistency", tag = "ledger",
    params(
        ("from" = u64, Query, description = "The earlier size, at least 1.", minimum = 1),
        ("to" = Option<u64>, Query, description = "The later size."),
    ),
    responses((status = 200, description = "The proof.", body = GrowthView)))]
pub async fn of_growth(
    State(api): State<Api>,
    _call: Call,
    mut query: Query,
) -> Result<Response, Problem> {
    let from: Option<u64> = query.take("from")?;
    let to: Option<u64> = query.take("to")?;
    query.finish()?;
    let (log, published) = current(&api).await?;
    let to = to.unwrap_or(published.head.size);
    let Some(from) = from.filter(|from| (1..=to).contains(from)) else {
        return Err(Problem::parameter("from", "expected a size from 1 to `to`"));
    };
    let new = head_at(log, &published, to).await?;
    let old = head_at(log, &published, from).await?;
    let proof = log.consistency(&new, from).await?;
    Ok(shown(&GrowthView {
        from,
        from_root: old.root.to_string(),
        to,
        to_root: new.root.to_string(),
        proof: texts(&proof),
    }))
}

async fn head_at(log: &Log, published: &Published, size: u64) -> Result<Head, Problem> {
    if size == published.head.size {
        return Ok(published.head);
    }
    log.head_at(&published.head, size)
        .await
        .map_err(|error| match error {
            ReadLogError::NotYet => Problem::new(ErrorCode::NotInLogYet),
            error => error.into(),
        })
}

/// The log, as it is.
#[derive(Serialize, ToSchema)]
#[schema(as = LogStatus)]
struct StatusView {
    /// The name of the log in its checkpoints.
    #[schema(value_type = scalar::LogOrigin)]
    origin: String,
    /// The keys that sign it (C2SP vkeys). Compare them with those that you were given otherwise.
    #[schema(value_type = Vec<scalar::LogKey>)]
    keys: Vec<String>,
    /// The published checkpoint.
    checkpoint: CheckpointView,
    /// For how many milliseconds the oldest transaction has been waiting for a checkpoint. Absent where
    /// another process makes the log grow, which tells it in its metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    lag_ms: Option<u64>,
    /// How many milliseconds the last batch took from the first commit to the checkpoint. Absent likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion_ms: Option<u64>,
}

/// Look at the log
#[utoipa::path(get, path = "/v1/log", tag = "ledger",
    responses((status = 200, description = "The log.", body = StatusView)))]
pub async fn status(State(api): State<Api>, _call: Call) -> Result<Response, Problem> {
    let (log, published) = current(&api).await?;
    let status = (!log.settings.followed).then(|| log.status(api.app().host.now()));
    Ok(shown(&StatusView {
        origin: log.origin.clone(),
        keys: log.keys.public().iter().map(ToString::to_string).collect(),
        checkpoint: CheckpointView::of(&published),
        lag_ms: status.map(|it| it.lag_ms),
        inclusion_ms: status.map(|it| it.inclusion_ms),
    }))
}
