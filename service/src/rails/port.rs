//! A rail that speaks ISO 20022 through a gateway: [`RailPort`] for any [`Dialect`].

use std::sync::Arc;

use futures_util::future::BoxFuture;
use lombard_core::{
    iso20022::{Agent, Message, StatusReport},
    ledger,
    payment::{Kind, Payment},
    plan::keys,
    reason::{IsoSet, Reason},
    store::{Key, decode},
    tenant::TenantId,
};

use super::{
    Answer, RailError, RailPort, Way,
    dialect::{Dialect, Verdict, why},
    gateway::{Gateway, Heard, Trace},
    names::{self, Names},
    speak::{Ours, Speaker},
};
use crate::{
    details::{Details, Holder},
    ports::{Host, Store, Vault},
};

/// See the module.
pub struct IsoRail {
    dialect: &'static dyn Dialect,
    gateway: Gateway,
    own_agent: Agent,
    store: Arc<dyn Store>,
    vault: Arc<dyn Vault>,
    host: Arc<dyn Host>,
}

impl IsoRail {
    /// A rail that is reached through `gateway`.
    #[must_use]
    pub fn new(
        dialect: &'static dyn Dialect,
        gateway: Gateway,
        own_agent: &str,
        (store, vault, host): (Arc<dyn Store>, Arc<dyn Vault>, Arc<dyn Host>),
    ) -> Self {
        let own_agent = dialect.own_agent(own_agent);
        Self {
            dialect,
            gateway,
            own_agent,
            store,
            vault,
            host,
        }
    }

