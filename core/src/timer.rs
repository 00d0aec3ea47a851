//! What must be looked at again at a certain time: durable, in order of time, harmless when late.
//!
//! A timer is a record in one of [`SHARDS`] partitions, sorted by its due time. Only the timer
//! worker removes it, after it has fired; a payment that moved on meanwhile makes it do nothing.

use serde::{Deserialize, Serialize};

use crate::{hold::Hold, id::Id, payment::Payment, store::Key, tenant::TenantId, time::Timestamp};

/// Partitions, so that no single one takes every write on a partitioned store.
pub const SHARDS: u8 = 16;

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Whose.
    pub tenant: TenantId,
    /// When.
    pub due: Timestamp,
    /// What.
    pub what: Due,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// Ask the rail what became of a payment.
    Enquire(Id<Payment>),
    /// The day of a scheduled payment has come.
    ExecutePayment(Id<Payment>),
    /// A payment has waited long enough.
    ExpirePayment(Id<Payment>),
    /// The scheme's time for the answer to a recall is over.
    AnswerRecall(Id<Payment>),
    /// A hold has stood long enough.
    ExpireHold(Id<Hold>),
}

impl Timer {
    /// Where the timer is kept. The same timer has the same key.
    #[must_use]
    pub fn key(&self) -> Key {
        let (bits, what) = match self.what {
            Due::Enquire(id) => (id.bits(), format!("{id}#enquire")),
            Due::ExecutePayment(id) => (id.bits(), format!("{id}#execute")),
            Due::ExpirePayment(id) => (id.bits(), format!("{id}#expire")),
            Due::AnswerRecall(id) => (id.bits(), format!("{id}#recall")),
            Due::ExpireHold(id) => (id.bits(), format!("{id}#expire")),
        };
        let shard = (bits >> 16) as u8 % SHARDS;
        let sort = format!(
            "{}#{}#{what}",
            Self::sort_prefix(self.due),
            self.tenant.short()
        );
        Key::new(&Self::partition(shard), &sort)
    }

    /// The partition of a shard.
    #[must_use]
    pub fn partition(shard: u8) -> String {
        format!("timer#{shard:02}")
    }

    /// Timers due at or before `at` sort before this text with `~` appended.
    #[must_use]
    pub fn sort_prefix(at: Timestamp) -> String {
        format!("{:015}", at.unix_ms())
    }
}
