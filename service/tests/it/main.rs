//! The service against its contracts.

mod store_mutants;
