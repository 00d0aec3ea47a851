//! What was decided about an exception, taken back.

use lombard_core::{id::Id, tenant::TenantId};

use super::{
    resolve::{Undecided, impossible, refused},
    stake::Stake,
    take::Teller,
};
use crate::{
    app::App,
    exceptions::{
        self, Exception, Refused, State, Wish,
        repair::{self, By},
    },
};

/// Opens an exception again and takes back what was posted to resolve it. A payment that was
/// settled stays settled: its way back is a return.
///
/// # Errors
/// See [`Undecided`].
pub async fn reverse(
    app: &App,
    tenant: TenantId,
    id: Id<Exception>,
    by: By<'_>,
) -> Result<Exception, Undecided> {
    let found = exceptions::get(app, tenant, id).await?;
    let found = found.ok_or(Refused::NotFound)?;
    let last = found.resolved_by();
    if let (State::Resolved, Some(last), Some(stake)) = (found.state, last, Stake::of(&found)) {
        let teller = Teller {
            app,
            tenant,
            source: &stake.source,
        };
        let name = format!("{}/{}/undone", found.id, found.taken_back());
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
    let compensated = matches!(last, Some("compensate" | "write_off"));
    if found.state == State::Resolved && compensated && repair::concerns_payment(found.kind) {
        take_back(app, tenant, &found, by.clone()).await?;
    }
    Ok(exceptions::act(app, tenant, id, by.actor, &Wish::Reopen, by.why).await?)
}

/// Takes back what was posted beside the payment of a case.
async fn take_back(
    app: &App,
    tenant: TenantId,
    found: &Exception,
    by: By<'_>,
) -> Result<(), Undecided> {
    let payment = repair::payment_of(app, tenant, found).await?;
    let payment = payment.ok_or_else(|| impossible("the case is about no payment of ours"))?;
    let command = repair::command(tenant, found, &payment, repair::Wish::TakeBack, by);
    app.execute(command).await.map(|_| ()).map_err(refused)
}
