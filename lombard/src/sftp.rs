//! A folder on a server that speaks SFTP, as a place of a source's files.
//!
//! **Who answers** is known by its public key and nothing else: a server with another than the pinned keys
//! is refused in the key exchange, before it learns who we are. Keys are ed25519 or ECDSA, at both ends.
//! **Who we are** is in a file of ours, a private key or a password, read anew at each visit so that it can
//! be exchanged under a running process.

use std::{borrow::Cow, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_service::{
    config::SftpConfig,
    reconcile::fetch::{Listed, Place, PlaceError, Visit, seconds},
};
use russh::{
    Disconnect, Preferred, client,
    keys::{
        PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate,
        ssh_key::{self, Algorithm},
    },
};
use russh_sftp::client::SftpSession;
use tokio::{io::AsyncRead, time::timeout};
use zeroize::Zeroizing;

/// How long the server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may be silent in between.
const SILENCE: Duration = Duration::from_secs(60);

/// The server, and what we are there.
pub struct Sftp {
    config: SftpConfig,
    host_keys: Vec<PublicKey>,
}

/// What is wrong with its settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Neither or both are given.
    #[error("`key_file` or `password_file` is needed, and one of them alone")]
    Secret,
    /// Without a key anybody could be the server.
    #[error("`host_keys` is empty")]
    NoHostKey,
    /// One of them cannot be read.
    #[error("`host_keys`: {0:?} is no public key (`ssh-ed25519 AAAA…`)")]
    HostKey(String, #[source] ssh_key::Error),
}

impl Sftp {
    /// The place of these settings.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn new(config: SftpConfig) -> Result<Self, SettingsError> {
        if config.key_file.is_some() == config.password_file.is_some() {
            return Err(SettingsError::Secret);
        }
        if config.host_keys.is_empty() {
            return Err(SettingsError::NoHostKey);
        }
        let read = |text: &String| {
            let key = PublicKey::from_openssh(text.trim());
            key.map_err(|error| SettingsError::HostKey(text.clone(), error))
        };
        let host_keys = config.host_keys.iter().map(read);
        Ok(Self {
            host_keys: host_keys.collect::<Result<_, _>>()?,
            config,
        })
    }

    async fn enter(&self) -> Result<Session, PlaceError> {
        let secret = self.secret().await?;
        // The kinds of the pinned keys alone are asked for, or the server would show another of its keys.
        let kinds: Vec<Algorithm> = self.host_keys.iter().map(PublicKey::algorithm).collect();
        let config = client::Config {
            inactivity_timeout: Some(SILENCE),
            preferred: Preferred {
                key: Cow::Owned(kinds),
                ..Preferred::default()
            },
            ..client::Config::default()
        };
        let pinned = Pinned(self.host_keys.clone());
        let address = self.config.address.as_str();
        let connected = client::connect(Arc::new(config), address, pinned).await;
        let mut handle = connected.map_err(|error| match error {
            russh::Error::UnknownKey | russh::Error::NoCommonAlgo { .. } => {
                let why = "it has not the host key that is pinned here";
                PlaceError::Refused(format!("{}: {why}", self.shown()))
            }
            error => self.unreachable(&error),
        })?;
        let user = self.config.user.as_str();
        let entered = match secret {
            Secret::Key(key) => {
                let key = PrivateKeyWithHashAlg::new(Arc::new(*key), None);
                handle.authenticate_publickey(user, key).await
            }
            Secret::Password(word) => handle.authenticate_password(user, word.as_str()).await,
        };
        if !entered.map_err(|error| self.unreachable(&error))?.success() {
            let why = format!("{}: it does not let `{user}` in", self.shown());
            return Err(PlaceError::Refused(why));
        }
        let channel = handle.channel_open_session().await;
        let channel = channel.map_err(|error| self.unreachable(&error))?;
        let asked = channel.request_subsystem(true, "sftp").await;
        asked.map_err(|error| self.unreachable(&error))?;
        let sftp = SftpSession::new(channel.into_stream()).await;
        let sftp = sftp.map_err(|error| self.unreachable(&error))?;
        sftp.set_timeout(SILENCE.as_secs());
        Ok(Session {
            sftp,
            handle,
            folder: self.config.folder.clone(),
            shown: self.shown(),
        })
    }

    async fn secret(&self) -> Result<Secret, PlaceError> {
        let unread = |path: &PathBuf, why: &dyn std::fmt::Display| {
            PlaceError::Refused(format!("{}: {why}", path.display()))
        };
        let of = |path: PathBuf| async move {
            let text = tokio::fs::read_to_string(&path).await;
            text.map(Zeroizing::new)
                .map_err(|error| unread(&path, &error))
        };
        match (&self.config.key_file, &self.config.password_file) {
            (Some(path), _) => {
                let key = PrivateKey::from_openssh(of(path.clone()).await?.as_bytes());
                let key = key.map_err(|error| unread(path, &error))?;
                Ok(Secret::Key(Box::new(key)))
            }
            (None, Some(path)) => {
                let text = of(path.clone()).await?;
                let word = text.trim_end_matches(['\r', '\n']).to_owned();
                Ok(Secret::Password(Zeroizing::new(word)))
            }
            (None, None) => Err(PlaceError::Refused(SettingsError::Secret.to_string())),
        }
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> PlaceError {
        PlaceError::Unreachable(format!("{}: {why}", self.shown()))
    }
}

impl Place for Sftp {
    fn shown(&self) -> String {
        let SftpConfig {
            address,
            user,
            folder,
            ..
        } = &self.config;
        format!("sftp://{user}@{address}/{}", folder.trim_start_matches('/'))
    }

    fn visit(&self) -> BoxFuture<'_, Result<Box<dyn Visit>, PlaceError>> {
        Box::pin(async {
            let entered = timeout(PATIENCE, self.enter()).await;
            let late = |_| self.unreachable(&"it takes too long to let us in");
            let session = entered.map_err(late)??;
            Ok(Box::new(session) as Box<dyn Visit>)
        })
    }
}

