//! The server: HTTP/1.1 with keep-alive on a bounded number of connections.
//!
//! A connection that sends no complete request head in [`HEADER_TIME`] is closed, and so is an
//! idle one. When all places are taken, further connections wait in the kernel's queue. At the
//! end no new connection is taken, requests under way are answered, and after [`GRACE`] the rest
//! is dropped.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tracing::{info, warn};

use crate::config::HttpConfig;

/// How long a request's head may take to arrive, and a connection may be idle.
pub const HEADER_TIME: Duration = Duration::from_secs(30);
/// How long requests under way have at the end.
pub const GRACE: Duration = Duration::from_secs(10);
/// The buffer of a connection; a request's head must fit into it. Larger heads than
/// [`super::observe`] allows are refused there with a problem document, the very large ones here
/// without.
const BUFFER_BYTES: usize = 64 * 1024;
/// The most headers of a request.
const HEADERS_MAX: usize = 100;

/// Serves `router` on `listener` until `shutdown` ends.
///
/// # Errors
/// When the listener is not usable at all. Failures of single connections are logged.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpConfig,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(BUFFER_BYTES)
        .max_headers(HEADERS_MAX);
    tokio::pin!(shutdown);
    loop {
        let place = tokio::select! {
            () = &mut shutdown => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        // The semaphore is never closed.
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Mostly: no file handles left. Others may end meanwhile.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small answers must not wait for the peer's acknowledgements.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = server.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // What ends a connection early is its peer's affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    info!("no more requests are taken; those under way are finished");
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        warn!("some requests were not finished in time");
    }
    Ok(())
}
