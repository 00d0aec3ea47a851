//! What needs one order: the journal, and those who read it from a place: the verifiable log, the
//! roll-ups of house accounts, the counts of files.
//!
//! It is woken each minute, reads the table's stream into the journal (the second reader of the two
//! that a shard has), and lets its consumers catch up. While there is more it stays, and so a
//! checkpoint is seconds behind under load; when it is quiet the log is given a turn as [`pace`] says.
//! A second one beside it loses its swaps and harms nothing.
//!
//! How far the log is behind is a line of its log that CloudWatch takes for a metric.
//!
//! [`pace`]: crate::pace

use std::{collections::BTreeMap, sync::Arc};

use lombard_aws::{dynamo::table, feed::Relay, residency::Residency};
use lombard_service::{
    app::App,
    batch::tally,
    proof::{
        Log,
        publisher::Publisher,
        sequencer::{self, Stepped},
    },
    rails::Rails,
    worker::rollup,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, watch},
    time::{Duration, Instant},
};
use tracing::info;

use crate::{
    fault::Fault,
    pace::{self, Pace},
    surroundings::{NoVault, Surroundings},
};

/// The pause between looks while there is more.
const PAUSE: Duration = Duration::from_secs(5);
/// How much time a look must have.
const LOOK: Duration = Duration::from_secs(15);

/// See the module.
pub struct Sequencer {
    app: App,
    stage: String,
    log: Arc<Log>,
    work: Mutex<Work>,
}

struct Work {
    relay: Relay,
    sequencer: sequencer::Sequencer,
    pace: Pace,
    followers: BTreeMap<u16, Followers>,
}

/// How far those have come who follow a shard of the journal, as long as nothing fails.
#[derive(Default)]
struct Followers {
    rollup: Option<rollup::Place>,
    tally: Option<tally::Folder>,
}

impl Sequencer {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let client = of.store.client();
        let checked = table::check(client, of.store.table(), &Residency::default(), false).await;
        let stream = checked.map_err(|error| Fault::not_done(&error))?;
        let app = of.app(Arc::new(NoVault), Rails::default());
        let log = of.log(false).await?;
        let sequencer = sequencer::Sequencer::new(app.store.clone(), app.host.clone(), log.clone());
        let relay = Relay::new(&of.aws, &stream, &of.store, of.host.clone());
        let pace = Pace::told_by_environment()?;
        let work = Mutex::new(Work {
            relay,
            sequencer,
            pace,
            followers: BTreeMap::new(),
        });
        let stage = of.stage.clone();
        Ok(Self {
            app,
            stage,
            log,
            work,
        })
    }

    /// `{"now": true}` gives the log its turn whatever waits.
    pub async fn play(&self, event: &Value, until: Instant) -> Result<Value, Fault> {
        let mut work = self.work.lock().await;
        if event["now"] == true {
            work.pace.hurry();
        }
        let (mut relayed, mut leaves) = (0, 0);
        loop {
            let (more, grown) = self.look(&mut work, until).await?;
            relayed += more;
            leaves += grown;
            if more == 0 || Instant::now() + PAUSE + LOOK > until {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let size = self.log.published().map_or(0, |it| it.head.size);
        info!(relayed, leaves, size, "in order");
        let now = self.app.host.now();
        let lag = work.pace.lag_ms(now).max(self.log.status(now).lag_ms);
        pace::tell(&self.stage, now, lag);
        let keys: Vec<_> = self
            .log
            .keys
            .public()
            .iter()
            .map(ToString::to_string)
            .collect();
        Ok(json!({"relayed": relayed, "leaves": leaves, "size": size, "keys": keys}))
    }

    /// Takes everything in that there is now; how many commits, and how many leaves of the log.
    async fn look(&self, work: &mut Work, until: Instant) -> Result<(usize, usize), Fault> {
        let (mut relayed, mut leaves) = (0, 0);
        loop {
            let stepped = work.relay.step().await;
            let stepped = stepped.map_err(|error| Fault::not_done(&error))?;
            relayed += stepped;
            if stepped == 0 || Instant::now() + LOOK > until {
                break;
            }
        }
        let now = self.app.host.now();
        work.pace.came(relayed, now);
        if !work.pace.is_due(now) {
            return Ok((relayed, leaves));
        }
        while let Stepped::Grown(more) = {
            let stepped = work.sequencer.step(0).await;
            stepped.map_err(|error| Fault::not_done(&error))?
        } {
            leaves += more;
        }
        self.publish().await?;
        work.pace.had_its_turn();
        for shard in 0..self.app.store.shards() {
            let Followers { rollup, tally } = work.followers.entry(shard).or_default();
            let rolled = rollup::catch_up(&self.app, shard, rollup.take()).await;
            *rollup = Some(rolled.map_err(|error| Fault::not_done(error.as_ref()))?);
            let counted = tally::catch_up(&self.app, shard, tally.take()).await;
            *tally = Some(counted.map_err(|error| Fault::not_done(error.as_ref()))?);
        }
        Ok((relayed, leaves))
    }

    /// Signs the newest head, unless that is done.
    async fn publish(&self) -> Result<(), Fault> {
        let publisher = Publisher::new(self.app.host.clone(), self.log.clone());
        let publisher = publisher.map_err(|error| Fault::not_done(&error))?;
        // Told to stop at once, it publishes what is new and ends.
        let (_stop, stopped) = watch::channel(true);
        publisher.run(stopped).await;
        Ok(())
    }
}
