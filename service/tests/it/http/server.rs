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
    key: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

async fn served(limits: HttpConfig) -> Served {
    let world = World::new().await;
    let key = world.key.clone();
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
        key,
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

/// Many clients write head and body apart. A refusal by the head alone leaves the body under way.
#[tokio::test]
async fn an_early_refusal_keeps_the_connection_or_says_that_it_ends() {
    let served = served(HttpConfig::default()).await;
    let key = format!("authorization: Bearer {}\r\n", served.key);
    for (path, key, status) in [
        ("/v1/payments", "", "401"),
        ("/v1/payments", &*key, "400"),
        ("/v1/nowhere", &*key, "404"),
    ] {
        let head = |length: usize, more: &str| {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
                 {key}{more}content-length: {length}\r\n\r\n"
            );
            head.into_bytes()
        };
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        for _ in 0..2 {
            stream.write_all(&head(2, "")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            let answer = ask(&mut stream, b"{}").await;
            let expected = format!("HTTP/1.1 {status}");
            assert!(answer.starts_with(&expected), "{path}: {answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
        }
        for (length, more) in [(2, ""), (1 << 30, ""), (2, "expect: 100-continue\r\n")] {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            let answer = ask(&mut stream, &head(length, more)).await;
            assert!(answer.contains("connection: close"), "{length}: {answer}");
        }
    }
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

/// Reads to the end, and says what came; a connection that was cut off ends there.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let _ = tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("the server ends the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_connection_without_a_place_is_told_to_come_back() {
    let limits = HttpConfig {
        connections_max: 1,
        body_timeout_ms: 60_000,
        ..HttpConfig::default()
    };
    let served = served(limits).await;
    // A request whose body never ends is at work, and is not asked to leave.
    let mut busy = TcpStream::connect(served.address).await.unwrap();
    let slow = format!(
        "POST /v1/payments HTTP/1.1\r\nhost: lombard\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: 10\r\n\r\n{{",
        served.key
    );
    busy.write_all(slow.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut second = TcpStream::connect(served.address).await.unwrap();
    second.write_all(HEALTH).await.unwrap();
    let told = rest(&mut second).await;
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    assert!(told.contains("retry-after: 1"), "{told}");
    assert!(told.contains("\"code\":\"overloaded\""), "{told}");
    // It recovers by itself.
    drop(busy);
    let mut third = TcpStream::connect(served.address).await.unwrap();
    assert!(ask(&mut third, HEALTH).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn those_who_idle_or_trickle_make_room_for_those_who_ask() {
    let limits = HttpConfig {
        connections_max: 2,
        ..HttpConfig::default()
    };
    let served = served(limits).await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    assert!(ask(&mut idle, HEALTH).await.contains("200"));
    let mut trickling = TcpStream::connect(served.address).await.unwrap();
    trickling.write_all(b"GET /heal").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..2 {
        let mut fresh = TcpStream::connect(served.address).await.unwrap();
        assert!(ask(&mut fresh, HEALTH).await.starts_with("HTTP/1.1 200"));
        drop(fresh);
    }
    let mut both = Vec::new();
    for _ in 0..2 {
        let mut fresh = TcpStream::connect(served.address).await.unwrap();
        assert!(ask(&mut fresh, HEALTH).await.starts_with("HTTP/1.1 200"));
        both.push(fresh);
    }
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut trickling).await, "");
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let limits = HttpConfig {
        head_timeout_ms: 100,
        ..HttpConfig::default()
    };
    let served = served(limits).await;
    for beginning in [b"" as &[u8], b"GET /healthz HTTP/1.1\r\nhost: lom"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let told = rest(&mut stream).await;
        assert!(
            told.is_empty() || told.starts_with("HTTP/1.1 408"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_of_its_answer_is_cut_off() {
    let limits = HttpConfig {
        write_timeout_ms: 200,
        ..HttpConfig::default()
    };
    let served = served(limits).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    // Far more than the sockets' buffers hold.
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: lombard\r\n\r\n";
    let asked = 2_000;
    let asking = async {
        for _ in 0..asked {
            if stream.write_all(request).await.is_err() {
                break;
            }
        }
    };
    // The server stops reading as well, so that not all may have been asked.
    let _ = tokio::time::timeout(Duration::from_secs(2), asking).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let answers = rest(&mut stream).await.matches("HTTP/1.1 200").count();
    assert!(answers < asked, "{answers} answers were kept for nobody");
}
