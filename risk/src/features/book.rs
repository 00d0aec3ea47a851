//! All profiles and bonds, in memory.
//!
//! **Shape.** The fold itself is three functions: ask for a vector, observe, learn. A runtime may
//! put the book behind a lock, load it at start, and save what changed; a trainer makes one,
//! replays, and drops it.

use std::collections::{HashMap, HashSet};

use super::{
    catalogue::{Link, Own, Stat, of_kind, of_pair},
    event::{Event, Kind, Outcome, Subject},
    pair::{Bond, Pair},
    profile::{Profile, is_night, is_weekend},
    tiles::window,
    vector::Vector,
};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Book {
    profiles: HashMap<Subject, Profile>,
    bonds: HashMap<u64, Bond>,
    /// Subjects and bonds that changed since they were last taken out to be saved; kept only when
    /// somebody saves.
    changed: Option<Changed>,
}

/// What changed since it was last saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Whose profiles.
    pub subjects: HashSet<Subject>,
    /// Which bonds.
    pub bonds: HashSet<u64>,
}

/// Ten major units, in minor ones, for most currencies.
const ROUND: u64 = 1000;

impl Book {
    /// A book that notes what changes, for one that saves it.
    #[must_use]
    pub fn noting() -> Self {
        Self {
            changed: Some(Changed::default()),
            ..Self::default()
        }
    }

    /// What everything seen so far says of a payment that is not seen yet.
    #[must_use]
    pub fn vector(&self, event: &Event) -> Vector {
        let mut vector = Vector::default();
        let out = vector.values_mut();
        own(event, out);
        for kind in Kind::ALL {
            let Some(subject) = event.subject(kind) else {
                continue;
            };
            let at = of_kind(kind);
            let block = &mut out[at..at + Stat::COUNT];
            match self.profiles.get(&subject) {
                Some(profile) => profile.describe(event, kind, block),
                None => Profile::default().describe(event, kind, block),
            }
        }
        let mut payer_known = false;
        let mut new_payee = true;
        for pair in Pair::ALL {
            let Some(key) = pair.key(event) else { continue };
            let bond = self.bonds.get(&key).copied().unwrap_or_default();
            let at = of_pair(pair);
            link(&bond, event.seconds(), &mut out[at..at + Link::COUNT]);
            if matches!(pair, Pair::CustomerPayee | Pair::AccountPayee) {
                payer_known = true;
                new_payee &= bond.count == 0;
            }
        }
        if payer_known {
            out[Own::NewPayee as usize] = f64::from(u8::from(new_payee));
        }
        self.journey(event, out);
        vector
    }

    fn journey(&self, event: &Event, out: &mut [f64]) {
        let payers = [Kind::Customer, Kind::Card, Kind::Account];
        let payer = payers.into_iter().find_map(|kind| event.subject(kind));
        let profile = payer.and_then(|payer| self.profiles.get(&payer));
        let (Some(profile), Some(place)) = (profile, event.place) else {
            return;
        };
        if let Some(journey) = profile.whereabouts().journey(event.seconds(), place) {
            out[Own::DistanceKm as usize] = journey.km;
            out[Own::SpeedKmh as usize] = journey.kmh;
            out[Own::ImpossibleTravel as usize] = f64::from(u8::from(journey.impossible));
        }
    }

    /// How many times its payer's usual amount a payment is; 1 when nothing is known. What an
    /// [`Outcome`] of it will carry.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // A ratio.
    pub fn times_typical(&self, event: &Event) -> f32 {
        let payers = [Kind::Customer, Kind::Card, Kind::Account];
        let payer = payers.into_iter().find_map(|kind| event.subject(kind));
        let profile = payer.and_then(|payer| self.profiles.get(&payer));
        let times = profile.and_then(|profile| profile.times_typical(event.amount));
        times.unwrap_or(1.0) as f32
    }

    /// Takes in a payment.
    pub fn observe(&mut self, event: &Event) {
        self.observe_where(event, |_| true);
    }

