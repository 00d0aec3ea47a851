//! What a payment costs on AWS: operations counted, times prices, in integers.
//!
//! **Shape.** [`usage`] says what a payment asks for, from files that are reviewed and, for the
//! store, measured. [`prices`] says what each operation costs, from a dated table. [`choices`] says
//! which of several services does a thing. [`bill`] multiplies, for a number of payments a month;
//! [`matrix`] lays the choices side by side, and [`chart`] draws them.
//!
//! **Bounds.** Money is counted in femto-units of a currency (10⁻¹⁵), because a millisecond of a
//! function costs about 10⁻⁸; counts in 10⁻¹². Both are `u128`, so a thousand billion payments fit.
//! Divisions round down, a thousand million times below a penny.
//!
//! **What it is not.** Not a bill: no free tier, no discount, no tax, no support plan. It prices what
//! the templates in `deploy/` deploy, and the choices that were not taken.

pub mod amount;
pub mod bill;
pub mod chart;
pub mod choices;
pub mod matrix;
pub mod meter;
pub mod prices;
pub mod usage;

pub use amount::{Count, Femto};
pub use bill::{Bill, Weather, estimate};
pub use choices::Choices;
pub use meter::Meter;
pub use prices::PriceTable;
pub use usage::{Around, Measured};

/// Hours of a month, as AWS counts it.
pub const HOURS: u64 = 730;
/// Seconds of such a month.
pub const SECONDS: u64 = HOURS * 3600;
/// What a straight-through payment may cost: £0.00005 (design, section 6).
pub const TARGET: Femto = Femto::new(50_000_000_000);
