//! What a function is told by its environment, and the ports that it makes of it.
//!
//! What an operator sets is in `lombard.toml` beside the program: the same keys as everywhere, but for
//! the secrets of rails, which are in Secrets Manager and read by `saga` alone.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use lombard_aws::{
    SdkConfig,
    blobs::Bucket,
    call::Caller,
    connect::{Place, connect},
    dead::Graveyard,
    deadline::Bounded,
    dynamo::Dynamo,
    kms::KmsKeys,
    residency::Residency,
    sealing::Sealing,
    signing::KmsLogKeys,
};
use lombard_core::{payment::Sealed, rail::Rail, tenant::TenantId};
use lombard_service::{
    app::App,
    config::Config,
    host::SystemHost,
    http::wire::Wire,
    optimistic::Optimistic,
    ports::{Bank, Host, Vault, VaultError},
    proof::{Log, log::Settings},
    rails::Rails,
    vault::{LocalVault, Subjects, Tokens},
};

use crate::{fault::Fault, remote::Remote};

/// How long a command may take, retries included; the way in waits for 29 seconds.
const COMMAND: Duration = Duration::from_secs(10);
/// Where the vault's keys lie while the container lives; only this function sees it.
const KEYS: &str = "/tmp/vault.keys";

/// Which of the six a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Api,
    Feed,
    Sequencer,
    Reconcile,
    Saga,
    Schedule,
}

impl Role {
    const ALL: [Self; 6] = [
        Self::Api,
        Self::Feed,
        Self::Sequencer,
        Self::Reconcile,
        Self::Saga,
        Self::Schedule,
    ];

    /// As `LOMBARD_ROLE` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Feed => "feed",
            Self::Sequencer => "sequencer",
            Self::Reconcile => "reconcile",
            Self::Saga => "saga",
            Self::Schedule => "schedule",
        }
    }
}

/// See the module.
pub struct Surroundings {
    pub role: Role,
    pub stage: String,
    pub aws: SdkConfig,
    pub host: Arc<dyn Host>,
    pub config: Config,
    pub store: Arc<Dynamo>,
}

/// What must be told.
pub fn told(name: &str) -> Result<String, Fault> {
    env::var(name).map_err(|_| Fault::misconfigured(format!("{name} is not set")))
}

impl Surroundings {
    pub async fn of_environment() -> Result<Self, Fault> {
        let name = told("LOMBARD_ROLE")?;
        let role = Role::ALL.into_iter().find(|role| role.name() == name);
        let role = role.ok_or_else(|| Fault::misconfigured(format!("no role is called {name}")))?;
        let place = Place {
            region: env::var("AWS_REGION").ok(),
            endpoint: None,
            residency: Residency::default(),
        };
        let aws = connect(&place).await;
        let aws = aws.map_err(|error| Fault::misconfigured(error.to_string()))?;
        let host: Arc<dyn Host> = Arc::new(SystemHost::default());
        let store = Arc::new(Dynamo::new(&aws, &told("LOMBARD_TABLE")?, host.clone()));
        Ok(Self {
            role,
            stage: told("LOMBARD_STAGE")?,
            aws,
            config: config(host.as_ref())?,
            host,
            store,
        })
    }

    /// The application, over a vault and a way to the rails.
    pub fn app(&self, vault: Arc<dyn Vault>, rails: Rails) -> App {
        App {
            store: self.store.clone(),
            bank: self.bank(&self.store),
            host: self.host.clone(),
            vault,
            rails: Arc::new(rails),
            risk: None,
            config: Arc::new(self.config.clone()),
        }
    }

    /// Who decides over a store.
    fn bank(&self, store: &Arc<Dynamo>) -> Arc<dyn Bank> {
        let bank = Optimistic::new(store.clone(), self.host.clone(), Arc::new(Wire));
        Arc::new(Bounded::new(Arc::new(bank), COMMAND))
    }

    /// The vault's tokens: in a table of their own, with KMS around the data keys of people.
    pub async fn tokens(&self, app: &App) -> Result<Tokens, Fault> {
        let (table, key) = (told("LOMBARD_TOKENS_TABLE")?, told("LOMBARD_VAULT_KEY")?);
        let store = Arc::new(Dynamo::new(&self.aws, &table, self.host.clone()));
        let (meter, host) = (store.meter().clone(), self.host.clone());
        let keys = KmsKeys::open(&self.aws, &key, &Residency::default(), host, meter).await;
        let keys = keys.map_err(|error| Fault::not_done(&error))?;
        let own = App {
            bank: self.bank(&store),
            store,
            ..app.clone()
        };
        let subjects = Subjects::new(own.store.clone(), Arc::new(keys), self.host.clone());
        Ok(Tokens::new(own, app.clone(), Arc::new(subjects)))
    }

