//! Payments to try things on, drawn from a seed.

use lombard_core::time::Timestamp;
use lombard_risk::features::{Event, Kind, Subject, event::mix};

/// The moment at which these worlds begin.
pub const START: u64 = 1_700_000_000;

/// A number that follows from a seed and a place.
pub fn draw(seed: u64, place: u64, below: u64) -> u64 {
    mix(seed ^ mix(place)) % below
}

/// The `n`th payment of a world: few subjects, so that they meet often.
pub fn payment(seed: u64, n: u64) -> Event {
    let at = START + n * 600 + draw(seed, n * 10, 600);
    let of =
        |kind: Kind, many: u64| Subject::numbered(kind, draw(seed, n * 10 + kind as u64 + 1, many));
    Event::new(
        n + 1,
        Timestamp::from_unix_ms(at * 1000),
        1 + draw(seed, n * 10 + 9, 100_000),
    )
    .with(Kind::Customer, of(Kind::Customer, 5))
    .with(Kind::Account, of(Kind::Account, 7))
    .with(Kind::Payee, of(Kind::Payee, 11))
    .with(Kind::Device, of(Kind::Device, 4))
    .with(Kind::Terminal, of(Kind::Terminal, 6))
    .with(Kind::Card, of(Kind::Card, 5))
    .with(Kind::Ip, of(Kind::Ip, 9))
}
