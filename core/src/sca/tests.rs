//! Each article at its threshold and one minor unit beyond it.

use super::{
    challenge::{Answered, Binding, Challenge, STANDS_MS, TRIES_MAX},
    counters::Spared,
    fraud::{Day, Portfolio, Rate},
    rules::{Counting, Regime, Rules},
    *,
};
use crate::{currency::Currency, id::Id, money::Amount, payment::Party, tenant::TenantId};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T12:00:00Z").unwrap()
}

fn money(minor: u64, currency: Currency) -> Money {
    Money {
        amount: Amount::try_from(minor).unwrap(),
        currency,
    }
}

fn decided(ask: &Ask, minor: u64, counters: Counters, fraud: Option<Rate>) -> Decision {
    let known = Known {
        money: money(minor, ask.regime.currency()),
        counters: &counters,
        fraud,
        now: now(),
    };
    decide(ask, known, &Rules::default())
}

fn spared(sum: u64, count: u32) -> Counters {
    let spared = Spared { sum, count };
    Counters {
        since: Timestamp::default(),
        contactless: spared,
        low_value: spared,
    }
}

#[test]
fn exemptions_by_value_end_at_their_thresholds() {
    use Channel::{Contactless, RemoteCard, RemoteTransfer};
    let exempt = |by| Outcome::Exempt { by };
    let (low, tap) = (exempt(Exemption::LowValue), exempt(Exemption::Contactless));
    let no = Outcome::Required;
    for (regime, channel, minor, sum, count, outcome) in [
        (Regime::Eu, RemoteTransfer, 30_00, 0, 0, low),
        (Regime::Eu, RemoteCard, 30_01, 0, 0, no),
        (Regime::Eu, RemoteTransfer, 30_00, 70_00, 4, low),
        (Regime::Eu, RemoteTransfer, 30_00, 70_01, 4, no),
        (Regime::Eu, RemoteTransfer, 1, 5, 5, no),
        (Regime::Uk, RemoteTransfer, 25_00, 60_00, 4, low),
        (Regime::Uk, RemoteTransfer, 25_01, 0, 0, no),
        (Regime::Uk, RemoteTransfer, 25_00, 60_01, 0, no),
        (Regime::Eu, Contactless, 50_00, 100_00, 4, tap),
        (Regime::Eu, Contactless, 50_01, 0, 0, no),
        (Regime::Eu, Contactless, 50_00, 100_01, 0, no),
        (Regime::Uk, Contactless, 100_00, 200_00, 4, tap),
        (Regime::Uk, Contactless, 100_01, 0, 0, no),
        (Regime::Uk, Contactless, 1, 0, 5, no),
        (Regime::Uk, Channel::Contact, 1, 0, 0, no),
    ] {
        let found = decided(
            &Ask::plain(regime, channel),
            minor,
            spared(sum, count),
            None,
        );
        assert_eq!(
            found.outcome, outcome,
            "{regime:?} {channel:?} {minor} {sum} {count}"
        );
    }
}

#[test]
fn a_provider_may_choose_one_counter() {
    let ask = Ask::plain(Regime::Eu, Channel::RemoteTransfer);
    for (counting, sum, count, exempt) in [
        (Counting::Amount, 0, 99, true),
        (Counting::Amount, 100_00, 0, false),
        (Counting::Count, 999_00, 4, true),
        (Counting::Count, 0, 5, false),
    ] {
        let rules = Rules {
            counting,
            ..Rules::default()
        };
        let known = Known {
            money: money(1_00, Currency::EUR),
            counters: &spared(sum, count),
            fraud: None,
            now: now(),
        };
        let found = decide(&ask, known, &rules).outcome != Outcome::Required;
        assert_eq!(found, exempt, "{counting:?} {sum} {count}");
    }
}

