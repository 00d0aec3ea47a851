//! What the rail brings by itself: late answers, repeated ones, changes of mind, settlements,
//! returns, credits, recalls. Each is told again until somebody has heard it.
//!
//! Couriers live outside of the processes, as the rail does. What is told is a fact, so a refusal to
//! hear it is a finding, except where the rail asks for something.

use std::{sync::Arc, time::Duration};

use lombard_core::{
    command::{Act, Command, RecallWish, ReceiveReturn, Report},
    id::Id,
    money::Amount,
    payment::Payment,
    rail::Rail,
    reason::Reason,
    tenant::TenantId,
};

use super::{
    Shared,
    ask::Asked,
    books::{Credit, Standing},
    luck::Luck,
};

/// The name of an order: the rail, and the id under which it came.
pub type OrderKey = (Rail, String);

/// A courier on its way.
struct Courier {
    shared: Arc<Shared>,
    luck: Luck,
    key: OrderKey,
    tenant: TenantId,
    payment: Id<Payment>,
}

/// Sends a courier after an order that was taken: with the rail's decision, if that is still to
/// come, and with whatever follows a yes or a no.
pub fn follow(shared: &Arc<Shared>, key: OrderKey, plain: bool, decided: Option<Standing>) {
    let Some(courier) = Courier::of(shared, key) else {
        return;
    };
    shared.errand(async move {
        if let Some(verdict) = decided {
            courier.wait(100, 40_000).await;
            courier.decide(verdict);
            courier.tell_standing().await;
        }
        courier.after(plain).await;
    });
}

/// Answers a recall, once, however often it is asked.
pub fn answer_recall(shared: &Arc<Shared>, key: OrderKey) {
    let Some(courier) = Courier::of(shared, key.clone()) else {
        return;
    };
    {
        let mut books = shared.books.lock();
        let Some(order) = books.orders.get_mut(&key) else {
            return;
        };
        if std::mem::replace(&mut order.recalled, true) {
            return;
        }
    }
    shared.errand(async move {
        courier.wait(50, 5_000).await;
        let granted = courier.luck.happens(500) && courier.give_back(true).await;
        if !granted {
            let act = Act::RefuseRecall(courier.payment, "CUST".to_owned());
            // It may have been answered by a return that crossed the question.
            courier.tell(act, true).await;
        }
    });
}

/// Brings money over a rail, under its reference, `times` times.
pub fn bring(shared: &Arc<Shared>, key: OrderKey, credit: Credit, act: Act, times: u64) {
    let luck = Luck::new(shared.seed, &key.1);
    let (tenant, payment) = (credit.tenant, credit.payment);
    shared.books.lock().credits.insert(key.1.clone(), credit);
    for _ in 0..times {
        let courier = Courier {
            shared: Arc::clone(shared),
            luck: Luck::new(luck.bits(), "credit"),
            key: key.clone(),
            tenant,
            payment,
        };
        let act = act.clone();
        shared.errand(async move {
            courier.wait(1, 1_500).await;
            let taken = matches!(courier.tell(act, true).await, Asked::Answered(_));
            if let Some(credit) = courier.shared.books.lock().credits.get_mut(&courier.key.1) {
                credit.taken |= taken;
            }
            // A settlement file has it, sometimes, and every time that it is read.
            if taken && Luck::new(courier.luck.bits(), "settlement").happens(300) {
                courier.wait(100, 30_000).await;
                let found = courier.report(Report::SettlementFound);
                courier.tell(found, false).await;
            }
        });
    }
}

/// Asks for the money of a credit back.
pub fn recall(
    shared: &Arc<Shared>,
    (rail, tenant): (Rail, TenantId),
    payment: Id<Payment>,
    luck: Luck,
) {
    let courier = Courier {
        shared: Arc::clone(shared),
        luck,
        key: (rail, String::new()),
        tenant,
        payment,
    };
    shared.errand(async move {
        courier.wait(1, 3_000).await;
        let wish = RecallWish {
            reason: Reason::Duplicate,
            reason_code: "DUPL".to_owned(),
            case: format!("case-{payment}"),
        };
        let mut heard = false;
        for _ in 0..courier.luck.between(1, 2) {
            // It may be about a payment that was never taken, until it has been heard.
            let told = courier.tell(Act::ReceiveRecall(payment, wish.clone()), !heard);
            heard |= matches!(told.await, Asked::Answered(_));
        }
    });
}

impl Courier {
    fn of(shared: &Arc<Shared>, key: OrderKey) -> Option<Self> {
        let books = shared.books.lock();
        let order = books.orders.get(&key)?;
        Some(Self {
            shared: Arc::clone(shared),
            luck: Luck::new(shared.seed, &format!("courier {}", key.1)),
            tenant: order.tenant,
            payment: order.payment,
            key,
        })
    }

