//! The console's style and scripts, the same bytes until the next release.

use axum::{http::header, response::IntoResponse};

const FOR_AN_HOUR: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

/// The style.
pub async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, FOR_AN_HOUR], include_str!("style.css"))
}

const SCRIPT: (header::HeaderName, &str) = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");

/// Shortcuts of the keyboard. Pages are complete without it.
pub async fn keys() -> impl IntoResponse {
    ([SCRIPT, FOR_AN_HOUR], include_str!("keys.js"))
}

/// What keeps watched parts of pages fresh. Pages are complete without it.
pub async fn live() -> impl IntoResponse {
    ([SCRIPT, FOR_AN_HOUR], include_str!("live.js"))
}
