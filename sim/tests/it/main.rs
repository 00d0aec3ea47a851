//! The rails end to end: the real workers, the real way in and out, over a memory store, against
//! the simulator.

mod charges;
mod doubt;
mod faults;
mod inbound;
mod outage;
mod outbound;
mod recalls;
mod seeds;
mod settlement;
mod world;
