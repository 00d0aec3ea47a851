//! Every kind of exception, as somebody outside provokes it: by what the simulated rails and providers do, by
//! requests, files and time, and by what happens to the data folder. Each is found in the queue within a
//! minute, put right by one request, and on record.
//!
//! A kind that nobody can provoke fails [`every_kind_is_provoked`].

mod installation;
mod payments;
mod risk;
mod statements;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    path::PathBuf,
    thread::park_timeout,
    time::{Duration, Instant},
};

use lombard_service::exceptions::Kind;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::Server;

/// Within which an exception must be in the queue.
const MINUTE: Duration = Duration::from_secs(60);
/// A day, of the server's time.
const DAY: Duration = Duration::from_hours(24);

#[test]
fn every_kind_is_provoked() {
    let lists = [
        payments::KINDS,
        statements::KINDS,
        risk::KINDS,
        installation::KINDS,
    ];
    let provoked: Vec<Kind> = lists.concat();
    let all: BTreeSet<Kind> = provoked.iter().copied().collect();
    assert_eq!(all, Kind::ALL.into_iter().collect());
    assert_eq!(all.len(), provoked.len(), "each in one place");
}

/// A running server, and the kinds that were provoked there.
struct Stage {
    server: Server,
    folder: TempDir,
    seen: RefCell<BTreeSet<Kind>>,
}

impl Stage {
    /// With a file of settings and some variables.
    fn set(settings: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lombard.toml");
        std::fs::write(&file, settings).expect("written");
        let file = file.to_str().expect("a path of text").to_owned();
        let variables = [&[("LOMBARD_CONFIG", file.as_str())], variables].concat();
        let server = Server::start_with(&folder.path().join("data"), &variables);
        let seen = RefCell::default();
        Self {
            server,
            folder,
            seen,
        }
    }

    /// A file or folder of the server's data.
    fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    /// The open case of a kind, which comes within a minute.
    fn found(&self, kind: Kind) -> Value {
        self.seen.borrow_mut().insert(kind);
        let path = format!("/v1/exceptions?standing=active&kind={}", kind.name());
        let begun = Instant::now();
        loop {
            let case = self.server.get(&path)["data"][0].clone();
            if !case.is_null() {
                assert_eq!(case["severity"], kind.severity(), "{case}");
                return case;
            }
            assert!(begun.elapsed() < MINUTE, "no case of {kind:?}");
            park_timeout(Duration::from_millis(100));
        }
    }

    /// Carries an action out as it was shown, and looks for it on the record.
    fn fix(&self, case: &Value, action: &str) {
        self.fix_with(case, action, "");
    }

    /// The same, with the rail's own reference.
    fn fix_with(&self, case: &Value, action: &str, reference: &str) {
        let id = text(case, "id");
        let mut path = format!("/v1/exceptions/{id}/preview?action={action}");
        let mut wish = json!({"action": action, "note": "by its runbook"});
        if !reference.is_empty() {
            path = format!("{path}&reference={reference}");
            wish["reference"] = json!(reference);
        }
        wish["seen"] = self.server.get(&path)["seen"].clone();
        let done = self.post(&format!("/v1/exceptions/{id}/resolve"), &wish);
        assert_eq!(done["state"], "resolved", "{done}");
        let audit = self.server.get("/v1/audit?limit=20");
        let mut records = audit["data"].as_array().into_iter().flatten();
        let what = format!("exception.{action}");
        let on_record = records.any(|it| it["what"] == what && it.to_string().contains(id));
        assert!(on_record, "{what} of {id} is not on record: {audit}");
    }

    /// Provokes, finds and puts right.
    fn case(&self, kind: Kind, action: &str, provoke: impl FnOnce()) {
        provoke();
        self.fix(&self.found(kind), action);
    }

    /// Waits until a case has closed by itself.
    fn closes(&self, case: &Value) {
        let path = format!("/v1/exceptions/{}", text(case, "id"));
        let begun = Instant::now();
        while self.server.get(&path)["state"] != "resolved" {
            assert!(begun.elapsed() < MINUTE, "it does not close: {case}");
            park_timeout(Duration::from_millis(100));
        }
    }

    /// Posts what is taken.
    fn post(&self, path: &str, body: &Value) -> Value {
        let (status, said) = self.server.post(path, &fresh(), &body.to_string());
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        said
    }

    /// Pays so many pence to somebody outside, under an end-to-end id, and waits for what the rail says.
    fn pay(&self, pence: u32, end_to_end_id: &str) -> String {
        let body = json!({
            "amount": pence, "currency": "GBP", "debtor": {"account": self.server.text("account")},
            "creditor": {"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"},
            "end_to_end_id": end_to_end_id,
        });
        let headers = format!("{}prefer: wait=5\r\n", self.headers("application/json"));
        let (status, paid) = self
            .server
            .send("/v1/payments", &headers, &body.to_string());
        assert_eq!(status, 201, "{paid}");
        text(&paid, "id").to_owned()
    }

    /// The headers of a request with a body.
    fn headers(&self, kind: &str) -> String {
        format!(
            "authorization: Bearer {}\r\nidempotency-key: {}\r\ncontent-type: {kind}\r\n",
            self.server.text("api_key"),
            fresh()
        )
    }

    /// The next Faster Payment is treated like this (docs/rails.md).
    fn next(&self, behaviour: &Value) {
        let wish = json!({"rail": "fps", "times": 1, "behaviour": behaviour});
        self.server.control("behaviours", &wish);
    }

    /// Everything that this stage was for was provoked.
    fn end(&self, kinds: &[Kind]) {
        assert_eq!(*self.seen.borrow(), kinds.iter().copied().collect());
    }
}

/// A text of a view.
fn text<'a>(view: &'a Value, name: &str) -> &'a str {
    view[name].as_str().unwrap_or_default()
}

/// An idempotency key that nobody used.
fn fresh() -> String {
    format!("provoked-{:?}", Instant::now())
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

/// Waits until something holds.
fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < MINUTE, "it never was so: {what}");
        park_timeout(Duration::from_millis(100));
    }
}
