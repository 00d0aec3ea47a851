//! What a person decides about an exception, carried out: linked by hand, written off, put into
//! suspense, compensated, marked by evidence, sent again, asked about, ignored; and taken back.
//!
//! Each decision that moves money is one command, which is planned before it is carried out: what whoever
//! decides was shown ([`Decision::preview`]) is what is done, or nothing is.
//!
//! What moves money above [`ALONE_MAX`] needs a second person: the first one's wish is noted as
//! proposed, and done when another one, who may approve, wishes the same. Who, when and why is in the history.

use lombard_core::{
    command::{Command, LineRecord, TakeLines, TakenLine},
    id::Id,
    payment::{Direction, Payment},
    plan::keys,
    statement::Unit,
    tenant::TenantId,
};

use super::{action::Action, stake::Stake, take::Teller};
use crate::{
    app::App,
    exceptions::{
        self, Exception, Kind, Refused, State, Wish,
        again::{self, Answered},
        preview::{self, Preview},
        repair::{self, By},
    },
    ports::{Cause, CommitError, ExecuteError, ReadError},
};

/// What one person may move alone, in minor units.
pub const ALONE_MAX: u64 = 10_000;

/// Why a decision was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The exception refuses it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This cannot be done about an exception of this kind.
    #[error("{0}")]
    Impossible(String),
    /// What whoever decides was shown is not what would be done now.
    #[error("it is no longer as it was shown; look at the preview again")]
    Stale,
    /// Who may only approve has nothing to approve.
    #[error("nobody else has proposed just this")]
    NotProposed,
    /// Nobody was shown what would be done.
    #[error("`seen` of the preview is missing")]
    Unseen,
    /// The store does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store takes no writes.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A posting was not made.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// It was tried again, and failed again.
    #[error("it failed again: {0}")]
    FailedAgain(Cause),
}

/// A decision about an exception.
pub struct Decision<'a> {
    /// Where it is carried out.
    pub app: &'a App,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who decides.
    pub actor: &'a str,
    /// Whether he may decide by himself.
    pub may_decide: bool,
    /// Whether he may approve what another has proposed.
    pub may_approve: bool,
    /// What.
    pub action: Action,
    /// Of a link: which payment.
    pub payment: Option<Id<Payment>>,
    /// Of a mark: where the rail's records say so.
    pub reference: Option<&'a str>,
    /// Under which trace.
    pub trace: Option<String>,
    /// What was shown to whoever decides, as its preview names it.
    pub seen: Option<&'a str>,
    /// Why.
    pub note: &'a str,
}

/// What follows from a decision.
struct Deed {
    /// On the books, in one command.
    command: Command,
    /// How much money it moves, in minor units.
    minor: u64,
    /// The payment that it is about, as it stands.
    payment: Option<Payment>,
}

