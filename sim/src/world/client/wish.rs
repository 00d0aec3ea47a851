//! What a client may wish for.

use std::collections::BTreeMap;

use lombard_core::{
    command::{Act, OpenAccount, Pay, PlaceHold, PostLegs, Receive, ReturnPayment, Verification},
    currency::Currency,
    id::Id,
    journal,
    ledger::{Account, AliasScheme, Layer, Rollup},
    money::{Amount, Money},
    payment::{External, OnInsufficientFunds, Party},
    rail::Rail,
    reason::Reason,
    time::Timestamp,
};
use lombard_service::ports::Host;

use super::{Client, push_new};
use crate::world::{books::Credit, courier, luck::Luck};

/// One in so many amounts is exactly what is there, or is waited for.
const EXACT_IN: u64 = 8;

/// Something to ask for.
pub struct Wish {
    /// The operation that the key is for.
    pub operation: &'static str,
    /// What.
    pub act: Act,
}

/// Gives what a request makes the ids that its host draws. An account keeps the id of its first
/// request, so that its client can speak of it before it has the answer.
pub fn name(act: &mut Act, now: Timestamp, random: u128) {
    match act {
        Act::Pay(pay) => pay.id = Id::new(now, random),
        Act::PlaceHold(hold) => hold.id = Id::new(now, random),
        Act::PostLegs(post) => post.id = Id::new(now, random),
        Act::Return(wish) => wish.id = Id::new(now, random),
        _ => {}
    }
}

/// An id that [`name`] replaces.
const fn unnamed<T>() -> Id<T> {
    Id::from_bits(0)
}

/// The currency of an account, which follows from its id, so that everybody knows it: one in five is
/// kept in euros.
fn currency_of(account: Id<Account>) -> Currency {
    match (account.bits() >> 24) % 5 {
        0 => Currency::EUR,
        _ => Currency::GBP,
    }
}

/// The rail that carries a currency.
const fn rail_of(currency: Currency) -> Rail {
    match currency {
        Currency::EUR => Rail::SepaInst,
        _ => Rail::Fps,
    }
}

/// Somebody elsewhere, whom a rail reaches.
fn outside(luck: &Luck, rail: Rail) -> External {
    let (scheme, country) = match rail {
        Rail::SepaInst => (AliasScheme::Iban, "DE"),
        Rail::Book | Rail::Fps | Rail::Card => (AliasScheme::UkAccount, "GB"),
    };
    External {
        scheme,
        country: country.to_owned(),
        last4: format!("{:04}", luck.below(10_000)),
        fingerprint: format!("{:016x}", luck.bits()),
    }
}

impl Client {
    /// The next wish.
    pub(super) fn wish(&mut self) -> Wish {
        let wish = match self.luck.below(100) {
            0..40 if self.holder => self.hold(),
            40..90 if self.holder => self.end_hold(),
            0..40 => self.pay(),
            40..48 => self.cancel(),
            48..56 => self.verify(),
            56..64 => self.give_back(),
            64..72 => self.hold(),
            72..82 => self.end_hold(),
            82..88 => self.post(),
            88..91 => self.recall(),
            91..95 => self.close(),
            _ => None,
        };
        wish.unwrap_or_else(|| {
            self.bring_money();
            self.pay().unwrap_or_else(|| self.open_account(9))
        })
    }

    /// Money for an account, in its currency or, by mistake, in the other.
    fn money(&self, account: Id<Account>, most: u64) -> Money {
        let minor = self.luck.between(1, most);
        // Now and then all that is there, to the last unit.
        let all = || self.shared.auditor.lock().available((self.tenant, account));
        let minor = if minor.is_multiple_of(EXACT_IN) {
            all().max(minor)
        } else {
            minor
        };
        let currency = match (self.luck.happens(30), currency_of(account)) {
            (false, currency) => currency,
            (true, Currency::GBP) => Currency::EUR,
            (true, _) => Currency::GBP,
        };
        Money {
            amount: amount(minor),
            currency,
        }
    }

    /// How long something may wait: from moments to a day.
    fn patience(&self) -> u64 {
        *self.luck.pick(&[300, 3_000, 60_000, 600_000, 86_400_000])
    }

    pub(super) fn open_account(&mut self, number: u64) -> Wish {
        let now = self.ids.now();
        let id = Id::new(now, self.ids.random()).of_kind(Rollup::Constrained);
        let open = OpenAccount {
            id,
            name: format!("account {number}"),
            currency: currency_of(id),
            aliases: Vec::new(),
            sealed: None,
            metadata: BTreeMap::new(),
        };
        // Remembered at once: whoever asks knows what was asked for.
        push_new(&mut self.accounts, id);
        Wish {
            operation: "accounts.create",
            act: Act::OpenAccount(open),
        }
    }

    /// Has the rail bring money, once or more times the same.
    pub(super) fn bring_money(&mut self) {
        self.serial += 1;
        let reference = format!("C{}-{}", self.number, self.serial);
        let unknown = self.luck.happens(60);
        let account = if unknown { None } else { self.act_on() };
        let minor = self.luck.between(1, 1_000);
        // Now and then just what a payment waits for.
        let lacking = account.filter(|_| minor.is_multiple_of(EXACT_IN));
        let lacking = lacking.and_then(|id| self.shared.auditor.lock().lacking((self.tenant, id)));
        let minor = lacking.unwrap_or(minor);
        let money = Money {
            amount: amount(minor),
            currency: account.map_or(Currency::GBP, currency_of),
        };
        let rail = rail_of(money.currency);
        let receive = Receive {
            id: Id::of_name(&format!("{}/{reference}", self.tenant)),
            rail,
            money,
            debtor: outside(&self.luck, rail),
            creditor: account,
            end_to_end_id: reference.clone(),
            rail_reference: reference.clone(),
            sealed: None,
        };
        let credit = Credit {
            tenant: self.tenant,
            payment: receive.id,
            money,
            account,
            taken: false,
        };
        push_new(&mut self.credits, receive.id);
        if self.luck.happens(100) {
            let luck = Luck::new(self.luck.bits(), "recall");
            courier::recall(&self.shared, (rail, self.tenant), receive.id, luck);
        }
        let times = *self.luck.pick(&[1, 1, 2, 3]);
        let act = Act::Receive(Box::new(receive));
        courier::bring(&self.shared, (rail, reference), credit, act, times);
    }

