//! Carries out what events ask of a rail: submission, recall, refusal of a recall, and the
//! exceptions of payments that nobody can make sense of.
//!
//! One consumer a rail, so that a rail that hangs holds up no other. That a payment leaves is
//! committed before it does: from then on no cancel can cross it, and a worker that crashed
//! before the answer was noted sends again, under the same id, which the rail answers as it did
//! the first time. What the job cannot find out it leaves in doubt, and the timers enquire.

mod again;
mod asked;
mod doubts;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::{
    command::{Act, Command, Reply, Report},
    event::{Errand, Event},
    lifecycle::Stage,
    payment::{AskedBy, Payment},
    rail::Rail,
    reason::Reason,
    saga::{Retry, StepName, step},
    store::Commit,
    tenant::TenantId,
};

pub use self::again::{again, ask_recall_again};
use self::{
    asked::{events_with_errands, name_of, payment_of},
    doubts::{closing, doubts_ended},
};
use super::feed::{Consumer, Job, JobError};
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble},
    metrics::METRICS,
    ports::{Cause, ExecuteError},
    rails::{Answer, RailError, RailPort},
    traces::{self, Hop, Span},
};

/// Errands that run at once when the configuration does not say.
const CONCURRENCY_DEFAULT: usize = 64;

/// The rails of this installation that have a way out.
#[must_use]
pub fn carried(app: &App) -> Vec<Rail> {
    Rail::ALL
        .into_iter()
        .filter(|rail| app.rails.get(*rail).is_some())
        .collect()
}

/// The consumer of one rail's errands.
pub struct Errands {
    app: App,
    rail: Rail,
    submits: bool,
}

impl Errands {
    /// For one rail.
    #[must_use]
    pub const fn new(app: App, rail: Rail) -> Self {
        let submits = true;
        Self { app, rail, submits }
    }

    /// The same without submissions, which somebody else sees to.
    #[must_use]
    pub const fn but_submissions(app: App, rail: Rail) -> Self {
        let submits = false;
        Self { app, rail, submits }
    }
}

impl Consumer for Errands {
    fn name(&self) -> &'static str {
        match self.rail {
            Rail::Book => "rails-book",
            Rail::Fps => "rails-fps",
            Rail::SepaInst => "rails-sepa_inst",
            Rail::Card => "rails-card",
        }
    }

    fn concurrency(&self) -> usize {
        let configured = self.app.config.rails.get(&self.rail);
        configured.map_or(CONCURRENCY_DEFAULT, |rail| rail.concurrency.max(1))
    }

    fn jobs(&self, commit: &Commit) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (tenant, event) in events_with_errands(commit) {
            let Some(payment) = payment_of(commit, &event, tenant) else {
                continue;
            };
            if payment.rail != self.rail {
                continue;
            }
            let task = Arc::new(Task {
                app: self.app.clone(),
                tenant,
                event,
                payment,
            });
            let errands = task.event.effects.iter();
            for errand in errands.filter(|it| self.submits || **it != Errand::Submit) {
                jobs.push(job(Arc::clone(&task), *errand));
            }
        }
        for (tenant, event) in doubts_ended(commit) {
            let of_ours = payment_of(commit, &event, tenant).is_some_and(|it| it.rail == self.rail);
            if of_ours {
                jobs.push(closing(&self.app, tenant, &event));
            }
        }
        jobs
    }
}

/// An event that asks for something, and the payment that it is about.
pub(super) struct Task {
    pub app: App,
    pub tenant: TenantId,
    pub event: Event,
    pub payment: Payment,
}

/// What came of sending an instruction.
pub(super) enum Sent {
    /// What the rail said, or that it said nothing, is in the books.
    Noted,
    /// It never left, and nothing is noted of that.
    NotSent(Cause),
}

fn job(task: Arc<Task>, errand: Errand) -> Job {
    let subject = format!("{} {errand:?}", task.event.id);
    let giving_up = Arc::clone(&task);
    Job {
        subject,
        run: Arc::new(move || {
            let task = Arc::clone(&task);
            Box::pin(async move { task.traced(errand).await }) as BoxFuture<'static, _>
        }),
        give_up: Arc::new(move |cause| {
            let task = Arc::clone(&giving_up);
            Box::pin(async move { task.give_up(errand, cause).await }) as BoxFuture<'static, _>
        }),
    }
}

