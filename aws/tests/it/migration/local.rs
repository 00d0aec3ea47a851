//! An installation in a folder, as `lombard up` has it, without its server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use lombard_core::{
    id::Id,
    ledger::Rollup,
    proof::key::KeyKind,
    store::{Write, WriteSet},
    tenant::TenantId,
};
use lombard_embedded::engine::{Engine, Options};
use lombard_service::{
    app::App,
    config::Config,
    http::wire::Wire,
    migrate::{ByFeed, Side},
    ports::{Store, Vault},
    proof::{
        Blobs, Log,
        blobs::Folder,
        head::{self, HeadRecord},
        keys::{FileKeys as LogFile, LogKeys, make},
        log::Settings,
        publisher::Publisher,
        sequencer::{Sequencer, Stepped},
    },
    vault::{FileKeys, KeyFile, LocalVault, Subject, Subjects, keys::Keys, subjects},
    worker::{self, cursor},
};

use crate::{
    support::host,
    world::{World, pay},
};

/// See the module.
pub struct Local {
    pub folder: PathBuf,
    pub engine: Arc<Engine>,
    pub vault_engine: Arc<Engine>,
    pub key_file: Arc<KeyFile>,
    pub keys: Arc<dyn Keys>,
    pub log: Arc<dyn Blobs>,
    pub log_keys: Arc<LogFile>,
}

impl Local {
    pub fn open(folder: &Path) -> Self {
        let engine = |folder: &Path| {
            let opened = Engine::open(folder, host(), Arc::new(Wire), &Options::default());
            Arc::new(opened.expect("the store opens"))
        };
        std::fs::create_dir_all(folder).expect("a folder");
        let key_file = KeyFile::open(&folder.join("vault.keys")).expect("keys");
        let key_file = Arc::new(key_file);
        let log_key = folder.join("tlog.key");
        if !log_key.exists() {
            let kind = KeyKind::Log;
            make(host().as_ref(), "lombard/test", kind, &log_key, false).expect("a key");
        }
        let keys = FileKeys::open(key_file.clone(), &folder.join("vault.shred"));
        Self {
            engine: engine(folder),
            vault_engine: engine(&folder.join("vault")),
            keys: Arc::new(keys.expect("a shred file")),
            log: Arc::new(Folder::open(&folder.join("tlog")).expect("a folder")),
            log_keys: Arc::new(LogFile::read(&log_key).expect("a key")),
            folder: folder.to_owned(),
            key_file,
        }
    }

    /// A folder for the same keys, and nothing else in it.
    pub fn with_keys_of(&self, folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        for name in ["vault.keys", "tlog.key"] {
            std::fs::copy(self.folder.join(name), folder.join(name)).expect("copied");
        }
        Self::open(folder)
    }

    pub fn vault(&self) -> Arc<dyn Vault> {
        Arc::new(LocalVault::over(self.key_file.clone()))
    }

    pub fn side(&self) -> Side {
        Side {
            records: Arc::new(ByFeed(self.engine.clone())),
            store: self.engine.clone(),
            vault_records: Arc::new(ByFeed(self.vault_engine.clone())),
            vault_store: self.vault_engine.clone(),
            vault: self.vault(),
            keys: self.keys.clone(),
            log: self.log.clone(),
            log_keys: self.log_keys.public(),
        }
    }

    fn app(&self) -> App {
        App {
            store: self.engine.clone(),
            bank: self.engine.clone(),
            host: host(),
            vault: self.vault(),
            rails: Arc::default(),
            risk: None,
            config: Arc::new(Config::default()),
        }
    }

    pub fn subjects(&self) -> Subjects {
        Subjects::new(self.vault_engine.clone(), self.keys.clone(), host())
    }

    /// Pays, and lets everything come to rest.
    pub async fn live(&self, payments: usize) -> World {
        let world = World::of(self.app()).await;
        let merchant = world.open("merchant", Rollup::House).await;
        let payer = world.funded("payer", 100_000).await;
        for n in 0..payments {
            let name = format!("payment {n}");
            world
                .until_done(pay(&name, payer, merchant, 7), &name)
                .await;
        }
        self.rest(&world.app).await;
        world
    }

    /// What the workers of a server would do until nothing is left.
    pub async fn rest(&self, app: &App) {
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut workers = worker::spawn_all(app, &stopped);
        self.publish().await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        stop.send_replace(true);
        while workers.join_next().await.is_some() {}
        let end = self.engine.health().last;
        for consumer in ["funds", "webhooks"] {
            let saved = cursor::save(app, consumer, 0, end).await;
            saved.expect("saved");
        }
        self.publish().await;
    }

    pub async fn publish(&self) {
        let log = Log::new(self.log.clone(), self.log_keys.clone(), Settings::default());
        let mut sequencer = Sequencer::new(self.engine.clone(), host(), log.clone());
        while sequencer.step(100).await.expect("it grows") != Stepped::Idle {}
        let record = head::key();
        let found = self
            .engine
            .get(&[record])
            .await
            .expect("readable")
            .remove(0);
        let head = HeadRecord::of(found.as_ref(), 1);
        let mut publisher = Publisher::new(host(), log).expect("a client");
        let published = publisher.publish(&head.head().expect("a root")).await;
        published.expect("published");
    }

    pub async fn destroy(&self, subject: &Subject) {
        let context = subject.context();
        let destroyed = self.keys.destroy(&context, &subject.keys[0].wrapped);
        destroyed.await.expect("destroyed");
    }

    pub async fn add_subject(&self, name: &str) -> (Subject, Vec<u8>) {
        let tenant = TenantId::new(1);
        let subjects = self.subjects();
        let subject = subjects.draft(tenant, Id::of_name(name)).await;
        let subject = subject.expect("a key");
        let (_, key) = subjects.newest(&subject).await.expect("a key");
        let place = subjects::key(tenant, subject.id);
        let write = Write::Create(subject.body());
        let writes = WriteSet::of([(place, write)]);
        self.vault_engine.commit(&writes).await.expect("kept");
        (subject, key.bytes().to_vec())
    }
}
