//! Matching: which movements of a statement are which payments of ours, and why.
//!
//! **Shape.** [`run`] takes both sides whole and answers with matches and breaks. It goes through
//! the rules from the surest to the weakest; in each it links what shares a key, takes the linked
//! parts one by one, and decides on a part as a whole: one to one, one to many, many to one, many
//! to many.
//!
//! **Never a coin toss.** A part that could be resolved in two ways is an exception that names the
//! candidates; nothing in it is matched. Order of input decides nothing but the order of output.
//!
//! **Bounds.** Sorting and joining: n log n in time, some hundred bytes for each item. Integers only:
//! amounts in minor units, rates in hundredths of a basis point, days by number.
//!
//! **Running again.** What was matched before comes back as [`Standing::Settled`] with the line that
//! settled it, and the same line again changes nothing.

mod engine;
mod group;
mod keys;
mod model;
mod rules;
mod sides;
#[doc(hidden)]
pub mod synthetic;

pub use engine::run;
pub use model::{
    Break, BreakKind, Expected, ExpectedId, Match, Movement, MovementId, Outcome, References, Role,
    RuleName, Standing,
};
pub use rules::{Calendar, FeeRule, Rules};
