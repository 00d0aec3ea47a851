//! Lombard.
fn main() {}
