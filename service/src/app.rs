//! Everything that a runtime puts together, in one value that routes and workers share.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lombard_core::{
    command::{Act, Command, Reply},
    store::{Key, Record},
};

use crate::{
    config::Config,
    metrics::{
        METRICS,
        kinds::Took,
        label::{Decided, Deed, Label},
    },
    ports::{Bank, ExecuteError, Host, ReadError, Store, Vault},
    rails::Rails,
    risk::Desk,
    slo::Slo,
    traces::{Kind, Span},
};

/// The ports of a running Lombard. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Records.
    pub store: Arc<dyn Store>,
    /// Decisions.
    pub bank: Arc<dyn Bank>,
    /// Time and luck.
    pub host: Arc<dyn Host>,
    /// Personal data.
    pub vault: Arc<dyn Vault>,
    /// The way out to each rail.
    pub rails: Arc<Rails>,
    /// Who judges payments before they are taken in, when anybody does.
    pub risk: Option<Arc<Desk>>,
    /// What the operator set.
    pub config: Arc<Config>,
}

impl App {
    /// Carries out a command.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute(&self, command: Command) -> Result<Reply, ExecuteError> {
        let (deed, begun) = (Deed::of(&command.act), Instant::now());
        let mut span = span_of(&command, deed);
        let answer = span.run(self.bank.execute(command)).await;
        note(deed, begun.elapsed(), &answer);
        tell(&mut span, &answer);
        answer
    }

    /// Reads one record.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn get(&self, key: &Key) -> Result<Option<Record>, ReadError> {
        Ok(self
            .store
            .get(std::slice::from_ref(key))
            .await?
            .pop()
            .flatten())
    }

    /// Reads one value.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn value<T: serde::de::DeserializeOwned>(
        &self,
        key: &Key,
    ) -> Result<Option<T>, ReadError> {
        let found = self.get(key).await?;
        Ok(found.map(|record| lombard_core::store::decode(&record.body.bytes)))
    }
}

/// The span of a command. The one that makes a payment is found again by the payment's id.
fn span_of(command: &Command, deed: Deed) -> Span {
    let trace = command.trace.as_deref();
    let mut span = match &command.act {
        Act::Pay(pay) => Span::making("execute pay", pay.id, trace),
        Act::Receive(receive) => Span::making("execute receive", receive.id, trace),
        Act::Report(..) => Span::part("execute report", Kind::Internal),
        Act::Fire(_) => Span::part("execute timer", Kind::Internal),
        _ => Span::part("execute", Kind::Internal),
    };
    span.set("lombard.deed", deed.value());
    span.set("lombard.tenant", command.tenant);
    span.set("lombard.actor", &command.actor);
    span
}

fn tell(span: &mut Span, answer: &Result<Reply, ExecuteError>) {
    let decided = Decided::of(answer);
    span.set("lombard.outcome", decided.value());
    match answer {
        Ok(Reply {
            stage, replayed, ..
        }) => {
            if let Some(stage) = stage {
                span.set("lombard.stage", stage.value());
            }
            span.count("lombard.replayed", u8::from(*replayed));
        }
        Err(ExecuteError::Rejected(_)) => {}
        Err(_) => span.fail(decided.value()),
    }
}

/// Counts a command that was carried out, or was not.
fn note(deed: Deed, took: Duration, answer: &Result<Reply, ExecuteError>) {
    let decided = Decided::of(answer);
    METRICS.commands.of((deed, decided)).inc();
    METRICS.command_duration.of((deed,)).took(took);
    if deed == Deed::Pay && matches!(decided, Decided::Done | Decided::Rejected) {
        Slo::Accepted.note_within(took);
    }
}
