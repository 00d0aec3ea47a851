//! What is fuzzed, and what must hold whatever the bytes are. One function a target; a panic is a
//! finding.

pub mod api;
pub mod disk;
pub mod targets;
