//! The files of the verifiable log in a world: a folder on a disk that loses what was not synced.
//!
//! Writing a file replaces it whole for who reads it, and says nothing about what is there after the
//! power was lost: until a sync each file may be the old one, the new one, or a part of the new one,
//! each by itself. Processes see the folder through a view of their own that fails as files do.

use std::{collections::BTreeMap, io, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use lombard_service::proof::{Blobs, log::CHECKPOINT};
use parking_lot::Mutex;

use super::{
    Shared,
    life::{Blow, Life},
    luck::Luck,
    store::simulated,
};

/// Files by name.
pub type Contents = BTreeMap<String, Bytes>;

/// See the module.
#[derive(Debug, Default)]
pub struct Files(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// As a reader sees them.
    shown: Contents,
    /// What is under the names whose newest state is not durable: the old file, if there was one.
    unsynced: BTreeMap<String, Option<Bytes>>,
}

impl State {
    fn set(&mut self, name: &str, file: Option<Bytes>, durable: bool) {
        let before = match file {
            Some(file) => self.shown.insert(name.to_owned(), file),
            None => self.shown.remove(name),
        };
        if durable {
            self.unsynced.remove(name);
        } else {
            // The oldest state that is still on the disk, however often it was replaced since.
            self.unsynced.entry(name.to_owned()).or_insert(before);
        }
    }
}

impl Files {
    /// What a reader sees.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.0.lock().shown.clone()
    }

    /// The power is lost: what was not synced is kept, or not, or in part.
    pub fn lose_power(&self, luck: &Luck) {
        let mut state = self.0.lock();
        for (name, before) in std::mem::take(&mut state.unsynced) {
            let written = state.shown.get(&name).cloned();
            let left = match (luck.below(3), written) {
                (0, written) => written,
                (1, Some(written)) => {
                    let kept = luck.below(written.len() as u64 + 1) as usize;
                    Some(written.slice(..kept))
                }
                _ => before,
            };
            match left {
                Some(file) => drop(state.shown.insert(name, file)),
                None => drop(state.shown.remove(&name)),
            }
        }
    }
}

/// What one process sees of the folder.
pub struct View {
    /// Everybody's.
    pub shared: Arc<Shared>,
    /// The process that looks.
    pub life: Arc<Life>,
    /// Which of its calls fail.
    pub luck: Luck,
}

impl View {
    /// Does something to the files, or fails before or after it, or dies there.
    async fn act<T: Default>(
        &self,
        what: &str,
        act: impl FnOnce(&mut State) -> T,
    ) -> io::Result<T> {
        self.life.pass().await;
        let blow = self.shared.effects.next(what);
        let (crash, refused) = self.shared.weather(|now| (now.crash, now.unwritten));
        let dies = |luck: &Luck| luck.below(10_000) < u64::from(crash) && self.shared.may_crash();
        if blow == Some(Blow::DiesBefore) || dies(&self.luck) {
            self.die("before", what).await;
        }
        let drawn = self.luck.below(2000) as u32;
        let fails = matches!(blow, Some(Blow::Refused | Blow::Lost)) || drawn < refused;
        let failed = || io::Error::other(simulated());
        if fails {
            return Err(failed());
        }
        let done = act(&mut self.shared.files.0.lock());
        if blow == Some(Blow::DiesAfter) || dies(&self.luck) {
            self.die("after", what).await;
        }
        // A pause between two files is where a crash leaves one of them.
        tokio::task::yield_now().await;
        self.life.pass().await;
        if blow == Some(Blow::LostDone) || (refused..2 * refused).contains(&drawn) {
            return Err(failed());
        }
        Ok(done)
    }

    async fn die(&self, when: &str, what: &str) {
        self.shared.history.note("world", || {
            format!("!! a process dies {when} {what} of the log's files")
        });
        self.life.end();
        self.life.pass().await;
    }

    async fn write(&self, name: &str, bytes: Bytes, durable: bool) -> io::Result<()> {
        let mut written = false;
        let put = self.act("a write", |state| {
            state.set(name, Some(bytes), durable);
            written = true;
        });
        let put = put.await;
        if written && name == CHECKPOINT {
            // Whoever reads may see it from now on, whether or not its writer knows.
            self.shared.audit_checkpoint();
        }
        put
    }
}

impl Blobs for View {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let name = name.to_owned();
        Box::pin(async move { self.write(&name, bytes, false).await })
    }

    fn put_durable(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, io::Result<()>> {
        let name = name.to_owned();
        Box::pin(async move { self.write(&name, bytes, true).await })
    }

    fn get(&self, name: &str) -> BoxFuture<'_, io::Result<Option<Bytes>>> {
        let name = name.to_owned();
        Box::pin(async move {
            self.act("a read", |state| state.shown.get(&name).cloned())
                .await
        })
    }

    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(self.act("a sync", |state| state.unsynced.clear()))
    }

    fn remove(&self, name_or_prefix: &str) -> BoxFuture<'_, io::Result<()>> {
        let wanted = name_or_prefix.to_owned();
        Box::pin(async move {
            let removed = |state: &mut State| {
                let of_it = |name: &&String| match wanted.ends_with('/') {
                    true => name.starts_with(&wanted),
                    false => **name == wanted,
                };
                let names: Vec<String> = state.shown.keys().filter(of_it).cloned().collect();
                for name in names {
                    state.set(&name, None, false);
                }
            };
            self.act("a removal", removed).await
        })
    }
}
