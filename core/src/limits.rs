//! Every bound of the system that is not another system's, in one place, each with its reason.

/// Legs of one ledger transaction. With an entry a leg, a balance an account and the rest of a
/// commit it must stay below the store's 100 actions.
pub const LEGS_MAX: usize = 32;
/// Entries of a payment's or an account's `metadata`; enough for references, too few to be a
/// second database.
pub const METADATA_ENTRIES_MAX: usize = 20;
/// Characters of a metadata key.
pub const METADATA_KEY_MAX: usize = 40;
/// Characters of a metadata value.
pub const METADATA_VALUE_MAX: usize = 500;
/// Characters of an idempotency key, as at Stripe and in most clients.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;
/// Characters of an end-to-end id (ISO 20022 `Max35Text`).
pub const END_TO_END_ID_MAX: usize = 35;
/// Characters of a name before any scheme's own rule (ISO 20022 `Max140Text`).
pub const NAME_MAX: usize = 140;
/// Characters of unstructured remittance information (ISO 20022 `Max140Text`).
pub const REMITTANCE_MAX: usize = 140;
/// Events that one payment may gather. A payment that hears more is in a loop with the outside
/// world; what comes after is acknowledged and not stored.
pub const EVENTS_MAX: u32 = 200;
/// How long a payment may wait for funds or for a verification unless it says otherwise: a day.
pub const WAIT_MS_DEFAULT: u64 = 24 * 60 * 60 * 1000;
/// How far ahead a payment may be scheduled: a year and a day, as banks take standing and
/// forward-dated orders.
pub const SCHEDULE_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1000;
/// How long a hold may stand: the 30 days after which card schemes drop authorisations.
pub const HOLD_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1000;
