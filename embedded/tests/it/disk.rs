//! The disk of these tests: the one that simulations use as well.

pub use lombard_embedded::disk::simulated::{Effect, Fault, SimDisk};
