//! The desk: judges a payment inline.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use lombard_core::{risk::Assessment, tenant::TenantId, time::Timestamp};
use lombard_risk::{
    decision::{Decision, Fallback, Judges, Score, decide},
    drift::Scores,
    features::{Book, Event, Vector},
    model::Scorer,
    policy::Policy,
    rules::Facts,
    screening::Watchlist,
};
use parking_lot::{Mutex, RwLock};
use serde_json::value::{RawValue, to_raw_value};
use tracing::{debug, info, warn};

use super::{
    Judged, Order,
    elsewhere::{Model, NoScore, Scored},
    policies::Own,
    tally::Tally,
};
use crate::{
    metrics::{METRICS, kinds::Took},
    rails::breaker::{Breaker, Change, Pass},
};

/// What a desk is made of.
#[derive(Default)]
pub struct Parts {
    /// Rules, lists, limits, thresholds, fallback.
    pub policy: Policy,
    /// The model that decides.
    pub champion: Option<Scorer>,
    /// A model in the shadow.
    pub challenger: Option<Scorer>,
    /// A model that runs somewhere else and decides in the champion's place.
    pub elsewhere: Option<Arc<dyn Model>>,
    /// Names under sanctions.
    pub watchlist: Option<Watchlist>,
    /// How long a judgement waits for what it needs before the fallback decides.
    pub limit: Duration,
}

/// See the module.
pub struct Desk {
    /// The profiles. Held for microseconds at a time, never over IO.
    pub(super) book: Mutex<Book>,
    tallies: Mutex<HashMap<TenantId, Tally>>,
    /// The policy of the file, which holds for every tenant without one of its own.
    file: RwLock<Arc<Policy>>,
    own: RwLock<HashMap<TenantId, Arc<Own>>>,
    parts: Parts,
    /// Leaves a model elsewhere alone for a while when it fails.
    breaker: Mutex<Breaker>,
}

impl Desk {
    /// A desk that has seen nothing yet.
    #[must_use]
    pub fn new(mut parts: Parts) -> Arc<Self> {
        let policy = std::mem::take(&mut parts.policy);
        Arc::new(Self {
            book: Mutex::new(Book::noting()),
            tallies: Mutex::default(),
            file: RwLock::new(Arc::new(policy)),
            own: RwLock::default(),
            parts,
            breaker: Mutex::default(),
        })
    }

    /// The policy in force for a tenant.
    #[must_use]
    pub fn policy(&self, tenant: TenantId) -> Arc<Policy> {
        match self.own.read().get(&tenant) {
            Some(own) => Arc::clone(&own.policy),
            None => self.file(),
        }
    }

    /// The policy that every tenant begins with.
    #[must_use]
    pub fn file(&self) -> Arc<Policy> {
        Arc::clone(&self.file.read())
    }

    /// The policy of a tenant's own, if it has one.
    #[must_use]
    pub fn own(&self, tenant: TenantId) -> Option<Arc<Own>> {
        self.own.read().get(&tenant).cloned()
    }

    /// Puts another policy in force for every tenant without one of its own, from the next
    /// judgement on.
    pub fn adopt(&self, policy: Policy) {
        *self.file.write() = Arc::new(policy);
    }

    /// Puts a tenant's own policy in force, unless a newer one is, and gives the one that is.
    pub(super) fn adopt_own(&self, tenant: TenantId, own: Own) -> Arc<Own> {
        let mut all = self.own.write();
        let newer = all
            .get(&tenant)
            .filter(|known| known.head.version >= own.head.version);
        if let Some(known) = newer {
            return Arc::clone(known);
        }
        let own = Arc::new(own);
        all.insert(tenant, Arc::clone(&own));
        own
    }

    /// The model that decides, if it is here.
    #[must_use]
    pub const fn champion(&self) -> Option<&Scorer> {
        self.parts.champion.as_ref()
    }

    /// The model in the shadow.
    #[must_use]
    pub const fn challenger(&self) -> Option<&Scorer> {
        self.parts.challenger.as_ref()
    }

    /// What it did for a tenant since it was opened.
    #[must_use]
    pub fn tally(&self, tenant: TenantId) -> Tally {
        let tallies = self.tallies.lock();
        tallies.get(&tenant).cloned().unwrap_or_default()
    }

    /// Notes that a second look at a payment was severer than the first.
    pub(super) fn worse_later(&self, tenant: TenantId) {
        self.tallies.lock().entry(tenant).or_default().worse_later += 1;
    }

    /// How the model's scores are spread, over all tenants.
    #[must_use]
    pub fn scores(&self) -> Scores {
        let mut all = Scores::default();
        for tally in self.tallies.lock().values() {
            all.merge(&tally.scores);
        }
        all
    }

    /// How many profiles and pairs are known, over all tenants.
    #[must_use]
    pub fn known(&self) -> (usize, usize) {
        self.book.lock().len()
    }

    /// How far scores have moved from those that the model was measured on, as the population
    /// stability index.
    #[must_use]
    pub fn drift(&self, scores: &Scores) -> Option<f64> {
        let then: Scores = self.champion()?.reference()?;
        scores.stability(&then)
    }

    /// How near a name is to the nearest on a list of sanctions, in per cent; none without lists.
    #[must_use]
    pub fn screen(&self, name: &str) -> Option<u8> {
        Some(self.parts.watchlist.as_ref()?.nearest(name))
    }

