//! Lombard.
