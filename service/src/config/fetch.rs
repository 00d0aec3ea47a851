//! Where the files of a source are fetched.

use std::path::PathBuf;

use lombard_core::tenant::TenantId;
use serde::{Deserialize, Serialize};

/// Files that a source leaves somewhere: in a folder of this machine, or on a server that speaks SFTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchConfig {
    /// Whose payments they tell of; the demo tenant's where there is one.
    pub tenant: Option<TenantId>,
    /// Between two looks.
    pub every_seconds: u64,
    /// The folder.
    pub folder: Option<PathBuf>,
    /// The folder to which files are moved from `folder` when they are taken in; they stay otherwise,
    /// and are remembered.
    pub done: Option<PathBuf>,
    /// The server.
    pub sftp: Option<SftpConfig>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            tenant: None,
            every_seconds: 60,
            folder: None,
            done: None,
            sftp: None,
        }
    }
}

/// A server that speaks SFTP, and who we are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SftpConfig {
    /// `host:port`.
    pub address: String,
    /// Our name there.
    pub user: String,
    /// Its public keys, in the form of `ssh-keyscan` without the host (`ssh-ed25519 AAAA…`): a server with
    /// another is refused. Two while it exchanges its key.
    pub host_keys: Vec<String>,
    /// A file with our private key, in the form of OpenSSH.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// A file with our password, where the server takes no keys.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The folder there.
    pub folder: String,
}
