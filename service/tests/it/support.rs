//! A Lombard in memory for tests: a store, a clock that tests move, and a vault that hides nothing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use lombard_core::{
    command::{Act, Command, OpenAccount, Pay, PostLegs, Render, Reply, View},
    currency::Currency,
    id::Id,
    ledger::{Account, Layer, Leg, Rollup, Side},
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Party, Payment, Sealed},
    rail::Rail,
    store::encode,
    tenant::TenantId,
    time::Timestamp,
};
use lombard_service::{
    app::App,
    config::Config,
    host::SystemHost,
    memory::Memory,
    optimistic::Optimistic,
    ports::{Host, Store, Vault, VaultError},
    rails::Rails,
    worker::feed::{Consumer, JobError},
};

use crate::http::world::Silent;

/// A clock that starts now and is moved by hand.
pub struct TestHost {
    now_ms: AtomicU64,
    drawn: AtomicU64,
}

impl TestHost {
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Default for TestHost {
    fn default() -> Self {
        Self {
            now_ms: AtomicU64::new(SystemHost::default().now().unix_ms()),
            drawn: AtomicU64::new(1),
        }
    }
}

impl Host for TestHost {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now_ms.load(Ordering::SeqCst))
    }

    fn random(&self) -> u128 {
        // Distinct and spread over the bits; nobody attacks a test.
        let n = u128::from(self.drawn.fetch_add(1, Ordering::SeqCst));
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// Keeps the subject beside the data, so that opening for another one fails as it must.
pub struct TestVault;

impl Vault for TestVault {
    fn seal(&self, tenant: TenantId, subject: &str, plain: &[u8]) -> Result<Sealed, VaultError> {
        Ok(Sealed {
            key: format!("{tenant}/{subject}"),
            data: plain.iter().map(|byte| format!("{byte:02x}")).collect(),
        })
    }

    fn open(
        &self,
        tenant: TenantId,
        subject: &str,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, VaultError> {
        if sealed.key != format!("{tenant}/{subject}") {
            return Err(VaultError::NotGenuine);
        }
        let hex = |at: usize| u8::from_str_radix(&sealed.data[at..at + 2], 16);
        (0..sealed.data.len())
            .step_by(2)
            .map(|at| hex(at).map_err(|_| VaultError::NotGenuine))
            .collect()
    }

    fn blind(&self, domain: &str, text: &str) -> String {
        lombard_core::id::digest_text(&[domain, text])
    }
}

struct Json;

impl Render for Json {
    fn render(&self, view: View<'_>) -> Vec<u8> {
        match view {
            View::Payment(payment) => encode(payment),
            View::Account(account, _) => encode(account),
            View::Hold(hold) => encode(hold),
            View::Transaction(transaction) => encode(transaction),
        }
    }
}

/// The whole.
pub struct World {
    pub app: App,
    pub host: Arc<TestHost>,
    pub tenant: TenantId,
}

impl World {
    pub fn new(config: Config) -> Self {
        let host = Arc::new(TestHost::default());
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let mut rails = Rails::default();
        rails.add(Rail::Fps, Arc::new(Silent));
        rails.add(Rail::SepaInst, Arc::new(Silent));
        let bank = Optimistic::new(store.clone(), host.clone(), Arc::new(Json));
        let app = App {
            store,
            bank: Arc::new(bank),
            host: host.clone(),
            vault: Arc::new(TestVault),
            rails: Arc::new(rails),
            risk: None,
            config: Arc::new(config),
        };
        let tenant = TenantId::new(1);
        Self { app, host, tenant }
    }

    pub async fn execute(&self, act: Act) -> Reply {
        let command = Command {
            tenant: self.tenant,
            actor: "key/test".into(),
            trace: None,
            idempotency: None,
            act,
        };
        self.app.execute(command).await.unwrap()
    }

    /// An account with so many pence in it.
    pub async fn account(&self, pence: u64) -> Id<Account> {
        let id = Id::new(self.host.now(), self.host.random()).of_kind(Rollup::Constrained);
        let house = Id::new(self.host.now(), self.host.random()).of_kind(Rollup::House);
        for id in [id, house] {
            self.execute(Act::OpenAccount(open_account(id))).await;
        }
        if let Ok(amount) = Amount::try_from(pence) {
            let leg = |account, side| Leg {
                account,
                side,
                layer: Layer::Posted,
                money: gbp(amount),
            };
            let legs = vec![leg(house, Side::Debit), leg(id, Side::Credit)];
            self.post(legs).await;
        }
        id
    }

    /// Writes a transaction of these legs.
    pub async fn post(&self, legs: Vec<Leg>) {
        let id = Id::new(self.host.now(), self.host.random());
        self.execute(Act::PostLegs(PostLegs { id, legs })).await;
    }

    /// A payment between two accounts of ours, cleared at once.
    pub async fn pay(&self, debtor: Id<Account>, creditor: Id<Account>) -> Id<Payment> {
        let id = Id::new(self.host.now(), self.host.random());
        self.execute(Act::Pay(Box::new(pay(id, debtor, creditor))))
            .await;
        id
    }

    /// Runs the jobs of everything after `after` in the feed, as the feed's worker would; gives
    /// the new position.
    pub async fn feed(&self, consumer: &dyn Consumer, after: u64) -> u64 {
        let mut after = after;
        loop {
            let commits = self.app.store.changes(0, after, 1000, 0).await.unwrap();
            let Some(last) = commits.last() else {
                return after;
            };
            after = last.position;
            let jobs = commits.iter().flat_map(|commit| consumer.jobs(commit));
            let runs: Vec<_> = jobs.map(|job| (job.run)()).collect();
            let done: Vec<Result<(), JobError>> = futures_util::future::join_all(runs).await;
            done.into_iter().for_each(Result::unwrap);
        }
    }
}

pub fn gbp(amount: Amount) -> Money {
    Money {
        amount,
        currency: Currency::GBP,
    }
}

fn open_account(id: Id<Account>) -> OpenAccount {
    OpenAccount {
        id,
        name: "test".into(),
        currency: Currency::GBP,
        aliases: Vec::new(),
        sealed: None,
        metadata: BTreeMap::new(),
    }
}

pub fn pay(id: Id<Payment>, debtor: Id<Account>, creditor: Id<Account>) -> Pay {
    Pay {
        id,
        rail: Rail::Book,
        money: gbp(Amount::try_from(125).unwrap()),
        debtor,
        creditor: Party::Account(creditor),
        end_to_end_id: "INV-7".into(),
        on_insufficient_funds: OnInsufficientFunds::Fail,
        verification: None,
        execute_at: None,
        agency: None,
        needs_approval: false,
        parties: Vec::new(),
        sca: None,
        wait_ms: 1000,
        sealed: None,
        warnings: Vec::new(),
        metadata: BTreeMap::new(),
        batch: None,
        risk: None,
    }
}
