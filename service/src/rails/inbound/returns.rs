//! pacs.004 and pacs.002: money of ours that comes back, and late news of our instructions.

use lombard_core::{
    command::{Act, ReceiveReturn, Rejection, Report},
    id::Id,
    iso20022::{Original, Return, StatusReport},
    money::Money,
    payment::{Direction, Payment},
    reason::{IsoSet, Reason},
    tenant::TenantId,
};

use super::{
    Desk, Later, Said,
    seen::{self, Seen},
};
use crate::{
    exceptions::operator,
    ports::ExecuteError,
    rails::{Answer, dialect::why, port::answer},
};

impl Desk<'_> {
    /// Takes in a return. One that we cannot place is refused, so that the money stays with who
    /// sent it, and is shown to a person.
    pub(super) async fn comes_back(&self, news: Return) -> Result<Said, Later> {
        let reference = news.return_id.as_ref().unwrap_or(&news.message_id);
        let sender = news.instructing_agent.clone().unwrap_or_default();
        let key = seen::key(self.rail, "pacs.004", &sender, reference);
        let quote = quote(self.message, &news, reference);
        let found = self.quoted(&news.original).await?;
        let asks = asks(&news, found.as_ref());
        let seen = match seen::find(self.app, &key).await? {
            Some(seen) => seen,
            None => {
                let at = self.app.host.now();
                let seen = Seen {
                    tenant: found.as_ref().map_or_else(operator, |(tenant, _)| *tenant),
                    payment: Id::new(at, self.app.host.random()),
                    account: None,
                    asks: asks.clone(),
                    at,
                    refused: refused_at_once(&news, found.as_ref()),
                };
                seen::note(self.app, &key, &seen, None).await?
            }
        };
        if seen.asks != asks {
            let duplicate = Seen {
                refused: Some(Reason::Duplicate),
                ..seen
            };
            return self.answer(quote, &duplicate);
        }
        let Some((tenant, original)) = found.filter(|_| seen.refused.is_none()) else {
            let text = "a return does not fit any payment that left from here";
            self.puzzled(None, reference, "pacs.004", text).await?;
            return self.answer(quote, &seen);
        };
        let act = Act::ReceiveReturn(receive(&news, &seen, &original, reference));
        let seen = match self.app.execute(self.command(tenant, act)).await {
            Ok(_) => seen,
            Err(ExecuteError::Rejected(rejection)) => {
                let text = format!("a return cannot be booked: {rejection}");
                let about = Some((tenant, &original));
                self.puzzled(about, reference, "pacs.004", &text).await?;
                seen::refuse(self.app, &key, refusal(&rejection)).await?
            }
            Err(error) => return Err(error.into()),
        };
        self.answer(quote, &seen)
    }

    /// Takes in what became of an instruction of ours. News of a payment that we do not know, or
    /// that cannot be at its stage, is acknowledged and shown to a person.
    pub(super) async fn reported(&self, report: &StatusReport) -> Result<(), Later> {
        let original = &report.original;
        let Some((tenant, payment)) = self.quoted(original).await? else {
            let names = [
                &original.tx_id,
                &original.end_to_end_id,
                &original.message_id,
            ];
            let reference = names.into_iter().flatten().next();
            let reference = reference.map_or("-", String::as_str);
            let text = "a status report names a payment that did not leave from here";
            return self.puzzled(None, reference, "pacs.002", text).await;
        };
        let news = match answer(self.dialect, report) {
            Answer::Accepted(reference) => Report::Accepted(reference),
            // Unasked, this may be about an enquiry of ours: the timers ask again, we do not guess.
            Answer::Rejected(Reason::OriginalUnknown, _)
            | Answer::Authorised(_)
            | Answer::NotCompleted(..)
            | Answer::Pending
            | Answer::Unknown => return Ok(()),
            Answer::Rejected(reason, code) => Report::Rejected(reason, code),
        };
        if payment.direction != Direction::Out {
            let text = "a status report is about a payment that we did not send";
            let about = Some((tenant, &payment));
            return self
                .puzzled(about, &report.message_id, "pacs.002", text)
                .await;
        }
        match self
            .app
            .execute(self.command(tenant, Act::Report(payment.id, news)))
            .await
        {
            Ok(_) => Ok(()),
            Err(ExecuteError::Rejected(rejection)) => {
                let text = format!("a status report cannot be booked: {rejection}");
                let about = Some((tenant, &payment));
                self.puzzled(about, &report.message_id, "pacs.002", &text)
                    .await
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn refused_at_once(news: &Return, found: Option<&(TenantId, Payment)>) -> Option<Reason> {
    match found {
        None => Some(Reason::OriginalUnknown),
        Some((_, payment)) if payment.direction != Direction::Out => Some(Reason::OriginalUnknown),
        Some((_, payment)) if payment.money.currency != news.amount.currency => {
            Some(Reason::CurrencyNotAccepted)
        }
        Some(_) => None,
    }
}

/// The return as our answer quotes it: the return's own names in the place of the original's.
fn quote(name: &str, news: &Return, reference: &str) -> Original {
    Original {
        message_id: Some(news.message_id.clone()),
        message_name: Some(name.to_owned()),
        message_created_ms: Some(news.created_ms),
        instruction_id: None,
        end_to_end_id: news.original.end_to_end_id.clone(),
        tx_id: Some(reference.to_owned()),
        uetr: None,
    }
}

/// What a return asks: how much of which payment.
fn asks(news: &Return, found: Option<&(TenantId, Payment)>) -> String {
    let Money { amount, currency } = news.amount;
    let original = match found {
        Some((_, payment)) => payment.id.to_string(),
        None => "-".to_owned(),
    };
    format!("{amount} {} {original}", currency.code())
}

fn receive(news: &Return, seen: &Seen, original: &Payment, reference: &str) -> ReceiveReturn {
    let (reason, reason_code) = why(IsoSet::Return, &news.reasons);
    ReceiveReturn {
        id: seen.payment,
        original: original.id,
        amount: news.amount.amount,
        reason,
        reason_code,
        rail_reference: reference.to_owned(),
    }
}

fn refusal(why: &Rejection) -> Reason {
    match why {
        Rejection::MoreThanRemains { remaining: 0, .. } | Rejection::WrongStage { .. } => {
            Reason::AlreadyReturned
        }
        Rejection::MoreThanRemains { .. } => Reason::AmountInvalid,
        Rejection::Ledger(_) => Reason::AccountClosed,
        _ => Reason::OriginalUnknown,
    }
}
