//! `bootstrap`: Lombard as functions. One program; `LOMBARD_ROLE` says which of the six it is.
//!
//! **Shape.** [`surroundings`] reads what the function is told and makes the ports, once for a
//! container. Then each invocation is handed to the role: [`api`] is the same router as everywhere;
//! [`feed`] is handed the table's stream; [`saga`] carries out the steps of workflows; [`sequencer`]
//! and [`schedule`] are woken each minute; [`reconcile`] is told of files. A role does what the workers of
//! `lombard up` do, by their functions.
//!
//! **Invariants.** Nothing goes on between invocations: a container stands still then, so whoever
//! answers has finished. What was not finished is said, and comes again. What cannot be done becomes
//! an exception, and lies in the role's queue with the original and the reason.
//!
//! `deploy/README.md` has the variables; `docs/aws.md` what was run, and where.

mod api;
mod fault;
mod feed;
mod leads;
mod pace;
mod reconcile;
mod remote;
mod saga;
mod schedule;
mod sequencer;
mod surroundings;
mod tab;

use std::{sync::Arc, time::Instant};

use lambda_runtime::{LambdaEvent, service_fn};
use lombard_aws::deadline;
use lombard_service::{duty, gate::Gated};
use serde_json::Value;
use tokio::time::{Duration, Instant as Moment};
use tracing::info;

use fault::Fault;
use surroundings::{Role, Surroundings};
use tab::Tab;

/// How long before Lambda ends an invocation it must have ended by itself.
const MARGIN: Duration = Duration::from_millis(1_500);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let begun = Instant::now();
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(tracing_subscriber::EnvFilter::new("info"))
        .with_writer(|| Gated(std::io::stderr()))
        .init();
    let surroundings = Surroundings::of_environment().await?;
    let role = surroundings.role;
    let host = surroundings.host.clone();
    let tab = Arc::new(Tab::new(surroundings.store.meter().clone()));
    let player = Arc::new(Player::open(surroundings).await?);
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    info!(role = role.name(), ms, "ready");
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let (player, tab) = (Arc::clone(&player), Arc::clone(&tab));
        let left = event.context.deadline.saturating_sub(host.now().unix_ms());
        let until = Moment::now() + Duration::from_millis(left).saturating_sub(MARGIN);
        async move {
            let played = duty::on(role.name(), player.play(event, until));
            let ended = deadline::by(until, played).await;
            tab.invoked();
            ended
        }
    });
    lambda_runtime::run(handler).await
}

/// A role, ready to be played.
enum Player {
    Api(api::Api),
    Feed(feed::Feed),
    Sequencer(Box<sequencer::Sequencer>),
    Reconcile(reconcile::Reconcile),
    Saga(saga::Saga),
    Schedule(schedule::Schedule),
}

impl Player {
    async fn open(of: Surroundings) -> Result<Self, Fault> {
        Ok(match of.role {
            Role::Api => Self::Api(api::Api::open(&of).await?),
            Role::Feed => Self::Feed(feed::Feed::open(&of).await?),
            Role::Sequencer => Self::Sequencer(Box::new(sequencer::Sequencer::open(&of).await?)),
            Role::Reconcile => Self::Reconcile(reconcile::Reconcile::open(&of)?),
            Role::Saga => Self::Saga(saga::Saga::open(&of).await?),
            Role::Schedule => Self::Schedule(schedule::Schedule::open(&of).await?),
        })
    }

    async fn play(&self, event: LambdaEvent<Value>, until: Moment) -> Result<Value, Fault> {
        match self {
            Self::Api(api) => api.play(event, until).await,
            Self::Feed(feed) => feed.play(&event.payload, until).await,
            Self::Sequencer(sequencer) => sequencer.play(&event.payload, until).await,
            Self::Reconcile(reconcile) => reconcile.play(&event.payload).await,
            Self::Saga(saga) => saga.play(event.payload).await,
            Self::Schedule(schedule) => schedule.play(until).await,
        }
    }
}
