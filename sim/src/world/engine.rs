//! The embedded engine over a disk that fails: lives of one data folder, each of which ends with the power
//! lost at a chosen step, or a disk that refuses, or nothing at all.
//!
//! The engine has threads of its own, so these runs are not byte for byte the same: the seed chooses
//! what is asked, where the disk fails and which sectors survive, and a finding is looked at with the
//! disk that it leaves. What is asked goes through the same [`Auditor`], which is fed from
//! the engine's own feed; and what the engine shows is compared with what its feed says.
//!
//! **Held to.** What was answered is there after every loss of power, whole, and answered the same
//! again; what the feed told stays as it was told; every record and every list is what the feed makes of
//! it, whichever layer it is read from, with an index that is behind, or gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lombard_core::{
    command::{Act, Command, OpenAccount, Pay, PlaceHold, PostLegs, Reply},
    currency::Currency,
    hold::Hold,
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    journal::{self, Role},
    ledger::{Account, Layer, Rollup},
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Party},
    rail::Rail,
    store::{Change, Commit, Key, Record, WriteSet},
    tenant::TenantId,
    time::Timestamp,
};
use lombard_embedded::{
    disk::simulated::{Effect, Fault, SimDisk},
    engine::{Engine, Options},
    log,
};
use lombard_service::{
    app::App,
    config::Config,
    http::wire::Wire,
    ports::{Bank, ExecuteError, Host, Range, Store},
    rails::Rails,
    worker,
};
use tokio::{sync::watch, task::JoinSet};

use super::{
    audit::{Auditor, Violation},
    books::Books,
    luck::Luck,
    process::OpenVault,
};

/// Lives of one folder, the last of which nothing happens to.
const LIVES: u64 = 4;
/// Clients at once, so that groups form.
const CLIENTS: u64 = 6;
/// Requests of each client in one life, at the most.
const STEPS_MAX: u64 = 14;
/// Accounts of a world.
const ACCOUNTS: usize = 4;
/// How long the last life may need to come to rest.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was found, if anything was.
    pub violation: Option<Violation>,
    /// Commits that were audited.
    pub commits: u64,
    /// Answers that were given.
    pub answered: u64,
}

/// Time that goes on by itself, and dice from the seed.
struct Clockwork(Luck, tokio::time::Instant);

impl Host for Clockwork {
    fn now(&self) -> Timestamp {
        let elapsed = u64::try_from(self.1.elapsed().as_millis()).unwrap_or(0);
        Timestamp::from_unix_ms(1_794_822_400_000 + elapsed)
    }

    fn random(&self) -> u128 {
        u128::from(self.0.bits()) << 64 | u128::from(self.0.bits())
    }
}

/// What outlives a loss of power.
struct World {
    luck: Luck,
    disk: SimDisk,
    index: PathBuf,
    host: Arc<Clockwork>,
    tenant: TenantId,
    accounts: Vec<Id<Account>>,
    auditor: Auditor,
    /// The feed as it was told, in order.
    told: Vec<Commit>,
    /// What was answered under each key.
    answers: BTreeMap<String, (Command, Reply)>,
    serial: u64,
}

/// Runs the lives of a seed in `folder`, which is empty and only for it.
///
/// # Panics
/// When no runtime can be made.
#[must_use]
pub fn run(seed: u64, folder: &Path) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without IO needs nothing that could be lacking");
    runtime.block_on(async {
        let mut world = World::new(seed, folder);
        for life in 0..LIVES {
            world.live(life + 1 == LIVES).await;
            if world.auditor.violation().is_some() {
                break;
            }
        }
        Outcome {
            violation: world.auditor.violation().cloned(),
            commits: world.auditor.position(),
            answered: world.answers.len() as u64,
        }
    })
}

