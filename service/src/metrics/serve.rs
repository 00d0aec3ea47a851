//! The address at which metrics and error budgets are told; see `docs/metrics.md` for why it is
//! one of its own.

use std::io;

use axum::{Json, Router, http::header, response::IntoResponse, routing::get};
use tokio::{net::TcpListener, sync::watch};

use super::{MEDIA_TYPE, METRICS};
use crate::slo;

/// Serves until `stop` turns true.
///
/// # Errors
/// When the listener is not usable.
pub async fn serve(listener: TcpListener, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(text))
        .route("/slo", get(async || Json(slo::budgets(&METRICS))));
    let stopped = async move {
        // A sender that is gone says the same.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped)
        .await
}

async fn text() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], METRICS.text())
}
