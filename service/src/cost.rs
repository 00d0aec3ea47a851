//! The figures of what a payment costs on AWS, as they stand in `docs/cost`: what it asks for,
//! measured or counted, and what that is charged with.

use std::sync::LazyLock;

use lombard_core::cost::{Around, Bill, Choices, Measured, PriceTable, Weather, estimate};

/// The price table.
pub const PRICES: &str = include_str!("../../docs/cost/prices-eu-west-2.toml");
/// The store's operations for a payment.
pub const MEASURED: &str = include_str!("../../docs/cost/operations.json");
/// What turns of the verifiable log ask for.
pub const TURNS: &str = include_str!("../../docs/cost/turns.json");
/// Everything else that it asks for.
pub const AROUND: &str = include_str!("../../docs/cost/around.toml");

/// All that the model reads.
pub struct Figures {
    /// What things cost.
    pub prices: PriceTable,
    /// What the store is asked for.
    pub measured: Measured,
    /// What else is.
    pub around: Around,
}

/// Our own figures, which are part of the program: that they can be read is a test's to say.
static OURS: LazyLock<Figures> = LazyLock::new(|| Figures {
    prices: toml::from_str(PRICES).expect("docs/cost has prices"),
    measured: serde_json::from_str::<Measured>(MEASURED)
        .expect("docs/cost has operations")
        .with_turns(serde_json::from_str(TURNS).expect("docs/cost has turns")),
    around: toml::from_str(AROUND).expect("docs/cost has what is around"),
});

/// What so many payments a month cost as the templates deploy it, with the table that prices them.
#[must_use]
pub fn as_deployed(payments: u64, weather: Weather) -> (&'static PriceTable, Bill) {
    let Figures {
        prices,
        measured,
        around,
    } = &*OURS;
    let bill = estimate(
        prices,
        measured,
        around,
        Choices::default(),
        payments,
        weather,
    );
    (
        prices,
        bill.expect("our own table prices what our own templates deploy"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_figures_price_any_month() {
        for payments in [1, 1_000_000, 1_000_000_000_000] {
            let (prices, ordinary) = as_deployed(payments, Weather::Ordinary);
            let (_, calm) = as_deployed(payments, Weather::Calm);
            assert_eq!(prices.exchange.to, "GBP");
            assert!(ordinary.per_payment() > calm.per_payment(), "{payments}");
        }
    }
}
