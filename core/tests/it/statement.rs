//! Reading statements: small cases of our own, and the collections beside the repo.

mod cases;
mod collections;
mod mapped;
