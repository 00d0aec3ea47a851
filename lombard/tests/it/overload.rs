//! The server when the world leans on it: floods, peers that dawdle, bodies without end. What it
//! costs is bounded, those in between are told, and afterwards it is as before.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use super::server::Server;

const CONNECTIONS_MAX: usize = 100;

/// Sends a request and reads what comes until the end or for so long.
fn ask(address: SocketAddr, request: &[u8], patience: Duration) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(patience)).expect("a time");
    // A server that has refused already may have closed.
    let _ = stream.write_all(request);
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        said.extend_from_slice(&buffer[..read]);
        if said.ends_with(b"}") {
            break;
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn status(said: &str) -> &str {
    said.get(9..12).unwrap_or("nothing")
}

struct Leaned {
    server: Server,
    address: SocketAddr,
}

impl Leaned {
    fn start(folder: &tempfile::TempDir, variables: &[(&str, &str)]) -> Self {
        let server = Server::start_with(folder.path(), variables);
        let address = server.text("url").trim_start_matches("http://").to_owned();
        Self {
            server,
            address: address.parse().expect("an address"),
        }
    }

    fn head(&self, length: usize, key: &str) -> String {
        format!(
            "POST /v1/payments HTTP/1.1\r\nhost: lombard\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n",
            self.server.text("api_key")
        )
    }

    fn pay(&self, key: &str) -> String {
        let body = format!(
            r#"{{"amount": 1, "currency": "GBP", "debtor": {{"account": "{}"}},
                "creditor": {{"name": "Ada", "sort_code": "20-00-00", "account_number": "55779911"}}}}"#,
            self.server.text("account")
        );
        let request = self.head(body.len(), key) + &body;
        ask(self.address, request.as_bytes(), Duration::from_secs(10))
    }

    /// Memory of the process in MiB.
    fn memory(&self) -> u64 {
        let pid = &self.server.ready["pid"];
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("a number") / 1024
    }
}

#[test]
fn a_flood_of_dawdlers_costs_bounded_memory_and_is_over_when_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let max = CONNECTIONS_MAX.to_string();
    let limits = [
        ("LOMBARD_HTTP_CONNECTIONS_MAX", max.as_str()),
        ("LOMBARD_HTTP_BODY_TIMEOUT_MS", "4000"),
    ];
    let leaned = Leaned::start(&folder, &limits);
    assert_eq!(status(&leaned.pay("before")), "201");
    let before = leaned.memory();
    // Three times what there is room for: silent, trickling a head, and trickling a body.
    let body = leaned.head(60_000, "never") + &"{".repeat(50_000);
    let says = ["", "POST /v1/payments HTTP/1.1\r\nhost: lom", &body];
    let flood: Vec<TcpStream> = (0..3 * CONNECTIONS_MAX)
        .map(|n| {
            let mut stream = TcpStream::connect(leaned.address).expect("the kernel takes it");
            stream.set_nonblocking(true).expect("it can be");
            // As much as is taken without waiting.
            let _ = stream.write(says[n % says.len()].as_bytes());
            stream
        })
        .collect();
    // Everybody who comes now gets an answer soon: a payment, or when to come back.
    let mut told = Vec::new();
    for n in 0..20 {
        let begun = Instant::now();
        let said = leaned.pay(&format!("during-{n}"));
        assert!(begun.elapsed() < Duration::from_secs(5), "{said}");
        match status(&said) {
            "503" => assert!(said.contains("retry-after: 1"), "{said}"),
            "201" => {}
            // The lobby was full: closed without a word.
            other => assert_eq!(said, "", "{other}"),
        }
        told.push(status(&said).to_owned());
    }
    let during = leaned.memory();
    assert!(
        during < before + 64,
        "{before} MiB before, {during} MiB during"
    );
    drop(flood);
    let begun = Instant::now();
    while status(&leaned.pay("after")) != "201" {
        assert!(begun.elapsed() < Duration::from_secs(5), "after {told:?}");
    }
    assert_eq!(leaned.server.stop(), 0);
}

#[test]
fn a_key_has_its_rate_and_the_server_its_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let leaned = Leaned::start(&folder, &[("LOMBARD_HTTP_REQUESTS_PER_SECOND_MAX", "5")]);
    let said: Vec<String> = (0..30).map(|n| leaned.pay(&format!("k{n}"))).collect();
    let paid = said.iter().filter(|said| status(said) == "201").count();
    let refused: Vec<_> = said.iter().filter(|said| status(said) == "429").collect();
    assert_eq!(paid + refused.len(), said.len(), "{said:?}");
    assert!((5..30).contains(&paid), "{paid}");
    for said in refused {
        assert!(said.contains("retry-after: 1"), "{said}");
        assert!(said.contains("\"code\":\"rate_limited\""), "{said}");
    }
    let begun = Instant::now();
    while status(&leaned.pay("later")) != "201" {
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_body_without_end_is_refused_when_it_is_too_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = [("LOMBARD_HTTP_BATCH_BYTES_MAX", "1000000")];
    let leaned = Leaned::start(&folder, &limits);
    let before = leaned.memory();
    for (path, kind) in [
        ("/v1/payments", "application/json"),
        ("/v1/batches", "text/csv"),
        ("/rails/fps/messages", "application/xml"),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: lombard\r\nauthorization: Bearer {}\r\nidempotency-key: {kind}\r\n\
             content-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n",
            leaned.server.text("api_key")
        );
        let mut stream = TcpStream::connect(leaned.address).expect("the server listens");
        stream
            .set_write_timeout(Some(Duration::from_secs(5)))
            .expect("a time");
        stream.write_all(head.as_bytes()).expect("it is taken");
        let piece = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
        // A gigabyte, if nobody stops us.
        let sent = (0..16_384).take_while(|_| stream.write_all(piece.as_bytes()).is_ok());
        assert!(sent.count() < 1_000, "{path} takes it all");
        let after = leaned.memory();
        assert!(
            after < before + 32,
            "{path}: {before} MiB before, {after} MiB after"
        );
    }
    assert_eq!(status(&leaned.pay("after")), "201");
}