#[test]
fn risk_analysis_takes_low_risk_and_the_band_s_fraud_rate() {
    let of = |ppm: u64| Rate {
        total: 1_000_000,
        fraud: ppm,
    };
    for (channel, minor, low_risk, rate, exempt) in [
        (
            Channel::RemoteCard,
            100_00,
            Some(true),
            Some(of(1_300)),
            true,
        ),
        (
            Channel::RemoteCard,
            100_00,
            Some(true),
            Some(of(1_301)),
            false,
        ),
        (
            Channel::RemoteCard,
            100_01,
            Some(true),
            Some(of(601)),
            false,
        ),
        (Channel::RemoteCard, 250_00, Some(true), Some(of(600)), true),
        (Channel::RemoteCard, 500_00, Some(true), Some(of(100)), true),
        (Channel::RemoteCard, 500_01, Some(true), Some(of(0)), false),
        (
            Channel::RemoteTransfer,
            100_00,
            Some(true),
            Some(of(150)),
            true,
        ),
        (
            Channel::RemoteTransfer,
            250_00,
            Some(true),
            Some(of(101)),
            false,
        ),
        (
            Channel::RemoteTransfer,
            500_00,
            Some(true),
            Some(of(50)),
            true,
        ),
        (
            Channel::RemoteTransfer,
            500_00,
            Some(false),
            Some(of(0)),
            false,
        ),
        (Channel::RemoteTransfer, 500_00, None, Some(of(0)), false),
        (Channel::RemoteTransfer, 500_00, Some(true), None, false),
        (
            Channel::RemoteTransfer,
            500_00,
            Some(true),
            Some(Rate::default()),
            false,
        ),
        (Channel::Contact, 100_00, Some(true), Some(of(0)), false),
    ] {
        let mut ask = Ask::plain(Regime::Eu, channel);
        ask.low_risk = low_risk;
        let found = decided(&ask, minor, Counters::default(), rate).outcome;
        let by = Exemption::RiskAnalysis;
        assert_eq!(
            found == Outcome::Exempt { by },
            exempt,
            "{channel:?} {minor} {rate:?}"
        );
    }
    let mut sterling = Ask::plain(Regime::Uk, Channel::RemoteCard);
    sterling.low_risk = Some(true);
    let found = decided(&sterling, 80_00, Counters::default(), Some(of(0)));
    assert_eq!(found.outcome, Outcome::Required);
    assert!(
        found.tried.contains(&(18, WhyNot::NoThreshold)),
        "{found:?}"
    );
}

#[test]
fn what_a_payment_is_exempts_it_or_puts_it_out_of_scope() {
    let base = Ask::plain(Regime::Eu, Channel::RemoteTransfer);
    let exempt = |by| Outcome::Exempt { by };
    let out = |because| Outcome::OutOfScope { because };
    for (ask, outcome) in [
        (base.clone(), Outcome::Required),
        (
            Ask {
                own_account: true,
                ..base.clone()
            },
            exempt(Exemption::OwnAccount),
        ),
        (
            Ask {
                trusted_payee: true,
                ..base.clone()
            },
            exempt(Exemption::TrustedPayee),
        ),
        (
            Ask {
                series: Series::Later,
                ..base.clone()
            },
            exempt(Exemption::Recurring),
        ),
        (
            Ask {
                series: Series::First,
                ..base.clone()
            },
            Outcome::Required,
        ),
        (
            Ask {
                corporate: true,
                ..base.clone()
            },
            exempt(Exemption::Corporate),
        ),
        (
            Ask::plain(Regime::Eu, Channel::UnattendedTransport),
            exempt(Exemption::Unattended),
        ),
        (
            Ask::plain(Regime::Eu, Channel::MailOrTelephone),
            out(OutOfScope::MailOrTelephone),
        ),
        (
            Ask {
                one_leg_out: true,
                ..base.clone()
            },
            out(OutOfScope::OneLegOut),
        ),
        (
            Ask {
                initiator: Initiator::Payee,
                ..base
            },
            out(OutOfScope::PayeeInitiated),
        ),
    ] {
        let found = decided(&ask, 10_000_00, Counters::default(), None);
        assert_eq!(found.outcome, outcome, "{ask:?}");
    }
}

#[test]
fn a_threshold_counts_in_its_own_currency_and_from_its_day() {
    let ask = Ask::plain(Regime::Eu, Channel::RemoteTransfer);
    let counters = Counters::default();
    let known = |currency, now| Known {
        money: money(1_00, currency),
        counters: &counters,
        fraud: None,
        now,
    };
    let rules = Rules::default();
    let pounds = decide(&ask, known(Currency::GBP, now()), &rules);
    assert_eq!(pounds.outcome, Outcome::Required);
    assert!(pounds.tried.contains(&(16, WhyNot::Currency)));
    let early = Timestamp::parse_rfc3339("2019-09-13T23:59:59Z").unwrap();
    let before = decide(&ask, known(Currency::EUR, early), &rules);
    assert_eq!(before.outcome, Outcome::Required);
    assert!(before.tried.contains(&(16, WhyNot::NoThreshold)));
}

