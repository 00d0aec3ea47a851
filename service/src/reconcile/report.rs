//! What a run came to: the answer to an upload, and the close of each statement.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::scalar::{DeviationText, SignedMinorUnits};

/// What a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct Report {
    /// `reconciliation`.
    #[schema(pattern = "^reconciliation$")]
    pub object: &'static str,
    /// The format that the file has.
    #[schema(max_length = 40)]
    pub format: String,
    /// The source that it was held to be of.
    #[schema(max_length = 60)]
    pub source: String,
    /// Booked lines.
    pub lines: u64,
    /// Lines that are payments of ours.
    pub matched: u64,
    /// Fees, payouts, reserves and the like.
    pub explained: u64,
    /// What does not agree and nobody has resolved.
    pub exceptions: Vec<Told>,
    /// Of the first statement, in minor units, where all are of one account.
    #[schema(value_type = Option<SignedMinorUnits>)]
    pub opening: Option<i64>,
    /// Of the last.
    #[schema(value_type = Option<SignedMinorUnits>)]
    pub closing: Option<i64>,
    /// What is odd about the file as a whole, such as a gap between its statements.
    #[schema(value_type = Vec<DeviationText>, max_items = 100)]
    pub deviations: Vec<String>,
    /// Each statement by itself.
    pub statements: Vec<Close>,
}

/// One thing that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReconciliationException)]
pub struct Told {
    /// What is wrong.
    #[schema(pattern = "^[a-z_]{1,40}$")]
    pub kind: &'static str,
    /// What is at stake, in minor units.
    #[schema(value_type = SignedMinorUnits)]
    pub amount: i64,
    /// Of which currency.
    #[schema(max_length = 3)]
    pub currency: Option<String>,
    /// The payment's end-to-end id, or the line's reference.
    #[schema(max_length = 200)]
    pub reference: String,
    /// In a sentence.
    #[schema(max_length = 1000)]
    pub why: String,
    /// The exception.
    #[schema(max_length = 40)]
    pub id: String,
}

/// The close of a statement: `opening + matched + explained + open = closing` when it adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StatementClose)]
pub struct Close {
    /// The account.
    #[schema(max_length = 200)]
    pub account: String,
    /// Its currency.
    #[schema(max_length = 3)]
    pub currency: Option<String>,
    /// The statement's own name.
    #[schema(max_length = 200)]
    pub id: String,
    /// Before its lines, in minor units.
    #[schema(value_type = Option<SignedMinorUnits>)]
    pub opening: Option<i64>,
    /// After them.
    #[schema(value_type = Option<SignedMinorUnits>)]
    pub closing: Option<i64>,
    /// Booked lines.
    pub lines: u64,
    /// What lines that are payments of ours add up to.
    #[schema(value_type = SignedMinorUnits)]
    pub matched: i64,
    /// What fees, payouts and the like add up to.
    #[schema(value_type = SignedMinorUnits)]
    pub explained: i64,
    /// What the rest adds up to.
    #[schema(value_type = SignedMinorUnits)]
    pub open: i64,
    /// Whether its sums hold; `null` where it has none.
    pub consistent: Option<bool>,
    /// What is odd about it; `lombard inspect` lists it.
    pub deviations: u64,
    /// Nothing of it was posted, because it contradicts itself.
    pub quarantined: bool,
}
