//! The embedded store, tested to destruction.

mod backup;
mod disk;
mod engine_bank;
mod engine_faults;
mod engine_help;
mod engine_model;
mod log_crash;
mod log_damage;
mod log_faults;
mod log_help;