    /// Takes in a payment for those of its subjects and pairs, by their hashes, that have not
    /// seen it yet.
    pub fn observe_where(&mut self, event: &Event, unseen: impl Fn(u64) -> bool) {
        for kind in Kind::ALL {
            let subject = event.subject(kind).filter(|subject| unseen(subject.0));
            let Some(subject) = subject else { continue };
            let profile = self.profiles.entry(subject).or_default();
            profile.observe(event, kind);
            if let Some(changed) = &mut self.changed {
                changed.subjects.insert(subject);
            }
        }
        for pair in Pair::ALL {
            let Some(key) = pair.key(event).filter(|key| unseen(*key)) else {
                continue;
            };
            let bond = self.bonds.entry(key).or_default();
            bond.add(event.id, event.seconds(), event.amount);
            if let Some(changed) = &mut self.changed {
                changed.bonds.insert(key);
            }
        }
    }

    /// Takes in what became of a payment.
    pub fn learn(&mut self, outcome: &Outcome) {
        self.learn_where(outcome, false, |_| true);
    }

    /// Takes in what became of a payment for those of its subjects that have not seen it yet;
    /// `corrects` says that it was told as genuine before.
    pub fn learn_where(&mut self, outcome: &Outcome, corrects: bool, unseen: impl Fn(u64) -> bool) {
        let subjects = Kind::ALL
            .into_iter()
            .filter_map(|kind| outcome.event.subject(kind));
        for subject in subjects.filter(|subject| unseen(subject.0)) {
            let profile = self.profiles.entry(subject).or_default();
            if corrects {
                profile.correct(outcome);
            } else {
                profile.learn(outcome);
            }
            if let Some(changed) = &mut self.changed {
                changed.subjects.insert(subject);
            }
        }
    }

    /// The profile of a subject.
    #[must_use]
    pub fn profile(&self, subject: Subject) -> Option<&Profile> {
        self.profiles.get(&subject)
    }

    /// The bond of a pair.
    #[must_use]
    pub fn bond(&self, key: u64) -> Option<&Bond> {
        self.bonds.get(&key)
    }

    /// Puts a saved profile back.
    pub fn restore(&mut self, subject: Subject, profile: Profile) {
        self.profiles.insert(subject, profile);
    }

    /// Puts a saved bond back.
    pub fn restore_bond(&mut self, key: u64, bond: Bond) {
        self.bonds.insert(key, bond);
    }

    /// What changed since this was last asked.
    pub fn take_changed(&mut self) -> Changed {
        self.changed
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Profiles and bonds that are kept.
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        (self.profiles.len(), self.bonds.len())
    }

    /// Whether nothing was seen yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.profiles.is_empty()
    }

    /// Bytes that the profiles take, the map's own overhead left out.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.profiles.values().map(Profile::bytes).sum()
    }
}

fn own(event: &Event, out: &mut [f64]) {
    let at = event.seconds();
    let flag = |yes: bool| f64::from(u8::from(yes));
    #[allow(clippy::cast_precision_loss)] // Amounts are below 2^53.
    let amount = event.amount as f64;
    out[Own::Amount as usize] = amount;
    out[Own::Hour as usize] = f64::from(super::profile::hour(at));
    out[Own::Weekday as usize] = f64::from(super::profile::weekday(at));
    out[Own::Night as usize] = flag(is_night(at));
    out[Own::Weekend as usize] = flag(is_weekend(at));
    out[Own::RoundAmount as usize] = flag(event.amount.is_multiple_of(ROUND));
    if let Some(check) = event.payee_check {
        out[Own::PayeeCheck as usize] = check.level();
    }
    if let Some(screening) = event.screening {
        out[Own::Screening as usize] = f64::from(screening);
    }
}

fn link(bond: &Bond, now: u32, out: &mut [f64]) {
    let days = |from: u32| f64::from(now.saturating_sub(from)) / f64::from(window::DAY);
    out[Link::Count as usize] = f64::from(bond.count);
    #[allow(clippy::cast_precision_loss)] // Amounts are below 2^53.
    let today = bond.spent_today(now) as f64;
    out[Link::Today as usize] = today;
    if bond.count > 0 {
        out[Link::SinceLast as usize] = f64::from(now.saturating_sub(bond.last));
        out[Link::Age as usize] = days(bond.first);
    }
}
