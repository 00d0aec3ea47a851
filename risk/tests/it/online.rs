//! Online and offline are one: a book that is saved, lost and loaded again, as a server's is, says
//! of every payment, feature by feature, what a trainer's replay says that never stopped.

use std::collections::{HashMap, VecDeque};

use lombard_core::time::Timestamp;
use lombard_risk::features::{Bond, Book, Event, Kind, Outcome, Profile, Subject, book::Changed};

use super::world::{START, draw};

const PAYMENTS: u64 = 1_000_000;
const LABEL_DELAY_S: u64 = 7 * 86_400;
/// Payments between two restarts.
const RESTART: u64 = 150_000;

fn payment(n: u64) -> Event {
    let of = |kind: Kind, many: u64| Subject::numbered(kind, draw(kind as u64 + 1, n, many));
    let at = Timestamp::from_unix_ms((START + n * 3) * 1000);
    Event::new(n + 1, at, 100 + draw(20, n, 100_000))
        .with(Kind::Customer, of(Kind::Customer, 20_000))
        .with(Kind::Account, of(Kind::Account, 20_000))
        .with(Kind::Payee, of(Kind::Payee, 30_000))
        .with(Kind::Device, of(Kind::Device, 25_000))
}

/// What is kept of a book between two runs: bytes, as a store has them.
#[derive(Default)]
struct Store {
    profiles: HashMap<Subject, Vec<u8>>,
    bonds: HashMap<u64, Bond>,
}

impl Store {
    fn save(&mut self, book: &mut Book) {
        let Changed { subjects, bonds } = book.take_changed();
        for subject in subjects {
            let profile = book.profile(subject).expect("it changed");
            self.profiles.insert(subject, profile.encode());
        }
        for key in bonds {
            self.bonds.insert(key, *book.bond(key).expect("it changed"));
        }
    }

    fn load(&self) -> Book {
        let mut book = Book::noting();
        for (subject, bytes) in &self.profiles {
            book.restore(*subject, Profile::decode(bytes).expect("it was encoded"));
        }
        for (key, bond) in &self.bonds {
            book.restore_bond(*key, *bond);
        }
        book
    }
}

#[test]
fn a_million_payments_have_the_same_features_online_and_offline() {
    let (mut online, mut offline) = (Book::noting(), Book::default());
    let mut store = Store::default();
    let mut open: VecDeque<Outcome> = VecDeque::new();
    for n in 0..PAYMENTS {
        let event = payment(n);
        let due = u64::from(event.seconds()).saturating_sub(LABEL_DELAY_S);
        while let Some(outcome) = open.pop_front_if(|it| u64::from(it.event.seconds()) <= due) {
            online.learn(&outcome);
            offline.learn(&outcome);
        }
        let (served, replayed) = (online.vector(&event), offline.vector(&event));
        assert_eq!(served, replayed, "payment {n}");
        let times_typical = offline.times_typical(&event);
        online.observe(&event);
        offline.observe(&event);
        open.push_back(Outcome {
            event,
            fraud: draw(30, n, 100) == 0,
            times_typical,
        });
        if n % RESTART == RESTART - 1 {
            store.save(&mut online);
            online = store.load();
        }
    }
}
