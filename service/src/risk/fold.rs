//! Folds stored payments into the profiles, looks at each a second time, saves the profiles, and
//! loads them at a start.
//!
//! **Crash.** Profiles are saved with the place in the feed that they had come to, in sets, then
//! the cursor. Between two sets, or before the cursor, a crash leaves some profiles further on than
//! the cursor: the next start reads the feed from the cursor, and each profile passes over what it
//! had seen. A crash before any set leaves all as it was.
//!
//! **One runner.** The profiles of a process are folded by one task, over all shards in turn.

use std::{collections::HashMap, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use lombard_core::{
    risk::{Action, Kept},
    store::{Body, Change, Commit, Key, Snapshot, decode},
};
use lombard_risk::{
    decision::Decision,
    drift,
    features::{Bond, Profile, Subject, book::Changed},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use super::{
    Desk, Judged, judgement,
    label::{self, Label},
};
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble, operator},
    metrics::METRICS,
    ports::{Cause, Range, ReadError},
    worker::{cursor, feed::rest},
};

const NAME: &str = "risk";
const BATCH: usize = 2048;
const WAIT_MS: u64 = 500;
/// How long profiles may be ahead of what is saved; a crash costs reading so much feed again.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// Records of one commit: as many as every store takes, less some for good measure.
const SET: usize = 90;
/// Partitions over which profiles are spread.
const PARTITIONS: u64 = 64;
const PAGE: usize = 500;
/// Scores that must be counted before their drift means anything.
const DRIFT_LEAST: u64 = 1_000;

/// A profile or a bond as it is stored.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// The places in the feed, by shard, up to which it was folded.
    upto: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bond: Option<Bond>,
}

/// See the module.
pub struct Fold {
    app: App,
    desk: Arc<Desk>,
    /// How far each shard was read.
    reached: Vec<u64>,
    /// What was saved further on than the cursor, by its hash; empty once the feed is past it.
    ahead: HashMap<u64, Vec<u64>>,
    /// What changed and could not be saved yet.
    unsaved: Changed,
    /// What a person must look at and is not told of yet.
    troubles: Vec<Trouble>,
    saved_at: Instant,
}

