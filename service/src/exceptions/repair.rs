//! What can be done about a case of a payment: which command each action is.

use std::sync::Arc;

use lombard_core::{
    command::{Act, Bearer, Command, Mend, Repair},
    id::Id,
    ledger::Transaction,
    payment::Payment,
    plan::keys,
    tenant::TenantId,
};

use super::{Exception, Kind};
use crate::{app::App, ports::ReadError};

/// The longest reference of the rail's records.
pub const REFERENCE_MAX: usize = 140;

/// What a person wishes of the payment of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// It was paid, under this reference.
    Paid(&'a str),
    /// It was not paid.
    NotPaid,
    /// It goes out again.
    Resubmit,
    /// Its payer bears what left.
    Compensate,
    /// We bear it.
    WriteOff,
    /// What was compensated is taken back.
    TakeBack,
}

/// Who wishes it, under which trace, and why.
#[derive(Clone, Debug)]
pub struct By<'a> {
    /// Who.
    pub actor: &'a str,
    /// The trace of his request.
    pub trace: Option<String>,
    /// Why.
    pub why: &'a str,
}

/// The payment that a case is about, if it is one of ours.
///
/// # Errors
/// See [`ReadError`].
pub async fn payment_of(
    app: &App,
    tenant: TenantId,
    case: &Exception,
) -> Result<Option<Payment>, ReadError> {
    match case.subject.parse() {
        Ok(id) => app.value(&keys::payment(tenant, id)).await,
        Err(_) => Ok(None),
    }
}

/// The command of a wish about a payment as it stands. What is posted has an id that follows from the
/// case, so that carrying it out again after a crash posts nothing twice.
pub fn command(
    tenant: TenantId,
    case: &Exception,
    payment: &Payment,
    wish: Wish<'_>,
    by: By<'_>,
) -> Command {
    let mend = match wish {
        Wish::Paid(reference) => Mend::Paid(reference.to_owned()),
        Wish::NotPaid => Mend::NotPaid,
        Wish::Resubmit => Mend::Resubmit,
        Wish::Compensate => Mend::Compensate(posted(tenant, case, "posted"), Bearer::Payer),
        Wish::WriteOff => Mend::Compensate(posted(tenant, case, "posted"), Bearer::House),
        Wish::TakeBack => Mend::TakeBack(
            posted(tenant, case, "undone"),
            posted(tenant, case, "posted"),
        ),
    };
    Command {
        tenant,
        actor: Arc::from(by.actor),
        trace: by.trace,
        idempotency: None,
        act: Act::Repair(Box::new(Repair {
            payment: payment.id,
            seen: payment.events,
            mend,
            why: by.why.to_owned(),
        })),
    }
}

/// The transaction of a case, for as often as the one before was taken back.
fn posted(tenant: TenantId, case: &Exception, what: &str) -> Id<Transaction> {
    let (tenant, times) = (tenant.short(), case.taken_back());
    Id::of_name(&format!("repair/{tenant}/{}/{times}/{what}", case.id))
}

/// Whether a kind's actions are about its payment, and not about a line of a statement.
#[must_use]
pub const fn concerns_payment(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Contradiction | Kind::Unresolved | Kind::EffectFailed
    )
}
