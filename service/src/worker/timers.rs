//! Fires timers: expiries at once, enquiries after the rail was asked.
//!
//! **One runner.** Timers are found by ranges over [`SHARDS`] partitions, by one task of one
//! process. Nothing depends on that: firing twice is firing once, and an enquiry changes nothing
//! at the rail; a second runner would only ask twice as often.
//!
//! **Order of an enquiry.** The rail is asked, what it says is committed, and only then is the
//! timer removed. A crash in between asks again. A payment that is still in doubt gets its next
//! timer in the commit that removes the last, with a longer pause each time, and after the budget
//! of [`ENQUIRIES_MAX`](lombard_core::plan::ENQUIRIES_MAX) an exception.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, stream};
use lombard_core::{
    command::{Act, Command, Report},
    id::Id,
    lifecycle::Stage,
    payment::Payment,
    plan::keys,
    reason::Reason,
    store::{Key, Snapshot, decode},
    tenant::TenantId,
    timer::{Due, SHARDS, Timer},
};
use tokio::{sync::watch, task::JoinSet};
use tracing::warn;

use super::{feed::rest, rails::rail_actor};
use crate::{
    app::App,
    duty,
    exceptions::{self, Kind, Trouble},
    ports::{Cause, ExecuteError, Range, ReadError},
    rails::{Answer, RailPort},
    traces::{self, Hop, Span},
};

/// How often the shards are looked through, in milliseconds.
const TICK_MS: u64 = 200;
/// Timers of a shard that are read at once.
const PAGE: usize = 256;
/// Enquiries that may be begun at once, over all rails. They take turns, each rail's among themselves.
const ENQUIRIES_BEGUN_MAX: usize = 1024;
/// Expiries that are committed at once.
const EXPIRIES_AT_ONCE: usize = 32;
/// Enquiries that fall due together are spread over up to so many milliseconds.
const JITTER_MS: u128 = 250;

/// Fires timers until `stop` turns true.
pub async fn run(app: App, mut stop: watch::Receiver<bool>) {
    let mut enquiries = Enquiries::default();
    while !*stop.borrow() {
        for shard in 0..SHARDS {
            enquiries.reap();
            if let Err(error) = look_through(&app, shard, &mut enquiries).await {
                warn!(shard, %error, "the timers cannot be read");
            }
        }
        if rest(&mut stop, TICK_MS).await {
            break;
        }
    }
}

/// Fires once what is due now, and returns when it is done: for a runtime that is woken.
///
/// # Errors
/// When the timers of a shard cannot be read; those of the others are fired.
pub async fn fire_due(app: &App) -> Result<(), ReadError> {
    let mut enquiries = Enquiries::default();
    let mut ended = Ok(());
    for shard in 0..SHARDS {
        ended = ended.and(look_through(app, shard, &mut enquiries).await);
    }
    while enquiries.running.join_next().await.is_some() {}
    ended
}

/// Enquiries under way, each once.
#[derive(Default)]
struct Enquiries {
    running: JoinSet<Key>,
    keys: BTreeSet<Key>,
}

impl Enquiries {
    fn reap(&mut self) {
        while let Some(done) = self.running.try_join_next() {
            match done {
                Ok(key) => {
                    self.keys.remove(&key);
                }
                // Which one it was is not known; all that still run are in the way of nobody.
                Err(_) => self.keys.clear(),
            }
        }
    }

    /// Starts one, unless it runs or too many do; the next look finds it again.
    fn start(&mut self, app: &App, key: &Key, timer: Timer) {
        if self.running.len() >= ENQUIRIES_BEGUN_MAX || !self.keys.insert(key.clone()) {
            return;
        }
        let (app, key) = (app.clone(), key.clone());
        self.running.spawn(duty::on("timers", async move {
            let pause = (app.host.random() % JITTER_MS) as u64;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            attempt(&app, timer).await;
            key
        }));
    }
}

async fn look_through(app: &App, shard: u8, enquiries: &mut Enquiries) -> Result<(), ReadError> {
    let early = u64::from(lombard_core::planted!(TimersEarly)) * 600_000;
    let until = format!("{}~", Timer::sort_prefix(app.host.now().plus_ms(early)));
    let mut after = None;
    loop {
        let range = Range::of(&Timer::partition(shard), PAGE)
            .past_damage()
            .after(after)
            .until(until.clone());
        let found = app.store.range(&range).await?;
        let mut expiries = Vec::new();
        for due in &found {
            let timer: Timer = decode(&due.record.body.bytes);
            match timer.what {
                Due::Enquire(_) => enquiries.start(app, &due.at, timer),
                Due::ExecutePayment(_)
                | Due::ExpireHold(_)
                | Due::ExpirePayment(_)
                | Due::AnswerRecall(_) => {
                    expiries.push(timer);
                }
            }
        }
        stream::iter(expiries)
            .for_each_concurrent(EXPIRIES_AT_ONCE, |timer| attempt(app, timer))
            .await;
        match found.last() {
            Some(last) if found.len() == PAGE => after = Some(last.at.sort().to_owned()),
            _ => return Ok(()),
        }
    }
}

