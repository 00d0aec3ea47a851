//! Stand-ins for the outside world: the rail simulator as a server of its own ([`rail`]), and the
//! whole system on one thread from one seed, with faults at every edge (`world`, behind the feature
//! of that name).

pub mod rail;
#[cfg(feature = "world")]
pub mod world;
