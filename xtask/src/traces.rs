//! `cargo xtask traces`: a payment's trace, as a collector that nobody here wrote receives it.
//!
//! oteltap (PyPI) listens for OTLP over HTTP. A server traces to it; a client that traces pays over
//! the simulated rail and is told by webhook; and what oteltap prints must be one tree, from the
//! client's span to the webhook's try, that the payment, its events and its ledger entries name.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    crash::{
        self,
        http::Connection,
        server::{Process, free_address},
    },
    python,
};

/// The collector, in the version that this was written for.
const COLLECTOR: &str = "oteltap==1.0.0";
/// Longer than a trace gathers, and is sent.
const PATIENCE: Duration = Duration::from_secs(30);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What must be there: each span with the one that it is a child of.
const TREE: [(&str, &str); 7] = [
    ("POST /v1/payments", "the client"),
    ("execute pay", "POST /v1/payments"),
    ("store.decide", "execute pay"),
    ("store.commit", "execute pay"),
    ("rail.submit", "execute pay"),
    ("rail.call", "rail.submit"),
    ("webhook.try", "execute pay"),
];

/// Runs it.
pub fn run() -> Result<ExitCode> {
    Ok(match shown()? {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(2),
    })
}

/// Whether it could be shown: not where the collector cannot be installed.
///
/// # Errors
/// When the trace is not as it must be.
pub fn shown() -> Result<bool> {
    let Some(programs) = python::installed("oteltap", "oteltap", &[COLLECTOR]) else {
        return Ok(false);
    };
    let program = crash::build(false)?;
    let data = std::env::temp_dir().join(format!("lombard-traces-{}", std::process::id()));
    let listening = free_address()?;
    let collector = Collector::start(
        Command::new(programs.join("oteltap")).args(["--port", &listening.port().to_string()]),
    )?;
    let server = free_address()?;
    let mut command = Command::new(program);
    command
        .args(["up", "--json", "--listen", &server.to_string(), "--data"])
        .arg(&data)
        .env("LOMBARD_RAIL_LISTEN", "127.0.0.1:0")
        .env("LOMBARD_LOG_FILTER", "error")
        .env("LOMBARD_TRACES_ENDPOINT", format!("http://{listening}"));
    let process = Process::start(&mut command)?;
    let payment = pay(server, &process.ready)?;
    let spans = collector.spans(TRACE)?;
    check(&spans)?;
    let named = payment["trace_id"] == TRACE;
    ensure!(named, "the payment names another trace: {payment}");
    drop(process);
    std::fs::remove_dir_all(&data)?;
    Ok(true)
}

/// Pays as a client that traces, with a webhook endpoint that hears of it, and looks that events
/// and ledger entries name the trace.
fn pay(server: SocketAddr, ready: &Value) -> Result<Value> {
    let text = |name: &str| ready[name].as_str().unwrap_or_default();
    let bearer = format!("Bearer {}", text("api_key"));
    let (endpoint, told) = endpoint()?;
    let mut connection = Connection::open(server)?;
    let mut ask = |method: &str, path: &str, body: &Value| -> Result<Value> {
        let traceparent = format!("00-{TRACE}-{CALLER}-01");
        let mut headers = vec![("authorization", bearer.as_str())];
        if method == "POST" {
            headers.extend([
                ("content-type", "application/json"),
                ("idempotency-key", path),
                ("prefer", "wait=10"),
            ]);
        }
        if path == "/v1/payments" {
            headers.push(("traceparent", &traceparent));
        }
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = connection.call(method, path, &headers, &body)?;
        ensure!(answer.status < 300, "{method} {path}: {}", answer.body);
        Ok(serde_json::from_str(&answer.body)?)
    };
    let hook = json!({"url": format!("http://{endpoint}/")});
    ask("POST", "/v1/webhook_endpoints", &hook)?;
    let order = json!({
        "amount": 1999, "currency": "EUR", "rail": "sepa_inst",
        "debtor": {"account": text("euro_account")},
        "creditor": {"name": "Ada Lovelace", "iban": "DE89370400440532013000"},
    });
    let payment = ask("POST", "/v1/payments", &order)?;
    ensure!(
        payment["status"] == "CLEARED",
        "it did not clear: {payment}"
    );
    let id = payment["id"].as_str().context("no id")?;
    for path in [
        format!("/v1/payments/{id}/timeline"),
        format!("/v1/ledger?payment={id}"),
    ] {
        let list = ask("GET", &path, &Value::Null)?;
        let named = list.to_string().contains(TRACE);
        ensure!(named, "{path} does not name the trace: {list}");
    }
    let traceparent = told.recv_timeout(PATIENCE)?;
    ensure!(traceparent.contains(TRACE), "the webhook's {traceparent:?}");
    Ok(payment)
}

/// A webhook endpoint that takes everything, and the `traceparent` of the first.
fn endpoint() -> Result<(SocketAddr, mpsc::Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 8192];
            let read = stream.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let parent = head.lines().find(|line| line.starts_with("traceparent:"));
            // Nobody listens once the first was looked at.
            let _ = tell.send(parent.unwrap_or_default().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    Ok((address, told))
}

/// A span, as far as it is looked at.
struct Span {
    name: String,
    id: String,
    parent: String,
}

fn check(spans: &[Span]) -> Result<()> {
    let names: BTreeMap<_, _> = spans.iter().map(|span| (&*span.id, &*span.name)).collect();
    for (child, parent) in TREE {
        let found = spans.iter().any(|span| {
            let under = match span.parent.as_str() {
                CALLER => "the client",
                id => names.get(id).copied().unwrap_or("nothing"),
            };
            (span.name.as_str(), under) == (child, parent)
        });
        ensure!(found, "there is no {child} under {parent}: {names:?}");
    }
    Ok(())
}

/// A running oteltap.
struct Collector {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Collector {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("no output")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let collector = Self { child, lines };
        let said = collector.lines.recv_timeout(PATIENCE)?;
        ensure!(said.starts_with("Listening"), "oteltap said {said:?}");
        Ok(collector)
    }

    /// The spans of a trace, once the whole tree is there.
    fn spans(&self, trace: &str) -> Result<Vec<Span>> {
        let begun = Instant::now();
        let mut spans = Vec::new();
        while TREE
            .iter()
            .any(|(name, _)| !spans.iter().any(|it: &Span| it.name == *name))
        {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let line = self.lines.recv_timeout(left).with_context(|| {
                let names: Vec<_> = spans.iter().map(|span: &Span| span.name.clone()).collect();
                format!("not the whole tree came within {PATIENCE:?}: {names:?}")
            })?;
            if let Ok(said) = serde_json::from_str::<Value>(&line) {
                found(&said, trace, &mut spans);
            }
        }
        Ok(spans)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Spans of a trace, wherever they stand in what was printed.
fn found(said: &Value, trace: &str, spans: &mut Vec<Span>) {
    match said {
        Value::Array(all) => all.iter().for_each(|one| found(one, trace, spans)),
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            if text("traceId") == trace && fields.contains_key("name") {
                spans.push(Span {
                    name: text("name").to_owned(),
                    id: text("spanId").to_owned(),
                    parent: text("parentSpanId").to_owned(),
                });
            }
            fields.values().for_each(|one| found(one, trace, spans));
        }
        _ => {}
    }
}
