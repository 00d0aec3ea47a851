//! Marked data through every route, in good requests, bad ones and failing ones; then a search
//! of everything that was written: nothing of it may be anywhere but under the vault's seal.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{body::Body, http::Request};
use lombard_service::gate::Gated;
use serde_json::{Value, json};

use super::{vault::all_of, world::World};

const NAME: &str = "Zebulon Quagmire-Canary";
const PAN: &str = "5105105105105100";
const EMAIL: &str = "zebulon.canary@example.org";
const IBAN: &str = "GB33BUKB20201555555555";
const ACCOUNT: &str = "31926819";
const MARKS: [&str; 6] = [NAME, PAN, EMAIL, IBAN, ACCOUNT, "Quagmire"];

/// A log that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn bodies(account: &str) -> Vec<(&'static str, Value)> {
    let party = json!({"name": NAME, "sort_code": "20-00-00", "account_number": ACCOUNT});
    let card = json!({"number": PAN, "exp_month": 1, "exp_year": 2031, "holder": NAME});
    let person = json!({"name": NAME, "email": EMAIL});
    vec![
        (
            "/v1/accounts",
            json!({"name": "wallet", "currency": "EUR", "holder": NAME, "address": {"iban": IBAN}}),
        ),
        (
            "/v1/payments",
            json!({"amount": 1, "currency": "GBP", "debtor": {"account": account, "name": NAME}, "creditor": party, "reference": "Quagmire"}),
        ),
        (
            "/v1/payments",
            json!({"amount": 1, "currency": "EUR", "debtor": {"account": account}, "creditor": {"name": NAME, "iban": IBAN}}),
        ),
        (
            "/v1/payments",
            json!({"amount": 1, "currency": "GBP", "debtor": {"account": account}, "creditor": party, "metadata": {"card": PAN}}),
        ),
        ("/v1/tokens", json!({"card": card})),
        ("/v1/tokens", json!({"person": person})),
        (
            "/v1/tokens",
            json!({"bank_account": {"iban": IBAN, "holder": NAME}}),
        ),
        (
            "/v1/tokens",
            json!({"card": {"number": PAN, "exp_month": 1, "exp_year": 2001}}),
        ),
    ]
}

#[tokio::test]
async fn marked_data_is_nowhere_but_under_the_vault_s_seal() {
    let kept = Kept::default();
    let writer = kept.clone();
    let logs = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || Gated(writer.clone()))
        .finish();
    // Where there is one subscriber alone, whether a place logs is decided by the thread that
    // comes there first, and other tests' threads have none. With two, both are asked.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let logging = tracing::subscriber::set_default(logs);
    let mut config = lombard_service::config::Config::default();
    config.http.log_one_in = 1;
    let world = World::with(config).await;
    let account = world.account(10_000).await;
    let mut said = String::new();
    let mut tokens = Vec::new();
    for (path, body) in bodies(&account) {
        let answer = world.post(path, body).await;
        if answer.text("id").starts_with("tok_") {
            tokens.push((answer.text("id"), answer.text("subject")));
        }
        said.push_str(&String::from_utf8_lossy(&answer.bytes));
    }
    assert_eq!(tokens.len(), 3);
    for (token, subject) in &tokens {
        let path = format!("/v1/tokens/{token}/detokenize");
        let read = world
            .post(&path, json!({"purpose": "canary"}))
            .await
            .expect(200);
        assert!(MARKS.iter().any(|mark| read.to_string().contains(mark)));
        world
            .get(&format!("/v1/subjects/{subject}/export"))
            .await
            .expect(200);
    }
    said.push_str(&everywhere_wrong(&world).await);
    for list in [
        "/v1/payments",
        "/v1/accounts",
        "/v1/events",
        "/v1/ledger",
        "/v1/exceptions",
        "/v1/audit",
    ] {
        said.push_str(&world.get(list).await.expect(200).to_string());
    }
    drop(logging);
    let logged = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(logged.lines().count() > 20, "everything was logged");
    let mut stored = all_of(&*world.app.store).await;
    stored.push_str(&all_of(&*world.tokens.app().store).await);
    for mark in MARKS {
        for (what, text) in [
            ("an answer", &said),
            ("a log", &logged),
            ("a store", &stored),
        ] {
            assert!(!text.contains(mark), "{mark} is in {what}");
        }
    }
}

/// Marked data where it does not belong: in paths, queries, headers, broken bodies, unknown
/// members. What is answered, as text.
async fn everywhere_wrong(world: &World) -> String {
    let mut said = String::new();
    let document: Value = serde_json::from_str(lombard_service::http::openapi::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let filled = path.replace("{id}", PAN);
            for (target, body) in [
                (
                    filled.clone(),
                    format!("{{\"card\": \"{PAN}\", \"mail\": \"{EMAIL}\"}}"),
                ),
                (
                    format!("{filled}?cursor={PAN}&{EMAIL}={IBAN}"),
                    format!("{{\"{PAN}\": 1"),
                ),
                (filled.clone(), format!("\"{IBAN}\"")),
            ] {
                let request = Request::builder()
                    .method(method.to_uppercase().as_str())
                    .uri(target)
                    .header("authorization", format!("Bearer {}", world.key))
                    .header("idempotency-key", format!("k{}", said.len()))
                    .header("content-type", "application/json")
                    .header("user-agent", EMAIL);
                let answer = world.send(request.body(Body::from(body)).unwrap()).await;
                said.push_str(&String::from_utf8_lossy(&answer.bytes));
                said.push_str(&format!("{:?}", answer.headers));
            }
        }
    }
    said
}
