//! camt.056 and camt.029: the other bank asks for its money back, or answers our asking.

use lombard_core::{
    command::{Act, RecallWish, Rejection},
    id::{Id, digest_text},
    iso20022::{
        Actor, Agent, CreditTransfer, Original, RecallAnswer, RecallOutcome, RecallRequest,
    },
    payment::{Direction, Payment},
    plan::keys,
    reason::{IsoSet, RailCode},
    tenant::TenantId,
};

use super::{Desk, Later, Said, seen};
use crate::{
    ports::ExecuteError,
    rails::{
        dialect::{unknown_agent, why},
        names::{self, Names},
        speak::Speaker,
    },
};

/// We have no such payment.
const NO_ORIGINAL: &str = "NOOR";
/// Its money has gone back already.
const ALREADY_RETURNED: &str = "ARDT";
/// It was asked for before.
const ALREADY_ANSWERED: &str = "ARJT";
/// Sent over this rail it cannot be.
const NARRATIVE: &str = "NARR";

impl Desk<'_> {
    /// Takes in a recall, for a person to grant or refuse. What cannot be granted is refused at
    /// once.
    pub(super) async fn recalled(&self, wish: RecallRequest) -> Result<Said, Later> {
        let Some((tenant, payment)) = self.asked_for(&wish).await? else {
            return self.refuse(&wish, NO_ORIGINAL);
        };
        let case = case_of(&wish);
        let known = payment
            .recall
            .as_ref()
            .is_some_and(|recall| recall.case == case);
        if payment.returnable() == 0 && !known {
            return self.refuse(&wish, ALREADY_RETURNED);
        }
        let (reason, reason_code) = why(IsoSet::Cancellation, &wish.reasons);
        let act = RecallWish {
            reason,
            reason_code,
            case,
        };
        let command = self.command(tenant, Act::ReceiveRecall(payment.id, act));
        match self.app.execute(command).await {
            Ok(_) => Ok(Said::Heard),
            Err(ExecuteError::Rejected(Rejection::RecalledBefore)) => {
                self.refuse(&wish, ALREADY_ANSWERED)
            }
            Err(ExecuteError::Rejected(_)) => self.refuse(&wish, NARRATIVE),
            Err(error) => Err(error.into()),
        }
    }

    /// The incoming payment that a recall names, by the sending bank's reference or by UETR.
    async fn asked_for(&self, wish: &RecallRequest) -> Result<Option<(TenantId, Payment)>, Later> {
        let original = &wish.original;
        let sender = sender(wish);
        let mut found = None;
        if let Some(reference) = names::reference(original) {
            let key = seen::key(self.rail, "pacs.008", &sender, &reference);
            let seen = seen::find(self.app, &key).await?;
            let seen = seen.filter(|seen| seen.refused.is_none());
            found = seen.map(|seen| (seen.tenant, seen.payment));
        }
        if let (None, Some(uetr)) = (found, &original.uetr) {
            let key = seen::uetr_key(self.rail, uetr);
            found = self.app.value::<(TenantId, Id<Payment>)>(&key).await?;
        }
        if let (None, Some(name)) = (found, names::end_to_end(original.end_to_end_id.as_deref())) {
            found = self.only_one(&sender, name, original).await?;
        }
        let Some((tenant, id)) = found else {
            return Ok(None);
        };
        let payment: Option<Payment> = self.app.value(&keys::payment(tenant, id)).await?;
        Ok(payment.map(|payment| (tenant, payment)))
    }

    /// The one payment of a customer's end-to-end id that everything else said of it fits, too.
    async fn only_one(
        &self,
        sender: &Agent,
        end_to_end_id: &str,
        original: &Original,
    ) -> Result<Option<(TenantId, Id<Payment>)>, Later> {
        let key = seen::end_to_end_key(self.rail, sender, end_to_end_id);
        let all: Option<Vec<(TenantId, Id<Payment>)>> = self.app.value(&key).await?;
        let mut fit = Vec::new();
        for (tenant, payment) in all.into_iter().flatten() {
            let names: Option<Names> = self.app.value(&names::key(tenant, payment)).await?;
            if names.is_some_and(|names| names::agree(&names, original)) {
                fit.push((tenant, payment));
            }
        }
        Ok(<[_; 1]>::try_from(fit).ok().map(|[one]| one))
    }

    fn refuse(&self, wish: &RecallRequest, code: &str) -> Result<Said, Later> {
        let speaker = Speaker {
            dialect: self.dialect,
            own_agent: &self.own_agent,
            // Of the question's moment, so that the same question has the same answer.
            now: lombard_core::time::Timestamp::from_unix_ms(wish.assignment.created_ms),
        };
        let case = case_of(wish);
        let id = digest_text(&[self.rail.name(), &wish.assignment.id, &case]);
        let original = quote(&wish.original);
        let to = sender(wish);
        let xml =
            speaker.recall_answer(&format!("{id}-r"), speaker.now, to, &case, original, code)?;
        Ok(Said::Xml(xml))
    }

    /// Takes in the answer to a recall of ours. A yes is only announced here: the money comes
    /// with its own message.
    pub(super) async fn recall_answered(&self, answer: RecallAnswer) -> Result<Said, Later> {
        let reference = answer.assignment.id.as_str();
        let ours = self.quoted(&answer.original).await?;
        let Some((tenant, payment)) =
            ours.filter(|(_, payment)| payment.direction == Direction::Out)
        else {
            let text = "an answer to a recall names a payment that did not leave from here";
            self.puzzled(None, reference, "camt.029", text).await?;
            return Ok(Said::Heard);
        };
        if answer.outcome != RecallOutcome::Refused {
            return Ok(Said::Heard);
        }
        let (_, code) = why(IsoSet::CancellationRejection, &answer.reasons);
        let command = self.command(tenant, Act::RefuseRecall(payment.id, code));
        match self.app.execute(command).await {
            Ok(_) => Ok(Said::Heard),
            Err(ExecuteError::Rejected(rejection)) => {
                let text = format!("an answer to a recall cannot be booked: {rejection}");
                let about = Some((tenant, &payment));
                self.puzzled(about, reference, "camt.029", &text).await?;
                Ok(Said::Heard)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The case under which the other bank knows its recall.
fn case_of(wish: &RecallRequest) -> String {
    let case = wish.case.as_ref().map(|case| &case.id);
    let case = case.or(wish.cancellation_id.as_ref());
    RailCode::sanitised(case.unwrap_or(&wish.assignment.id))
        .as_str()
        .to_owned()
}

fn sender(wish: &RecallRequest) -> Agent {
    match &wish.assignment.assigner {
        Actor::Agent(agent) => agent.clone(),
        Actor::Party(_) => unknown_agent(),
    }
}

/// The payment as the question named it; an answer must name its message too.
fn quote(original: &Original) -> Original {
    Original {
        message_id: Some(
            original
                .message_id
                .clone()
                .unwrap_or_else(|| "NOTPROVIDED".to_owned()),
        ),
        message_name: Some(
            original
                .message_name
                .clone()
                .unwrap_or_else(|| CreditTransfer::NAME.to_owned()),
        ),
        ..original.clone()
    }
}
