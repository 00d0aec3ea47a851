//! A rail in the same process: it decides, forgets to answer, answers twice, changes its mind, and
//! brings money, by its own dice and with its own books.
//!
//! What real rails promise it keeps: the same instruction under the same id is carried out once,
//! and an enquiry tells the truth. All else may go wrong.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lombard_core::{
    payment::{Kind, Payment},
    rail::Rail,
    reason::Reason,
    tenant::TenantId,
};
use lombard_service::rails::{Answer, RailError, RailPort};

use super::{
    Shared,
    books::{Order, Standing},
    courier,
    life::{Blow, Life},
    luck::Luck,
    store::simulated,
};

/// The way to a rail, as one process has it.
pub struct Port {
    /// Everybody's.
    pub shared: Arc<Shared>,
    /// The process that calls.
    pub life: Arc<Life>,
    /// Which of its calls go wrong.
    pub luck: Luck,
    /// Which rail.
    pub rail: Rail,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mishap {
    None,
    NotSent,
    NotTaken,
    NotAnswered,
}

impl Port {
    fn mishap(&self, blow: Option<Blow>) -> Mishap {
        let (unreached, unheard, unanswered, outage) = self
            .shared
            .weather(|now| (now.unreached, now.unheard, now.unanswered, now.outage));
        let drawn = self.luck.below(1000) as u32;
        if self.luck.happens(outage) {
            self.shared.begin_outage(self.luck.between(500, 20_000));
        }
        match blow {
            Some(Blow::Refused) => return Mishap::NotSent,
            Some(Blow::Lost) => return Mishap::NotTaken,
            Some(Blow::LostDone) => return Mishap::NotAnswered,
            _ => {}
        }
        if self.shared.is_out() || drawn < unreached {
            Mishap::NotSent
        } else if drawn < unreached + unheard {
            Mishap::NotTaken
        } else if drawn < unreached + unheard + unanswered {
            Mishap::NotAnswered
        } else {
            Mishap::None
        }
    }

    async fn travel(&self, most_ms: u64) {
        let ms = self.luck.between(1, most_ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        self.life.pass().await;
    }

    async fn die(&self, when: &str) {
        self.shared.history.note("world", || {
            format!("!! a process dies {when} a call of the rail")
        });
        self.life.end();
        self.life.pass().await;
    }

    /// Carries `message` to the rail and its answer back, or not.
    async fn call<T>(
        &self,
        subject: &str,
        what: &str,
        message: impl FnOnce() -> T + Send,
    ) -> Result<T, RailError> {
        self.life.pass().await;
        let blow = self.shared.effects.next(what);
        if blow == Some(Blow::DiesBefore) {
            self.die("before").await;
        }
        let mishap = self.mishap(blow);
        self.travel(60).await;
        if mishap == Mishap::NotSent {
            self.note(subject, what, "does not get through");
            return Err(RailError::NotSent(simulated()));
        }
        if mishap == Mishap::NotTaken {
            self.note(subject, what, "is lost on its way");
            self.travel(3000).await;
            return Err(RailError::Unknown(simulated()));
        }
        let answer = message();
        if blow == Some(Blow::DiesAfter) {
            self.die("after").await;
        }
        if mishap == Mishap::NotAnswered {
            self.note(subject, what, "is taken, and the answer is lost");
            self.travel(3000).await;
            return Err(RailError::Unknown(simulated()));
        }
        self.note(subject, what, "is taken and answered");
        self.travel(60).await;
        Ok(answer)
    }

    fn note(&self, subject: &str, what: &str, text: &str) {
        let note = || format!("{what} {text} ({})", self.rail);
        self.shared.history.note(subject, note);
    }

    /// Takes an instruction: for the first time, or again.
    fn take(&self, tenant: TenantId, payment: &Payment) -> Answer {
        let key = (self.rail, payment.attempt_id(tenant));
        let mut books = self.shared.books.lock();
        if let Some(known) = books.orders.get(&key) {
            return said(&key.1, known.standing);
        }
        self.shared.audit_leaving(tenant, payment);
        let mut order = Order {
            tenant,
            payment: payment.id,
            money: payment.money,
            standing: Standing::Undecided,
            was: (false, false),
            returned: 0,
            returning: 0,
            recalled: false,
        };
        let (rejected, pending, never) = self
            .shared
            .weather(|now| (now.rejected, now.pending, now.never));
        let no = self.luck.happens(rejected);
        let verdict = if no {
            Standing::Rejected
        } else {
            Standing::Accepted
        };
        let never = self.luck.happens(never);
        let later = self.luck.happens(pending);
        if !never && !later {
            order.decide(verdict);
        }
        let standing = order.standing;
        books.orders.insert(key.clone(), order);
        drop(books);
        let plain = payment.kind == Kind::CreditTransfer;
        if !never {
            let decided = later.then_some(verdict);
            courier::follow(&self.shared, key.clone(), plain, decided);
        }
        said(&key.1, standing)
    }
}

/// The answer of the rail to who asks for an order now.
fn said(reference: &str, standing: Standing) -> Answer {
    match standing {
        Standing::Undecided => Answer::Pending,
        Standing::Accepted => Answer::Accepted(Some(format!("R-{reference}"))),
        Standing::Rejected => Answer::Rejected(Reason::AccountUnknown, "AC01".to_owned()),
    }
}

impl RailPort for Port {
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.life.pass().await;
            while self.shared.is_out() {
                tokio::time::sleep(Duration::from_millis(500)).await;
                self.life.pass().await;
            }
        })
    }

    fn submit<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        let subject = payment.id.to_string();
        Box::pin(async move {
            self.call(&subject, "the instruction", || self.take(tenant, payment))
                .await
        })
    }

    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        let subject = payment.id.to_string();
        Box::pin(async move {
            let key = (self.rail, payment.attempt_id(tenant));
            let look = || {
                let mut books = self.shared.books.lock();
                if let Some(order) = books.orders.get(&key) {
                    return said(&key.1, order.standing);
                }
                books.unheard_of.insert(payment.id);
                Answer::Unknown
            };
            self.call(&subject, "the enquiry", look).await
        })
    }

    fn recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        let subject = payment.id.to_string();
        Box::pin(async move {
            let key = (self.rail, payment.attempt_id(tenant));
            let hear = || courier::answer_recall(&self.shared, key);
            self.call(&subject, "the recall", hear).await
        })
    }

    fn refuse_recall<'a>(
        &'a self,
        _: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        let subject = payment.id.to_string();
        Box::pin(async move {
            let hear = || {
                self.shared.books.lock().refusals.insert(payment.id);
            };
            self.call(&subject, "the refusal of a recall", hear).await
        })
    }
}
