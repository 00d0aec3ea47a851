//! Clients: they ask for everything that can be asked for, hang up, and ask again under the same
//! key until they have an answer; then, now and then, once more, to see whether it is the same.

mod race;
mod rows;
mod wish;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lombard_core::{
    command::{Command, Rejection, Reply},
    hold::Hold,
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    ledger::Account,
    payment::Payment,
    tenant::TenantId,
};
use lombard_service::ports::Host;
use tokio::task::JoinSet;

use self::wish::Wish;
use super::{Shared, ask::Asked, clock::SimHost, luck::Luck, receiver, run::Setting};

/// Who there is in a world.
pub struct Cast {
    /// How many clients.
    pub clients: usize,
    without: Vec<usize>,
    steps: Option<u64>,
}

impl Cast {
    /// Of a setting.
    #[must_use]
    pub fn of(setting: &Setting) -> Self {
        let luck = Luck::new(setting.seed, "cast");
        Self {
            clients: luck.between(1, 4) as usize,
            without: setting.without_clients.clone(),
            steps: setting.steps,
        }
    }

    /// Sends them off.
    pub async fn begin(&self, shared: &Arc<Shared>) -> JoinSet<u64> {
        let mut clients = JoinSet::new();
        let tenants = [
            TenantId::new(shared.seed | 1),
            TenantId::new(shared.seed ^ 77),
        ];
        if shared.weather_of_world().hooks {
            for tenant in tenants {
                receiver::open_endpoint(shared, tenant).await;
            }
        }
        for number in 0..self.clients {
            if self.without.contains(&number) {
                continue;
            }
            let luck = Luck::new(shared.seed, &format!("client {number}"));
            let steps = luck.between(3, STEPS_MAX);
            let steps = self.steps.map_or(steps, |most| most.min(steps));
            // Most worlds have one tenant, whose clients then meet on its accounts.
            let both = Luck::new(shared.seed, "tenants").happens(300);
            let (tenant, desk) = if both {
                (tenants[number % 2], number / 2)
            } else {
                (tenants[0], number)
            };
            let client = Client::new(shared, (number, desk), tenant, luck);
            clients.spawn(client.live(steps));
        }
        clients
    }
}

/// An answer that a client has.
struct Answer {
    command: Command,
    asked: String,
    reply: Reply,
}

/// A client, and what it knows.
pub struct Client {
    shared: Arc<Shared>,
    name: String,
    number: usize,
    /// What its keys begin with.
    desk: usize,
    tenant: TenantId,
    luck: Luck,
    /// Draws the ids of requests, as the host that takes them in does.
    ids: SimHost,
    serial: u64,
    /// How many requests it has made of each operation.
    requests: BTreeMap<&'static str, u64>,
    /// Whether it is mostly about holds.
    holder: bool,
    accounts: Vec<Id<Account>>,
    payments: Vec<Id<Payment>>,
    credits: Vec<Id<Payment>>,
    holds: Vec<Id<Hold>>,
    answers: Vec<Answer>,
}

/// The most steps that a client takes.
pub const STEPS_MAX: u64 = 16;
/// How often a client asks before it is said that nobody answers.
const TRIES_MAX: u32 = 400;

impl Client {
    fn new(
        shared: &Arc<Shared>,
        (number, desk): (usize, usize),
        tenant: TenantId,
        luck: Luck,
    ) -> Self {
        let dice = Luck::new(shared.seed, &format!("ids of client {number}"));
        Self {
            shared: Arc::clone(shared),
            name: format!("client {number}"),
            holder: Luck::new(luck.bits(), "bent").happens(200),
            number,
            desk,
            tenant,
            luck,
            ids: SimHost::new(Arc::clone(&shared.clock), 0, dice),
            serial: 0,
            requests: BTreeMap::new(),
            accounts: Vec::new(),
            payments: Vec::new(),
            credits: Vec::new(),
            holds: Vec::new(),
            answers: Vec::new(),
        }
    }

    async fn live(mut self, steps: u64) -> u64 {
        self.settle_in().await;
        for _ in 0..steps {
            let pause = self.luck.between(1, 1_500);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if !self.answers.is_empty() && self.luck.happens(150) {
                self.ask_again().await;
            } else if self.luck.happens(50) {
                self.send_batch().await;
            } else if self.luck.happens(40) {
                self.race().await;
            } else {
                let wish = self.wish();
                self.insist(wish).await;
            }
        }
        steps
    }

