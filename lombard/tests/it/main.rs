//! The command `lombard` as its users meet it: processes, their output and their exit codes.

mod clients;
mod data_folder;
mod offline;
mod server;
mod tour;
mod verify;
