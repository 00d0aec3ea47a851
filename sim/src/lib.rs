//! Stand-ins for the outside world: the rail simulator.

pub mod rail;
