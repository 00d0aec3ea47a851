//! A profile stays small whatever happens to its subject, and is read back as it was written.

use lombard_core::time::Timestamp;
use lombard_risk::features::{
    Book, Event, Kind, Outcome, Profile, Subject, place::Place, profile::BYTES_MAX,
};
use proptest::prelude::*;

use super::world::{START, draw, payment};

fn busy(seed: u64, payments: u64, seconds_between: u64) -> Profile {
    let mut profile = Profile::default();
    for n in 0..payments {
        let at = Timestamp::from_unix_ms((START + n * seconds_between) * 1000);
        let mut event = Event::new(n + 1, at, 1 + draw(seed, n, 10_000_000))
            .with(Kind::Customer, Subject::numbered(Kind::Customer, 1))
            .with(
                Kind::Payee,
                Subject::numbered(Kind::Payee, draw(seed, n + 7, 1000)),
            );
        event.place = Some(Place {
            latitude: 51.5,
            longitude: -0.1,
        });
        profile.observe(&event, Kind::Customer);
        let (fraud, times_typical) = (draw(seed, n, 9) == 0, 1.0);
        profile.learn(&Outcome {
            event,
            fraud,
            times_typical,
        });
    }
    profile
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_profile_is_read_back_and_stays_small(
        seed in any::<u64>(), payments in 0u64..3000, seconds in 1u64..20_000,
    ) {
        let profile = busy(seed, payments, seconds);
        let bytes = profile.encode();
        prop_assert!(bytes.len() <= BYTES_MAX, "{} bytes", bytes.len());
        prop_assert_eq!(Profile::decode(&bytes), Some(profile));
        for cut in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            prop_assert_eq!(Profile::decode(&bytes[..cut]), None, "cut at {}", cut);
        }
    }

    #[test]
    fn rubbish_is_no_profile_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Profile::decode(&bytes);
    }

    #[test]
    fn a_vector_is_read_back_bit_for_bit(seed in any::<u64>()) {
        let mut book = Book::default();
        (0..200).for_each(|n| book.observe(&payment(seed, n)));
        let vector = book.vector(&payment(seed, 200));
        let text = serde_json::to_string(&vector).unwrap();
        prop_assert_eq!(serde_json::from_str::<lombard_risk::features::Vector>(&text).unwrap(), vector);
    }
}

/// With two payments a day for half a year a subject takes less than a kilobyte.
#[test]
fn an_active_subject_takes_less_than_a_kilobyte() {
    let profile = busy(1, 360, 43_200);
    assert!(profile.bytes() < 1024, "{}", profile.bytes());
    assert!(profile.encode().len() < 1024, "{}", profile.encode().len());
}
