//! The platform on AWS's services, in this process: records in DynamoDB, the verifiable log in S3.
//!
//! Against an emulator (`--aws-endpoint`) tables and bucket are made when they are not there. In an
//! account they are only checked: the templates in `deploy/` make them, and a process that serves
//! payments may not. The vault has a table of its own. The data keys of people are wrapped by KMS and
//! checkpoints signed by it where its keys are named; the other keys stay in the data folder.

use clap::Args;
use lombard_core::bank::uk::weights::Weights;

use super::{Told, store::Parts};
use crate::{
    config::Settings,
    exit::{Failure, Outcome},
};

/// Arguments of `lombard up` that concern AWS.
#[derive(Debug, Args)]
#[command(next_help_heading = "On AWS")]
pub struct OnAws {
    /// Keep records in DynamoDB at this URL, as of an emulator, instead of in the data folder.
    #[arg(long, env = "LOMBARD_AWS_ENDPOINT", value_name = "URL")]
    aws_endpoint: Option<String>,
    /// The table of records. Given without an endpoint, it is one of the account that the
    /// environment has credentials for. [default with an endpoint: lombard]
    #[arg(long, env = "LOMBARD_AWS_TABLE", value_name = "NAME")]
    aws_table: Option<String>,
    /// Keep the verifiable log in this bucket, below `log/`, instead of in the data folder.
    #[arg(long, env = "LOMBARD_AWS_BUCKET", value_name = "NAME")]
    aws_bucket: Option<String>,
    /// Wrap the data keys of people with this key of KMS (an id, an alias or an ARN), instead of with
    /// the files in the data folder.
    #[arg(long, env = "LOMBARD_AWS_KMS_KEY", value_name = "KEY")]
    aws_kms_key: Option<String>,
    /// Sign checkpoints of the log with this Ed25519 key of KMS; with the key file too, if there is one.
    #[arg(
        long,
        env = "LOMBARD_AWS_SIGNING_KEY",
        value_name = "KEY",
        requires = "aws_log_origin"
    )]
    aws_signing_key: Option<String>,
    /// The name of the log that the key of KMS signs for.
    #[arg(long, env = "LOMBARD_AWS_LOG_ORIGIN", value_name = "NAME")]
    aws_log_origin: Option<String>,
    /// Take the keys that seal the personal data of payments from this table, as the functions of a deployed stage
    /// have them, wrapped by the key of KMS. Those in the data folder are put there when the table has none.
    #[arg(
        long,
        env = "LOMBARD_AWS_VAULT_TABLE",
        value_name = "NAME",
        requires = "aws_kms_key"
    )]
    aws_vault_table: Option<String>,
    /// The region, which data does not leave. [default: eu-west-2]
    #[arg(long, env = "LOMBARD_AWS_REGION", value_name = "REGION")]
    aws_region: Option<String>,
}

impl OnAws {
    /// Whether records are to be in DynamoDB.
    pub const fn is_wanted(&self) -> bool {
        self.aws_endpoint.is_some() || self.aws_table.is_some()
    }

    /// Whether the vault's key file is kept elsewhere too, and need not be in the data folder.
    pub const fn keeps_keys(&self) -> bool {
        self.aws_vault_table.is_some()
    }

    /// Whether the log is signed without a key file.
    pub const fn signs_elsewhere(&self) -> bool {
        self.aws_signing_key.is_some()
    }
}

/// Serves on AWS until it is told to stop.
pub async fn serve(
    args: &OnAws,
    settings: &Settings,
    weights: Option<Weights>,
    told: Told,
) -> Outcome {
    let served = async |parts: &Parts| super::serve(settings, parts, None, weights, told).await;
    with(args, &settings.process.data, served).await
}

/// Opens what is on AWS, and does `work` with it while the feed is relayed.
///
/// # Errors
/// When it cannot be opened, and those of `work`.
#[cfg(not(feature = "aws"))]
pub async fn with<T>(
    _: &OnAws,
    _: &std::path::Path,
    _: impl AsyncFnOnce(&Parts) -> Result<T, Failure>,
) -> Result<T, Failure> {
    use crate::exit::{Exit, failure};
    let what = "this program was built without AWS; build it with `--features aws`";
    Err(failure(Exit::Usage, what))
}

#[cfg(feature = "aws")]
pub use on::with;

#[cfg(feature = "aws")]
mod on {
    use std::{path::Path, sync::Arc, time::Duration};

    use lombard_aws::{
        blobs::Bucket,
        call::Caller,
        connect::{Place, connect},
        deadline::Bounded,
        dynamo::{Dynamo, table},
        feed::Relay,
        kms::KmsKeys,
        residency::{REGION_DEFAULT, Residency},
        sealing::Sealing,
        signing::KmsLogKeys,
    };
    use lombard_service::{
        host::SystemHost,
        http::wire::Wire,
        optimistic::Optimistic,
        ports::Host,
        proof::{Blobs, keys::LogKeys},
        vault::{LocalVault, keys::Keys},
    };
    use tokio::sync::watch;

    use super::{Failure, OnAws, Parts};
    use crate::{
        exit::{Exit, OrExit, failure},
        up::store,
    };

    /// How long a command may take, retries included. Behind a gateway that waits for 29 seconds,
    /// and before clients that have given up.
    const COMMAND: Duration = Duration::from_secs(10);
    /// The table when none is named.
    const TABLE: &str = "lombard";

    /// Opens what is on AWS, and does `work` with it while the feed is relayed.
    ///
    /// # Errors
    /// When it cannot be opened, and those of `work`.
    pub async fn with<T>(
        args: &OnAws,
        data: &Path,
        work: impl AsyncFnOnce(&Parts) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (parts, relay) = open(args, data).await?;
        let (stop, stopped) = watch::channel(false);
        let relay = tokio::spawn(relay.run(stopped));
        let ended = work(&parts).await;
        stop.send_replace(true);
        relay
            .await
            .or_exit(Exit::Internal, "the relay of the feed")?;
        ended
    }

