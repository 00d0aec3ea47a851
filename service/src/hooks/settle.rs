//! The end of a try: written into the delivery, into the endpoint's record of how it does, and, when it
//! was the last, into the exceptions.

use lombard_core::{tenant::TenantId, time::Timestamp};
use tracing::warn;

use super::{
    delivery::{Attempt, Delivery, Follow, State},
    dispatch::Hooks,
    endpoint::{self, DisabledReason, Endpoint, GIVE_UPS_MAX},
    give_up,
    send::Sent,
};
use crate::{
    metrics::METRICS,
    ports::CommitError,
    records::{Then, change},
};

impl Hooks {
    /// Stores the end of a try of a stored delivery. If that fails its lease brings it back.
    pub(super) async fn settle_or_leave(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        ended: (Attempt, Sent),
    ) {
        let key = delivery.key();
        if let Err(error) = self.settle(endpoint, delivery, ended).await {
            warn!(?key, %error, "the end of a webhook's try is not stored; it will be tried again");
        }
    }

    pub(super) async fn settle(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        (attempt, sent): (Attempt, Sent),
    ) -> Result<(), CommitError> {
        let now = self.app.host.now();
        let random = self.app.host.random();
        let mut foreseen = delivery.clone();
        let follow = foreseen.tried(attempt.clone(), sent, now, random);
        if follow == Follow::GivenUp {
            // First the exception, then the record: a crash in between must not be silence.
            give_up::raise(&self.app, &foreseen).await?;
            METRICS.webhooks_given_up.of(()).inc();
        }
        if follow == Follow::Gone {
            // First the endpoint, then the record: whoever finds the delivery ended looks no further,
            // and an endpoint that stayed on would have been left without a word.
            self.follow(endpoint, delivery.tenant, follow, now).await?;
        }
        change(
            &self.app,
            &delivery.key(),
            |known: Option<Delivery>| match known {
                Some(known) if known.state != State::Pending => (Then::Keep, ()),
                Some(known) if known.attempts.last() == Some(&attempt) => (Then::Keep, ()),
                known => {
                    let mut delivery = known.unwrap_or_else(|| delivery.clone());
                    delivery.tried(attempt.clone(), sent, now, random);
                    (Then::Put(delivery.body()), ())
                }
            },
        )
        .await?;
        match follow {
            Follow::Gone => Ok(()),
            _ => self.follow(endpoint, delivery.tenant, follow, now).await,
        }
    }

    /// Keeps the endpoint's record of how it does.
    async fn follow(
        &self,
        endpoint: &Endpoint,
        tenant: TenantId,
        follow: Follow,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        match follow {
            Follow::Nothing => return Ok(()),
            Follow::Works if endpoint.given_up == 0 => return Ok(()),
            Follow::Works | Follow::Gone | Follow::GivenUp => {}
        }
        let key = endpoint::key(tenant, endpoint.id);
        change(&self.app, &key, |known: Option<Endpoint>| {
            let Some(mut endpoint) = known else {
                return (Then::Keep, ());
            };
            match follow {
                Follow::Nothing => {}
                Follow::Works => endpoint.given_up = 0,
                Follow::Gone => endpoint.disable(DisabledReason::Gone, now),
                Follow::GivenUp => {
                    endpoint.given_up += 1;
                    if endpoint.given_up >= GIVE_UPS_MAX {
                        endpoint.disable(DisabledReason::Failing, now);
                    }
                }
            }
            (Then::Put(endpoint.body()), ())
        })
        .await?;
        self.directory.forget(tenant);
        Ok(())
    }
}