impl World {
    fn new(seed: u64, folder: &Path) -> Self {
        let luck = Luck::new(seed, "engine");
        let tenant = TenantId::new(seed | 1);
        let begun = tokio::time::Instant::now();
        let host = Arc::new(Clockwork(Luck::new(seed, "dice"), begun));
        let id = |_| Id::new(host.now(), host.random()).of_kind(Rollup::Constrained);
        let accounts = (0..ACCOUNTS).map(id).collect();
        Self {
            luck,
            disk: SimDisk::default(),
            index: folder.join("index.redb"),
            host,
            tenant,
            accounts,
            auditor: Auditor::default(),
            told: Vec::new(),
            answers: BTreeMap::new(),
            serial: 0,
        }
    }

    /// One life of the process, from opening to its end.
    async fn live(&mut self, last: bool) {
        let options = Options {
            log: log::Options {
                segment_bytes: 64 * 1024,
                prepare_ahead: true,
            },
            freeze_bytes: 16 * 1024,
            index_cache_bytes: 1024 * 1024,
            ..Options::default()
        };
        let behind = self.index.with_extension("old");
        let _ = std::fs::copy(&self.index, &behind);
        let (disk, host) = (Arc::new(self.disk.clone()), self.host.clone());
        let engine = match Engine::open_on(disk, &self.index, host, Arc::new(Wire), &options) {
            Ok(engine) => Arc::new(engine),
            Err(error) => return self.violate(&format!("does not open: {error}")),
        };
        self.take_in(&engine).await;
        self.ask_again(&engine).await;
        if !last {
            self.disk.fail(Some(self.fault()));
        }
        let (stop, stopped) = watch::channel(false);
        let app = self.app(&engine);
        let mut workers = worker::spawn_all(&app, &stopped);
        self.storm(&app).await;
        if last {
            self.settle(&engine).await;
        }
        drop(stop);
        workers.shutdown().await;
        // What workers have sent before they were stopped is done when this is.
        let _ = engine.commit(&WriteSet::default()).await;
        // Whatever became of the disk, what was written can still be read.
        self.take_in(&engine).await;
        self.compare(&engine).await;
        drop(app);
        // All threads have ended when it is dropped, and nothing is written any more.
        drop(engine);
        self.lose_power(&behind);
    }

    fn app(&self, engine: &Arc<Engine>) -> App {
        App {
            store: engine.clone(),
            bank: engine.clone(),
            host: self.host.clone(),
            vault: Arc::new(OpenVault),
            rails: Arc::new(Rails::default()),
            risk: None,
            config: Arc::new(Config::default()),
        }
    }

    /// Where the disk fails next, and how.
    fn fault(&self) -> Fault {
        let step = self.disk.steps() + 1 + self.luck.below(160) as usize;
        let (error, effect) = match self.luck.below(5) {
            0 => (Some(std::io::ErrorKind::StorageFull), Effect::Nothing),
            1 => (Some(std::io::ErrorKind::Other), Effect::Done),
            2 => (Some(std::io::ErrorKind::Other), Effect::Short),
            _ => (None, Effect::Nothing),
        };
        let stays = self.luck.happens(300);
        Fault {
            step,
            error,
            effect,
            stays,
        }
    }

    /// What is on the disk when the power is back: each sector that was not synced by its own luck. The
    /// index is a file of its own, which may be lost, or be that of an earlier time.
    fn lose_power(&mut self, behind: &Path) {
        let (names, luck) = (self.luck.happens(500), &self.luck);
        self.disk = self.disk.after_power_loss(names, |_, _| luck.happens(500));
        match self.luck.below(4) {
            0 => drop(std::fs::remove_file(&self.index)),
            1 if behind.exists() => drop(std::fs::copy(behind, &self.index)),
            _ => {}
        }
    }

    fn violate(&mut self, found: &str) {
        self.auditor.violate("the engine", found);
    }