    /// Brings the key file of the data folder and the one that a stage keeps together: whoever has none gets the
    /// other's. Two that differ are of two installations.
    async fn share_keys(sealing: &Sealing<'_>, file: &Path) -> Result<(), Failure> {
        let there = sealing.is_there().await;
        let there = there.or_exit(Exit::Unreachable, "the vault's table")?;
        let own = file.exists().then(|| std::fs::read(file)).transpose();
        let own = own.or_exit(Exit::Damaged, file.display())?;
        if let (false, Some(own)) = (there, &own) {
            let kept = sealing.keep(own.clone()).await;
            return kept.or_exit(Exit::Unreachable, "the vault's table");
        }
        let beside = file.with_extension("stage");
        let opened = sealing.open(&beside, true).await;
        opened.or_exit(Exit::Unreachable, "the vault's table")?;
        if own.is_none() {
            return std::fs::rename(&beside, file).or_exit(Exit::NotWritable, file.display());
        }
        let theirs = std::fs::read(&beside).or_exit(Exit::Damaged, beside.display())?;
        std::fs::remove_file(&beside).or_exit(Exit::NotWritable, beside.display())?;
        if Some(theirs) != own {
            let file = file.display();
            let what = format!("{file} and the keys in the vault's table are of two installations");
            return Err(failure(Exit::Usage, what));
        }
        Ok(())
    }

    async fn open(args: &OnAws, data: &Path) -> Result<(Parts, Relay), Failure> {
        std::fs::create_dir_all(data).or_exit(Exit::NotWritable, data.display())?;
        let region = args.aws_region.as_deref().unwrap_or(REGION_DEFAULT);
        let place = Place {
            region: Some(region.to_owned()),
            endpoint: args.aws_endpoint.clone(),
            residency: Residency::of([region.to_owned()]),
        };
        let config = connect(&place).await.or_exit(Exit::Usage, "the region")?;
        let host: Arc<dyn Host> = Arc::new(SystemHost::default());
        let name = args.aws_table.as_deref().unwrap_or(TABLE);
        let dynamo = Dynamo::new(&config, name, host.clone());
        let at_aws = place.endpoint.is_none();
        if !at_aws {
            let made = table::make(dynamo.client(), name).await;
            made.or_exit(Exit::Unreachable, "the tables")?;
        }
        let checked = table::check(dynamo.client(), name, &place.residency, at_aws).await;
        let stream = checked.or_exit(Exit::Unreachable, "the tables")?;
        let vault_table = format!("{name}-vault");
        let vault = Dynamo::new(&config, &vault_table, host.clone());
        if !at_aws {
            let made = table::make(vault.client(), &vault_table).await;
            made.or_exit(Exit::Unreachable, "the vault's tables")?;
        }
        let relay = Relay::new(&config, &stream, &dynamo, host.clone());
        let log: Option<Arc<dyn Blobs>> = match &args.aws_bucket {
            None => None,
            Some(bucket) => {
                let bucket = Bucket::new(&config, bucket, "log/").on(dynamo.meter());
                if !at_aws {
                    let made = bucket.make().await;
                    made.or_exit(Exit::Unreachable, "the bucket")?;
                }
                Some(Arc::new(bucket))
            }
        };
        if let (Some(table), Some(key)) = (&args.aws_vault_table, &args.aws_kms_key) {
            let sealing = Sealing {
                config: &config,
                table,
                key,
                caller: Caller::new(host.clone(), vault.meter().clone()),
            };
            share_keys(&sealing, &data.join(store::KEY_FILE)).await?;
        }
        let key_file = store::open_key_file(data)?;
        let residency = &place.residency;
        let keys: Arc<dyn Keys> = match &args.aws_kms_key {
            Some(key) => {
                let meter = vault.meter().clone();
                let keys = KmsKeys::open(&config, key, residency, host.clone(), meter).await;
                Arc::new(keys.or_exit(Exit::Unreachable, "the key of the vault")?)
            }
            None => {
                let begun = vault.has_any().await;
                let begun = begun.or_exit(Exit::Unreachable, "the vault")?;
                store::open_keys(data, &key_file, begun)?
            }
        };
        let log_keys: Option<Arc<dyn LogKeys>> = match (&args.aws_signing_key, &args.aws_log_origin)
        {
            (Some(key), Some(origin)) => {
                let caller = Caller::new(host.clone(), dynamo.meter().clone());
                let signer = KmsLogKeys::open(&config, key, origin, caller).await;
                let signer = signer.or_exit(Exit::Unreachable, "the key of the log")?;
                for key in signer.public() {
                    tracing::info!(%key, "checkpoints are signed by KMS");
                }
                Some(Arc::new(signer))
            }
            _ => None,
        };
        let (records, vault) = (Arc::new(dynamo), Arc::new(vault));
        let bank = |store: Arc<Dynamo>| {
            let bank = Optimistic::new(store, host.clone(), Arc::new(Wire));
            Bounded::new(Arc::new(bank), COMMAND)
        };
        let parts = Parts {
            bank: Arc::new(bank(records.clone())),
            records: records.clone(),
            store: records,
            vault: Arc::new(LocalVault::over(key_file.clone())),
            vault_bank: Arc::new(bank(vault.clone())),
            vault_records: vault.clone(),
            vault_store: vault,
            keys,
            host,
            clock: None,
            log,
            log_keys,
            gauged: Vec::new(),
        };
        Ok((parts, relay))
    }
}
