//! What the simulator's parts share: the books, the rules, the outage, and the way to Lombard.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lombard_core::{iso20022::Agent, money::Money, rail::Rail};
use lombard_service::{
    ports::Host,
    rails::{
        dialect::Dialect,
        dialect_of,
        signature::{self, Signer},
    },
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::{SimConfig, behaviour::Behaviour, books::Books};

/// Tries of a message to Lombard before it is given up.
const DELIVERIES_MAX: u32 = 12;
/// Deliveries that are remembered for the control API.
const REMEMBERED_MAX: usize = 1_000;

/// Shared by every request.
pub struct Shared {
    /// How it was started.
    pub config: SimConfig,
    /// Signs and checks messages.
    pub signer: Signer,
    /// What was taken and sent.
    pub books: Mutex<Books>,
    /// What the control API set.
    pub rules: Mutex<Rules>,
    /// What came of messages to Lombard, the newest last.
    pub deliveries: Mutex<VecDeque<Delivery>>,
    serial: AtomicU64,
    http: reqwest::Client,
}

/// What the control API set.
#[derive(Default)]
pub struct Rules {
    /// For payments of an end-to-end id, with how many more times (`None` for always).
    pub by_end_to_end: BTreeMap<String, (Behaviour, Option<u32>)>,
    /// For the next payments of a rail, in order.
    pub next: BTreeMap<Rail, VecDeque<Behaviour>>,
    /// For all payments of a rail.
    pub all: BTreeMap<Rail, Behaviour>,
    /// How a rail is out of order.
    pub outage: BTreeMap<Rail, Outage>,
    /// Where Lombard is, if not where the configuration says.
    pub lombard_url: Option<String>,
    /// The number that everything drawn follows from.
    pub seed: u64,
}

/// How a rail is out of order. Nothing is taken meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// It works.
    None,
    /// It answers 503.
    Unavailable,
    /// It does not answer.
    Hang,
    /// It closes the connection.
    Drop,
}

/// What came of a message to Lombard.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Over which rail.
    pub rail: Rail,
    /// Its kind, such as `pacs.008`.
    pub message: &'static str,
    /// Its message id.
    pub message_id: String,
    /// The HTTP status of the answer; 0 if there was none.
    pub status: u16,
    /// The answer.
    pub answer: String,
    /// How often it was sent.
    pub tries: u32,
}

/// A message for Lombard.
pub struct Letter {
    /// Over which rail.
    pub rail: Rail,
    /// Its kind.
    pub message: &'static str,
    /// Its message id.
    pub message_id: String,
    /// The XML.
    pub xml: String,
}

impl Shared {
    /// A simulator that has seen nothing yet.
    pub fn new(config: SimConfig) -> Self {
        let rules = Rules {
            seed: config.seed,
            ..Rules::default()
        };
        Self {
            signer: Signer::new(&config.secret),
            books: Mutex::default(),
            rules: Mutex::new(rules),
            deliveries: Mutex::default(),
            serial: AtomicU64::new(1),
            http: client(),
            config,
        }
    }

    /// Forgets everything.
    pub fn reset(&self, seed: Option<u64>) {
        *self.books.lock() = Books::default();
        self.deliveries.lock().clear();
        self.serial.store(1, Ordering::Relaxed);
        let mut rules = self.rules.lock();
        *rules = Rules {
            seed: seed.unwrap_or(self.config.seed),
            lombard_url: rules.lombard_url.take(),
            ..Rules::default()
        };
    }

    /// The clock.
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.config.host
    }

    /// Now, in Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.config.host.now().unix_ms()
    }

    /// The rail's way of speaking; every rail of the simulator has one.
    pub fn dialect(rail: Rail) -> Option<&'static dyn Dialect> {
        dialect_of(rail)
    }

    /// The bank as which the simulator speaks.
    pub fn agent(&self, rail: Rail) -> Agent {
        match rail {
            Rail::Fps => Agent::sort_code(&self.config.sort_code),
            Rail::SepaInst | Rail::Book | Rail::Card => Agent::bic(&self.config.bic),
        }
    }

    /// A text of 16 digits that follows from the seed and `about`.
    pub fn drawn(&self, about: &str) -> String {
        let seed = self.rules.lock().seed;
        let digest = Sha256::digest(format!("{seed}/{about}"));
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// The next message id of ours: `SIM`, a number from the seed, and a serial one.
    pub fn message_id(&self) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        format!("SIM{}-{serial}", self.drawn("messages"))
    }

    /// How a payment shall be treated.
    pub fn behaviour(&self, rail: Rail, end_to_end_id: &str, money: Money) -> Arc<Behaviour> {
        let mut rules = self.rules.lock();
        if let Some((behaviour, left)) = rules.by_end_to_end.get_mut(end_to_end_id) {
            let chosen = Arc::new(behaviour.clone());
            match left {
                None => return chosen,
                Some(0) => {}
                Some(left) => {
                    *left -= 1;
                    return chosen;
                }
            }
        }
        if let Some(next) = rules.next.get_mut(&rail).and_then(VecDeque::pop_front) {
            return Arc::new(next);
        }
        if let Some(all) = rules.all.get(&rail) {
            return Arc::new(all.clone());
        }
        Arc::new(Behaviour::of_amount(rail, money).unwrap_or_default())
    }

    /// Sends a message to Lombard after a while, without waiting for it.
    pub fn send_later(self: &Arc<Self>, after_ms: u64, letter: Letter) {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            shared.send(letter).await;
        });
    }

    /// Sends a message to Lombard, again and again until it is taken, refused, or given up.
    pub async fn send(&self, letter: Letter) -> Delivery {
        let mut delivery = Delivery {
            rail: letter.rail,
            message: letter.message,
            message_id: letter.message_id,
            status: 0,
            answer: String::new(),
            tries: 0,
        };
        while delivery.tries < DELIVERIES_MAX {
            delivery.tries += 1;
            if let Some((status, answer)) = self.post(letter.rail, &letter.xml).await {
                delivery.status = status;
                delivery.answer = answer;
                if status < 500 && status != 429 {
                    break;
                }
            }
            let pause = (50u64 << delivery.tries.min(8)).min(5_000);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        let done = (200..300).contains(&delivery.status);
        let mut books = self.books.lock();
        let counts = books.counts(letter.rail);
        if done {
            counts.delivered += 1;
        } else {
            counts.undelivered += 1;
            warn!(rail = %letter.rail, status = delivery.status, "a message was not taken");
        }
        drop(books);
        let mut deliveries = self.deliveries.lock();
        if deliveries.len() >= REMEMBERED_MAX {
            deliveries.pop_front();
        }
        deliveries.push_back(delivery.clone());
        delivery
    }

    async fn post(&self, rail: Rail, xml: &str) -> Option<(u16, String)> {
        let set = self.rules.lock().lombard_url.clone();
        let base = set.unwrap_or_else(|| self.config.lombard_url.clone());
        let url = format!("{}/rails/{rail}/messages", base.trim_end_matches('/'));
        let signature = self.signer.sign(self.host().now(), xml.as_bytes());
        let sent = self
            .http
            .post(url)
            .header("content-type", "application/xml")
            .header(signature::HEADER, signature)
            .body(xml.to_owned())
            .send()
            .await
            .ok()?;
        let status = sent.status().as_u16();
        Some((status, sent.text().await.ok()?))
    }
}

fn client() -> reqwest::Client {
    lombard_service::rails::gateway::use_ring();
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        .no_proxy()
        .build();
    client.unwrap_or_default()
}
