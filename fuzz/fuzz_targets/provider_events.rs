//! `provider_events` of `targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lombard_fuzz::targets::provider_events(bytes));
