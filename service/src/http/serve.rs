//! The server: HTTP/1.1 with keep-alive on a bounded number of connections.
//!
//! **Slow peers.** A connection that sends no complete request head in time is closed, and so is
//! an idle one, and one whose peer takes nothing of its answer ([`patient`]). Bodies have a time
//! of their own ([`super::body`]), and what is left of them after an answer is dropped ([`unread`]).
//!
//! **Floods.** When all places are taken ([`seats`]), a further connection waits in the lobby for
//! [`LOBBY_WAIT`]; meanwhile the connection that has been idle for longest is closed to make room.
//! One that found no place is told so (503, with `Retry-After`) and closed, without a byte of it
//! being read; one that finds no place in the lobby is closed at once. So what a flood costs is
//! bounded, and those who come in between are served or told.
//!
//! **End.** No new connection is taken, requests under way are answered, and after [`GRACE`] the
//! rest is dropped.

mod patient;
mod seats;
pub mod tls;
mod unread;

use std::{future::Future, io, net::IpAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use super::peer::{Peer, Peers};
use crate::{
    config::HttpConfig,
    metrics::{METRICS, label::Shed},
};
use patient::Patient;
use seats::{Seat, Seats};

/// How long requests under way have at the end.
pub const GRACE: Duration = Duration::from_secs(10);
/// The buffer of a connection; a request's head must fit into it. Larger heads than
/// [`super::observe`] allows are refused there with a problem document, the very large ones here
/// without.
const BUFFER_BYTES: usize = 32 * 1024;
/// The most headers of a request.
const HEADERS_MAX: usize = 100;
/// How many connections may wait for a place.
const LOBBY_MAX: usize = 256;
/// How long each of them does.
const LOBBY_WAIT: Duration = Duration::from_secs(1);
/// How often those who wait ask the idle to leave.
const LOBBY_ASKS: Duration = Duration::from_millis(50);
/// How long a connection that is turned away has to take its answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a connection is told for which there is no place. It is written before anything of a
/// request is read, so it has no trace.
const NO_PLACE: &str = "HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/problem+json\r\nretry-after: 1\r\nconnection: close\r\n\
    content-length: 179\r\n\r\n\
    {\"type\":\"/docs/errors#overloaded\",\"title\":\"Too much is going on\",\"status\":503,\
    \"detail\":\"All connections are taken. Come back a little later.\",\
    \"code\":\"overloaded\",\"retryable\":true}";

/// Serves `router` on `listener` until `shutdown` ends.
///
/// # Errors
/// When the listener is not usable at all, or TLS is set wrongly. Failures of single connections
/// are logged.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpConfig,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let graceful = GracefulShutdown::new();
    let house = Arc::new(House::new(router, limits)?);
    let lobby = Arc::new(Semaphore::new(LOBBY_MAX));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, address) = match accepted {
            Ok((stream, address)) => (stream, address.ip()),
            Err(error) => {
                // Mostly: no file handles left. Others may end meanwhile.
                warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (house, watcher) = (house.clone(), graceful.watcher());
        if let Some(seat) = house.seats.take() {
            tokio::spawn(house.serve(stream, address, seat, watcher));
        } else if let Ok(place) = lobby.clone().try_acquire_owned() {
            tokio::spawn(async move {
                let seat = house.seats.wait(LOBBY_WAIT, LOBBY_ASKS).await;
                let Some(seat) = seat else {
                    METRICS.requests_shed.of((Shed::Connections,)).inc();
                    return house.turn_away(stream).await;
                };
                drop(place);
                house.serve(stream, address, seat, watcher).await;
            });
        } else {
            METRICS.requests_shed.of((Shed::Connections,)).inc();
        }
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

/// What all connections share.
struct House {
    seats: Seats,
    router: Router,
    server: http1::Builder,
    patience: Duration,
    body_bytes_max: usize,
    tls: Option<TlsAcceptor>,
    handshake: Duration,
    peers: Peers,
}

impl House {
    fn new(router: Router, limits: &HttpConfig) -> io::Result<Self> {
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.head_timeout_ms))
            .max_buf_size(BUFFER_BYTES)
            .max_headers(HEADERS_MAX);
        Ok(Self {
            seats: Seats::new(limits.connections_max),
            router,
            server,
            patience: Duration::from_millis(limits.write_timeout_ms),
            body_bytes_max: limits.body_bytes_max,
            tls: tls::acceptor(&limits.tls)?,
            handshake: Duration::from_millis(limits.head_timeout_ms),
            peers: Peers::default(),
        })
    }

    /// Serves a connection, encrypted or plain.
    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        address: IpAddr,
        seat: Seat,
        watcher: Watcher,
    ) {
        // Small answers must not wait for the peer's acknowledgements.
        let _ = stream.set_nodelay(true);
        let peer = self.peers.of(address, self.tls.is_some());
        let Some(tls) = &self.tls else {
            return self.serve_on(stream, peer, seat, watcher).await;
        };
        match tokio::time::timeout(self.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve_on(stream, peer, seat, watcher).await,
            Ok(Err(error)) => debug!(%error, "a connection was not encrypted"),
            Err(_) => debug!("a connection was not encrypted in time"),
        }
    }

    /// Serves a connection to its end: its own, ours, or that it is asked to leave.
    async fn serve_on<S>(&self, stream: S, peer: Peer, seat: Seat, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let usage = seat.usage();
        let inner = TowerToHyperService::new(self.router.clone());
        let body_bytes_max = self.body_bytes_max;
        let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            let call = usage.begin();
            let (head, body) = request.into_parts();
            let (body, unread) = unread::lend(&head.headers, body);
            let answer = inner.call(hyper::Request::from_parts(head, body));
            async move {
                let mut answer = answer.await;
                if let (Some(unread), Ok(answer)) = (unread, &mut answer) {
                    unread.settle(body_bytes_max, answer.headers_mut()).await;
                }
                drop(call);
                answer
            }
        });
        let stream = Patient::new(stream, self.patience, seat.usage());
        let connection = self.server.serve_connection(TokioIo::new(stream), service);
        let connection = watcher.watch(connection);
        tokio::select! {
            // What ends a connection early is its peer's affair.
            _ = connection => {}
            () = seat.is_wanted() => {}
        }
    }

    /// Tells a connection that there is no place, unless that would take a handshake: there is
    /// no place for one either. What it has sent is taken from the socket and dropped: closing a
    /// socket with unread bytes in it would take the answer away from its peer.
    async fn turn_away(&self, mut stream: TcpStream) {
        if self.tls.is_some() {
            return;
        }
        let said = async {
            stream.write_all(NO_PLACE.as_bytes()).await?;
            stream.shutdown().await?;
            let mut unread = [0; 1024];
            while stream.read(&mut unread).await? > 0 {}
            io::Result::Ok(())
        };
        // Whoever does not listen is not told.
        let _ = tokio::time::timeout(FAREWELL, said).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_without_a_place_is_as_long_as_it_says() {
        let (head, body) = NO_PLACE.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len()))
                || head.ends_with(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], crate::http::ErrorCode::Overloaded.code());
        assert_eq!(body["title"], crate::http::ErrorCode::Overloaded.title());
    }
}
