//! Payments over HTTP until the server is gone, and a record of each: what was asked under which
//! key, and what was answered.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde_json::{Value, json};

use super::http::{Answer, Connection};

/// Callers at once.
const CALLERS: usize = 16;
/// Every payment is of so many minor units; not a magic amount of the simulator.
pub const AMOUNT: u64 = 100;

/// One payment as its caller knows it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The body of the request.
    pub body: String,
    /// The answer, unless the server died first: then nobody knows.
    pub answer: Option<Answer>,
}

/// Everything that was asked, by idempotency key.
pub type Ledger = BTreeMap<String, Asked>;

/// Who asks whom.
pub struct Caller<'a> {
    /// The server.
    pub server: SocketAddr,
    /// The API key.
    pub key: &'a str,
    /// The account that pays.
    pub debtor: &'a str,
    /// An account here that is paid.
    pub creditor: &'a str,
}

impl Caller<'_> {
    /// Pays from many threads until `gone`, counting answers as they come.
    pub fn pay_until(&self, gone: &AtomicBool, round: u64, answered: &AtomicU64) -> Ledger {
        std::thread::scope(|scope| {
            let one = |caller| move || self.one(gone, &format!("{round}-{caller}"), answered);
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| scope.spawn(one(caller)))
                .collect();
            callers
                .into_iter()
                .flat_map(|caller| caller.join().unwrap_or_default())
                .collect()
        })
    }

    fn one(&self, gone: &AtomicBool, name: &str, answered: &AtomicU64) -> Ledger {
        let mut asked = Ledger::new();
        let Ok(mut connection) = Connection::open(self.server) else {
            return asked;
        };
        for n in 0.. {
            if gone.load(Ordering::Relaxed) {
                break;
            }
            let key = format!("crash-{name}-{n}");
            let body = self.payment(&key, n % 2 == 0).to_string();
            let answer = self.ask(&mut connection, &key, &body).ok();
            let died = answer.is_none();
            answered.fetch_add(u64::from(!died), Ordering::Relaxed);
            asked.insert(key, Asked { body, answer });
            if died {
                break;
            }
        }
        asked
    }

    fn payment(&self, key: &str, out: bool) -> Value {
        let creditor = match out {
            true => {
                json!({"name": "Ann Other", "sort_code": "040004", "account_number": "20000002"})
            }
            false => json!({"account": self.creditor}),
        };
        json!({
            "rail": if out { "fps" } else { "book" },
            "amount": AMOUNT,
            "currency": "GBP",
            "debtor": {"account": self.debtor},
            "creditor": creditor,
            "end_to_end_id": key,
        })
    }

    /// Asks for a payment under a key.
    pub fn ask(
        &self,
        connection: &mut Connection,
        key: &str,
        body: &str,
    ) -> std::io::Result<Answer> {
        let auth = format!("Bearer {}", self.key);
        let headers = [
            ("authorization", auth.as_str()),
            ("idempotency-key", key),
            ("content-type", "application/json"),
        ];
        connection.call("POST", "/v1/payments", &headers, body)
    }

    /// Reads something.
    pub fn get(&self, connection: &mut Connection, path: &str) -> anyhow::Result<Value> {
        let auth = format!("Bearer {}", self.key);
        let answer = connection.call("GET", path, &[("authorization", auth.as_str())], "")?;
        anyhow::ensure!(
            answer.status == 200,
            "GET {path}: {} {}",
            answer.status,
            answer.body
        );
        Ok(serde_json::from_str(&answer.body)?)
    }
}
