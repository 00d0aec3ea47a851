//! What the simulated rail has taken: every payment it ever decided, small, and the last ones in
//! full.
//!
//! **Bounds.** A payment is 40 bytes for ever, so that a second submission is known for one
//! however late it comes, and its details are kept for the last [`RECENT_MAX`] alone: only those
//! can still be returned or asked back.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use lombard_core::{id::digest_text, iso20022::Agent, money::Money, rail::Rail};
use lombard_service::rails::names::Names;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::behaviour::Behaviour;

/// Payments that are kept in full.
pub const RECENT_MAX: usize = 20_000;
/// Payments of our own sending that are kept, for recalls and returns of them.
pub const SENT_MAX: usize = 20_000;

/// A payment's place in the books: rail and reference, hashed.
pub type Place = u128;

/// The place of a reference.
#[must_use]
pub fn place(rail: Rail, reference: &str) -> Place {
    let digest = Sha256::digest(format!("{}/{reference}", rail.name()));
    digest[..16]
        .iter()
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Paid.
    Accepted,
    /// Refused, with a code of at most eight letters.
    Rejected([u8; 8]),
    /// Neither.
    Undecided,
}

impl Standing {
    /// Refused with this code.
    #[must_use]
    pub fn rejected(code: &str) -> Self {
        let mut letters = [b' '; 8];
        for (letter, byte) in letters.iter_mut().zip(code.bytes()) {
            *letter = byte;
        }
        Self::Rejected(letters)
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Rejected(letters) => Some(String::from_utf8_lossy(letters).trim().to_owned()),
            Self::Accepted | Self::Undecided => None,
        }
    }

    /// In a word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Undecided => "undecided",
        }
    }
}

/// The little that is kept of every payment.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// How it stands.
    pub standing: Standing,
    /// Hash of what was asked: the same reference with another payment is a mistake.
    pub asks: u64,
    /// How often it was submitted.
    pub submissions: u16,
    /// How often it was asked after.
    pub enquiries: u16,
}

/// A payment in full.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its rail.
    pub rail: Rail,
    /// The reference by which it is known: `TxId`, or `RtrId` of a return.
    pub reference: String,
    /// `pacs.008` or `pacs.004`.
    pub kind: &'static str,
    /// Its names.
    pub names: Names,
    /// How much.
    pub money: Money,
    /// The bank that sent it: Lombard.
    pub from: Agent,
    /// How it is treated.
    pub behaviour: Arc<Behaviour>,
    /// Minor units that were sent back.
    pub returned: u64,
}

/// A payment that the simulator sent to Lombard.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its names.
    pub names: Names,
    /// How much.
    pub money: Money,
    /// Minor units that Lombard sent back.
    pub returned: u64,
}

/// What happened so far, of one rail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Instructions that were genuine and valid.
    pub received: u64,
    /// Payments that were paid, each once.
    pub accepted: u64,
    /// Minor units of these.
    pub accepted_minor: u64,
    /// Payments that were refused.
    pub rejected: u64,
    /// Payments that are not decided.
    pub undecided: u64,
    /// Submissions that got lost before they were taken.
    pub lost: u64,
    /// Submissions of a payment that was there already: answered alike, paid once.
    pub duplicates: u64,
    /// Submissions of a reference that stood for another payment.
    pub conflicts: u64,
    /// Returns from Lombard that were taken.
    pub returns: u64,
    /// Enquiries.
    pub enquiries: u64,
    /// Recalls.
    pub recalls: u64,
    /// Refusals of our recalls.
    pub recall_answers: u64,
    /// Messages that were not valid.
    pub invalid: u64,
    /// Messages that were not genuine.
    pub forged: u64,
    /// Messages that were delivered to Lombard.
    pub delivered: u64,
    /// Messages that could not be delivered to Lombard.
    pub undelivered: u64,
}

/// See the module.
#[derive(Default)]
pub struct Books {
    entries: HashMap<Place, Entry>,
    recent: HashMap<Place, Taken>,
    order: VecDeque<Place>,
    sent: HashMap<Place, Sent>,
    sent_order: VecDeque<Place>,
    lost: HashSet<Place>,
    counts: HashMap<Rail, Counts>,
}

impl Books {
    /// The counts of a rail.
    pub fn counts(&mut self, rail: Rail) -> &mut Counts {
        self.counts.entry(rail).or_default()
    }

    /// The entry of a payment.
    pub fn entry(&mut self, place: Place) -> Option<&mut Entry> {
        self.entries.get_mut(&place)
    }

    /// The details of a payment, if it is one of the last.
    pub fn taken(&mut self, place: Place) -> Option<&mut Taken> {
        self.recent.get_mut(&place)
    }

    /// Takes a payment.
    pub fn take(&mut self, place: Place, entry: Entry, taken: Taken) {
        let counts = self.counts(taken.rail);
        match entry.standing {
            Standing::Accepted if taken.kind == "pacs.004" => counts.returns += 1,
            Standing::Accepted => {
                counts.accepted += 1;
                counts.accepted_minor += taken.money.amount.minor();
            }
            Standing::Rejected(_) => counts.rejected += 1,
            Standing::Undecided => counts.undecided += 1,
        }
        self.entries.insert(place, entry);
        self.recent.insert(place, taken);
        self.order.push_back(place);
        if self.order.len() > RECENT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.recent.remove(&oldest);
        }
    }

    /// Notes that a submission got lost. Says whether it was the first of its payment.
    pub fn lose(&mut self, rail: Rail, place: Place) -> bool {
        let first = self.lost.insert(place);
        if first {
            self.counts(rail).lost += 1;
        }
        first
    }

    /// The last payments, the newest first.
    pub fn latest(&self, limit: usize) -> impl Iterator<Item = (&Taken, &Entry)> {
        let found = |place: &Place| Some((self.recent.get(place)?, self.entries.get(place)?));
        self.order.iter().rev().filter_map(found).take(limit)
    }

    /// Notes a payment that was sent to Lombard.
    pub fn send(&mut self, place: Place, sent: Sent) {
        if self.sent.insert(place, sent).is_none() {
            self.sent_order.push_back(place);
        }
        if self.sent_order.len() > SENT_MAX
            && let Some(oldest) = self.sent_order.pop_front()
        {
            self.sent.remove(&oldest);
        }
    }

    /// A payment that was sent to Lombard.
    pub fn sent(&mut self, place: Place) -> Option<&mut Sent> {
        self.sent.get_mut(&place)
    }
}

/// A hash of what a payment asks.
#[must_use]
pub fn asks(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(digest_text(parts));
    digest[..8]
        .iter()
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}
