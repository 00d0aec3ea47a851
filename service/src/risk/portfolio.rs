//! The portfolio's fraud rates, by which Art. 18 of the RTS exempts: what of them is known when a
//! payment is asked for, and what a label adds to them.
//!
//! **Exact.** A payment joins its portfolio in the commit that carries it out (`core`'s plan), and its
//! fraud in the commit of the label that tells of it ([`Joining`]), whichever comes first; so each
//! counts once, however many are told at once. Fraud is what was not authorised: a payer who was
//! deceived into a payment authorised it, and a claim of that counts for no rate here.
//!
//! **Unknown.** Where nobody judges payments nobody labels them either, and a rate without fraud
//! would say nothing: there it is not known, and nothing is exempt by it.

use std::time::Duration;

use lombard_core::{
    command::Pay,
    currency::Currency,
    id::Id,
    payment::Payment,
    plan::keys,
    sca::{
        fraud::{Day, Instrument, Portfolio, Rate, Unauthorised, day_of},
        rules::Regime,
    },
    store::{Body, Key, Snapshot, WriteSet, decode},
    tenant::TenantId,
    time::Timestamp,
};
use tokio::sync::watch;
use tracing::warn;

use super::label::Label;
use crate::{
    app::App,
    metrics::{METRICS, label::Portfolio as Series},
    ports::ReadError,
    tenants,
    worker::feed::rest,
};

/// How often the rates are looked up for the metrics, in milliseconds.
const LOOK_MS: u64 = 60_000;

/// The rate of an instrument over the quarter that ends today.
///
/// # Errors
/// When the store cannot be read.
pub async fn rate(
    app: &App,
    tenant: TenantId,
    instrument: Instrument,
    currency: Currency,
) -> Result<Rate, ReadError> {
    let places: Vec<Key> = keys::portfolio_whole(tenant, instrument, currency).collect();
    let found = app.store.get(&places).await?;
    let parts = found.into_iter().flatten();
    let parts = parts.map(|record| decode::<Portfolio>(&record.body.bytes));
    let days: Vec<(u64, Day)> = parts
        .flat_map(|part| part.days().collect::<Vec<_>>())
        .collect();
    Ok(Rate::of(days, day_of(app.host.now())))
}

/// Tells a payment that is asked for what fraud there is in its portfolio, if its exemption may
/// hang on that. What cannot be read is not known, and exempts nothing.
pub async fn inform(app: &App, tenant: TenantId, pay: &mut Pay) {
    let Some(wish) = pay.sca.as_mut().filter(|_| app.risk.is_some()) else {
        return;
    };
    let low_risk = wish.ask.low_risk == Some(true);
    let instrument = Instrument::counts(&wish.ask, pay.money).filter(|_| low_risk);
    let Some(instrument) = instrument else {
        return;
    };
    match rate(app, tenant, instrument, pay.money.currency).await {
        Ok(rate) => wish.fraud = Some(rate),
        Err(error) => warn!(%error, "the fraud rate is not known for a payment"),
    }
}

/// What a label's commit reads and writes beside the label, so that fraud joins its portfolio.
pub struct Joining {
    payment: Key,
    mark: Key,
    portfolio: Key,
}

impl Joining {
    /// Of a payment, if it is of a portfolio.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn of(
        app: &App,
        tenant: TenantId,
        id: Id<Payment>,
    ) -> Result<Option<Self>, ReadError> {
        let place = keys::payment(tenant, id);
        let payment: Option<Payment> = app.value(&place).await?;
        let asked = payment.and_then(|it| Some((it.sca?.ask, it.money)));
        let portfolio = asked.and_then(|(ask, money)| {
            let instrument = Instrument::counts(&ask, money)?;
            Some(keys::portfolio(tenant, instrument, money.currency, id))
        });
        Ok(portfolio.map(|portfolio| Self {
            payment: place,
            mark: keys::unauthorised(tenant, id),
            portfolio,
        }))
    }

    /// What must be read, under guard.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        [&self.payment, &self.mark, &self.portfolio]
            .into_iter()
            .cloned()
    }

    /// Adds to the writes of a label what follows from it. A payment that is carried out later brings
    /// its fraud itself.
    pub fn write(&self, read: &Snapshot, writes: &mut WriteSet, label: &Label, now: Timestamp) {
        if !label.is_unauthorised() || read.get(&self.mark).is_some() {
            return;
        }
        let told_at = label.told_at;
        writes.put(&self.mark, Body::of(&Unauthorised { told_at }));
        let Some(payment) = read.value::<Payment>(&self.payment) else {
            return;
        };
        let Some(day) = payment.sca.and_then(|state| state.carried_out) else {
            return;
        };
        let mut portfolio: Portfolio = read.value(&self.portfolio).unwrap_or_default();
        let fraud = payment.money.amount.minor();
        portfolio.add(day, Day { total: 0, fraud }, day_of(now));
        writes.put(&self.portfolio, Body::of(&portfolio));
    }
}

/// Shows the highest rate of any tenant in the metrics, until `stop` turns true.
pub async fn watch(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = look(&app).await {
            warn!(%error, "the fraud rates are not known");
        }
        if rest(&mut stop, LOOK_MS).await {
            return;
        }
    }
}

async fn look(app: &App) -> Result<(), ReadError> {
    let tenants = tenants::ids(app).await?;
    for (regime, instrument, series) in [
        (Regime::Eu, Instrument::Card, Series::EuCard),
        (Regime::Eu, Instrument::Transfer, Series::EuTransfer),
        (Regime::Uk, Instrument::Card, Series::UkCard),
        (Regime::Uk, Instrument::Transfer, Series::UkTransfer),
    ] {
        let mut highest = 0;
        for tenant in &tenants {
            let rate = rate(app, *tenant, instrument, regime.currency()).await?;
            highest = highest.max(rate.ppm().unwrap_or(0));
        }
        let share = Duration::from_micros(highest).as_secs_f64();
        METRICS.fraud_rate.of((series,)).set(share);
    }
    Ok(())
}
