//! The portfolio's fraud rates, held against the reference rates of Art. 18.

use axum::{extract::State, response::Response};
use lombard_core::{
    currency::Currency,
    sca::{
        fraud::{DAY_MS, Instrument, Rate, day_of, first_of},
        rules::{Band, Regime},
    },
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::desk;
use crate::{
    http::{
        Api, Call, Page, Problem,
        query::Query,
        reply::shown,
        wire::{Moment, scalar},
    },
    risk::portfolio,
};

/// The rate of an instrument.
#[derive(Serialize, ToSchema)]
#[schema(as = FraudRate)]
struct RateView {
    /// `fraud_rate`.
    #[schema(pattern = "^fraud_rate$")]
    object: &'static str,
    /// Under whose rules: `eu` or `uk`.
    #[schema(value_type = String, pattern = "^(eu|uk)$")]
    regime: Regime,
    /// `card` or `transfer`: remote card payments, or remote credit transfers.
    #[schema(value_type = String, pattern = "^(card|transfer)$")]
    instrument: Instrument,
    #[schema(value_type = scalar::CurrencyCode)]
    currency: Currency,
    /// The beginning of the 90 days.
    #[schema(value_type = scalar::Time)]
    from: Moment,
    /// Their end: the end of today.
    #[schema(value_type = scalar::Time)]
    until: Moment,
    /// What was paid in them, in minor units.
    #[schema(minimum = 0)]
    total: u64,
    /// What of that was fraud, in minor units.
    #[schema(minimum = 0)]
    fraud: u64,
    /// The rate in parts per million, rounded up; absent as long as nothing was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, nullable = false)]
    ppm: Option<u64>,
    /// The bands, in rising order of amounts.
    bands: Vec<BandView>,
}

/// A band of Art. 18.
#[derive(Serialize, ToSchema)]
#[schema(as = FraudRateBand)]
struct BandView {
    /// For payments of so much at the most, in minor units.
    #[schema(minimum = 0)]
    amount_max: u64,
    /// The reference rate, in parts per million.
    #[schema(maximum = 1_000_000)]
    reference_ppm: u32,
    /// Whether payments of this band may be exempt by risk analysis: the rate does not exceed the
    /// reference.
    exempts: bool,
}

/// Rates.
#[derive(ToSchema)]
#[allow(dead_code)] // Only described.
#[schema(as = FraudRatePage)]
struct RatePage {
    data: Vec<RateView>,
    /// Always false.
    has_more: bool,
}

/// List fraud rates
///
/// The value of unauthorised fraud over the value of all remote payments of the last 90 days, today included, for each
/// instrument, and which bands of Art. 18 that leaves open (RTS Art. 18, 19). A payment counts on the day on which it was
/// carried out, in the currency of the regime's thresholds, if it was decided whether its payer must authenticate; fraud is
/// what a label says. Both are counted in the commit of the payment and of the label.
#[utoipa::path(get, path = "/v1/risk/fraud_rates", tag = "risk",
    responses((status = 200, description = "All of them.", body = RatePage)))]
pub async fn list(State(api): State<Api>, call: Call, query: Query) -> Result<Response, Problem> {
    query.finish()?;
    desk(&api)?;
    let app = api.app();
    let now = app.host.now();
    let rules = app.config.sca.rules();
    let mut data = Vec::new();
    for regime in Regime::ALL {
        let bands = rules.at(regime, now).map_or(&[][..], |it| &it.bands);
        for instrument in Instrument::ALL {
            let rate = portfolio::rate(app, call.tenant(), instrument, regime.currency()).await?;
            data.push(RateView::of(regime, instrument, rate, bands, now));
        }
    }
    Ok(shown(&Page::new(data, None::<String>)))
}

impl RateView {
    fn of(
        regime: Regime,
        instrument: Instrument,
        rate: Rate,
        bands: &[Band],
        now: Timestamp,
    ) -> Self {
        let today = day_of(now);
        let band = |band: &Band| BandView {
            amount_max: band.amount,
            reference_ppm: band.ppm(instrument),
            exempts: rate.is_within(band.ppm(instrument)),
        };
        Self {
            object: "fraud_rate",
            regime,
            instrument,
            currency: regime.currency(),
            from: begin_of(first_of(today)),
            until: begin_of(today + 1),
            total: rate.total,
            fraud: rate.fraud,
            ppm: rate.ppm(),
            bands: bands.iter().map(band).collect(),
        }
    }
}

fn begin_of(day: u64) -> Moment {
    Timestamp::from_unix_ms(day * DAY_MS).into()
}