    /// Reads the feed from its beginning: what was told before is told again, and what is new is audited.
    async fn take_in(&mut self, engine: &Engine) {
        let mut after = 0;
        loop {
            let commits = match engine.changes(0, after, 500, 0).await {
                Ok(commits) if commits.is_empty() => break,
                Ok(commits) => commits,
                Err(error) => return self.violate(&format!("its feed cannot be read: {error:?}")),
            };
            for commit in commits {
                after += 1;
                match self.told.get(after as usize - 1) {
                    Some(known) if *known == commit => continue,
                    Some(_) => return self.violate("its feed tells another history"),
                    None if commit.position != after => {
                        return self.violate("its feed has a gap");
                    }
                    None => {}
                }
                self.auditor.commit(&commit.changes, &Books::default());
                self.told.push(commit);
            }
        }
        if after < self.told.len() as u64 {
            let (told, left) = (self.told.len(), after);
            self.violate(&format!("told {told} commits, of which {left} are left"));
        }
    }

    /// Asks again what was answered: it was kept, and is answered the same.
    async fn ask_again(&mut self, engine: &Engine) {
        let answers: Vec<(Command, Reply)> = self.answers.values().cloned().collect();
        for (command, before) in answers {
            let now = engine.execute(command).await;
            let same = |now: &Reply| (now.status, &now.body) == (before.status, &before.body);
            if !now.as_ref().is_ok_and(same) {
                return self.violate(&format!("answers {now:?}; the answer was {before:?}"));
            }
        }
    }

    /// Clients ask at once, until each has done its steps or hears no more.
    async fn storm(&mut self, app: &App) {
        for step in 0..self.luck.between(2, STEPS_MAX) {
            let mut asked = JoinSet::new();
            for _ in 0..CLIENTS {
                let command = self.wish(step);
                let bank: Arc<dyn Bank> = app.bank.clone();
                asked.spawn(async move {
                    let answer = bank.execute(command.clone()).await;
                    (command, answer)
                });
            }
            let mut gone = 0;
            while let Some(Ok((command, answer))) = asked.join_next().await {
                gone += u64::from(self.heard(command, answer));
            }
            if gone == CLIENTS {
                return;
            }
        }
    }

    /// Takes an answer in; says whether the store is gone.
    fn heard(&mut self, command: Command, answer: Result<Reply, ExecuteError>) -> bool {
        match answer {
            Ok(reply) => {
                if let Some(wish) = &command.idempotency {
                    let key = wish.key.clone();
                    self.answers.insert(key, (command, reply));
                }
                false
            }
            Err(ExecuteError::Rejected(_) | ExecuteError::Overloaded) => false,
            Err(ExecuteError::Unavailable(_) | ExecuteError::Unknown(_)) => true,
        }
    }

    fn wish(&mut self, step: u64) -> Command {
        self.serial += 1;
        let serial = self.serial;
        let first = step == 0 && self.told.is_empty();
        let act = match self.luck.below(10) {
            _ if first || self.luck.happens(80) => self.open(serial),
            0..3 => self.fund(),
            3..8 => self.pay(serial),
            _ => self.hold(),
        };
        let idempotency = Idempotency {
            operation: "engine",
            key: format!("{serial}"),
            fingerprint: Fingerprint::of(format!("{serial}").as_bytes()),
        };
        self.auditor.asks(self.tenant, &idempotency, &act);
        Command {
            tenant: self.tenant,
            actor: "key/engine".into(),
            trace: None,
            idempotency: Some(idempotency),
            act,
        }
    }

    fn account(&self) -> Id<Account> {
        *self.luck.pick(&self.accounts)
    }

    fn money(&self, most: u64) -> Money {
        let minor = self.luck.between(1, most);
        Money {
            amount: Amount::try_from(minor).unwrap_or_else(|_| panic!("{minor} is an amount")),
            currency: Currency::GBP,
        }
    }

    fn open(&self, serial: u64) -> Act {
        let place = serial as usize % (ACCOUNTS + 1);
        let id = self.accounts.get(place).copied();
        Act::OpenAccount(OpenAccount {
            id: id.unwrap_or_else(|| self.house()),
            name: format!("account {serial}"),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: BTreeMap::new(),
        })
    }

