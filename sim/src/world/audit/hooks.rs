//! Webhooks: every event reaches the endpoint that wanted it, or a person is told that it did not.

use lombard_core::{event::Event, id::Id};
use lombard_service::hooks::{
    delivery::{Delivery, Failure, State},
    endpoint::Endpoint,
};

use super::{Auditor, batch::Batch};
use crate::world::receiver::Received;

impl Auditor {
    pub(super) fn note_hooks(&mut self, batch: &Batch) {
        for (tenant, endpoint) in &batch.endpoints {
            self.endpoints.insert(*tenant, endpoint.clone());
        }
        for (tenant, delivery) in &batch.deliveries {
            let before = self
                .deliveries
                .insert((delivery.endpoint, delivery.event), delivery.clone());
            self.check_delivery(before.as_ref(), delivery);
            let owner = self.endpoints.get(tenant).map(|endpoint| endpoint.id);
            if owner != Some(delivery.endpoint) || *tenant != delivery.tenant {
                self.violate(delivery.event, "is delivered to somebody else's endpoint");
            }
        }
        for (tenant, event) in &batch.told {
            self.told.insert(event.id, (*tenant, event.clone()));
        }
    }

    /// A delivery that is pending has a time at which it is tried again; one that has ended has none
    /// and stays as it is.
    fn check_delivery(&mut self, before: Option<&Delivery>, now: &Delivery) {
        let was = before.map(|before| before.state);
        let right = match now.state {
            State::Pending => now.due.is_some() && matches!(was, None | Some(State::Pending)),
            State::Delivered => now.due.is_none() && matches!(was, None | Some(State::Pending)),
            // Given up after the whole plan of ten tries, or because the endpoint wants no more.
            State::Failed => {
                let last = now.attempts.last();
                let gone = last.is_some_and(|it| {
                    it.status == Some(410) || it.failure == Some(Failure::EndpointOff)
                });
                let ended = now.due.is_none() && matches!(was, None | Some(State::Pending));
                ended && (gone || now.tries >= 10)
            }
        };
        if !right {
            let (state, due) = (now.state, now.due);
            let found = format!("a delivery goes from {was:?} to {state:?}, due {due:?}");
            self.violate(now.event, found);
        }
    }

    /// An event of which its tenant's endpoint has not been told yet.
    #[must_use]
    pub fn untold(&self) -> Option<String> {
        let open = self.wanted().find(|(endpoint, event)| {
            let delivery = self.deliveries.get(&(endpoint.id, event.id));
            delivery.is_none_or(|delivery| delivery.state == State::Pending)
        });
        open.map(|(_, event)| format!("{} is not told", event.id))
    }

    /// The events that a working endpoint wants.
    fn wanted(&self) -> impl Iterator<Item = (&Endpoint, &Event)> {
        self.told.values().filter_map(|(tenant, event)| {
            let endpoint = self.endpoints.get(tenant)?;
            let gave_up = format!("{}/{:06}", event.payment, event.number);
            let works = endpoint.disabled.is_none() && !self.exceptions.contains_key(&gave_up);
            works.then_some((endpoint, event))
        })
    }

    /// What was told at the end: whoever is said to have been told has been.
    pub(super) fn check_told(&self, received: &Received) -> Option<(String, String)> {
        self.wanted().find_map(|(endpoint, event)| {
            let id = event.id.to_string();
            let delivery = self.deliveries.get(&(endpoint.id, event.id))?;
            let has = received.has(&endpoint.url, &id);
            let escalated = self
                .exceptions
                .contains_key(&format!("{}/{id}", endpoint.id));
            let right = match delivery.state {
                State::Delivered => has,
                State::Failed => escalated,
                State::Pending => false,
            };
            let state = delivery.state;
            (!right).then(|| (id, format!("is {state:?}; its endpoint has it: {has}")))
        })
    }
}

/// Where a delivery is known.
pub type Place = (Id<Endpoint>, Id<Event>);