impl Task {
    async fn traced(&self, errand: Errand) -> Result<(), JobError> {
        let hop = Hop::of_event(&self.event, &self.payment);
        let mut span = Span::after(hop, name_of(errand), traces::Kind::Consumer);
        span.set("lombard.tenant", self.tenant);
        span.set("lombard.payment", self.payment.id);
        span.set("lombard.event", self.event.id);
        span.set("lombard.rail", self.payment.rail);
        let done = span.run(self.run(errand)).await;
        if done.is_err() {
            span.fail("not_done");
        }
        done
    }

    async fn run(&self, errand: Errand) -> Result<(), JobError> {
        match errand {
            Errand::Submit => match self.submit(step(StepName::Submit).retry).await? {
                Sent::Noted => Ok(()),
                Sent::NotSent(_) => {
                    let noted = self.report("worker/rails", Report::TimedOut).await;
                    noted.map(drop)
                }
            },
            Errand::AskRecall | Errand::RefuseRecall => self.tell(errand).await,
            Errand::Contradiction if lombard_core::planted!(ContradictionSilent) => Ok(()),
            Errand::Unresolved if lombard_core::planted!(UnresolvedSilent) => Ok(()),
            Errand::Contradiction => {
                let text = "what the rail says contradicts the books";
                self.raise(Kind::Contradiction, text, None).await
            }
            Errand::Unresolved => {
                let text = "the rail does not say what became of the payment";
                self.raise(Kind::Unresolved, text, None).await
            }
            Errand::RecallOverdue => {
                let text = match self.payment.recall.as_ref().map(|it| it.asked_by) {
                    Some(AskedBy::Them) => "our answer to a recall is overdue",
                    _ => "the other bank's answer to our recall is overdue",
                };
                self.raise(Kind::RecallOverdue, text, None).await
            }
        }
    }

    fn port(&self) -> Result<&Arc<dyn RailPort>, JobError> {
        let port = self.app.rails.get(self.payment.rail);
        port.ok_or_else(|| JobError::Hopeless(Arc::new(SwitchedOff(self.payment.rail))))
    }

    /// Sends the instruction, again as `retry` says while it does not leave, and notes the answer.
    pub(super) async fn submit(&self, retry: Retry) -> Result<Sent, JobError> {
        let port = self.port()?;
        port.ready().await;
        let noted = self.report("worker/rails", Report::Submitted).await;
        let noted = noted.inspect_err(|_| port.unused())?;
        // Cancelled, expired, answered or in doubt meanwhile: nothing is sent from here.
        if noted.stage != Some(Stage::Submitted) {
            port.unused();
            return Ok(Sent::Noted);
        }
        let first = noted.status == 200;
        let (actor, report) = match self.send(port.as_ref(), first, retry).await {
            Ok(Answer::Accepted(reference)) => {
                (rail_actor(self.payment.rail), Report::Accepted(reference))
            }
            Ok(Answer::Rejected(reason, code)) => (
                rail_actor(self.payment.rail),
                Report::Rejected(reason, code),
            ),
            Ok(Answer::Authorised(reference)) => {
                (rail_actor(self.payment.rail), Report::Authorised(reference))
            }
            Ok(Answer::NotCompleted(reason, code)) => (
                rail_actor(self.payment.rail),
                Report::CompletionRefused(reason, code),
            ),
            // An earlier try, before a crash, may have been taken.
            Err(RailError::Refused(code)) if first => (
                rail_actor(self.payment.rail),
                Report::Rejected(Reason::MessageInvalid, code),
            ),
            // Written by nobody and so sent by nobody, unless an earlier try had got further.
            Err(RailError::Unspeakable(reason, _)) if first => (
                "worker/rails",
                Report::Rejected(reason, "not-sent".to_owned()),
            ),
            Err(RailError::NotSent(cause)) => return Ok(Sent::NotSent(cause)),
            Ok(Answer::Pending | Answer::Unknown) | Err(_) => ("worker/rails", Report::TimedOut),
        };
        self.report(actor, report).await?;
        Ok(Sent::Noted)
    }

    /// Sends, and sends again what certainly never left: another way if there is one and this is the
    /// `first` try of all, the same way otherwise.
    async fn send(
        &self,
        port: &dyn RailPort,
        first: bool,
        retry: Retry,
    ) -> Result<Answer, RailError> {
        let (mut tries, mut ways) = (0, Vec::new());
        loop {
            let answer = port.submit(self.tenant, &self.payment).await;
            if matches!(answer, Err(RailError::Unspeakable(..))) {
                port.unused();
            }
            let never_left = first && matches!(answer, Err(RailError::NotSent(_)));
            if never_left
                && let Some(way) = port.another_way(&self.payment, &ways)
                && self
                    .act("worker/rails", Act::Reroute(self.payment.id, way.clone()))
                    .await
                    .is_ok()
            {
                ways.push(way);
                continue;
            }
            match (&answer, retry.pause_ms(tries)) {
                (Err(RailError::NotSent(_)), Some(longest)) => {
                    METRICS.rail_retries.of((self.payment.rail,)).inc();
                    let pause = (self.app.host.random() % u128::from(longest + 1)) as u64;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    tries += 1;
                }
                _ => return answer,
            }
        }
    }

