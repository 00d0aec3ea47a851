//! The console's style and script, the same bytes until the next release.

use axum::{http::header, response::IntoResponse};

const FOR_AN_HOUR: (header::HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=3600");

/// The style.
pub async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind, FOR_AN_HOUR], include_str!("style.css"))
}

/// Shortcuts of the keyboard, and what is live. Pages are complete without it.
pub async fn keys() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    ([kind, FOR_AN_HOUR], include_str!("keys.js"))
}
