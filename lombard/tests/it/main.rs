//! The command `lombard` as its users meet it: processes, their output and their exit codes.

// A test that is skipped says so, by name, where the run can count it.
#![allow(clippy::print_stderr)]

mod alerts;
mod analyst;
#[cfg(feature = "aws")]
mod aws;
mod bench;
mod clients;
mod data_folder;
mod detection;
mod disk;
mod doctor;
mod evidence;
mod fraud;
mod guides;
mod metrics;
mod migration;
mod offline;
mod overload;
mod provoked;
mod seeds;
mod server;
mod sources;
mod tenants;
mod tour;
mod verify;