impl Decision<'_> {
    /// Carries the decision out, or proposes it.
    ///
    /// # Errors
    /// See [`Undecided`].
    pub async fn carry_out(&self, id: Id<Exception>) -> Result<Exception, Undecided> {
        let found = self.find(id).await?;
        if !self.may_decide && !self.seconds(&found) {
            return Err(Undecided::NotProposed);
        }
        if let Some(deed) = self.deed(&found).await? {
            let shown = self.shown(&found, &deed).await?;
            match self.seen {
                Some(seen) if seen != shown.seen => return Err(Undecided::Stale),
                None if repair::concerns_payment(found.kind) => return Err(Undecided::Unseen),
                _ => {}
            }
            if !self.may(&found, deed.minor) {
                let proposed = self.proposed();
                let own = |it: &exceptions::Deed| it.what == proposed && it.actor == self.actor;
                if found.history.last().is_some_and(own) {
                    // It stands already; now somebody else must ask for the same.
                    return Ok(found);
                }
                return self.note(id, &Wish::Comment(self.proposed())).await;
            }
            self.app.execute(deed.command).await.map_err(refused)?;
        } else if let Some(seen) = self.seen
            && seen != Preview::of_nothing(&found, self.action.name()).seen
        {
            return Err(Undecided::Stale);
        }
        let wish = match self.action {
            Action::Ask => Wish::Comment("asked".to_owned()),
            Action::Enquire => match again::enquire(self.app, self.tenant, &found).await? {
                Answered::Yes => Wish::Resolve("enquire".to_owned()),
                Answered::NotYet => Wish::Comment("enquired".to_owned()),
            },
            Action::Reprocess => {
                again::reprocess(self.app, self.tenant, &found).await?;
                Wish::Resolve("reprocess".to_owned())
            }
            action => Wish::Resolve(action.name().to_owned()),
        };
        match self.note(id, &wish).await {
            // What was done again has closed the case by itself meanwhile.
            Err(Undecided::Refused(Refused::WrongState(_))) if self.action == Action::Enquire => {
                Ok(exceptions::get(self.app, self.tenant, id)
                    .await?
                    .unwrap_or(found))
            }
            noted => noted,
        }
    }

    /// What carrying the decision out would do, as things stand. Nothing is done.
    ///
    /// # Errors
    /// See [`Undecided`].
    pub async fn preview(&self, id: Id<Exception>) -> Result<Preview, Undecided> {
        let found = self.find(id).await?;
        match self.deed(&found).await? {
            Some(deed) => self.shown(&found, &deed).await,
            None => Ok(Preview::of_nothing(&found, self.action.name())),
        }
    }

    async fn find(&self, id: Id<Exception>) -> Result<Exception, Undecided> {
        let found = exceptions::get(self.app, self.tenant, id).await?;
        let found = found.ok_or(Refused::NotFound)?;
        if found.state == State::Resolved {
            return Err(Refused::WrongState("resolved").into());
        }
        if !found.kind.actions().contains(&self.action.name()) {
            return Err(impossible(
                "this cannot be done about an exception of this kind",
            ));
        }
        Ok(found)
    }

    async fn shown(&self, found: &Exception, deed: &Deed) -> Result<Preview, Undecided> {
        let planned = preview::plan(self.app, &deed.command)
            .await
            .map_err(refused)?;
        let waits = !self.may(found, deed.minor);
        Ok(planned.shown(found, &self.proposed(), deed.payment.as_ref(), waits))
    }

    /// What the decision does, unless it moves nothing.
    async fn deed(&self, found: &Exception) -> Result<Option<Deed>, Undecided> {
        if matches!(
            self.action,
            Action::Ask | Action::Ignore | Action::Enquire | Action::Reprocess
        ) {
            return Ok(None);
        }
        if repair::concerns_payment(found.kind) {
            return self.repaired(found).await.map(Some);
        }
        let stake = Stake::of(found);
        let stake = stake.ok_or_else(|| impossible("the exception names no money"))?;
        let step = self.step(found, &stake).await?;
        Ok(Some(Deed {
            command: self.teller(&stake).command(vec![step]),
            minor: stake.minor.unsigned_abs(),
            payment: None,
        }))
    }

    /// What is done about the payment of a case.
    async fn repaired(&self, found: &Exception) -> Result<Deed, Undecided> {
        let payment = repair::payment_of(self.app, self.tenant, found).await?;
        let payment = payment.ok_or_else(|| impossible("the case is about no payment of ours"))?;
        let wish = match self.action {
            Action::MarkPaid => repair::Wish::Paid(self.evidence()?),
            Action::MarkNotPaid => {
                self.evidence()?;
                repair::Wish::NotPaid
            }
            Action::Resubmit => repair::Wish::Resubmit,
            Action::Compensate => repair::Wish::Compensate,
            _ => repair::Wish::WriteOff,
        };
        // What goes out again was decided before, and moves nothing on our books.
        let minor = match self.action {
            Action::Resubmit => 0,
            _ => payment.money.amount.minor(),
        };
        Ok(Deed {
            command: repair::command(self.tenant, found, &payment, wish, self.by()),
            minor,
            payment: Some(payment),
        })
    }

    fn evidence(&self) -> Result<&str, Undecided> {
        let said = self.reference.filter(|it| !it.is_empty());
        said.ok_or_else(|| impossible("a mark names its evidence, as `reference`"))
    }

    fn by(&self) -> By<'_> {
        By {
            actor: self.actor,
            trace: self.trace.clone(),
            why: self.note,
        }
    }

    async fn note(&self, id: Id<Exception>, wish: &Wish) -> Result<Exception, Undecided> {
        Ok(exceptions::act(self.app, self.tenant, id, self.actor, wish, self.note).await?)
    }

    fn teller<'t>(&'t self, stake: &'t Stake) -> Teller<'t> {
        Teller {
            app: self.app,
            tenant: self.tenant,
            source: &stake.source,
        }
    }

    /// How it stands in the history while it waits for a second person.
    fn proposed(&self) -> String {
        let payment = self.payment.filter(|_| self.action == Action::Link);
        let payment = payment.map_or_else(String::new, |id| format!(":{id}"));
        let marks = matches!(self.action, Action::MarkPaid | Action::MarkNotPaid);
        let said = self.reference.filter(|_| marks);
        let said = said.map_or_else(String::new, |said| format!(":{said}"));
        format!("proposed:{}{payment}{said}", self.action.name())
    }

    /// Whether it is little, or another person has wished the same.
    fn may(&self, found: &Exception, minor: u64) -> bool {
        minor <= ALONE_MAX || self.seconds(found)
    }

    /// Whether he may approve, and another person has wished the same.
    fn seconds(&self, found: &Exception) -> bool {
        let proposed = self.proposed();
        let another = |it: &exceptions::Deed| it.what == proposed && it.actor != self.actor;
        self.may_approve && found.history.iter().any(another)
    }

    /// What follows on the books. Each posting has an id that follows from the exception, so a
    /// decision that is carried out again after a crash posts nothing twice.
    async fn step(&self, found: &Exception, stake: &Stake) -> Result<TakeLines, Undecided> {
        let teller = self.teller(stake);
        let name = format!("{}/{}", found.id, found.taken_back());
        let mut step = teller.settling(&[]);
        match self.action {
            Action::Link => step.settles = vec![self.linked(stake).await?],
            Action::WriteOff => {
                if found.kind == Kind::AmountDiffers {
                    step.settles.clone_from(&stake.payments);
                }
                let off = teller.written_off(&name, stake.unit, stake.minor);
                step.postings = off.map_err(Undecided::Impossible)?;
                let fee = teller.kept_back(&name, stake.unit, stake.fee);
                step.postings.extend(fee.map_err(Undecided::Impossible)?);
            }
            _ => {
                let waits = teller.suspense(&name, stake.unit, stake.minor);
                step.postings = waits.map_err(Undecided::Impossible)?;
            }
        }
        // The line of one that was opened again is known from the first time.
        let line = stake.line.as_ref().filter(|_| found.reopened() == 0);
        step.lines
            .extend(line.map(|(digest, statement, reference)| TakenLine {
                digest: digest.clone(),
                // What stands where in its file is not kept with the exception.
                place: 0,
                statement: statement.clone(),
                record: LineRecord {
                    minor: stake.minor,
                    reference: reference.clone(),
                    payments: step.settles.clone(),
                    settles: !step.settles.is_empty(),
                    ..LineRecord::default()
                },
                payout: None,
            }));
        Ok(step)
    }

    /// The payment that a line is linked with: one of its amount.
    async fn linked(&self, stake: &Stake) -> Result<Id<Payment>, Undecided> {
        let id = self
            .payment
            .ok_or_else(|| impossible("a link names its payment"))?;
        let found: Option<Payment> = self.app.value(&keys::payment(self.tenant, id)).await?;
        let payment = found.ok_or_else(|| impossible("there is no such payment"))?;
        let amount = i64::try_from(payment.money.amount.minor()).unwrap_or(i64::MAX);
        let signed = match payment.direction {
            Direction::In => amount,
            Direction::Out | Direction::Internal => -amount,
        };
        if signed != stake.minor || Unit::from(payment.money.currency) != stake.unit {
            return Err(impossible("the payment is of another amount than the line"));
        }
        Ok(id)
    }
}

pub(super) fn impossible(why: &str) -> Undecided {
    Undecided::Impossible(why.to_owned())
}

/// A rejection of the books is an answer for who decides; anything else is not known, or not now.
pub(super) fn refused(error: ExecuteError) -> Undecided {
    match error {
        ExecuteError::Rejected(rejection) => Undecided::Impossible(rejection.to_string()),
        error => Undecided::Execute(error),
    }
}
