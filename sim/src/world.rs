//! The whole system on one thread, from one seed, in virtual time.
//!
//! **Shape.** A [`Shared`] world holds what outlives every process: the store, the rail and its
//! books, the clock, the auditor. Processes ([`process`]) run the service's own code over it:
//! `App`, the workers, the timers, and a bank that is either the optimistic loop or one writer.
//! They see the store and the rail through views that fail as those do ([`store`], [`rail`]), in
//! both flavours: not done, and done but not told. A process dies at any such edge and is started
//! again with nothing but the store. [`client`]s ask, hang up, and ask again under the same key.
//!
//! **Same seed, same bytes.** Nothing reads a clock or a die of the machine: time is the
//! runtime's, which is paused and moves on when all wait; chance is [`luck`], by the part's name.
//! A seed that fails can therefore be run again, with less of everything, until its history is
//! short enough to read ([`shrink`]).
//!
//! **Three phases.** A storm, in which clients ask and everything fails; a calm, in which faults
//! stop and the clocks run on until nothing waits any more, or it is found that something waits
//! for ever; and the last look.

pub mod ask;
pub mod audit;
pub mod bank;
pub mod books;
pub mod client;
pub mod clock;
pub mod courier;
pub mod engine;
pub mod files;
pub mod history;
pub mod life;
pub mod luck;
#[cfg(feature = "planted")]
pub mod planted;
pub mod process;
pub mod rail;
pub mod receiver;
pub mod run;
pub mod shrink;
pub mod store;
pub mod strike;
pub mod tool;
pub mod weather;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
};

use lombard_core::{
    payment::Payment,
    proof::key::{KeyKind, Keys, SecretKey},
    store::{Change, Commit, Key, Write, WriteSet},
    tenant::TenantId,
};
use lombard_service::{app::App, memory::Memory};
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use self::{
    audit::Auditor, books::Books, clock::Clock, files::Files, history::History, life::Effects,
    life::Life, luck::Luck, receiver::Received, weather::Weather,
};

pub use run::{Outcome, Setting, run};

/// A host that runs: its app, and the life that a crash ends.
type Running = (App, Arc<Life>);

/// What outlives every process of a world.
pub struct Shared {
    /// What the world is made from.
    pub seed: u64,
    /// What happened.
    pub history: History,
    /// The records.
    pub memory: Memory,
    /// Who watches.
    pub auditor: Mutex<Auditor>,
    /// The rail's own books.
    pub books: Mutex<Books>,
    /// The files of the verifiable log.
    pub files: Files,
    /// What the endpoints of webhooks have received.
    pub received: Mutex<Received>,
    /// The time.
    pub clock: Arc<Clock>,
    /// Every commit and every call of the rail, counted.
    pub effects: Effects,
    weather: Weather,
    calm: AtomicBool,
    crashes_left: AtomicU32,
    out_until: Mutex<Option<Instant>>,
    hosts: Mutex<Vec<Option<Running>>>,
    errands: AtomicU64,
}

/// Crashes in one world. Each costs a recovery; more than a few show nothing new.
const CRASHES_MAX: u32 = 8;

impl Shared {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, effects: Effects, told: bool) -> Arc<Self> {
        Arc::new(Self {
            seed,
            history: History::new(told),
            memory: Memory::default(),
            auditor: Mutex::default(),
            books: Mutex::default(),
            files: Files::default(),
            received: Mutex::default(),
            clock: Arc::new(Clock::new()),
            effects,
            hosts: Mutex::new(vec![None; weather.hosts as usize]),
            weather,
            calm: AtomicBool::new(false),
            crashes_left: AtomicU32::new(CRASHES_MAX),
            out_until: Mutex::new(None),
            errands: AtomicU64::new(0),
        })
    }

    /// A reading of the weather; all of it is fine once the storm is over.
    pub fn weather<T>(&self, read: impl FnOnce(&Weather) -> T) -> T {
        if self.calm.load(Ordering::Relaxed) {
            read(&Weather::fine(self.weather.one_writer))
        } else {
            read(&self.weather)
        }
    }

    /// What this world has, whatever the weather is now.
    #[must_use]
    pub const fn weather_of_world(&self) -> &Weather {
        &self.weather
    }

    /// Ends the storm.
    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
        *self.out_until.lock() = None;
        self.history
            .note("world", || "!! the faults stop".to_owned());
    }

    /// Whether a process may still die; counts it.
    pub fn may_crash(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        let before = self
            .crashes_left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        before.is_ok()
    }

    /// Takes the rail out for a while.
    pub fn begin_outage(&self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        *self.out_until.lock() = Some(until);
        self.history
            .note("world", || format!("!! the rail is out for {ms} ms"));
    }

    /// Whether the rail is out.
    pub fn is_out(&self) -> bool {
        self.out_until
            .lock()
            .is_some_and(|until| Instant::now() < until)
    }

    /// The process of a host, if it is up.
    pub fn process(&self, luck: &Luck) -> Option<(App, Arc<Life>)> {
        let hosts = self.hosts.lock();
        let host = luck.below(hosts.len() as u64) as usize;
        hosts[host].clone()
    }

    /// Sets a host's process, or that it has none.
    pub fn set_process(&self, host: usize, process: Option<(App, Arc<Life>)>) {
        self.hosts.lock()[host] = process;
    }

    /// Runs something that no process carries, and counts it until it is done.
    pub fn errand(self: &Arc<Self>, errand: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(self);
        self.errands.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            errand.await;
            shared.errands.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Whether couriers are on their way.
    pub fn busy(&self) -> bool {
        self.errands.load(Ordering::Relaxed) > 0
    }

    /// Shows a commit to the auditor.
    pub fn audit_commit(&self, who: &str, writes: &WriteSet) {
        let changed = |(key, write): (&Key, &Write)| {
            let record = write.result()?;
            let key = key.clone();
            Some(Change { key, record })
        };
        let changes: Vec<Change> = writes.iter().filter_map(changed).collect();
        let lines = self.auditor.lock().commit(&changes, &self.books.lock());
        for (subject, text) in lines {
            self.history.note(&subject, || format!("{text}  [{who}]"));
        }
    }

    /// Shows to the auditor that the rail takes a payment for the first time.
    pub fn audit_leaving(&self, tenant: TenantId, payment: &Payment) {
        self.auditor.lock().leaving(tenant, payment);
    }

    /// Shows the log's newest checkpoint to the auditor.
    pub fn audit_checkpoint(&self) {
        let keys = Keys::new([log_key().public()]);
        let files = self.files.contents();
        let mut auditor = self.auditor.lock();
        auditor.checkpoint(&files, &keys);
    }

    /// Shows what a consumer got to the auditor.
    pub fn audit_feed(&self, after: u64, commits: &[Commit]) {
        let positions = commits.iter().map(|commit| commit.position);
        self.auditor.lock().feed(after, positions);
    }

    /// Notes something that may not be.
    pub fn violate(&self, subject: &str, found: &str) {
        self.auditor.lock().violate(subject, found);
    }
}

/// The key of every world's verifiable log.
#[must_use]
pub fn log_key() -> SecretKey {
    match SecretKey::from_seed("lombard/world", KeyKind::Log, &[7; 32]) {
        Ok(key) => key,
        Err(error) => panic!("32 bytes under a plain name are a key: {error}"),
    }
}
