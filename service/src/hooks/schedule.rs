//! When a delivery that failed is tried again: the retry plan that Standard Webhooks recommends,
//! ten tries over a little more than three days.

/// The pause before each try, in milliseconds: at once, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h, 24 h.
pub const PAUSES_MS: [u64; 10] = [
    0,
    5_000,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
/// The longest pause that a receiver may ask for.
const RETRY_AFTER_MS_MAX: u64 = 24 * HOUR;

/// How long to wait after `tries` failed tries, in milliseconds; `None` when they are used up.
///
/// Up to a fifth more than planned, by `random`, so that what failed together does not come back
/// together; and no sooner than the receiver asked for by `Retry-After` (RFC 9110, section
/// 10.2.3).
#[must_use]
pub fn pause_ms(tries: u32, retry_after_ms: Option<u64>, random: u128) -> Option<u64> {
    let planned = *PAUSES_MS.get(usize::try_from(tries).ok()?)?;
    let jitter = (random % u128::from(planned / 5 + 1)) as u64;
    let asked = retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MS_MAX);
    Some((planned + jitter).max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_the_specification_s() {
        let shortest: Vec<_> = (1..=10).map(|tries| pause_ms(tries, None, 0)).collect();
        let planned: Vec<_> = PAUSES_MS[1..].iter().copied().map(Some).collect();
        assert_eq!(shortest[..9], planned);
        assert_eq!(shortest[9], None, "the tenth failure was the last try");
        let total: u64 = PAUSES_MS.iter().sum();
        assert_eq!(
            total,
            (75 * 60 + 35) * MINUTE + 5_000,
            "75:35:05 after the first"
        );
    }

    #[test]
    fn jitter_only_lengthens_and_retry_after_is_honoured_within_a_day() {
        for random in [0, 1, 12_345, u128::MAX] {
            let pause = pause_ms(2, None, random).unwrap();
            assert!((5 * MINUTE..=6 * MINUTE).contains(&pause), "{pause}");
        }
        assert_eq!(pause_ms(1, Some(60_000), 0), Some(60_000));
        assert_eq!(pause_ms(3, Some(60_000), 0), Some(30 * MINUTE));
        assert_eq!(pause_ms(1, Some(u64::MAX), 0), Some(24 * HOUR));
    }
}