    async fn wait(&self, least: u64, most: u64) {
        let ms = self.luck.between(least, most);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn standing(&self) -> Standing {
        let books = self.shared.books.lock();
        let order = books.orders.get(&self.key);
        order.map_or(Standing::Undecided, |order| order.standing)
    }

    fn decide(&self, standing: Standing) {
        if let Some(order) = self.shared.books.lock().orders.get_mut(&self.key) {
            order.decide(standing);
        }
        self.note(&format!("decides: {standing:?}"));
    }

    fn note(&self, text: &str) {
        let note = || format!("the rail {text}");
        self.shared.history.note(&self.payment.to_string(), note);
    }

    /// What follows, sometimes, once the rail has decided.
    async fn after(&self, plain: bool) {
        let (repeated, taken_back, returned) = self
            .shared
            .weather(|now| (now.repeated, now.taken_back, now.returned));
        if self.luck.happens(repeated) {
            self.wait(1, 20_000).await;
            self.note("repeats itself");
            self.tell_standing().await;
        }
        let (changes, returns) = (self.luck.happens(taken_back), self.luck.happens(returned));
        let settles = self.luck.happens(400);
        match self.standing() {
            Standing::Accepted if changes => {
                self.wait(100, 30_000).await;
                if settles {
                    self.tell(self.report(Report::SettlementFound), false).await;
                }
                self.decide(Standing::Rejected);
                self.tell_standing().await;
            }
            Standing::Accepted => {
                if settles {
                    self.wait(100, 30_000).await;
                    self.tell(self.report(Report::SettlementFound), false).await;
                }
                while returns && plain && self.luck.happens(600) {
                    self.wait(100, 30_000).await;
                    if !self.give_back(false).await {
                        break;
                    }
                }
            }
            // A no that was none: our books say failed, so a person must look.
            Standing::Rejected if changes => {
                self.wait(100, 30_000).await;
                self.decide(Standing::Accepted);
                self.tell_standing().await;
            }
            Standing::Rejected | Standing::Undecided => {}
        }
    }

    const fn report(&self, report: Report) -> Act {
        Act::Report(self.payment, report)
    }

    async fn tell_standing(&self) {
        let report = match self.standing() {
            Standing::Undecided => return,
            Standing::Accepted => Report::Accepted(Some(format!("R-{}", self.key.1))),
            Standing::Rejected => Report::Rejected(Reason::AccountUnknown, "AC01".to_owned()),
        };
        self.tell(self.report(report), false).await;
    }

    /// Gives a part of the money back, or all of the rest; says whether there was any.
    async fn give_back(&self, all: bool) -> bool {
        let (number, amount) = {
            let mut books = self.shared.books.lock();
            let Some(order) = books.orders.get_mut(&self.key) else {
                return false;
            };
            let rest = order.money.amount.minor() - order.returning;
            if order.standing != Standing::Accepted || order.was.1 || rest == 0 {
                return false;
            }
            let all = all || self.luck.happens(400);
            let part = if all {
                rest
            } else {
                self.luck.between(1, rest)
            };
            order.returning += part;
            (order.returning, part)
        };
        let Ok(minor) = Amount::try_from(amount) else {
            return false;
        };
        let reference = format!("B-{}-{number}", self.key.1);
        let news = ReceiveReturn {
            id: Id::of_name(&reference),
            original: self.payment,
            amount: minor,
            reason: Reason::AccountUnknown,
            reason_code: "AC03".to_owned(),
            rail_reference: reference,
        };
        self.note(&format!("gives {amount} back"));
        for _ in 0..self.luck.between(1, 2) {
            self.tell(Act::ReceiveReturn(news.clone()), false).await;
        }
        if let Some(order) = self.shared.books.lock().orders.get_mut(&self.key) {
            order.returned += amount;
        }
        true
    }

    /// Tells something until it is heard. `refusable` is what may be refused.
    async fn tell(&self, act: Act, refusable: bool) -> Asked {
        let command = Command {
            tenant: self.tenant,
            actor: format!("rail/{}", self.key.0).into(),
            trace: None,
            idempotency: None,
            act,
        };
        loop {
            match self.shared.ask(&self.luck, command.clone()).await {
                Asked::Lost { .. } => self.wait(20, 1_000).await,
                Asked::Rejected(why) if !refusable => {
                    let (subject, act) = (self.payment.to_string(), &command.act);
                    let found = format!("a fact that the rail tells is refused: {act:?}: {why}");
                    self.shared.violate(&subject, &found);
                    return Asked::Rejected(why);
                }
                heard => return heard,
            }
        }
    }
}