    /// Carries a wish through to its answer.
    async fn insist(&mut self, wish: Wish) {
        self.serial += 1;
        let asked = format!("{:?}", wish.act);
        let idempotency = Idempotency {
            operation: wish.operation,
            key: self.next_key(wish.operation),
            fingerprint: Fingerprint::of(asked.as_bytes()),
        };
        let mut command = Command {
            tenant: self.tenant,
            actor: format!("key/{}", self.number).into(),
            trace: None,
            idempotency: Some(idempotency.clone()),
            act: wish.act,
        };
        let mut under_way = false;
        for _ in 0..TRIES_MAX {
            // Each request is taken in anew, and gets ids of its own.
            wish::name(&mut command.act, self.ids.now(), self.ids.random());
            self.note(|| format!("{} asks: {:?}", idempotency.key, command.act));
            let wish = (self.tenant, &idempotency, &command.act);
            self.shared.auditor.lock().asks(wish.0, wish.1, wish.2);
            let key = idempotency.record_key(self.tenant);
            let before = self.shared.auditor.lock().keeps(&key);
            let asked_now = self.shared.ask(&self.luck, command.clone()).await;
            self.told(&idempotency, &asked_now, under_way);
            match asked_now {
                Asked::Lost {
                    under_way: still,
                    nothing,
                } => {
                    let done = !before && self.shared.auditor.lock().keeps(&key);
                    if nothing && done && !under_way {
                        let text = "is told that nothing was done, and it was";
                        self.shared.violate(&idempotency.key, text);
                    }
                    under_way |= still;
                    let pause = self.luck.between(10, 2_000);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Asked::Rejected(_) => return,
                Asked::Answered(reply) => {
                    self.learn(&reply);
                    self.answers.push(Answer {
                        command,
                        asked,
                        reply,
                    });
                    return;
                }
            }
        }
        self.shared.violate(&self.name, "nobody answers");
    }

    /// The key of the next request of an operation. Keys belong to operations and tenants, so those of
    /// others are the same, and clients of two tenants have them in common.
    fn next_key(&mut self, operation: &'static str) -> String {
        let number = self.requests.entry(operation).or_default();
        *number += 1;
        format!("{}-{number}", self.desk)
    }

    fn told(&self, wish: &Idempotency, asked: &Asked, under_way: bool) {
        self.note(|| match asked {
            Asked::Answered(reply) => {
                let body = String::from_utf8_lossy(&reply.body);
                format!("{} is told {} {body}", wish.key, reply.status)
            }
            Asked::Rejected(why) => format!("{} is refused: {why}", wish.key),
            Asked::Lost { .. } => format!("{} hears nothing", wish.key),
        });
        let mut auditor = self.shared.auditor.lock();
        auditor.answered(self.tenant, wish, asked, under_way);
    }

    fn note(&self, text: impl FnOnce() -> String) {
        self.shared.history.note(&self.name, text);
    }

    /// Asks something again that was answered: the same, or something else under the same key.
    async fn ask_again(&mut self) {
        let place = self.luck.below(self.answers.len() as u64) as usize;
        let mut command = self.answers[place].command.clone();
        wish::name(&mut command.act, self.ids.now(), self.ids.random());
        let other = self.luck.happens(300);
        if other && let Some(wish) = &mut command.idempotency {
            let asked = format!("{} and more", self.answers[place].asked);
            wish.fingerprint = Fingerprint::of(asked.as_bytes());
        }
        let kept = self.answers[place].reply.status != 200 || {
            let auditor = self.shared.auditor.lock();
            let wish = command.idempotency.as_ref();
            wish.is_some_and(|wish| auditor.keeps(&wish.record_key(self.tenant)))
        };
        let key = command
            .idempotency
            .as_ref()
            .map(|wish| wish.key.clone())
            .unwrap_or_default();
        self.note(|| {
            format!(
                "{key} asks again{}",
                if other { ", differently" } else { "" }
            )
        });
        for _ in 0..TRIES_MAX {
            let found = match self.shared.ask(&self.luck, command.clone()).await {
                Asked::Lost { .. } => {
                    let pause = self.luck.between(10, 2_000);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    continue;
                }
                _ if !kept => return,
                Asked::Rejected(Rejection::KeyReused) if other => return,
                Asked::Answered(reply) if !other && self.same(place, &reply) => return,
                found => found,
            };
            let before = String::from_utf8_lossy(&self.answers[place].reply.body).into_owned();
            let found = match found {
                Asked::Answered(reply) => String::from_utf8_lossy(&reply.body).into_owned(),
                other => format!("{other:?}"),
            };
            let how = if other {
                "another request"
            } else {
                "the same request"
            };
            let text = format!("{how} under the key {key} is answered {found} after {before}");
            self.shared.violate(&self.name, &text);
            return;
        }
    }

    fn same(&self, place: usize, reply: &Reply) -> bool {
        let before = &self.answers[place].reply;
        (before.status, &before.body) == (reply.status, &reply.body)
    }

    /// Takes the id out of an answer.
    fn learn(&mut self, reply: &Reply) {
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(id) = body["id"].as_str() else {
            return;
        };
        if let Ok(id) = id.parse() {
            push_new(&mut self.payments, id);
        }
        if let Ok(id) = id.parse() {
            push_new(&mut self.holds, id);
        }
        if let Ok(id) = id.parse::<Id<Account>>() {
            push_new(&mut self.accounts, id);
        }
    }

    /// Opens accounts, and has money brought to them.
    async fn settle_in(&mut self) {
        for number in 0..self.luck.between(1, 3) {
            let wish = self.open_account(number);
            self.insist(wish).await;
            self.bring_money();
        }
    }

    /// The account of a customer, or of the house, with its name.
    fn act_on(&self) -> Option<Id<Account>> {
        (!self.accounts.is_empty()).then(|| *self.luck.pick(&self.accounts))
    }

    fn pick_payment(&self) -> Option<Id<Payment>> {
        (!self.payments.is_empty()).then(|| *self.luck.pick(&self.payments))
    }

    fn pick_credit(&self) -> Option<Id<Payment>> {
        (!self.credits.is_empty()).then(|| *self.luck.pick(&self.credits))
    }

    fn pick_hold(&self) -> Option<Id<Hold>> {
        (!self.holds.is_empty()).then(|| *self.luck.pick(&self.holds))
    }
}

fn push_new<T>(list: &mut Vec<Id<T>>, id: Id<T>) {
    if !list.contains(&id) {
        list.push(id);
    }
}
