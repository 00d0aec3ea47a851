//! `batch_csv` of `targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lombard_fuzz::targets::batch_csv(bytes));
