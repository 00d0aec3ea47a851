//! The log's files, as C2SP tlog-tiles names them, below `/log`.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};
use lombard_core::proof::tile::{Resource, parse_path, path};

use super::current;
use crate::http::{Api, ErrorCode, Problem};

/// Changes several times a second at most, and nobody must be shown an old one for long.
const MUTABLE: &str = "no-cache";
/// A file that is there never changes.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

pub fn routes() -> Router<Api> {
    Router::new()
        .route("/log/checkpoint", get(checkpoint))
        .route("/log/tile/{*path}", get(file))
}

async fn checkpoint(State(api): State<Api>) -> Result<Response, Problem> {
    let (_, published) = current(&api).await?;
    let bytes = published.bytes.clone();
    Ok(served(bytes, "text/plain; charset=utf-8", MUTABLE))
}

async fn file(State(api): State<Api>, Path(rest): Path<String>) -> Result<Response, Problem> {
    let log = api.log().ok_or(Problem::not_found())?;
    // The name is written anew from what was understood of it, so that no other file is read.
    let resource = parse_path(&format!("tile/{rest}")).ok_or(Problem::not_found())?;
    let (Resource::Hashes(tile) | Resource::Entries(tile)) = resource;
    let found = log.blobs.get(&path(&tile)).await;
    let failed = |error| Problem::new(ErrorCode::Internal).because(std::sync::Arc::new(error));
    let bytes = found.map_err(failed)?.ok_or(Problem::not_found())?;
    Ok(served(bytes, "application/octet-stream", IMMUTABLE))
}

fn served(bytes: Bytes, kind: &'static str, caching: &'static str) -> Response {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    // Whoever verifies in a browser comes from another origin.
    let anybody = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}
