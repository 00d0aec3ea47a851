//! What a statement says, whatever format it came in.

use serde::{Deserialize, Serialize};
use time::Date;

use super::Unit;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// ISO 20022 BankToCustomerAccountReport: what happened so far today.
    #[serde(rename = "camt.052")]
    Camt052,
    /// ISO 20022 BankToCustomerStatement: a day that is closed.
    #[serde(rename = "camt.053")]
    Camt053,
    /// ISO 20022 BankToCustomerDebitCreditNotification.
    #[serde(rename = "camt.054")]
    Camt054,
    /// SWIFT customer statement.
    Mt940,
    /// SWIFT interim transaction report.
    Mt942,
    /// BAI cash management balance reporting, version 2.
    Bai2,
    /// Stripe: payout reconciliation, itemised.
    StripePayout,
    /// Stripe: balance change from activity, itemised; or its balance transactions.
    StripeBalance,
    /// Adyen: settlement detail report.
    AdyenSettlement,
    /// PayPal: settlement report.
    PaypalStl,
    /// Checkout.com: settlement breakdown, or financial actions.
    Checkout,
    /// A table that a mapping file explains.
    Csv,
}

impl Format {
    /// As it is written in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Camt052 => "camt.052",
            Self::Camt053 => "camt.053",
            Self::Camt054 => "camt.054",
            Self::Mt940 => "mt940",
            Self::Mt942 => "mt942",
            Self::Bai2 => "bai2",
            Self::StripePayout => "stripe_payout",
            Self::StripeBalance => "stripe_balance",
            Self::AdyenSettlement => "adyen_settlement",
            Self::PaypalStl => "paypal_stl",
            Self::Checkout => "checkout",
            Self::Csv => "csv",
        }
    }
}

impl Format {
    /// Whether each statement of an account begins where the one before ended.
    #[must_use]
    pub const fn is_of_an_account(self) -> bool {
        matches!(self, Self::Camt053 | Self::Mt940 | Self::Bai2)
    }

    /// Whether it is a provider's report on what it pays out, and not a bank's.
    #[must_use]
    pub const fn is_of_a_provider(self) -> bool {
        matches!(
            self,
            Self::StripePayout
                | Self::StripeBalance
                | Self::AdyenSettlement
                | Self::PaypalStl
                | Self::Checkout
        )
    }

    /// Whether it may be told again, with more in it, before its day is over.
    #[must_use]
    pub const fn is_interim(self) -> bool {
        matches!(
            self,
            Self::Camt052 | Self::Camt054 | Self::Mt942 | Self::StripeBalance
        )
    }
}

/// A statement among those of one reading: its place, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatementNumber(pub usize);

/// How a statement begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The exact message, such as `camt.053.001.08`, where the format has versions.
    pub message: Option<String>,
    /// The statement's own name, as its maker gave it; of a PSP the payout or batch.
    pub id: String,
    /// The account: IBAN, account number, or merchant account. Empty when it is not said.
    pub account: String,
    /// The currency of the account.
    pub unit: Option<Unit>,
    /// Its place among the statements of the account.
    pub sequence: Option<Sequence>,
    /// The first and last day, where they are said.
    pub from: Option<Date>,
    /// See `from`.
    pub to: Option<Date>,
    /// What was there before its lines.
    pub opening: Option<Balance>,
}

/// The number of a statement, and of its page where one statement comes in several messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Sequence {
    /// The statement.
    pub number: u64,
    /// The page, from 1, where pages are numbered.
    pub page: Option<u64>,
}

/// What is there at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Minor units; negative when the account is overdrawn.
    pub minor: i64,
    /// At the end, or the beginning, of which day.
    #[serde(serialize_with = "day")]
    pub date: Option<Date>,
}

/// Whether a line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is in the balance.
    #[default]
    Booked,
    /// It is expected and not in the balance.
    Pending,
    /// It is told for information only.
    Information,
}

/// What a line is about, as far as its source says so.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A payment, or not said.
    #[default]
    Payment,
    /// Money given back to a payer.
    Refund,
    /// Money taken back by a payer's bank.
    Chargeback,
    /// A chargeback that was won.
    ChargebackReversed,
    /// What the bank or PSP charges for its service.
    Fee,
    /// The PSP pays out what it holds.
    Payout,
    /// One currency given for another.
    Exchange,
    /// Money kept back, or given free again.
    Reserve,
    /// Carried to or from another period or account of the same provider.
    Transfer,
    /// Put right by the provider.
    Correction,
}

/// What a reference is, so that the strongest is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefKind {
    /// The UETR: an UUID that travels end to end.
    Uetr,
    /// The end-to-end id.
    EndToEnd,
    /// The transaction id of the first bank, or of the clearing.
    Transaction,
    /// The instruction id: between the payer and its bank.
    Instruction,
    /// The PSP's own name of the payment.
    PspPayment,
    /// The PSP's own name of this movement: a balance transaction, a modification.
    PspMovement,
    /// The merchant's reference at the PSP.
    Merchant,
    /// The customer's reference of a bank statement.
    Customer,
    /// The bank's own reference of the line.
    Bank,
    /// A direct-debit mandate.
    Mandate,
    /// A creditor reference or an invoice.
    Invoice,
    /// The batch, payment-information or payout id that a group of movements shares.
    Group,
}

