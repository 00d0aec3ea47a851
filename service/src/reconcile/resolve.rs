//! What a person decides about an exception, carried out: linked by hand, written off, put into
//! suspense, asked about, ignored; and taken back.
//!
//! What moves money above [`ALONE_MAX`] needs a second person: the first one's wish is noted as
//! proposed, and done when another one, who may approve, wishes the same. Who, when and why is in the history.

use lombard_core::{
    command::{LineRecord, TakeLines, TakenLine},
    id::Id,
    payment::{Direction, Payment},
    plan::keys,
    statement::Unit,
    tenant::TenantId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{run::Source, take::Teller};
use crate::{
    app::App,
    exceptions::{self, Exception, Kind, Refused, State, Wish},
    ports::{CommitError, ExecuteError, ReadError},
};

/// What one person may move alone, in minor units.
pub const ALONE_MAX: u64 = 10_000;

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExceptionAction)]
pub enum Action {
    /// The line is this payment.
    Link,
    /// The difference is a loss, or a gain, of ours.
    WriteOff,
    /// The money waits in suspense until somebody knows whose it is.
    Suspense,
    /// The provider was asked; the exception stays open.
    Ask,
    /// Nothing is to be done.
    Ignore,
}

impl Action {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::WriteOff => "write_off",
            Self::Suspense => "suspense",
            Self::Ask => "ask",
            Self::Ignore => "ignore",
        }
    }
}

/// Why a decision was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The exception refuses it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This cannot be done about an exception of this kind.
    #[error("{0}")]
    Impossible(String),
    /// The store does not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store takes no writes.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A posting was not made.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// A decision about an exception.
pub struct Decision<'a> {
    /// Where it is carried out.
    pub app: &'a App,
    /// Whose it is.
    pub tenant: TenantId,
    /// Who decides.
    pub actor: &'a str,
    /// Whether he may approve what another has proposed.
    pub may_approve: bool,
    /// What.
    pub action: Action,
    /// Of a link: which payment.
    pub payment: Option<Id<Payment>>,
    /// Why.
    pub note: &'a str,
}

/// What an exception says of its money.
struct Stake {
    source: Source,
    unit: Unit,
    minor: i64,
    fee: i64,
    /// The line, the statement that it stands in, and its reference.
    line: Option<(String, String, String)>,
    payments: Vec<Id<Payment>>,
}

impl Stake {
    fn of(exception: &Exception) -> Option<Self> {
        let text = |name: &str| exception.evidence.get(name).map(String::as_str);
        let payments = text("payments").unwrap_or_default().split(' ');
        let line = text("line").map(|line| {
            let other = |name| text(name).unwrap_or_default().to_owned();
            (line.to_owned(), other("statement"), other("reference"))
        });
        Some(Self {
            source: Source {
                name: text("source")?.to_owned(),
                ..Source::default()
            },
            unit: Unit::read(text("currency")?)?,
            minor: text("amount")?.parse().ok()?,
            fee: text("fee").unwrap_or("0").parse().ok()?,
            line,
            payments: payments.filter_map(|it| it.parse().ok()).collect(),
        })
    }
}

impl Decision<'_> {
    /// Carries the decision out, or proposes it.
    ///
    /// # Errors
    /// See [`Undecided`].
    pub async fn carry_out(&self, id: Id<Exception>) -> Result<Exception, Undecided> {
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
        let moves = matches!(
            self.action,
            Action::Link | Action::WriteOff | Action::Suspense
        );
        if moves {
            let stake = Stake::of(&found);
            let stake = stake.ok_or_else(|| impossible("the exception names no money"))?;
            let step = self.step(&found, &stake).await?;
            if !self.may(&found, &stake) {
                return self.note(id, &Wish::Comment(self.proposed())).await;
            }
            let teller = self.teller(&stake);
            if let Some(refused) = teller.carry_out(vec![step]).await? {
                return Err(Undecided::Impossible(refused.to_string()));
            }
        }
        let wish = match self.action {
            Action::Ask => Wish::Comment("asked".to_owned()),
            action => Wish::Resolve(action.name().to_owned()),
        };
        self.note(id, &wish).await
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
        format!("proposed:{}{payment}", self.action.name())
    }

    /// Whether it is little, or another person has wished the same.
    fn may(&self, found: &Exception, stake: &Stake) -> bool {
        let proposed = self.proposed();
        let another = |it: &exceptions::Deed| it.what == proposed && it.actor != self.actor;
        stake.minor.unsigned_abs() <= ALONE_MAX
            || (self.may_approve && found.history.iter().any(another))
    }

    /// What follows on the books. Each posting has an id that follows from the exception, so a
    /// decision that is carried out again after a crash posts nothing twice.
    async fn step(&self, found: &Exception, stake: &Stake) -> Result<TakeLines, Undecided> {
        let teller = self.teller(stake);
        let name = format!("{}/{}", found.id, reopened(found));
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
        let line = stake.line.as_ref().filter(|_| reopened(found) == 0);
        step.lines
            .extend(line.map(|(digest, statement, reference)| TakenLine {
                digest: digest.clone(),
                statement: statement.clone(),
                record: LineRecord {
                    minor: stake.minor,
                    reference: reference.clone(),
                    payments: step.settles.clone(),
                    settles: !step.settles.is_empty(),
                    rule: None,
                },
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

fn impossible(why: &str) -> Undecided {
    Undecided::Impossible(why.to_owned())
}

/// How often it was opened again: what is done then is done anew.
fn reopened(found: &Exception) -> usize {
    let opened = |it: &&exceptions::Deed| it.what == "reopened";
    found.history.iter().filter(opened).count()
}

/// Opens an exception again and takes back what was posted to resolve it. A payment that was
/// settled stays settled: its way back is a return.
///
/// # Errors
/// See [`Undecided`].
pub async fn reverse(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
    actor: &str,
    note: &str,
) -> Result<Exception, Undecided> {
    let found = exceptions::get(app, tenant, id).await?;
    let found = found.ok_or(Refused::NotFound)?;
    let last = found.history.last().map(|it| it.what.as_str());
    if let (State::Resolved, Some(last), Some(stake)) = (found.state, last, Stake::of(&found)) {
        let teller = Teller {
            app,
            tenant,
            source: &stake.source,
        };
        let name = format!("{}/{}/undone", found.id, reopened(&found));
        let mut step = teller.settling(&[]);
        let (unit, minor) = (stake.unit, -stake.minor);
        let postings = match last {
            "write_off" => teller.written_off(&name, unit, minor).and_then(|mut all| {
                all.extend(teller.kept_back(&name, unit, -stake.fee)?);
                Ok(all)
            }),
            "suspense" => teller.suspense(&name, unit, minor),
            _ => Ok(Vec::new()),
        };
        step.postings = postings.map_err(Undecided::Impossible)?;
        if let Some(refused) = teller.carry_out(vec![step]).await? {
            return Err(Undecided::Impossible(refused.to_string()));
        }
    }
    Ok(exceptions::act(app, tenant, id, actor, &Wish::Reopen, note).await?)
}
