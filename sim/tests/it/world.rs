//! A Lombard in memory and a simulator, connected by HTTP, with a clock that runs and can be set
//! forward.

use std::{
    collections::BTreeMap,
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lombard_core::{
    command::{Act, Command, Pay, Reply},
    event::Event,
    id::Id,
    ledger::{Account, Balance, Layer, Side, Transaction},
    lifecycle::Stage,
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Party, Payment},
    plan::keys,
    rail::Rail,
    store::decode,
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::{
    app::App,
    config::{Config, RailConfig},
    details::{BankAddress, Details},
    exceptions::{self, Exception},
    host::SystemHost,
    http::{Api, router, wire::Wire},
    memory,
    optimistic::Optimistic,
    ports::{Bank, ExecuteError, Host, Range, Store, Vault},
    rails, tenants,
    vault::{FileKeys, KeyFile, LocalVault, Subjects, Tokens},
    worker,
};
use lombard_sim::{
    psp::PspConfig,
    rail::{SimConfig, serve},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use super::charges;

/// The clock of the machine, set forward by hand.
#[derive(Default)]
pub struct MovedHost {
    system: SystemHost,
    ahead_ms: AtomicU64,
}

impl Host for MovedHost {
    fn now(&self) -> Timestamp {
        self.system
            .now()
            .plus_ms(self.ahead_ms.load(Ordering::SeqCst))
    }

    fn random(&self) -> u128 {
        self.system.random()
    }
}

pub struct World {
    pub app: App,
    pub tokens: Tokens,
    pub host: Arc<MovedHost>,
    pub tenant: TenantId,
    pub gbp: Id<Account>,
    pub eur: Id<Account>,
    pub sim: String,
    pub lombard: String,
    pub http: reqwest::Client,
    stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

/// The payees: any account that is well-formed.
pub const IBAN: &str = "NL91ABNA0417164300";
pub const SORT_CODE: &str = "040004";
pub const NUMBER: &str = "11223344";
/// The secret of both rails.
pub const SECRET: &str = "shared secret of the test";

/// How much the demo tenant has in each account.
pub const FUNDS: u64 = 100_000_000_000;

impl World {
    pub async fn start() -> Self {
        Self::with(|bank| bank, None).await
    }

    /// A world whose bank is wrapped, and whose gateway is elsewhere if so wanted.
    pub async fn with(
        wrap: impl FnOnce(Arc<dyn Bank>) -> Arc<dyn Bank>,
        gateway: Option<String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (to_us, to_sim) = (bind().await, bind().await);
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (lombard, sim) = (url(&to_us), url(&to_sim));
        let host = Arc::new(MovedHost::default());
        let (app, tokens) = application(
            &folder,
            Arc::clone(&host) as Arc<dyn Host>,
            (&gateway.unwrap_or_else(|| sim.clone()), &sim),
            wrap,
        );
        let demo = tenants::demo(&app).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let mut tasks = worker::spawn_all(&app, &stopped);
        let router = router(Api::new(app.clone()));
        tasks.spawn(async move { axum::serve(to_us, router).into_future().await.unwrap() });
        let config = SimConfig {
            lombard_url: lombard.clone(),
            secret: SECRET.to_owned(),
            host: Arc::clone(&host) as Arc<dyn Host>,
            psp: Some(PspConfig {
                lombard_url: lombard.clone(),
                host: Arc::clone(&host) as Arc<dyn Host>,
                ..PspConfig::default()
            }),
            ..SimConfig::default()
        };
        tasks.spawn(async move {
            serve(to_sim, config, std::future::pending()).await.unwrap();
        });
        Self {
            app,
            tokens,
            host,
            tenant: demo.tenant,
            gbp: demo.account,
            eur: demo.euro_account,
            sim,
            lombard,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            stop,
            _tasks: tasks,
            _folder: folder,
        }
    }

    pub fn advance(&self, ms: u64) {
        self.host.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn account(&self, rail: Rail) -> Id<Account> {
        match rail {
            Rail::Fps => self.gbp,
            Rail::SepaInst | Rail::Book | Rail::Card => self.eur,
        }
    }

    pub async fn execute(&self, act: Act) -> Result<Reply, ExecuteError> {
        let command = Command {
            tenant: self.tenant,
            actor: "key/test".into(),
            trace: Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
            idempotency: None,
            act,
        };
        self.app.execute(command).await
    }

    /// Sends `minor` units to a payee of the rail.
    pub async fn pay(&self, rail: Rail, minor: u64) -> Id<Payment> {
        let account = self.account(rail);
        let act = self.payment(rail, minor, account, OnInsufficientFunds::Fail);
        let id = act.id;
        // A test's own command may meet a worker's; the key makes no difference here.
        self.execute(Act::Pay(Box::new(act))).await.unwrap();
        id
    }

    pub fn payment(
        &self,
        rail: Rail,
        minor: u64,
        debtor: Id<Account>,
        on_insufficient_funds: OnInsufficientFunds,
    ) -> Pay {
        let id = Id::new(self.host.now(), self.host.random());
        let address = match rail {
            Rail::Fps => format!(r#"{{"sort_code":"{SORT_CODE}","account_number":"{NUMBER}"}}"#),
            Rail::SepaInst | Rail::Book | Rail::Card => format!(r#"{{"iban":"{IBAN}"}}"#),
        };
        let address: BankAddress = serde_json::from_str(&address).unwrap();
        let details = Details {
            creditor_name: Some("Zoë O'Neill & Söhne".to_owned()),
            creditor_account: Some(address),
            remittance: Some("Rechnung 4711".to_owned()),
            ..Details::default()
        };
        let vault = self.app.vault.as_ref();
        Pay {
            id,
            rail,
            money: money(rail, minor),
            debtor,
            creditor: Party::External(address.external(vault, self.tenant)),
            end_to_end_id: format!("e2e-{:08x}", id.bits() as u32),
            on_insufficient_funds,
            verification: None,
            execute_at: None,
            agency: None,
            needs_approval: false,
            parties: Vec::new(),
            sca: None,
            wait_ms: 60_000,
            sealed: Some(details.seal(vault, self.tenant, id).unwrap()),
            warnings: Vec::new(),
            metadata: BTreeMap::new(),
            batch: None,
            risk: None,
        }
    }

    pub async fn get(&self, id: Id<Payment>) -> Payment {
        self.app
            .value(&keys::payment(self.tenant, id))
            .await
            .unwrap()
            .expect("the payment is there")
    }

    /// Waits until a payment is as wanted.
    pub async fn until(
        &self,
        id: Id<Payment>,
        what: &str,
        wanted: impl Fn(&Payment) -> bool,
    ) -> Payment {
        for _ in 0..800 {
            let payment = self.get(id).await;
            if wanted(&payment) {
                return payment;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (payment, told) = (self.get(id).await, self.timeline(id).await);
        panic!("never {what}: {payment:#?}\n{told:#?}");
    }

    pub async fn stage(&self, id: Id<Payment>, stage: Stage) -> Payment {
        self.until(id, &format!("{stage:?}"), |payment| payment.stage == stage)
            .await
    }

    /// The published types of a payment's events, in order.
    pub async fn timeline(&self, id: Id<Payment>) -> Vec<&'static str> {
        let range =
            Range::of(&keys::payment_partition(self.tenant, id), 1000).until("e#~".to_owned());
        let found = self.app.store.range(&range).await.unwrap();
        found
            .iter()
            .map(|found| decode::<Event>(&found.record.body.bytes).kind())
            .collect()
    }

    pub async fn balance(&self, account: Id<Account>) -> Balance {
        let key = keys::balance(self.tenant, account);
        self.app.value(&key).await.unwrap().unwrap()
    }

    /// What is open, of this tenant and of the operator.
    pub async fn exceptions(&self) -> Vec<Exception> {
        let mut all = Vec::new();
        for tenant in [self.tenant, exceptions::operator()] {
            let found = exceptions::list(&self.app, tenant, None, 100)
                .await
                .unwrap();
            all.extend(found.into_iter().map(|(_, exception)| exception));
        }
        all
    }

    pub async fn until_exception(&self, kind: exceptions::Kind) -> Exception {
        for _ in 0..500 {
            let found = self.exceptions().await;
            if let Some(found) = found.into_iter().find(|found| found.kind == kind) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no exception {kind:?}");
    }

    /// The simulator's side of a payment.
    pub async fn seen(&self, id: Id<Payment>) -> Value {
        let reference = lombard_core::payment::attempt_id(self.tenant, id);
        self.control(&format!("payments/{reference}")).await
    }

    pub async fn control(&self, path: &str) -> Value {
        let url = format!("{}/control/{path}", self.sim);
        let answer = self
            .http
            .get(url.trim_end_matches('/'))
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    pub async fn tell(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.sim);
        let request = match path {
            "outage" | "lombard" => self.http.put(url),
            _ => self.http.post(url),
        };
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let text = answer.text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub async fn counts(&self, rail: Rail) -> Value {
        self.control("").await["rails"][rail.name()].clone()
    }

    /// Sends Lombard a payment of `minor` for the tenant's account.
    pub async fn inbound(&self, rail: Rail, minor: u64, more: Value) -> Value {
        let creditor = match rail {
            Rail::Fps => json!({"sort_code": "000001", "account_number": "10000001"}),
            Rail::SepaInst | Rail::Book | Rail::Card => json!({"iban": "DE89370400440532013000"}),
        };
        let mut body = json!({"rail": rail.name(), "amount": minor, "creditor": creditor});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.tell("inbound", body).await
    }

    /// Holds the books to their laws: every transaction balances on its own layer, no money is
    /// promised any more beyond `pending`, and the account has what it should.
    pub async fn books(&self, rail: Rail, spent: i64, pending: u64) {
        let account = self.account(rail);
        let balance = self.balance(account).await;
        let expected = i64::try_from(FUNDS).unwrap() - spent;
        let posted = i64::try_from(balance.sums.credits_posted).unwrap()
            - i64::try_from(balance.sums.debits_posted).unwrap();
        assert_eq!(posted, expected, "what was posted");
        assert_eq!(balance.sums.debits_pending, pending, "what is promised");
        let mut after = None;
        loop {
            let range = Range::listed(&keys::ledger_list(self.tenant), 1000).after(after);
            let found = self.app.store.range(&range).await.unwrap();
            for found in &found {
                let transaction: Transaction = decode(&found.record.body.bytes);
                for layer in [Layer::Posted, Layer::Pending, Layer::Release] {
                    let sum = |side: Side| -> u64 {
                        transaction
                            .legs
                            .iter()
                            .filter(|leg| leg.layer == layer && leg.side == side)
                            .map(|leg| leg.money.amount.minor())
                            .sum()
                    };
                    assert_eq!(sum(Side::Debit), sum(Side::Credit), "{transaction:?}");
                }
            }
            match found.last() {
                Some(last) if found.len() == 1000 => after = Some(last.at.sort().to_owned()),
                _ => return,
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

pub fn money(rail: Rail, minor: u64) -> Money {
    Money {
        amount: Amount::try_from(minor).unwrap(),
        currency: rail.currency().unwrap(),
    }
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn application(
    folder: &tempfile::TempDir,
    host: Arc<dyn Host>,
    (gateway, sim): (&str, &str),
    wrap: impl FnOnce(Arc<dyn Bank>) -> Arc<dyn Bank>,
) -> (App, Tokens) {
    let rail = |own_agent: &str| RailConfig {
        url: gateway.to_owned(),
        secret: SECRET.to_owned(),
        concurrency: 16,
        own_agent: own_agent.to_owned(),
    };
    let config = Config {
        rails: BTreeMap::from([
            (Rail::Fps, rail("000001")),
            (Rail::SepaInst, rail("LOMBGB2LXXX")),
        ]),
        psp: charges::providers(sim),
        ..Config::default()
    };
    let store: Arc<dyn Store> = memory::shared();
    let keys = Arc::new(KeyFile::open(&folder.path().join("vault.key")).unwrap());
    let vault: Arc<dyn Vault> = Arc::new(LocalVault::over(Arc::clone(&keys)));
    let rails = rails::connect(&config, &store, &vault, &host).unwrap();
    let bank = Optimistic::new(Arc::clone(&store), Arc::clone(&host), Arc::new(Wire));
    let keys = Arc::new(FileKeys::open(keys, &folder.path().join("shred")).unwrap());
    let subjects = Arc::new(Subjects::new(Arc::clone(&store), keys, Arc::clone(&host)));
    let app = App {
        bank: wrap(Arc::new(bank)),
        store,
        host,
        vault,
        rails: Arc::new(rails),
        risk: None,
        config: Arc::new(config),
    };
    let tokens = Tokens::new(app.clone(), app.clone(), subjects);
    app.rails.cards().unwrap().open_with(tokens.clone());
    (app, tokens)
}
