//! A disk whose worst moments can be chosen: in memory, with sectors that are durable or only written.
//!
//! For tests and simulations. A step is each change of the disk; a [`Fault`] strikes one of them, or from one
//! on all; [`SimDisk::after_power_loss`] is what is found when the power is back.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use parking_lot::Mutex;

use super::{Disk, File};
use crate::log::SECTOR;

/// What a faulty step does before it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// All that it should have done.
    Done,
    /// For a write, the first half; it does not fail, it is short.
    Short,
}

/// A fault: at which step (each change of the disk is one), what it answers, what it does.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Which step, counted from the disk's beginning.
    pub step: usize,
    /// `None` is the loss of power: this step and all later ones fail, and change nothing.
    pub error: Option<io::ErrorKind>,
    /// What it does all the same.
    pub effect: Effect,
    /// Whether every later step fails in the same way.
    pub stays: bool,
}

#[derive(Clone, Default)]
struct Content {
    durable: Vec<u8>,
    written: Vec<u8>,
    dirty: BTreeSet<usize>,
}

#[derive(Clone, Default)]
struct State {
    contents: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    steps: usize,
    fault: Option<Fault>,
    off: bool,
    no_new_files: bool,
}

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// A disk of its own with the same content and no fault to come.
    #[must_use]
    pub fn copy(&self) -> Self {
        let mut state = self.0.lock().clone();
        (state.steps, state.fault, state.off) = (0, None, false);
        Self(Arc::new(Mutex::new(state)))
    }

    /// Chooses the fault, or none.
    pub fn fail(&self, fault: Option<Fault>) {
        self.0.lock().fault = fault;
    }

    /// From now on there is no room for new files, or there is again.
    pub fn refuse_new_files(&self, refuse: bool) {
        self.0.lock().no_new_files = refuse;
    }

    /// How many steps were taken.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.0.lock().steps
    }

    /// The sectors that were written and not synced: which file, which sector of it.
    #[must_use]
    pub fn dirty(&self) -> Vec<(usize, usize)> {
        let state = self.0.lock();
        let files = state.contents.iter().enumerate();
        files
            .flat_map(|(n, it)| it.dirty.iter().map(move |sector| (n, *sector)))
            .collect()
    }

    /// The disk after power was lost: what was durable, and of the rest what `keep` says. Names that were not
    /// synced are kept if `names`.
    #[must_use]
    pub fn after_power_loss(
        &self,
        names: bool,
        mut keep: impl FnMut(usize, usize) -> bool,
    ) -> Self {
        let mut state = self.0.lock().clone();
        for (file, content) in state.contents.iter_mut().enumerate() {
            for sector in std::mem::take(&mut content.dirty) {
                if keep(file, sector) {
                    persist(content, sector);
                }
            }
            content.written = content.durable.clone();
        }
        if !names {
            state.names = state.durable_names.clone();
        }
        state.durable_names = state.names.clone();
        (state.steps, state.fault, state.off) = (0, None, false);
        Self(Arc::new(Mutex::new(state)))
    }

    /// The content of a file, to look at.
    ///
    /// # Panics
    /// When there is no such file.
    #[must_use]
    pub fn content(&self, name: &str) -> Vec<u8> {
        let state = self.0.lock();
        state.contents[state.names[name]].written.clone()
    }

    /// Changes the content of a file behind everybody's back, durably.
    ///
    /// # Panics
    /// When there is no such file.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.0.lock();
        let file = state.names[name];
        let content = &mut state.contents[file];
        change(&mut content.written);
        content.durable = content.written.clone();
        content.dirty.clear();
    }

    /// All files with their content.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.0.lock();
        let content = |file: &usize| state.contents[*file].written.clone();
        state
            .names
            .iter()
            .map(|(name, file)| (name.clone(), content(file)))
            .collect()
    }
}

fn persist(content: &mut Content, sector: usize) {
    let from = sector * SECTOR;
    let to = content.written.len().min(from + SECTOR);
    if content.durable.len() < to {
        content.durable.resize(to, 0);
    }
    content.durable[from..to].copy_from_slice(&content.written[from..to]);
}

impl State {
    /// Takes a step, unless it is one that fails. Then says what it does all the same, and how it fails.
    fn step(&mut self) -> Result<(), (Effect, io::Error)> {
        if self.off {
            return Err((Effect::Nothing, io::Error::other("the power is off")));
        }
        self.steps += 1;
        match self.fault {
            Some(fault) if self.steps == fault.step || fault.stays && self.steps > fault.step => {
                match fault.error {
                    None => {
                        self.off = true;
                        Err((Effect::Nothing, io::Error::other("the power is off")))
                    }
                    Some(kind) => Err((fault.effect, kind.into())),
                }
            }
            _ => Ok(()),
        }
    }

    /// Takes a step that is done or not.
    fn change<T>(&mut self, change: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        match self.step() {
            Ok(()) => change(self),
            Err((Effect::Done, error)) => change(self).and(Err(error)),
            Err((Effect::Nothing | Effect::Short, error)) => Err(error),
        }
    }
}

impl Disk for SimDisk {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.0.lock().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let state = self.0.lock();
        let file = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            file,
        }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn File>> {
        let file = self.0.lock().change(|state| {
            if state.no_new_files {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.contents.push(Content::default());
            let file = state.contents.len() - 1;
            state.names.insert(name.into(), file);
            Ok(file)
        })?;
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            file,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.lock().change(|state| {
            let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.into(), file);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().change(|state| {
            state
                .names
                .remove(name)
                .map(drop)
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn sync_names(&self) -> io::Result<()> {
        self.0.lock().change(|state| {
            state.durable_names = state.names.clone();
            Ok(())
        })
    }
}

struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl File for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.0.lock();
        let bytes = &state.contents[self.file].written;
        let from = bytes.len().min(offset as usize);
        let length = buffer.len().min(bytes.len() - from);
        buffer[..length].copy_from_slice(&bytes[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut state = self.disk.0.lock();
        let (bytes, answer) = match state.step() {
            Ok(()) => (bytes, Ok(bytes.len())),
            Err((Effect::Done, error)) => (bytes, Err(error)),
            Err((Effect::Nothing, error)) => return Err(error),
            Err((Effect::Short, _)) => (&bytes[..bytes.len() / 2], Ok(bytes.len() / 2)),
        };
        let content = &mut state.contents[self.file];
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        if content.written.len() < to {
            content.written.resize(to, 0);
        }
        content.written[from..to].copy_from_slice(bytes);
        content.dirty.extend(from / SECTOR..to.div_ceil(SECTOR));
        answer
    }

    fn sync_data(&self) -> io::Result<()> {
        let file = self.file;
        self.disk.0.lock().change(|state| {
            let content = &mut state.contents[file];
            content.dirty.clear();
            content.durable = content.written.clone();
            Ok(())
        })
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.0.lock().contents[self.file].written.len() as u64)
    }
}