impl Fold {
    /// Loads the profiles and folds what they have not seen, so that the first payment is judged as
    /// the last one before the stop was.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(app: App, desk: Arc<Desk>) -> Result<Self, Cause> {
        let mut fold = Self {
            reached: Vec::new(),
            ahead: HashMap::new(),
            unsaved: Changed::default(),
            troubles: Vec::new(),
            saved_at: Instant::now(),
            app,
            desk,
        };
        fold.load().await?;
        for shard in 0..fold.app.store.shards() {
            let reached = cursor::load(&fold.app, NAME, shard).await.map_err(told)?;
            fold.reached.push(reached);
        }
        while fold.step(0).await? {}
        let (profiles, pairs) = fold.desk.known();
        info!(profiles, pairs, "the profiles of risk are loaded");
        Ok(fold)
    }

    async fn load(&mut self) -> Result<(), Cause> {
        for number in 0..PARTITIONS {
            let mut after = None;
            loop {
                let range = Range::of(&partition(number), PAGE).after(after.clone());
                let found = self.app.store.range(&range).await.map_err(told)?;
                let Some(last) = found.last() else { break };
                after = Some(last.at.sort().to_owned());
                for record in &found {
                    let hash = u64::from_str_radix(record.at.sort(), 16).map_err(told)?;
                    self.restore(hash, decode(&record.record.body.bytes))?;
                }
                if found.len() < PAGE {
                    break;
                }
            }
        }
        Ok(())
    }

    fn restore(&mut self, hash: u64, saved: Saved) -> Result<(), Cause> {
        let mut book = self.desk.book.lock();
        self.ahead.insert(hash, saved.upto);
        if let Some(text) = saved.profile {
            let bytes = STANDARD_NO_PAD.decode(text).map_err(told)?;
            match Profile::decode(&bytes) {
                Some(profile) => book.restore(Subject(hash), profile),
                // A profile of another version: its past is lost, and grows anew.
                None => warn!(hash, "a saved profile cannot be read"),
            }
        }
        if let Some(bond) = saved.bond {
            book.restore_bond(hash, bond);
        }
        Ok(())
    }

    /// Folds what comes until `stop` turns true, then saves.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let wait_ms = WAIT_MS / self.reached.len().max(1) as u64;
            // Not to be broken off: what is folded and what is noted as folded go together.
            let saved = match self.step(wait_ms).await {
                Ok(_) if self.saved_at.elapsed() < SAVE_EVERY => Ok(()),
                Ok(_) => self.save().await,
                Err(error) => Err(error),
            };
            if let Err(error) = saved {
                warn!(%error, "the fold of risk is held up");
                if rest(&mut stop, 500).await {
                    break;
                }
            }
        }
        if let Err(error) = self.save().await {
            warn!(%error, "profiles are not saved; the next start reads the feed again");
        }
    }

    /// Folds the next part of each shard. Says whether there was any.
    async fn step(&mut self, wait_ms: u64) -> Result<bool, Cause> {
        let mut any = false;
        for shard in 0..self.reached.len() {
            let (number, after) = (u16::try_from(shard).map_err(told)?, self.reached[shard]);
            let read = self.app.store.changes(number, after, BATCH, wait_ms).await;
            let commits = match read {
                Ok(commits) => commits,
                Err(ReadError::Trimmed(first)) if first > after => {
                    warn!(
                        after,
                        first, "a part of the feed is gone before it was folded"
                    );
                    self.reached[shard] = first;
                    continue;
                }
                Err(error) => return Err(told(error)),
            };
            for commit in &commits {
                // Before the commit is folded: what was told of it is told again, what was folded
                // is not folded again.
                judgement::label(&self.app, commit).await?;
                self.fold(shard, commit).await;
                self.reached[shard] = commit.position;
                any = true;
            }
        }
        while let Some(trouble) = self.troubles.last() {
            let raised = exceptions::raise_once(&self.app, trouble.clone()).await;
            raised.map_err(told)?;
            self.troubles.pop();
        }
        let reached = &self.reached;
        let behind = |upto: &Vec<u64>| upto.iter().zip(reached).any(|(upto, at)| upto > at);
        if any && !self.ahead.is_empty() && !self.ahead.values().any(behind) {
            self.ahead = HashMap::new();
        }
        Ok(any)
    }

    /// Folds what a commit says of risk, and looks again at a payment that no profile has seen:
    /// after a crash, those that were not looked at before it as well.
    async fn fold(&mut self, shard: usize, commit: &Commit) {
        let of_risk = |change: &&Change| change.key.partition().ends_with("#risk");
        for change in commit.changes.iter().filter(of_risk) {
            let Some(record) = &change.record else {
                continue;
            };
            let bytes = &record.body.bytes;
            let unseen = |hash: u64| {
                let upto = self.ahead.get(&hash).and_then(|upto| upto.get(shard));
                upto.is_none_or(|upto| *upto < commit.position)
            };
            if change.key.sort() == label::SORT {
                let label: Label = decode(bytes);
                if label.teaches() {
                    let corrects = label.corrects.is_some();
                    let mut book = self.desk.book.lock();
                    book.learn_where(&label.outcome, corrects, unseen);
                    let source = (label.source,);
                    METRICS.risk_labels.of(source).inc();
                    let delay = METRICS.risk_label_delay.of(source);
                    delay.inc_by(label.delay().as_secs());
                }
                continue;
            }
            let kept: Kept = decode(bytes);
            let Ok(judged) = serde_json::from_str::<Judged>(kept.decision.get()) else {
                warn!(key = ?change.key, "a stored decision cannot be read");
                continue;
            };
            let named = judged.event.subjects.iter().flatten();
            let is_new = named.clone().all(|subject| unseen(subject.0));
            let again = match is_new {
                true => self.desk.look_again(&judged, self.app.host.now()).await,
                false => None,
            };
            self.desk.book.lock().observe_where(&judged.event, unseen);
            if let Some(again) = again
                && again.action > kept.action
                && again.action >= Action::Review
            {
                self.desk.worse_later(judged.tenant);
                self.troubles.push(worse(&kept, &judged, &again));
            }
        }
    }

    /// Saves what changed, then the cursors; raises the alarm when scores have drifted.
    async fn save(&mut self) -> Result<(), Cause> {
        self.saved_at = Instant::now();
        let changed = self.desk.book.lock().take_changed();
        self.unsaved.subjects.extend(changed.subjects);
        self.unsaved.bonds.extend(changed.bonds);
        let hashes: Vec<u64> = self
            .unsaved
            .subjects
            .iter()
            .map(|subject| subject.0)
            .collect();
        let pairs: Vec<u64> = self.unsaved.bonds.iter().copied().collect();
        if hashes.is_empty() && pairs.is_empty() {
            return Ok(());
        }
        for set in hashes.chunks(SET) {
            self.save_set(set, |book, hash| {
                let bytes = book.profile(Subject(hash))?.encode();
                Some((Some(STANDARD_NO_PAD.encode(bytes)), None))
            })
            .await?;
        }
        for set in pairs.chunks(SET) {
            self.save_set(set, |book, hash| Some((None, Some(*book.bond(hash)?))))
                .await?;
        }
        self.unsaved = Changed::default();
        for (shard, reached) in self.reached.iter().enumerate() {
            let shard = u16::try_from(shard).map_err(told)?;
            let saved = cursor::save(&self.app, NAME, shard, *reached).await;
            saved.map_err(told)?;
        }
        self.watch_drift().await
    }

    /// Saves one set. The book is locked for the set alone, so that nobody waits for all of them.
    async fn save_set(
        &self,
        set: &[u64],
        of: impl Fn(&lombard_risk::features::Book, u64) -> Option<(Option<String>, Option<Bond>)>,
    ) -> Result<(), Cause> {
        let bodies: Vec<(Key, Body)> = {
            let book = self.desk.book.lock();
            let body = |hash: &u64| {
                let (profile, bond) = of(&book, *hash)?;
                let upto = self.reached.clone();
                let saved = Saved {
                    upto,
                    profile,
                    bond,
                };
                Some((key(*hash), Body::of(&saved)))
            };
            set.iter().filter_map(body).collect()
        };
        let keys: Vec<Key> = bodies.iter().map(|(key, _)| key.clone()).collect();
        let found = self.app.store.get(&keys).await.map_err(told)?;
        let mut snapshot = Snapshot::default();
        for (key, record) in keys.into_iter().zip(found) {
            snapshot.put(key, record);
        }
        let mut writes = snapshot.checks();
        for (key, body) in bodies {
            writes.put(&key, body);
        }
        self.app.store.commit(&writes).await.map_err(told)
    }

    async fn watch_drift(&self) -> Result<(), Cause> {
        let scores = self.desk.scores();
        if scores.count() < DRIFT_LEAST {
            return Ok(());
        }
        let Some((index, model)) = self.desk.drift(&scores).zip(self.desk.champion()) else {
            return Ok(());
        };
        if index < drift::ALARM {
            return Ok(());
        }
        let what =
            "the scores of payments are spread otherwise than those the model was measured on";
        let trouble = Trouble::new(operator(), Kind::ModelDrift, model.version(), what)
            .evidence("population_stability_index", format!("{index:.3}"));
        exceptions::raise(&self.app, trouble).await.map_err(told)?;
        Ok(())
    }
}

/// What the payments that were folded since say of one: it may have been judged beside others of the
/// same moment, none of which was known yet.
fn worse(kept: &Kept, judged: &Judged, again: &Decision) -> Trouble {
    let reason = again.reasons.first().map_or("", String::as_str);
    let what = format!(
        "a second look says `{}`, the payment was judged `{}`: {reason}",
        again.action.name(),
        kept.action.name()
    );
    let trouble = Trouble::with_payment(judged.tenant, Kind::SecondLook, judged.payment, &what);
    trouble
        .evidence("first", kept.action.name())
        .evidence("second", again.action.name())
        .evidence("score", again.score.unwrap_or_default())
}

fn partition(number: u64) -> String {
    format!("risk#profiles#{number:02}")
}

fn key(hash: u64) -> Key {
    Key::new(&partition(hash % PARTITIONS), &format!("{hash:016x}"))
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    Arc::new(error)
}