enum Secret {
    Key(Box<PrivateKey>),
    Password(Zeroizing<String>),
}

/// Lets a server go on that has one of these keys.
struct Pinned(Vec<PublicKey>);

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let shown = shown.public_key();
        Ok(self.0.iter().any(|it| it.key_data() == shown.key_data()))
    }
}

/// A visit.
struct Session {
    sftp: SftpSession,
    handle: client::Handle<Pinned>,
    folder: String,
    shown: String,
}

impl Session {
    fn failed(&self, error: &dyn std::fmt::Display) -> PlaceError {
        PlaceError::Unreachable(format!("{}: {error}", self.shown))
    }
}

impl Visit for Session {
    fn list(&mut self) -> BoxFuture<'_, Result<Vec<Listed>, PlaceError>> {
        Box::pin(async {
            let entries = self.sftp.read_dir(&self.folder).await;
            let entries = entries.map_err(|error| self.failed(&error))?;
            let files = entries.filter(|it| it.metadata().is_regular());
            let files = files.map(|it| Listed {
                name: it.file_name(),
                bytes: it.metadata().len(),
                modified: it.metadata().modified().map_or(0, seconds),
            });
            Ok(files.filter(|it| !it.name.contains('/')).collect())
        })
    }

    fn open<'a>(
        &'a mut self,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn AsyncRead + Send + Unpin>, PlaceError>> {
        Box::pin(async move {
            let path = format!("{}/{name}", self.folder.trim_end_matches('/'));
            let file = self.sftp.open(path).await;
            let file = file.map_err(|error| self.failed(&error))?;
            Ok(Box::new(file) as Box<dyn AsyncRead + Send + Unpin>)
        })
    }

    /// It stays: what is at the bank is the bank's.
    fn took<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<(), PlaceError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn end(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // It is over either way; a server that is told need not wait for its own time-out.
            let _ = self.sftp.close().await;
            let _ = self
                .handle
                .disconnect(Disconnect::ByApplication, "", "")
                .await;
        })
    }
}