    /// The verifiable log, as who makes it grow sees it, or who only shows it.
    pub async fn log(&self, followed: bool) -> Result<Arc<Log>, Fault> {
        let origin = self.config.proof.origin.clone();
        let origin = origin.unwrap_or_else(|| format!("lombard/{}", self.stage));
        let key = told("LOMBARD_SIGNING_KEY")?;
        let keys = KmsLogKeys::open(&self.aws, &key, &origin, self.caller()).await;
        let keys = keys.map_err(|error| Fault::not_done(error.as_ref()))?;
        let bucket = self.bucket("LOMBARD_BUCKET", "log/")?;
        let settings = Settings {
            followed,
            ..Settings::default()
        };
        Ok(Log::new(Arc::new(bucket), Arc::new(keys), settings))
    }

    /// The rails that are switched on, for who does not speak to them itself.
    pub fn remote_rails(&self, remote: &Arc<Remote>) -> Rails {
        let mut rails = Rails::default();
        for rail in self.rails() {
            rails.add(rail, remote.clone());
        }
        rails
    }

    /// The rails that are switched on.
    pub fn rails(&self) -> impl Iterator<Item = Rail> + '_ {
        self.config.rails.keys().copied()
    }

    /// The vault, for the roles that have a part in it.
    pub async fn vault(&self, may_make: bool) -> Result<Arc<dyn Vault>, Fault> {
        let (table, key) = (told("LOMBARD_VAULT_TABLE")?, told("LOMBARD_VAULT_KEY")?);
        let sealing = Sealing {
            config: &self.aws,
            table: &table,
            key: &key,
            caller: self.caller(),
        };
        let keys = sealing.open(KEYS.as_ref(), may_make).await;
        let keys = keys.map_err(|error| Fault::not_done(error.as_ref()))?;
        Ok(Arc::new(LocalVault::over(Arc::new(keys))))
    }

    /// Who calls the services around the store, on the same meter.
    pub fn caller(&self) -> Caller {
        Caller::new(self.host.clone(), self.store.meter().clone())
    }

    /// The bucket that a variable names, likewise metered.
    pub fn bucket(&self, variable: &str, prefix: &str) -> Result<Bucket, Fault> {
        let bucket = Bucket::new(&self.aws, &told(variable)?, prefix);
        Ok(bucket.on(self.store.meter()))
    }

    /// Where this role puts what it cannot do.
    pub fn graveyard(&self) -> Result<Graveyard, Fault> {
        let url = told("LOMBARD_DEAD_LETTERS")?;
        Ok(Graveyard::new(&self.aws, &url, self.caller()))
    }
}

/// What is set beside the program, if anything is.
fn config(host: &dyn Host) -> Result<Config, Fault> {
    let folder = env::var("LAMBDA_TASK_ROOT").map_or_else(|_| PathBuf::from("."), PathBuf::from);
    let file = folder.join("lombard.toml");
    let wrong = |error: &dyn std::fmt::Display| {
        Fault::misconfigured(format!("{}: {error}", file.display()))
    };
    let mut config: Config = match std::fs::read_to_string(&file) {
        Ok(text) => toml::from_str(&text).map_err(|error| wrong(&error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Config::default(),
        Err(error) => return Err(wrong(&error)),
    };
    if config.risk.policy.is_some() || config.risk.model.is_some() {
        // To take payments unjudged that somebody wants judged would be worse than none.
        return Err(wrong(
            &"the functions cannot judge payments by a policy or a model yet",
        ));
    }
    for rail in config.rails.values_mut() {
        // Whoever does not know a rail's secret takes no message for the rail's.
        rail.secret = format!("{:032x}{:032x}", host.random(), host.random());
    }
    Ok(config)
}

/// The vault of the roles that have no part in it.
pub struct NoVault;

impl Vault for NoVault {
    fn seal(&self, _: TenantId, _: &str, _: &[u8]) -> Result<Sealed, VaultError> {
        Err(VaultError::NoKey("of this role".to_owned()))
    }

    fn open(&self, _: TenantId, _: &str, sealed: &Sealed) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::NoKey(sealed.key.clone()))
    }

    /// A text that nothing was ever stored under.
    fn blind(&self, _: &str, _: &str) -> String {
        "no-vault".to_owned()
    }
}
