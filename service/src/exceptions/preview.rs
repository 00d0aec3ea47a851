//! What a decision about a case would do, before it is done: the journal that would be posted, by the
//! very planner that posts it, and a name for what was shown.
//!
//! **Invariant.** [`Preview::seen`] follows from the case with all that was done about it, the wish, the
//! payment with all that happened to it, and the journal. A decision that names it is carried out while
//! they are the same, and refused afterwards.

use std::sync::Arc;

use lombard_core::{
    command::Command,
    ledger::{Leg, Transaction},
    lifecycle::Status,
    payment::Payment,
    plan::{Step, keys},
    store::{Write, decode, encode},
};
use sha2::{Digest, Sha256};

use super::Exception;
use crate::{app::App, http::wire::Wire, optimistic::Optimistic, ports::ExecuteError};

/// What would be done.
#[derive(Clone, Debug)]
pub struct Preview {
    /// What would be posted.
    pub journal: Vec<Transaction>,
    /// Where the payment that the case is about stands, and where it would.
    pub moves: Option<(Status, Status)>,
    /// Whether it would only be proposed, because it takes a second person.
    pub waits: bool,
    /// What was shown, for the decision to name.
    pub seen: String,
}

/// What the planner says of a command as things stand.
pub struct Planned {
    journal: Vec<Transaction>,
    after: Option<Payment>,
}

/// Plans a command and leaves it at that.
///
/// # Errors
/// See [`ExecuteError`].
pub async fn plan(app: &App, command: &Command) -> Result<Planned, ExecuteError> {
    let planner = Optimistic::new(
        Arc::clone(&app.store),
        Arc::clone(&app.host),
        Arc::new(Wire),
    );
    let Step::Commit(writes, _) = planner.decide(command).await? else {
        // It was done before.
        return Ok(Planned {
            journal: Vec::new(),
            after: None,
        });
    };
    let (mut journal, mut after) = (Vec::new(), None);
    for (key, write) in writes.iter() {
        let (Write::Create(body) | Write::Update(_, body)) = write else {
            continue;
        };
        match key.sort() {
            keys::TRANSACTION_SORT => journal.push(decode(&body.bytes)),
            keys::PAYMENT_SORT => after = Some(decode(&body.bytes)),
            _ => {}
        }
    }
    Ok(Planned { journal, after })
}

impl Planned {
    /// What is shown of it to whoever decides about a case.
    #[must_use]
    pub fn shown(
        self,
        case: &Exception,
        wish: &str,
        before: Option<&Payment>,
        waits: bool,
    ) -> Preview {
        let status = |payment: &Payment| payment.stage.status();
        let events = before.map_or(0, |payment| payment.events);
        let legs: Vec<&Vec<Leg>> = self.journal.iter().map(|it| &it.legs).collect();
        Preview {
            seen: digest(&[&stands(case), wish.as_bytes(), &encode(&(events, legs))]),
            moves: before.map(|it| (status(it), status(self.after.as_ref().unwrap_or(it)))),
            journal: self.journal,
            waits,
        }
    }
}

impl Preview {
    /// Of a wish that moves nothing.
    #[must_use]
    pub fn of_nothing(case: &Exception, wish: &str) -> Self {
        Self {
            journal: Vec::new(),
            moves: None,
            waits: false,
            seen: digest(&[&stands(case), wish.as_bytes()]),
        }
    }
}

/// The case and how much was done about it.
fn stands(case: &Exception) -> Vec<u8> {
    encode(&(case.id, case.state, case.opened_at, case.history.len()))
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..16])
}