    /// Asks for a recall, or refuses one. The other bank knows either by the same id however often it is sent,
    /// so it is sent until it is taken: for about a quarter of an hour, and longer while the rail fails
    /// for all. Then a person is told.
    async fn tell(&self, errand: Errand) -> Result<(), JobError> {
        let port = self.port()?;
        let retry = step(StepName::Enquire).retry;
        let mut tries = 0;
        loop {
            port.ready().await;
            let error = match self.say(port.as_ref(), errand).await {
                Ok(()) => return Ok(()),
                Err(error @ RailError::Unspeakable(..)) => {
                    port.unused();
                    return Err(JobError::Hopeless(Arc::new(error)));
                }
                Err(error @ RailError::Refused(_)) => {
                    return Err(JobError::Hopeless(Arc::new(error)));
                }
                Err(error @ (RailError::NotSent(_) | RailError::Unknown(_))) => error,
            };
            let Some(longest) = retry.pause_ms(tries) else {
                return Err(JobError::Hopeless(Arc::new(error)));
            };
            let pause = longest / 2 + (self.app.host.random() % u128::from(longest / 2 + 1)) as u64;
            tokio::time::sleep(Duration::from_millis(pause)).await;
            tries += 1;
        }
    }

    async fn say(&self, port: &dyn RailPort, errand: Errand) -> Result<(), RailError> {
        match errand {
            Errand::AskRecall => port.recall(self.tenant, &self.payment).await,
            _ => port.refuse_recall(self.tenant, &self.payment).await,
        }
    }

    pub(super) async fn report(&self, actor: &str, report: Report) -> Result<Reply, JobError> {
        self.act(actor, Act::Report(self.payment.id, report)).await
    }

    async fn act(&self, actor: &str, act: Act) -> Result<Reply, JobError> {
        let command = Command {
            tenant: self.tenant,
            actor: actor.into(),
            trace: self.event.trace.clone(),
            idempotency: None,
            act,
        };
        self.app.execute(command).await.map_err(job_error)
    }

    /// A submission that failed on our side is left in doubt first, so that the rail is asked.
    async fn give_up(&self, errand: Errand, cause: Cause) -> Result<(), JobError> {
        if errand == Errand::Submit {
            match self.report("worker/rails", Report::TimedOut).await {
                Ok(_) | Err(JobError::Hopeless(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let text = match errand {
            Errand::Submit => "the payment could not be submitted",
            Errand::AskRecall => "the recall could not be sent",
            Errand::RefuseRecall => "the refusal of the recall could not be sent",
            Errand::Contradiction | Errand::Unresolved | Errand::RecallOverdue => {
                "the exception could not be opened"
            }
        };
        self.raise(Kind::EffectFailed, text, Some(cause)).await
    }

    pub(super) async fn raise(
        &self,
        kind: Kind,
        text: &str,
        cause: Option<Cause>,
    ) -> Result<(), JobError> {
        let mut trouble = Trouble::with_payment(self.tenant, kind, self.payment.id, text)
            .evidence("event", self.event.id)
            .evidence("rail", self.payment.rail)
            .evidence("amount", self.payment.money.amount)
            .evidence("currency", self.payment.money.currency.code());
        if let Some(code) = &self.event.reason_code {
            trouble = trouble.evidence("reason_code", code);
        }
        if let Some(cause) = cause {
            trouble = trouble.evidence("error", cause);
        }
        let raised = exceptions::raise(&self.app, trouble).await;
        raised
            .map(|_| ())
            .map_err(|error| JobError::Busy(Arc::new(error)))
    }
}

/// Who speaks when a rail does.
pub(crate) const fn rail_actor(rail: Rail) -> &'static str {
    match rail {
        Rail::Book => "rail/book",
        Rail::Fps => "rail/fps",
        Rail::SepaInst => "rail/sepa_inst",
        Rail::Card => "rail/card",
    }
}

pub(crate) fn job_error(error: ExecuteError) -> JobError {
    match error {
        ExecuteError::Rejected(_) => JobError::Hopeless(Arc::new(error)),
        _ => JobError::Busy(Arc::new(error)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the rail {0} is switched off")]
struct SwitchedOff(Rail);
