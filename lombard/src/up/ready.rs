//! What a server says when it is ready: to whoever started it, and in the data folder to the
//! commands that look for it there.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use lombard_service::tenants::{FirstKeys, SecretKey};
use serde::Serialize;

use super::rig::{FIRST_NAME, Rig};
use crate::{
    client::{self, UP_FILE},
    exit::{Exit, Failure, OrExit},
    say,
};

/// Where it is, and how to try it.
#[derive(Debug, Serialize)]
pub struct Ready {
    /// The API.
    pub url: String,
    /// The demo tenant's key.
    pub api_key: Option<String>,
    /// The key of the first tenant's admin, at the first start without a demo tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_key: Option<String>,
    /// The key of who approves what the admin hands out, at the same start; for somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_key: Option<String>,
    /// The one-time password of the console's account `admin`, at the first start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The rail simulator.
    pub rail_url: Option<String>,
    /// Metrics and error budgets.
    pub metrics_url: String,
    /// A funded demo account in pounds.
    pub account: Option<String>,
    /// A funded demo account in euros.
    pub euro_account: Option<String>,
    /// The data folder.
    pub data: PathBuf,
    /// The process.
    pub pid: u32,
}

impl Ready {
    /// Of a platform whose API listens at `api`.
    #[must_use]
    pub fn of(rig: &Rig, api: SocketAddr, data: &Path) -> Self {
        let demo = rig.demo.as_ref();
        let encrypted = rig.app.config.http.tls.certificate.is_some();
        let first = |of: fn(&FirstKeys) -> &SecretKey| {
            let keys = rig.first_keys.as_ref();
            keys.map(|keys| of(keys).expose().to_owned())
        };
        let scheme = if encrypted { "https" } else { "http" };
        Self {
            url: format!("{scheme}://{api}"),
            api_key: demo.map(|demo| demo.key.expose().to_owned()),
            admin_key: first(|keys| &keys.admin),
            approver_key: first(|keys| &keys.approver),
            password: rig.password.as_ref().map(|once| once.as_str().to_owned()),
            rail_url: rig.rail_url.clone(),
            metrics_url: rig.metrics_url.clone(),
            account: demo.map(|demo| demo.account.to_string()),
            euro_account: demo.map(|demo| demo.euro_account.to_string()),
            data: data.to_owned(),
            pid: std::process::id(),
        }
    }

    /// Tells it.
    pub fn tell(&self, as_json: bool) {
        if as_json {
            return say::json(self);
        }
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        say::line(&format!("Lombard is ready at {}", self.url));
        say::line(&format!("  try it           {}/docs", self.url));
        say::line(&format!("  demo key         {}", or_none(&self.api_key)));
        if let Some(key) = &self.admin_key {
            say::line(&format!("  admin key, shown once      {key}"));
        }
        if let Some(key) = &self.approver_key {
            say::line(&format!("  approver key, shown once   {key}"));
        }
        if let Some(password) = &self.password {
            say::line(&format!("  console          {}/console", self.url));
            say::line(&format!(
                "  sign in as       {FIRST_NAME}, with {password} the first time; shown once"
            ));
        }
        say::line(&format!(
            "  demo account     {} (GBP)",
            or_none(&self.account)
        ));
        say::line(&format!(
            "  demo account     {} (EUR)",
            or_none(&self.euro_account)
        ));
        say::line(&format!("  rail simulator   {}", or_none(&self.rail_url)));
        say::line(&format!("  metrics          {}/metrics", self.metrics_url));
        say::line(&format!("  data             {}", self.data.display()));
        say::line("Stop with Ctrl-C.");
    }

    /// Leaves the address and key in the data folder, for its owner's commands.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn leave(&self, data: &Path) -> Result<Left, Failure> {
        let path = data.join(UP_FILE);
        let up = client::Up {
            url: self.url.clone(),
            api_key: self.api_key.clone(),
            metrics_url: Some(self.metrics_url.clone()),
            rail_url: self.rail_url.clone(),
            account: self.account.clone(),
        };
        let text = serde_json::to_vec(&up).or_exit(Exit::Internal, "JSON")?;
        // One of a server that crashed may be there, with other rights.
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(&text));
        written.or_exit(Exit::NotWritable, path.display())?;
        Ok(Left(path))
    }
}

/// The file, removed when this is dropped.
pub struct Left(PathBuf);

impl Drop for Left {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
