//! Two requests at once that must not both be carried out: a payment that waits for an answer, out of an account
//! that is closed at the same moment. Neither writes what the other only looks at, so nothing but the guard on
//! what was read stands between them.

use lombard_core::{
    command::{Act, Command},
    idempotency::{Fingerprint, Idempotency},
    reason::Reason,
};
use lombard_service::ports::Host;

use super::{Client, wish};
use crate::world::ask::Asked;

impl Client {
    /// Opens an account, then closes it and pays from it, both at once.
    pub(super) async fn race(&mut self) {
        let opened = self.open_account(7);
        let Act::OpenAccount(account) = &opened.act else {
            return;
        };
        let account = account.id;
        self.insist(opened).await;
        self.serial += 1;
        let Some(paying) = self.pay() else { return };
        let Act::Pay(mut pay) = paying.act else {
            return;
        };
        if pay.creditor.account() == Some(account) {
            return;
        }
        pay.debtor = account;
        pay.verification = Some(Reason::FraudSuspected);
        let pay = self.request("payments.create", Act::Pay(pay));
        let close = self.request("accounts.close", Act::CloseAccount(account));
        let (paid, closed) = tokio::join!(
            self.shared.ask(&self.luck, pay.clone()),
            self.shared.ask(&self.luck, close.clone()),
        );
        for (command, asked) in [(pay, paid), (close, closed)] {
            if let Some(wish) = &command.idempotency {
                let lost = matches!(asked, Asked::Lost { .. });
                self.told(wish, &asked, lost);
            }
        }
        self.serial += 1;
    }

    /// A request under a key of its own.
    fn request(&mut self, operation: &'static str, act: Act) -> Command {
        self.serial += 1;
        let mut act = act;
        wish::name(&mut act, self.ids.now(), self.ids.random());
        let idempotency = Idempotency {
            operation,
            key: self.next_key(operation),
            fingerprint: Fingerprint::of(format!("{act:?}").as_bytes()),
        };
        let mut auditor = self.shared.auditor.lock();
        auditor.asks(self.tenant, &idempotency, &act);
        drop(auditor);
        self.note(|| format!("{} asks, with another: {act:?}", idempotency.key));
        Command {
            tenant: self.tenant,
            actor: format!("key/{}", self.number).into(),
            trace: None,
            idempotency: Some(idempotency),
            act,
        }
    }
}