#[test]
fn counters_follow_what_was_executed() {
    let by = |by| Outcome::Exempt { by };
    let low = by(Exemption::LowValue);
    let mut counters = Counters::default();
    counters.add(low, money(10_00, Currency::EUR));
    counters.add(low, money(5_00, Currency::EUR));
    counters.add(by(Exemption::TrustedPayee), money(1_000_00, Currency::EUR));
    assert_eq!(
        (counters.low_value.sum, counters.low_value.count),
        (15_00, 2)
    );
    counters.take_back(low, money(5_00, Currency::EUR), now());
    assert_eq!(
        (counters.low_value.sum, counters.low_value.count),
        (10_00, 1)
    );
    let mut fresh = Counters::authenticated(now());
    fresh.take_back(low, money(5_00, Currency::EUR), Timestamp::from_unix_ms(1));
    assert_eq!(fresh, Counters::authenticated(now()));
    assert!(Counters::count(low) && !Counters::count(Outcome::Required));
}

#[test]
fn a_quarter_is_the_ninety_days_that_end_with_today() {
    let day = |total, fraud| Day { total, fraud };
    let mut portfolio = Portfolio::default();
    for (at, sums) in [
        (10, day(5, 5)),
        (11, day(100, 1)),
        (100, day(700, 0)),
        (100, day(200, 0)),
    ] {
        portfolio.add(at, sums, 99);
    }
    let found: Vec<_> = portfolio.days().collect();
    let kept = [(10, day(5, 5)), (11, day(100, 1)), (100, day(900, 0))];
    assert_eq!(found, kept);
    let rate = Rate::of(found, 100);
    assert_eq!(
        (rate.total, rate.fraud, rate.ppm()),
        (1_000, 1, Some(1_000))
    );
    assert!(rate.is_within(1_000) && !rate.is_within(999));
    assert!(!Rate::default().is_within(1_000_000));
    assert_eq!(Rate::default().ppm(), None);
    // What shows as a whole number is never less than what there is.
    let little = Rate {
        total: 3_000_000,
        fraud: 1,
    };
    assert_eq!((little.ppm(), little.is_within(0)), (Some(1), false));
    portfolio.add(101, day(1, 0), 101);
    assert_eq!(portfolio.days().next(), Some((100, day(900, 0))));
    let text = serde_json::to_string(&portfolio).unwrap();
    assert_eq!(text, r#"{"100":[900,0],"101":[1,0]}"#);
    assert_eq!(serde_json::from_str::<Portfolio>(&text).unwrap(), portfolio);
}

#[test]
fn a_challenge_is_bound_counted_and_short() {
    let tenant = TenantId::new(1);
    let id = Id::from_bits(7);
    let payee = Party::Account(Id::from_bits(8));
    let bind =
        |minor, payee: &Party| Binding::of_parts(tenant, id, money(minor, Currency::GBP), payee);
    let binding = bind(100, &payee);
    for other in [
        bind(101, &payee),
        bind(100, &Party::Account(Id::from_bits(9))),
        Binding::of_parts(TenantId::new(2), id, money(100, Currency::GBP), &payee),
        Binding::of_parts(tenant, id, money(100, Currency::EUR), &payee),
    ] {
        assert_ne!(binding, other);
        let mut challenge = Challenge::new(binding, None, now());
        assert_eq!(
            challenge.answer(true, &binding, &other, now()),
            Answered::Void
        );
        assert_eq!(
            challenge.answer(true, &other, &binding, now()),
            Answered::Void
        );
    }
    let mut challenge = Challenge::new(binding, None, now());
    let late = now().plus_ms(STANDS_MS + 1);
    assert_eq!(
        challenge.answer(true, &binding, &binding, late),
        Answered::TooLate
    );
    for _ in 1..TRIES_MAX {
        assert_eq!(
            challenge.answer(false, &binding, &binding, now()),
            Answered::Wrong
        );
        challenge = Challenge::new(binding, Some(&challenge), now());
    }
    assert_eq!(
        challenge.answer(false, &binding, &binding, now()),
        Answered::Exhausted
    );
    assert_eq!(
        challenge.answer(true, &binding, &binding, now()),
        Answered::Exhausted
    );
    let mut fresh = Challenge::new(binding, None, now());
    assert_eq!(
        fresh.answer(true, &binding, &binding, now()),
        Answered::Passed
    );
    let text = serde_json::to_string(&fresh).unwrap();
    assert_eq!(serde_json::from_str::<Challenge>(&text).unwrap(), fresh);
}