impl RefKind {
    /// Whether no two lines of an account have the same: the bank or PSP gives it to one movement.
    #[must_use]
    pub const fn is_of_one_line(self) -> bool {
        matches!(
            self,
            Self::Uetr | Self::Transaction | Self::PspMovement | Self::Bank
        )
    }
}

/// One movement of money, or one that is announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Minor units: positive when the account gets them.
    pub minor: i64,
    /// Of what, which nearly always is the account's currency.
    pub unit: Option<Unit>,
    /// Whether it counts.
    pub state: State,
    /// It takes back an earlier line.
    pub reversal: bool,
    /// What it is about.
    pub kind: Kind,
    /// The day on which it was entered.
    pub booked: Option<Date>,
    /// The day from which interest counts.
    pub value: Option<Date>,
    /// What it can be recognised by.
    pub references: Vec<(RefKind, String)>,
    /// What the payer paid, in minor units of `unit`, where fees were kept back.
    pub gross: Option<i64>,
    /// What was kept back for fees, positive when the account pays it.
    pub fee: Option<i64>,
    /// What was paid in another currency.
    pub original: Option<(i64, Unit)>,
    /// The source's own code for what happened.
    pub code: String,
    /// What was written for the other side.
    pub text: String,
    /// The parts of a line that books several movements at once.
    pub details: Vec<Detail>,
}

impl Line {
    /// Adds a reference, unless the source's way of saying nothing.
    pub fn refer(&mut self, kind: RefKind, text: &str) {
        refer(&mut self.references, kind, text);
    }
}

/// One of several movements that a bank books as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Minor units of the line's currency, signed as the line is; `None` when it is not said.
    pub minor: Option<i64>,
    /// What was kept back for fees.
    pub fee: Option<i64>,
    /// What it can be recognised by.
    pub references: Vec<(RefKind, String)>,
    /// What was written for the other side.
    pub text: String,
}

/// The longest reference that is kept: real ones have at most 105 characters.
const REFERENCE_MAX: usize = 140;

/// Adds a reference, unless it says nothing. `NOTPROVIDED` and `NONREF` are the standards' own words
/// for none (EPC AOS rules; SWIFT `:61:` subfield 7).
pub fn refer(references: &mut Vec<(RefKind, String)>, kind: RefKind, text: &str) {
    let text = text.trim();
    let none = ["NOTPROVIDED", "NONREF", "NOREF", "N/A", "NONE", "NULL"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    let nothing = !text.bytes().any(|byte| byte.is_ascii_alphanumeric()) && text.is_ascii();
    if none || nothing {
        return;
    }
    let kept: String = text.chars().take(REFERENCE_MAX).collect();
    if !references
        .iter()
        .any(|known| *known == (kind, kept.clone()))
    {
        references.push((kind, kept));
    }
}

/// How a statement ends, and what became of its sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The account.
    pub account: String,
    /// Its currency.
    pub currency: Option<Unit>,
    /// Before the lines, in minor units.
    pub opening: Option<i64>,
    /// After them.
    pub closing: Option<i64>,
    /// How many lines there are, pending ones included.
    pub entries: u64,
    /// The booked credits, in minor units.
    pub credits: i64,
    /// The booked debits, in minor units.
    pub debits: i64,
    /// Whether opening + credits − debits is closing and all other sums hold; `null` where the
    /// source gives nothing to hold them against.
    pub consistent: Option<bool>,
    /// Closing − (opening + credits − debits).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<i64>,
    /// What the source did otherwise than its standard says.
    pub deviations: Vec<Deviation>,
    /// How many there are; only the first are kept.
    pub deviation_count: u64,
    /// How many of the entries are not booked.
    pub not_booked: u64,
    /// The statement's own name.
    pub id: String,
    /// Its place among the account's statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// The day of the opening balance.
    #[serde(serialize_with = "day")]
    pub opening_date: Option<Date>,
    /// The day of the closing balance.
    #[serde(serialize_with = "day")]
    pub closing_date: Option<Date>,
}

/// Something that a source did otherwise than its standard says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deviation {
    /// Where: a line of the file, or an element.
    pub at: String,
    /// Which rule.
    pub rule: Rule,
    /// In a sentence.
    pub message: String,
}

/// What can be wrong with a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Opening + lines ≠ closing.
    Balance,
    /// A summary of the source does not hold: its number of entries, or their sum.
    Total,
    /// A check sum of the source does not hold: a control total, or gross − fee = net.
    Control,
    /// A part that must be there is not.
    Missing,
    /// A part cannot be understood; what it says is not counted.
    Unreadable,
    /// An amount cannot be one of its currency.
    Amount,
    /// A currency other than the account's, or none that is known.
    Currency,
    /// A date cannot be one.
    Date,
    /// The characters are not in the encoding that the standard asks for.
    Encoding,
    /// Parts come in another order than the standard's.
    Order,
    /// The file is cut short or its markup is broken.
    Broken,
    /// The same line comes twice.
    Duplicate,
    /// Statements are missing between this and the one before.
    Gap,
    /// A part is longer than is kept.
    Limit,
    /// An older or local way of writing that is understood.
    Variant,
}

/// A day as ISO 8601, or nothing.
pub(super) fn day<S: serde::Serializer>(date: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => to.collect_str(date),
        None => to.serialize_none(),
    }
}
