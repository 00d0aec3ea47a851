//! Stand-ins for the outside world: the simulators of rails ([`rail`]) and of payment service
//! providers ([`psp`]) as servers of their own, and the whole system on one thread from one seed, with
//! faults at every edge (`world`, behind the feature of that name).

pub mod psp;
pub mod rail;
#[cfg(feature = "world")]
pub mod world;
