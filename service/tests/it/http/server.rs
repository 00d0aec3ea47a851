//! The server on a socket: keep-alive, bounds, and an orderly end.

use std::time::Duration;

use lombard_service::{config::HttpConfig, http::serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use super::world::World;

struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn served(limits: HttpConfig) -> Served {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        serve(listener, world.router.clone(), &limits, shutdown).await
    });
    Served {
        address,
        stop,
        ended,
    }
}

/// Sends bytes and reads until the answer has come whole, or the connection ends.
async fn ask(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        match tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await {
            Ok(Ok(read @ 1..)) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
            _ => return text,
        }
        if text.ends_with('}') {
            return text;
        }
    }
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: lombard\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_many_requests_and_the_server_ends_in_order() {
    let served = served(HttpConfig::default()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..3 {
        assert!(ask(&mut stream, HEALTH).await.starts_with("HTTP/1.1 200"));
    }
    served.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), served.ended)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(ask(&mut stream, HEALTH).await, "");
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let served = served(HttpConfig::default()).await;
    for (bytes, status) in [
        (b"NOT HTTP AT ALL\r\n\r\n".to_vec(), "400"),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n".to_vec(),
            "400",
        ),
        (
            [
                b"GET / HTTP/1.1\r\nhost: a\r\nx: ".as_slice(),
                &[b'x'; 100_000],
                b"\r\n\r\n",
            ]
            .concat(),
            "431",
        ),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let answer = ask(&mut stream, &bytes).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    assert!(
        ask(
            &mut TcpStream::connect(served.address).await.unwrap(),
            HEALTH
        )
        .await
        .contains("200")
    );
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_their_turn() {
    let limits = HttpConfig {
        connections_max: 1,
        ..HttpConfig::default()
    };
    let served = served(limits).await;
    let mut first = TcpStream::connect(served.address).await.unwrap();
    assert!(ask(&mut first, HEALTH).await.contains("200"));
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(HEALTH).await.unwrap();
    let mut buffer = [0; 16];
    let waited = tokio::time::timeout(Duration::from_millis(100), second.read(&mut buffer)).await;
    assert!(waited.is_err(), "served while the first is open");
    drop(first);
    let read = tokio::time::timeout(Duration::from_secs(5), second.read(&mut buffer)).await;
    assert!(read.unwrap().unwrap() > 0);
}
