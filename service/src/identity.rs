//! Who somebody is, when he shows no key of ours: tokens that an issuer signed, and people who
//! sign in.
//!
//! **Shape.** Whoever acts has a credential ([`crate::tenants::ApiKey`]) with its access, its
//! networks, its end and its place on record. What differs is how its bearer proves that it is
//! his: by the credential's own text, by a token of an issuer ([`issuer`], checked with
//! [`jose`]), or by signing in: with an account of ours ([`person`]), or with one that an
//! OpenID provider vouches for ([`code`]). So that revoking, listing, approving and auditing are
//! the same for all of them.
//!
//! **Invariants.** A token is taken for its issuer's keys, issuer, audience and time, never for
//! what it says of its own algorithm alone. Whoever fails to sign in learns that he failed, and
//! not at what.

pub mod code;
pub mod entry;
pub mod issuer;
pub mod jose;
pub mod person;

pub use issuer::{Claims, Issuer, Issuers, TokenError};
