//! What follows from commits: the table's stream, batch by batch.
//!
//! **Order.** Changes of one partition are gone through one after the other, partitions beside each
//! other. What a commit asks of the consumers is done as everywhere ([`carry_out`]): three tries, then
//! an exception.
//!
//! **Three ends of a record.** Done. Not done in time, or the store was not there: said to Lambda by the
//! record's place, and handed over again from there. Given up, or unreadable: an exception, and
//! a letter in the queue with the original and the reason, which a redrive hands over again.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, future::join_all, stream};
use lombard_aws::{
    dead::{Buried, Graveyard},
    dynamo::Dynamo,
    feed::batch::{self, Part},
    outward::{Alarm, Outward, Told, alarms_of, events_of},
    workflows::Workflows,
};
use lombard_service::{
    app::App,
    exceptions::{self, Kind, Trouble},
    hooks::{consumer::WebhookConsumer, dispatch::Hooks},
    ports::Cause,
    worker::{
        feed::{Consumer, carry_out},
        funds::Funds,
        rails::Errands,
    },
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use crate::{
    fault::Fault,
    leads::Leads,
    remote::Remote,
    surroundings::{Surroundings, told},
};

/// Partitions that are gone through at once.
const PARTITIONS: usize = 32;

/// See the module.
pub struct Feed {
    app: App,
    store: Arc<Dynamo>,
    consumers: Vec<Arc<dyn Consumer>>,
    hooks: Arc<Hooks>,
    outward: Outward,
    graveyard: Graveyard,
}

impl Feed {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let rails = of.remote_rails(&Remote::default().into());
        let app = of.app(of.vault(false).await?, rails);
        let hooks = Hooks::new(app.clone()).map_err(|error| Fault::not_done(error.as_ref()))?;
        let mut consumers: Vec<Arc<dyn Consumer>> = vec![
            Arc::new(Leads {
                app: app.clone(),
                workflows: Workflows::new(&of.aws, of.caller()),
                straight: told("LOMBARD_SAGA_STRAIGHT")?,
                waiting: told("LOMBARD_SAGA_WAITING")?,
            }),
            Arc::new(Funds::new(app.clone())),
            Arc::new(WebhookConsumer(hooks.clone())),
        ];
        for rail in of.rails() {
            consumers.push(Arc::new(Errands::but_submissions(app.clone(), rail)));
        }
        let (stream, bus) = (told("LOMBARD_STREAM")?, told("LOMBARD_BUS")?);
        Ok(Self {
            app,
            store: of.store.clone(),
            consumers,
            hooks,
            outward: Outward::new(&of.aws, Some(&stream), Some(&bus), of.caller()),
            graveyard: of.graveyard()?,
        })
    }

    pub async fn play(&self, event: &Value, until: Instant) -> Result<Value, Fault> {
        let records = event["Records"].as_array().map_or(&[][..], Vec::as_slice);
        let (mut told, mut failed) = (Vec::new(), Vec::new());
        let mut originals = BTreeMap::new();
        for record in records {
            match batch::read(record) {
                Ok(one) => {
                    originals.insert(one.sequence.clone(), record);
                    told.push(one);
                }
                Err(foreign) => {
                    error!(error = %foreign, "a record of the stream is poison");
                    if !self
                        .buried(vec![record.clone()], &foreign.to_string())
                        .await
                    {
                        failed.extend(batch::sequence_of(record).map(str::to_owned));
                    }
                }
            }
        }
        let work = Work {
            feed: self,
            originals,
            until,
            events: Mutex::default(),
            alarms: Mutex::default(),
        };
        let left: Vec<_> = stream::iter(batch::parts(told).into_values())
            .map(|parts| work.partition(parts))
            .buffer_unordered(PARTITIONS)
            .filter_map(std::future::ready)
            .collect()
            .await;
        failed.extend(left);
        let (events, alarms) = (work.events.into_inner(), work.alarms.into_inner());
        let told = async {
            self.outward.ring(&alarms).await?;
            self.outward.tell(&events).await
        };
        if let Err(error) = told.await {
            // All is handed over once more; what was done is known to have been.
            return Err(Fault::not_done(error.as_ref()));
        }
        if timeout_at(until, self.hooks.settled()).await.is_err() {
            warn!("webhooks are still under way; their leases bring them back");
        }
        let failures = failed.iter().map(|place| json!({"itemIdentifier": place}));
        Ok(json!({"batchItemFailures": failures.collect::<Vec<_>>()}))
    }

    /// Puts records where they can be redriven from, and shows them to a person; whether that is done.
    async fn buried(&self, records: Vec<Value>, reason: &str) -> bool {
        let place = records
            .first()
            .and_then(batch::sequence_of)
            .unwrap_or("unknown");
        let text =
            "the feed could not do what a change asks for; redrive it when the reason is gone";
        let trouble = Trouble::new(exceptions::operator(), Kind::EffectFailed, place, text);
        let raised = exceptions::raise(&self.app, trouble.evidence("error", reason)).await;
        let buried = Buried {
            role: "feed".to_owned(),
            reason: reason.to_owned(),
            original: json!({"Records": records}),
        };
        let sent = self.graveyard.bury(&buried).await;
        if let Err(error) = &sent {
            warn!(%error, "what cannot be done cannot be buried either");
        }
        raised.is_ok() && sent.is_ok()
    }
}

/// One batch, while it is worked on.
struct Work<'a> {
    feed: &'a Feed,
    originals: BTreeMap<String, &'a Value>,
    until: Instant,
    events: Mutex<Vec<Told>>,
    alarms: Mutex<Vec<Alarm>>,
}

impl Work<'_> {
    /// Goes through a partition's commits; from which place on it is to be handed over again, if from any.
    async fn partition(&self, parts: Vec<Part>) -> Option<String> {
        let done = AtomicUsize::new(0);
        let all = async {
            for part in &parts {
                if let Err(error) = self.part(part).await {
                    warn!(%error, partition = part.partition(), "not done; it comes again");
                    return;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        if timeout_at(self.until, all).await.is_err() {
            warn!("not all was done in time; it comes again");
        }
        let next = parts.get(done.into_inner());
        next.map(|part| part.sequence().to_owned())
    }

    async fn part(&self, part: &Part) -> Result<(), Cause> {
        let whole = self.feed.store.whole(part).await;
        let commit = whole.map_err(|error| Arc::new(error) as Cause)?;
        let jobs = self.feed.consumers.iter().flat_map(|consumer| {
            let name = consumer.name();
            let jobs = consumer.jobs(&commit).into_iter();
            jobs.map(move |job| carry_out(&self.feed.app, name, job))
        });
        let ended = join_all(jobs.collect::<Vec<_>>()).await;
        if let Some(cause) = ended.into_iter().find_map(Result::err) {
            let of = part
                .told
                .iter()
                .filter_map(|it| self.originals.get(&it.sequence));
            let records = of.map(|it| (*it).clone()).collect();
            if !self.feed.buried(records, &cause.to_string()).await {
                return Err(cause);
            }
        }
        self.events.lock().extend(events_of(&commit));
        let now = self.feed.app.host.now();
        self.alarms.lock().extend(alarms_of(&commit, now));
        Ok(())
    }
}