/// Fires one timer; what cannot be done now is found again at the next look.
async fn attempt(app: &App, timer: Timer) {
    if let Err(error) = fire(app, &timer).await {
        warn!(what = ?timer.what, %error, "the timer is not fired yet");
    }
}

/// Fires one timer, asking the rail first where that is what it is for.
///
/// # Errors
/// Why it could not be fired. The timer is then still there.
pub async fn fire(app: &App, timer: &Timer) -> Result<(), Cause> {
    if let Due::Enquire(id) = timer.what {
        enquire(app, timer.tenant, id).await?;
    }
    match app.execute(timer.clone().fire()).await {
        Ok(_) => Ok(()),
        Err(ExecuteError::Rejected(rejection)) => {
            let text = "a timer cannot be fired";
            let subject = timer.key().sort().to_owned();
            let trouble = Trouble::new(timer.tenant, Kind::EffectFailed, &subject, text)
                .evidence("error", rejection);
            exceptions::raise(app, trouble).await.map_err(told)?;
            remove(app, &timer.key()).await
        }
        Err(error) => Err(told(error)),
    }
}

/// Removes a timer that is now an exception; it would only fail again at every look.
async fn remove(app: &App, key: &Key) -> Result<(), Cause> {
    let found = app.get(key).await.map_err(told)?;
    if found.is_none() {
        return Ok(());
    }
    let mut snapshot = Snapshot::default();
    snapshot.put(key.clone(), found);
    let mut writes = snapshot.checks();
    writes.delete(key);
    app.store.commit(&writes).await.map_err(told)
}

/// Asks the rail what became of a payment in doubt and commits what it says. Silence, or an
/// answer that says nothing, commits nothing: the timer's firing sets the next. A payment that is
/// not in doubt is left alone.
///
/// # Errors
/// The store's.
pub async fn enquire(app: &App, tenant: TenantId, id: Id<Payment>) -> Result<(), Cause> {
    let key = keys::payment(tenant, id);
    let Some(payment) = app.value::<Payment>(&key).await.map_err(told)? else {
        return Ok(());
    };
    let (Stage::InDoubt, Some(port)) = (payment.stage, app.rails.get(payment.rail)) else {
        return Ok(());
    };
    let _turn = app.rails.enquiry_turn(payment.rail).await;
    let hop = Hop::of_payment(&payment);
    let span = Span::after(hop, "rail.enquire", traces::Kind::Consumer);
    span.run(ask(app, tenant, port.as_ref(), payment)).await
}

async fn ask(
    app: &App,
    tenant: TenantId,
    port: &dyn RailPort,
    payment: Payment,
) -> Result<(), Cause> {
    let id = payment.id;
    let report = match port.enquire(tenant, &payment).await {
        Ok(Answer::Accepted(reference)) => Report::Accepted(reference),
        Ok(Answer::Rejected(reason, code)) => Report::Rejected(reason, code),
        Ok(Answer::Authorised(reference)) => Report::Authorised(reference),
        Ok(Answer::NotCompleted(reason, code)) => Report::CompletionRefused(reason, code),
        Ok(Answer::Unknown) if lombard_core::planted!(UnknownFails) => {
            Report::Rejected(Reason::OriginalUnknown, String::new())
        }
        Ok(Answer::Unknown) => Report::NeverArrived,
        Ok(Answer::Pending) => return Ok(()),
        Err(error) => {
            warn!(payment = %id, %error, "the enquiry brought nothing");
            return Ok(());
        }
    };
    let command = Command {
        tenant,
        actor: rail_actor(payment.rail).into(),
        trace: payment.trace,
        idempotency: None,
        act: Act::Report(id, report),
    };
    match app.execute(command).await {
        // A rejection is an answer to a stage that is gone: the payment was decided meanwhile.
        Ok(_) | Err(ExecuteError::Rejected(_)) => Ok(()),
        Err(error) => Err(told(error)),
    }
}

fn told<E: std::error::Error + Send + Sync + 'static>(error: E) -> Cause {
    std::sync::Arc::new(error)
}