    fn speaker(&self) -> Speaker<'_> {
        Speaker {
            dialect: self.dialect,
            own_agent: &self.own_agent,
            now: self.host.now(),
        }
    }

    async fn instruction(&self, tenant: TenantId, payment: &Payment) -> Result<String, RailError> {
        match payment.kind {
            Kind::CreditTransfer => {
                let ours = self.ours(tenant, payment).await?;
                let details = Details::open(self.vault.as_ref(), tenant, payment);
                let details = details.map_err(closed)?;
                self.speaker().transfer(tenant, payment, &details, &ours)
            }
            Kind::Charge => {
                let what = "no bank's rail carries a charge".to_owned();
                Err(RailError::Unspeakable(Reason::RailUnavailable, what))
            }
            Kind::Return => {
                let names = self.names(tenant, payment).await?;
                self.speaker().give_back(tenant, payment, &names)
            }
        }
    }

    /// The account that pays, with its holder.
    async fn ours(&self, tenant: TenantId, payment: &Payment) -> Result<Ours, RailError> {
        let unknown =
            || RailError::Unspeakable(Reason::AccountUnknown, "no account of ours".into());
        let id = payment.debtor.account().ok_or_else(unknown)?;
        let key = keys::account(tenant, id);
        let account: ledger::Account = self.value(key).await?.ok_or_else(unknown)?;
        let holder = Holder::open(self.vault.as_ref(), tenant, &account).map_err(closed)?;
        Ok(Ours { account, holder })
    }

    /// The names of the incoming payment whose money goes back, or whose recall is refused.
    async fn names(&self, tenant: TenantId, payment: &Payment) -> Result<Names, RailError> {
        let id = payment.original.unwrap_or(payment.id);
        let unknown =
            || RailError::Unspeakable(Reason::OriginalUnknown, "no names of the original".into());
        let found = self.value(names::key(tenant, id)).await?;
        found.ok_or_else(unknown)
    }

    /// A store that cannot be read now may be later, and nothing was sent.
    async fn value<T: serde::de::DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<T>, RailError> {
        let found = self.store.get(std::slice::from_ref(&key)).await;
        let found = found.map_err(|error| RailError::NotSent(Arc::new(error)))?;
        let record = found.into_iter().next().flatten();
        Ok(record.map(|record| decode(&record.body.bytes)))
    }

    /// What an answer says of one attempt. One that speaks of another payment, or that cannot be
    /// read, says nothing, and we do not know what became of ours.
    fn read(&self, attempt: &str, heard: &[u8]) -> Result<StatusReport, RailError> {
        let unknown = |cause: &'static str| RailError::Unknown(Arc::new(NoAnswer(cause)));
        let reports = match Message::parse(heard) {
            Ok(Message::StatusReport(reports)) => reports,
            Ok(_) => return Err(unknown("the answer is no status report")),
            Err(refusal) => return Err(RailError::Unknown(Arc::new(refusal))),
        };
        let ours = |report: &StatusReport| {
            let original = &report.original;
            [&original.tx_id, &original.instruction_id]
                .into_iter()
                .any(|id| id.as_deref() == Some(attempt))
        };
        let found = reports.into_iter().find(ours);
        found.ok_or_else(|| unknown("the answer is about another payment"))
    }

    fn trace(payment: &Payment) -> Trace {
        Trace {
            id: payment.trace.clone(),
            span: payment.id.bits() as u64,
        }
    }

    async fn send_submit(&self, tenant: TenantId, payment: &Payment) -> Result<Answer, RailError> {
        let xml = self.instruction(tenant, payment).await?;
        match self.gateway.post(xml, Self::trace(payment)).await? {
            Heard::Nothing => Ok(Answer::Pending),
            Heard::Refused(code) => Err(RailError::Refused(code)),
            Heard::Message(heard) => {
                let report = self.read(&payment.attempt_id(tenant), &heard)?;
                Ok(answer(self.dialect, &report))
            }
        }
    }

    async fn send_enquiry(&self, tenant: TenantId, payment: &Payment) -> Result<Answer, RailError> {
        let xml = self.speaker().enquiry(tenant, payment)?;
        let trace = Self::trace(payment);
        match self.gateway.post_if_closed(xml, trace).await? {
            Heard::Nothing => Ok(Answer::Pending),
            Heard::Refused(code) => Err(RailError::Refused(code)),
            Heard::Message(heard) => {
                let report = self.read(&payment.attempt_id(tenant), &heard)?;
                Ok(match answer(self.dialect, &report) {
                    // The rail has never heard of the payment that we ask about.
                    Answer::Rejected(Reason::OriginalUnknown, _) => Answer::Unknown,
                    said => said,
                })
            }
        }
    }

    /// Sends what is answered by a message of its own, later.
    async fn send_off(&self, xml: String, payment: &Payment) -> Result<(), RailError> {
        match self.gateway.post(xml, Self::trace(payment)).await? {
            Heard::Nothing | Heard::Message(_) => Ok(()),
            Heard::Refused(code) => Err(RailError::Refused(code)),
        }
    }
}

/// What a status report says.
pub(super) fn answer(dialect: &dyn Dialect, report: &StatusReport) -> Answer {
    match dialect.verdict(&report.status) {
        Verdict::Yes => {
            let reference = report.clearing_reference.as_ref();
            Answer::Accepted(reference.or(report.status_id.as_ref()).cloned())
        }
        Verdict::No => {
            let (reason, code) = why(IsoSet::Status, &report.reasons);
            Answer::Rejected(reason, code)
        }
        Verdict::NotYet => Answer::Pending,
    }
}

fn closed(error: crate::ports::VaultError) -> RailError {
    RailError::Unspeakable(Reason::PartyDetailsMissing, error.to_string())
}

impl RailPort for IsoRail {
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.gateway.ready())
    }

    fn unused(&self) {
        self.gateway.unused();
    }

    fn ways(&self) -> Vec<Way> {
        vec![self.gateway.way()]
    }

    fn submit<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.send_submit(tenant, payment))
    }

    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.send_enquiry(tenant, payment))
    }

    fn recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        Box::pin(async move {
            let xml = self.speaker().recall(tenant, payment)?;
            self.send_off(xml, payment).await
        })
    }

    fn refuse_recall<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        Box::pin(async move {
            let names = self.names(tenant, payment).await?;
            let xml = self.speaker().refusal(payment, &names)?;
            self.send_off(xml, payment).await
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(&'static str);
