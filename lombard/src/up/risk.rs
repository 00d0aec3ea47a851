//! Whoever judges payments: made of the policy, the models and the lists that the settings name.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use lombard_risk::{
    model::{Scorer, scorer::File},
    policy::Policy,
    screening::{Watchlist, files},
};
use lombard_service::{
    app::App,
    config::RiskConfig,
    duty,
    risk::{
        Desk, Parts,
        archive::{self, What},
        claim,
        elsewhere::{Endpoint, Model},
        fold::Fold,
        policies, portfolio,
    },
    worker::feed::rest,
};
use tokio::{sync::watch, task::JoinSet};
use tracing::{info, warn};

use crate::exit::{Exit, Failure, OrExit, failure};

/// How often the policy's file is looked at.
const LOOK_MS: u64 = 1_000;

/// The desk, when there is anything to judge by.
///
/// # Errors
/// [`Exit::Usage`] when one of the files cannot be read, or is not what it should be: to judge by
/// half of what was wanted would look like judging.
pub fn desk(config: &RiskConfig) -> Result<Option<Arc<Desk>>, Failure> {
    let limit = Duration::from_millis(config.limit_ms);
    let elsewhere = config.endpoint.as_deref().map(|url| {
        let endpoint = Endpoint::new(url, config.endpoint_model.clone(), limit)
            .or_exit(Exit::Internal, "no HTTP client");
        endpoint.map(|endpoint| Arc::new(endpoint) as Arc<dyn Model>)
    });
    let (policy, model) = (&config.policy, &config.model);
    if policy.is_none() && model.is_none() && elsewhere.is_none() {
        return Ok(None);
    }
    let policy = match policy {
        None => Policy::default(),
        Some(path) => Policy::parse(&read(path)?).or_exit(Exit::Usage, path)?,
    };
    let scorer = |path: &Option<String>| path.as_deref().map(scorer).transpose();
    Ok(Some(Desk::new(Parts {
        policy,
        champion: scorer(model)?,
        challenger: scorer(&config.challenger)?,
        elsewhere: elsewhere.transpose()?,
        watchlist: config.sanctions.as_deref().map(watchlist).transpose()?,
        limit,
    })))
}

fn read(path: &str) -> Result<String, Failure> {
    fs::read_to_string(path).or_exit(Exit::Usage, path)
}

fn scorer(path: &str) -> Result<Scorer, Failure> {
    let file = File::parse(&read(path)?).or_exit(Exit::Usage, path)?;
    file.scorer().or_exit(Exit::Usage, path)
}

/// The names of all lists in a folder, each told by its file's name.
pub fn watchlist(folder: &str) -> Result<Watchlist, Failure> {
    let mut list = Watchlist::default();
    let found = fs::read_dir(folder).or_exit(Exit::Usage, folder)?;
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension() == Some(OsStr::new("csv")));
    // Matches are told in the order of the lists, so that order is always the same.
    paths.sort();
    for path in paths {
        let bytes = fs::read(&path).or_exit(Exit::Usage, path.display())?;
        let entries = match path.file_name().and_then(OsStr::to_str) {
            Some("sdn.csv") => files::ofac_sdn(&bytes),
            Some("alt.csv") => files::ofac_alt(&bytes),
            _ => files::uk(&bytes),
        };
        list.add(entries.or_exit(Exit::Usage, path.display())?);
    }
    if list.is_empty() {
        let what = format!("{folder} has no list: an empty list would screen nobody");
        return Err(failure(Exit::Usage, what));
    }
    Ok(list)
}

/// Keeps what decides from now on, loads the profiles, and starts what follows the feed and the
/// policy's file.
///
/// # Errors
/// [`Exit::Usage`] when a version stands for another document than it did; [`Exit::Internal`] when
/// the store cannot be read.
pub async fn start(
    app: &App,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<(), Failure> {
    let Some(desk) = &app.risk else {
        return Ok(());
    };
    let config = &app.config.risk;
    if let Some(path) = &config.model {
        let version = desk.champion().map_or("", Scorer::version);
        let kept = archive::keep(app, What::Model, version, &read(path)?).await;
        kept.or_exit(Exit::Usage, path)?;
    }
    let mut file = None;
    if let Some(path) = &config.policy {
        let mut found = PolicyFile {
            app: app.clone(),
            path: PathBuf::from(path),
            seen: None,
        };
        found.look(desk).await.or_exit(Exit::Usage, path)?;
        file = Some(found);
    }
    let own = policies::refresh(app, desk).await;
    own.or_exit(Exit::Internal, "the policies of tenants")?;
    // What was not looked at a second time before a crash is now, by the policies in force.
    let fold = Fold::open(app.clone(), Arc::clone(desk)).await;
    let fold = fold.or_exit(Exit::Internal, "the profiles of risk")?;
    workers.spawn(duty::on("risk", fold.run(stopped.clone())));
    let watched = portfolio::watch(app.clone(), stopped.clone());
    workers.spawn(duty::on("fraud_rates", watched));
    workers.spawn(follow(app.clone(), Arc::clone(desk), file, stopped.clone()));
    Ok(())
}

/// Puts in force what the policy's file says and what tenants changed of theirs in any process, and
/// reminds of claims that are due.
async fn follow(
    app: App,
    desk: Arc<Desk>,
    mut file: Option<PolicyFile>,
    mut stop: watch::Receiver<bool>,
) {
    while !rest(&mut stop, LOOK_MS).await {
        if let Some(file) = &mut file
            && let Err(error) = file.look(&desk).await
        {
            let version = desk.file().rules.version();
            warn!(%error, path = %file.path.display(), version, "the policy is not taken; the one before stays in force");
        }
        if let Err(error) = policies::refresh(&app, &desk).await {
            warn!(%error, "whether tenants changed their policies is not known");
        }
        if let Err(error) = claim::tell_due(&app, app.host.now()).await {
            warn!(%error, "whether claims are due is not known");
        }
    }
}

/// A policy's file, and when the version of it that was last looked at was written.
struct PolicyFile {
    app: App,
    path: PathBuf,
    seen: Option<SystemTime>,
}

impl PolicyFile {
    /// Puts the file in force if it was written since. A file that is wrong changes nothing.
    async fn look(&mut self, desk: &Desk) -> anyhow::Result<()> {
        let written = modified(&self.path)?;
        if self.seen.replace(written) == Some(written) {
            return Ok(());
        }
        let text = fs::read_to_string(&self.path)?;
        let policy = Policy::parse(&text)?;
        let version = policy.rules.version();
        archive::keep(&self.app, What::Policy, &version.to_string(), &text).await?;
        let before = desk.file().rules.version();
        desk.adopt(policy);
        if before != version {
            info!(version, before, "a policy of risk is in force");
        }
        Ok(())
    }
}

fn modified(path: &Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}