    /// An account of the house, which may stand anywhere.
    fn house(&self) -> Id<Account> {
        journal::house(self.tenant, Rail::Fps, Role::Suspense, Currency::GBP)
    }

    /// Money from the house.
    fn fund(&self) -> Act {
        let house = self.luck.happens(700).then(|| self.house());
        let debit = house.unwrap_or_else(|| self.account());
        let legs = journal::pair(debit, self.account(), Layer::Posted, self.money(900));
        let id = Id::new(self.host.now(), self.host.random());
        Act::PostLegs(PostLegs { id, legs })
    }

    fn pay(&self, serial: u64) -> Act {
        let may_wait = self.luck.happens(400);
        Act::Pay(Box::new(Pay {
            id: Id::new(self.host.now(), self.host.random()),
            rail: Rail::Book,
            money: self.money(400),
            debtor: self.account(),
            creditor: Party::Account(self.account()),
            end_to_end_id: format!("E{serial}"),
            on_insufficient_funds: if may_wait {
                OnInsufficientFunds::Wait
            } else {
                OnInsufficientFunds::Fail
            },
            verification: None,
            execute_at: None,
            agency: None,
            needs_approval: false,
            parties: Vec::new(),
            sca: None,
            wait_ms: self.luck.between(1, 400),
            sealed: None,
            warnings: Vec::new(),
            // Long enough that segments and memtables fill.
            metadata: [(
                "filler".to_owned(),
                "x".repeat(self.luck.between(1, 1500) as usize),
            )]
            .into(),
            batch: None,
            risk: None,
        }))
    }

    fn hold(&self) -> Act {
        let id: Id<Hold> = Id::new(self.host.now(), self.host.random());
        Act::PlaceHold(PlaceHold {
            id,
            debtor: self.account(),
            creditor: self.account(),
            money: self.money(200),
            expires_in_ms: self.luck.between(1, 400),
        })
    }

    /// Waits until nothing waits any more.
    async fn settle(&mut self, engine: &Engine) {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.take_in(engine).await;
            let Some(unrest) = self.auditor.unrest(Timestamp::default()) else {
                return;
            };
            if self.auditor.violation().is_some() {
                return;
            }
            if tokio::time::Instant::now() > until {
                return self.violate(&format!("does not come to rest: {unrest}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the engine shows is what its feed makes.
    async fn compare(&mut self, engine: &Engine) {
        let mut records: BTreeMap<Key, Option<Record>> = BTreeMap::new();
        // Every list that ever had something in it, also one that has been emptied.
        let mut lists: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Change { key, record } in self.told.iter().flat_map(|commit| commit.changes.iter()) {
            records.insert(key.clone(), record.clone());
            for at in record.iter().flat_map(|record| &record.body.index) {
                lists.entry(at.partition().to_owned()).or_default();
            }
        }
        for (key, record) in &records {
            let found = match engine.get(std::slice::from_ref(key)).await {
                Ok(found) => found,
                Err(error) => return self.violate(&format!("{key:?} cannot be read: {error:?}")),
            };
            if found.first() != Some(record) {
                return self.violate(&format!("{key:?} is {found:?}; its feed made {record:?}"));
            }
            for at in record.iter().flat_map(|record| &record.body.index) {
                let list = lists.entry(at.partition().to_owned()).or_default();
                list.insert(at.sort().to_owned());
            }
        }
        for (partition, wanted) in lists {
            let mut found = BTreeSet::new();
            let mut after = None;
            loop {
                let range = Range::listed(&partition, 100).after(after.clone());
                let page = match engine.range(&range).await {
                    Ok(page) => page,
                    Err(error) => return self.violate(&format!("{partition}: {error:?}")),
                };
                let Some(newest) = page.last().map(|one| one.at.sort().to_owned()) else {
                    break;
                };
                after = Some(newest);
                found.extend(page.iter().map(|one| one.at.sort().to_owned()));
            }
            if found != wanted {
                return self.violate(&format!("lists {found:?} in {partition}, not {wanted:?}"));
            }
        }
    }
}
