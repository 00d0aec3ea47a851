//! The embedded store, tested to destruction.

mod disk;
mod log_crash;
mod log_damage;
mod log_faults;
mod log_help;
