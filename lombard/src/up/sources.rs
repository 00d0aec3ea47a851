//! Sources of statements whose files are fetched: what is configured becomes places that are looked at.

use std::{sync::Arc, time::Duration};

use lombard_core::tenant::TenantId;
use lombard_service::{
    app::App,
    config::{Config, FetchConfig},
    duty,
    reconcile::fetch::{Fetch, Place, folder::Folder},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    exit::{Exit, Failure, OrExit, failure},
    sftp::Sftp,
};

/// Gives those that name no tenant to this one.
pub fn give_to(tenant: TenantId, config: &mut Config) {
    let sources = config.reconciliation.sources.values_mut();
    for fetch in sources.filter_map(|it| it.fetch.as_mut()) {
        fetch.tenant.get_or_insert(tenant);
    }
}

/// Starts a task for each source that is fetched.
///
/// # Errors
/// [`Exit::Usage`] when the settings of one cannot be.
pub fn spawn(
    app: &App,
    stopped: &watch::Receiver<bool>,
    workers: &mut JoinSet<()>,
) -> Result<(), Failure> {
    for fetch in all(&app.config)? {
        let run = fetch.run(app.clone(), stopped.clone());
        workers.spawn(duty::on("sources", run));
    }
    Ok(())
}

fn all(config: &Config) -> Result<Vec<Fetch>, Failure> {
    let mut all = Vec::new();
    for (name, source) in &config.reconciliation.sources {
        let Some(fetch) = &source.fetch else {
            continue;
        };
        let setting = format!("reconciliation.sources.{name}.fetch");
        let nobody = || failure(Exit::Usage, format!("{setting}: `tenant` is missing"));
        all.push(Fetch {
            tenant: fetch.tenant.ok_or_else(nobody)?,
            source: name.clone(),
            place: place(fetch, &setting)?,
            every: Duration::from_secs(fetch.every_seconds.max(1)),
        });
    }
    Ok(all)
}

fn place(fetch: &FetchConfig, setting: &str) -> Result<Arc<dyn Place>, Failure> {
    match (&fetch.folder, &fetch.sftp) {
        (Some(path), None) => Ok(Arc::new(Folder {
            path: path.clone(),
            done: fetch.done.clone(),
        })),
        (None, Some(sftp)) => {
            let sftp = Sftp::new(sftp.clone()).or_exit(Exit::Usage, format!("{setting}.sftp"))?;
            Ok(Arc::new(sftp))
        }
        _ => {
            let what = format!("{setting}: either `folder` or `sftp` says where");
            Err(failure(Exit::Usage, what))
        }
    }
}