    pub(super) fn pay(&mut self) -> Option<Wish> {
        let debtor = self.act_on()?;
        let book = self.luck.happens(250);
        let creditor = if book {
            Party::Account(self.act_on()?)
        } else {
            Party::External(outside(&self.luck, rail_of(currency_of(debtor))))
        };
        let may_wait = self.luck.happens(500);
        let must_verify = self.luck.happens(200);
        let later = self.luck.happens(100);
        let pay = Pay {
            id: unnamed(),
            rail: if book {
                Rail::Book
            } else {
                rail_of(currency_of(debtor))
            },
            money: self.money(debtor, 800),
            debtor,
            creditor,
            end_to_end_id: format!("E{}-{}", self.number, self.serial),
            on_insufficient_funds: if may_wait {
                OnInsufficientFunds::Wait
            } else {
                OnInsufficientFunds::Fail
            },
            verification: must_verify.then_some(Reason::FraudSuspected),
            execute_at: later.then(|| self.ids.now().plus_ms(self.patience())),
            agency: None,
            needs_approval: false,
            parties: Vec::new(),
            sca: None,
            wait_ms: self.patience(),
            sealed: None,
            warnings: Vec::new(),
            metadata: BTreeMap::new(),
            batch: None,
            risk: None,
        };
        Some(Wish {
            operation: "payments.create",
            act: Act::Pay(Box::new(pay)),
        })
    }

    fn cancel(&self) -> Option<Wish> {
        Some(Wish {
            operation: "payments.cancel",
            act: Act::Cancel(self.pick_payment()?),
        })
    }

    fn verify(&self) -> Option<Wish> {
        let answer = if self.luck.happens(700) {
            Verification::Passed
        } else {
            Verification::Refused(Reason::VerificationFailed)
        };
        Some(Wish {
            operation: "payments.verify",
            act: Act::Verify(self.pick_payment()?, answer),
        })
    }

    fn give_back(&self) -> Option<Wish> {
        let original = if self.luck.happens(800) {
            self.pick_credit()?
        } else {
            self.pick_payment()?
        };
        let part = self
            .luck
            .happens(700)
            .then(|| amount(self.luck.between(1, 500)));
        let wish = ReturnPayment {
            id: unnamed(),
            original,
            amount: part,
            reason: if self.luck.happens(150) {
                Reason::Recalled
            } else {
                Reason::CustomerRequested
            },
        };
        Some(Wish {
            operation: "payments.return",
            act: Act::Return(wish),
        })
    }

    fn hold(&self) -> Option<Wish> {
        // Who is about holds has many between the same two, so that one could end for another.
        let (debtor, creditor) = if self.holder {
            (*self.accounts.first()?, *self.accounts.last()?)
        } else {
            (self.act_on()?, self.act_on()?)
        };
        let place = PlaceHold {
            id: unnamed(),
            debtor,
            creditor,
            money: self.money(debtor, if self.holder { 60 } else { 500 }),
            expires_in_ms: self.patience(),
        };
        Some(Wish {
            operation: "holds.create",
            act: Act::PlaceHold(place),
        })
    }

    fn end_hold(&self) -> Option<Wish> {
        let hold = self.pick_hold()?;
        let part = self
            .luck
            .happens(400)
            .then(|| amount(self.luck.between(1, 300)));
        let (operation, act) = if self.luck.happens(600) {
            ("holds.post", Act::PostHold(hold, part))
        } else {
            ("holds.void", Act::VoidHold(hold))
        };
        Some(Wish { operation, act })
    }

    fn post(&self) -> Option<Wish> {
        let (debit, credit) = (self.act_on()?, self.act_on()?);
        let money = self.money(debit, 300);
        let post = PostLegs {
            id: unnamed(),
            legs: journal::pair(debit, credit, Layer::Posted, money),
        };
        Some(Wish {
            operation: "postings.create",
            act: Act::PostLegs(post),
        })
    }

    fn recall(&self) -> Option<Wish> {
        let (operation, act) = if self.luck.happens(500) {
            let code = "DUPL".to_owned();
            let act = Act::AskRecall(self.pick_payment()?, Reason::Duplicate, code);
            ("recalls.create", act)
        } else {
            let act = Act::RefuseRecall(self.pick_credit()?, "CUST".to_owned());
            ("recalls.refuse", act)
        };
        Some(Wish { operation, act })
    }

    fn close(&self) -> Option<Wish> {
        Some(Wish {
            operation: "accounts.close",
            act: Act::CloseAccount(self.act_on()?),
        })
    }
}

/// An amount of minor units, at least one.
fn amount(minor: u64) -> Amount {
    match Amount::try_from(minor.max(1)) {
        Ok(amount) => amount,
        Err(error) => panic!("small sums are amounts: {error}"),
    }
}
