//! The exemptions, tried one after the other.

use super::{
    Ask, Channel, Decision, Exemption, Initiator, Known, OutOfScope, Outcome, Series, WhyNot,
    counters::Spared,
    fraud::{Instrument, Weighed},
    rules::{Counting, Limits, Rules, Thresholds},
};
use crate::time::Timestamp;

/// Decides whether a payment needs authentication.
#[must_use]
pub fn decide(ask: &Ask, known: Known<'_>, rules: &Rules) -> Decision {
    let thresholds = rules.at(ask.regime, known.now);
    let rules_from = thresholds.map_or(Timestamp::default(), |it| it.from);
    let (mut tried, mut weighed) = (Vec::new(), None);
    let outcome = if let Some(because) = out_of_scope(ask) {
        Outcome::OutOfScope { because }
    } else {
        let mut outcome = Outcome::Required;
        for by in Exemption::ALL {
            match try_one(by, ask, known, thresholds, rules.counting, &mut weighed) {
                Ok(()) => {
                    outcome = Outcome::Exempt { by };
                    break;
                }
                // What a payment plainly is not need not be told.
                Err(WhyNot::NotSuch) => {}
                Err(why) => tried.push((by.article(), why)),
            }
        }
        outcome
    };
    Decision {
        outcome,
        tried,
        weighed,
        rules_from,
    }
}

fn out_of_scope(ask: &Ask) -> Option<OutOfScope> {
    match (ask.channel, ask.initiator, ask.one_leg_out) {
        (Channel::MailOrTelephone, ..) => Some(OutOfScope::MailOrTelephone),
        (_, Initiator::Payee, _) => Some(OutOfScope::PayeeInitiated),
        (_, _, true) => Some(OutOfScope::OneLegOut),
        _ => None,
    }
}

fn try_one(
    by: Exemption,
    ask: &Ask,
    known: Known<'_>,
    thresholds: Option<&Thresholds>,
    counting: Counting,
    weighed: &mut Option<Weighed>,
) -> Result<(), WhyNot> {
    let such = |is: bool| if is { Ok(()) } else { Err(WhyNot::NotSuch) };
    match by {
        Exemption::OwnAccount => such(ask.own_account && ask.channel == Channel::RemoteTransfer),
        Exemption::TrustedPayee => such(ask.trusted_payee),
        Exemption::Recurring => match ask.series {
            Series::None => Err(WhyNot::NotSuch),
            Series::First => Err(WhyNot::FirstOfSeries),
            Series::Later => Ok(()),
        },
        Exemption::Corporate => such(ask.corporate),
        Exemption::Unattended => such(ask.channel == Channel::UnattendedTransport),
        Exemption::Contactless => {
            such(ask.channel == Channel::Contactless)?;
            let limits = thresholds.ok_or(WhyNot::NoThreshold)?.contactless;
            by_value(ask, known, limits, known.counters.contactless, counting)
        }
        Exemption::LowValue => {
            such(ask.channel.is_remote())?;
            let limits = thresholds.ok_or(WhyNot::NoThreshold)?.low_value;
            by_value(ask, known, limits, known.counters.low_value, counting)
        }
        Exemption::RiskAnalysis => by_risk(ask, known, thresholds, weighed),
    }
}

/// Art. 11 and 16: not more than so much in one payment, and not more than so much, or so many,
/// since the payer last authenticated.
fn by_value(
    ask: &Ask,
    known: Known<'_>,
    limits: Limits,
    spared: Spared,
    counting: Counting,
) -> Result<(), WhyNot> {
    if known.money.currency != ask.regime.currency() {
        return Err(WhyNot::Currency);
    }
    let amount = known.money.amount.minor();
    if amount > limits.each {
        return Err(WhyNot::Amount);
    }
    if counting != Counting::Count && spared.sum.saturating_add(amount) > limits.sum {
        return Err(WhyNot::Cumulative);
    }
    if counting != Counting::Amount && spared.count >= limits.count {
        return Err(WhyNot::Count);
    }
    Ok(())
}

/// Art. 18: a low risk, and a fraud rate not above the reference of the smallest band that the
/// amount fits.
fn by_risk(
    ask: &Ask,
    known: Known<'_>,
    thresholds: Option<&Thresholds>,
    weighed: &mut Option<Weighed>,
) -> Result<(), WhyNot> {
    let instrument = Instrument::of(ask.channel).ok_or(WhyNot::NotSuch)?;
    let bands = &thresholds.ok_or(WhyNot::NoThreshold)?.bands;
    if bands.is_empty() {
        return Err(WhyNot::NoThreshold);
    }
    if known.money.currency != ask.regime.currency() {
        return Err(WhyNot::Currency);
    }
    let amount = known.money.amount.minor();
    let fitting = bands.iter().filter(|band| amount <= band.amount);
    let band = fitting
        .min_by_key(|band| band.amount)
        .ok_or(WhyNot::Amount)?;
    if ask.low_risk != Some(true) {
        return Err(WhyNot::Risk);
    }
    let rate = known.fraud.ok_or(WhyNot::FraudRate)?;
    let reference_ppm = band.ppm(instrument);
    *weighed = Some(Weighed {
        rate,
        amount: band.amount,
        reference_ppm,
    });
    if rate.is_within(reference_ppm) {
        Ok(())
    } else {
        Err(WhyNot::FraudRate)
    }
}