    /// What risk says of a payment. `screening` is what [`Desk::screen`] said of its payee.
    pub async fn assess(
        &self,
        tenant: TenantId,
        order: &Order<'_>,
        screening: Option<u8>,
        now: Timestamp,
    ) -> Assessment {
        let mut event = order.event(tenant, now);
        event.screening = screening;
        let (rail, currency) = (order.rail.name(), order.money.currency.code());
        let policy = self.policy(tenant);
        let started = Instant::now();
        let mut decision = self.judge(&policy, &event, (rail, currency), now).await;
        let took = started.elapsed();
        decision.took_us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let over = took > self.parts.limit;
        let mut tallies = self.tallies.lock();
        tallies.entry(tenant).or_default().add(&decision, over);
        drop(tallies);
        METRICS.risk_decisions.of((decision.action,)).inc();
        METRICS.risk_decision_duration.of(()).took(took);
        if let Some(why) = decision.fallback {
            METRICS.risk_fallbacks.of((why,)).inc();
        }
        let limits = policy.limits(&event, currency);
        let judged = Judged {
            tenant,
            payment: order.id,
            event,
            rail: rail.to_owned(),
            currency: currency.to_owned(),
            decision,
        };
        // Our own types, with text for keys: there is nothing to fail.
        let text = to_raw_value(&judged).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Assessment {
            action: judged.decision.action,
            decision: text.into(),
            limits,
        }
    }

    async fn judge(
        &self,
        policy: &Policy,
        event: &Event,
        (rail, currency): (&str, &str),
        now: Timestamp,
    ) -> Decision {
        let started = Instant::now();
        let vector = {
            let Some(book) = self.book.try_lock_for(self.parts.limit) else {
                let (why, version) = (Fallback::TooSlow, policy.rules.version());
                return policy.fallback.decide(why, rail, event.amount, version);
            };
            book.vector(event)
        };
        let said = match &self.parts.elsewhere {
            None => None,
            Some(model) => {
                let left = self.parts.limit.saturating_sub(started.elapsed());
                Some(self.ask(model.as_ref(), &vector, left, now).await)
            }
        };
        let score = score_of(said.as_ref(), policy);
        let judges = self.judges(policy, self.champion());
        let facts = Facts {
            vector: &vector,
            event,
            rail,
            currency,
            lists: &policy.lists,
        };
        decide(judges, &facts, score)
    }

    pub(super) fn judges<'a>(
        &'a self,
        policy: &'a Policy,
        champion: Option<&'a Scorer>,
    ) -> Judges<'a> {
        Judges {
            champion,
            challenger: self.challenger(),
            rules: &policy.rules,
            thresholds: policy.thresholds,
        }
    }

    /// What is said of a stored payment now. None when what is known of it now is what was known
    /// then. A model elsewhere is not asked twice: the score that it gave stands, and rules, lists
    /// and what is known now decide with it; where it gave none, it is asked for it now.
    pub(super) async fn look_again(&self, judged: &Judged, now: Timestamp) -> Option<Decision> {
        let stored = &judged.decision;
        let vector = self.book.lock().vector(&judged.event);
        if stored.fallback.is_none() && stored.vector.as_ref() == Some(&vector) {
            return None;
        }
        let policy = self.policy(judged.tenant);
        let asked = match (&self.parts.elsewhere, stored.score, &stored.model) {
            (None, ..) => None,
            (Some(_), Some(score), Some(model)) => Some(Ok(Scored {
                score,
                model: model.clone(),
            })),
            (Some(model), ..) => {
                let limit = self.parts.limit;
                Some(self.ask(model.as_ref(), &vector, limit, now).await)
            }
        };
        let facts = Facts {
            vector: &vector,
            event: &judged.event,
            rail: &judged.rail,
            currency: &judged.currency,
            lists: &policy.lists,
        };
        let judges = self.judges(&policy, self.champion());
        Some(decide(judges, &facts, score_of(asked.as_ref(), &policy)))
    }

    /// Asks a model elsewhere, no longer than is left, and not at all while it is left alone.
    async fn ask(
        &self,
        model: &dyn Model,
        vector: &Vector,
        left: Duration,
        now: Timestamp,
    ) -> Result<Scored, Fallback> {
        if let Pass::Wait(_) = self.breaker.lock().ask(now) {
            return Err(Fallback::Unavailable);
        }
        let scored = match tokio::time::timeout(left, model.score(vector)).await {
            Ok(Ok(scored)) => Ok(scored),
            Ok(Err(NoScore::Slow)) | Err(_) => Err(Fallback::TooSlow),
            Ok(Err(error)) => {
                debug!(%error, "no score");
                Err(Fallback::Unavailable)
            }
        };
        match self.breaker.lock().note(now, scored.is_ok()) {
            Some(Change::Opened) => warn!("the model elsewhere is left alone for a while"),
            Some(Change::Closed) => info!("the model elsewhere answers again"),
            None => {}
        }
        scored
    }
}

/// Whose score decides, by what a model elsewhere said, if there is one.
fn score_of<'a>(said: Option<&'a Result<Scored, Fallback>>, policy: &'a Policy) -> Score<'a> {
    match said {
        None => Score::Own,
        Some(Ok(scored)) => Score::Given(scored.score, &scored.model),
        Some(Err(why)) => Score::Missing(*why, &policy.fallback),
    }
}
