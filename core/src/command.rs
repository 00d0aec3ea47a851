//! What can be asked of Lombard. Everything in a command is already valid by type, tokenised and
//! free of personal data; ids were drawn by the host that took it in.

mod charge;
mod lines;
mod provider;
mod rejection;
mod repair;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    currency::Currency,
    hold::Hold,
    id::Id,
    idempotency::Idempotency,
    ledger::{Account, Alias, Balance, Leg, Transaction},
    lifecycle::Stage,
    mandate::Agency,
    money::{Amount, Money},
    payment::{Batch, External, OnInsufficientFunds, Party, Payment, Sealed, Warning},
    rail::Rail,
    reason::Reason,
    risk::Assessment,
    sca::challenge::Binding,
    tenant::TenantId,
    time::Timestamp,
    timer::{Due, Timer},
};

pub use charge::MakeCharge;
pub use lines::{
    LINES_MAX, LineRecord, Payout, Posting, SETTLES_MAX, TOGETHER_MAX, TakeLines, TakenLine,
};
pub use provider::{EventOutcome, Heard, ProviderEvent};
pub use rejection::Rejection;
pub use repair::{Bearer, Mend, Repair};

/// Something asked, by somebody, for a tenant.
#[derive(Clone, Debug)]
pub struct Command {
    /// For whom.
    pub tenant: TenantId,
    /// By whom: `key/…`, `rail/fps`, `worker/enquiry`, `operator/…`.
    pub actor: Arc<str>,
    /// The W3C trace id under which it came.
    pub trace: Option<String>,
    /// The caller's wish to be answered once. Workers have none: what they report is idempotent
    /// by itself.
    pub idempotency: Option<Idempotency>,
    /// What.
    pub act: Act,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Act {
    /// Open an account.
    OpenAccount(OpenAccount),
    /// Close an account that has nothing in it and nothing pending.
    CloseAccount(Id<Account>),
    /// Write a balanced transaction of the tenant's own.
    PostLegs(PostLegs),
    /// Promise money between two accounts.
    PlaceHold(PlaceHold),
    /// Make a promise good, in full (`None`) or in part.
    PostHold(Id<Hold>, Option<Amount>),
    /// Take a promise back.
    VoidHold(Id<Hold>),
    /// Pay.
    Pay(Box<Pay>),
    /// Take in a payment that a rail brought.
    Receive(Box<Receive>),
    /// Take a payment back before it leaves.
    Cancel(Id<Payment>),
    /// A person or a check has answered what a payment waited for.
    Verify(Id<Payment>, Verification),
    /// Ask the payer to authenticate.
    Challenge(Id<Payment>),
    /// Take in the payer's answer: for which binding, and whether every factor was proved.
    AnswerChallenge(Id<Payment>, Binding, bool),
    /// Look again whether a waiting payment's account has the money.
    RetryFunds(Id<Payment>),
    /// Look again whether the parties of a payment that waits for them let it go ahead.
    RetryParties(Id<Payment>),
    /// What a rail, or the silence of a rail, tells of a payment.
    Report(Id<Payment>, Report),
    /// Send the money of an incoming or internal payment back, in full (`None`) or in part.
    Return(ReturnPayment),
    /// Take in a return that a rail brought.
    ReceiveReturn(ReceiveReturn),
    /// Take money from a card.
    Charge(Box<MakeCharge>),
    /// Take the money that a card's bank has promised, in full (`None`) or in part.
    Capture(Id<Payment>, Option<Amount>),
    /// Let go of the money that a card's bank has promised.
    Void(Id<Payment>),
    /// Let a charge go through another provider, because the one that it has was not reached.
    Reroute(Id<Payment>, String),
    /// Ask for the money of an outgoing payment back.
    AskRecall(Id<Payment>, Reason, String),
    /// Take in the other bank's wish to have the money back.
    ReceiveRecall(Id<Payment>, RecallWish),
    /// Take in, or give, the refusal of a recall, with the code of why.
    RefuseRecall(Id<Payment>, String),
    /// Take in what a payment service provider told.
    Hear(Box<Heard>),
    /// Take in what lines of a statement came to, all of it in one commit: see [`TakeLines`].
    TakeLines(Vec<TakeLines>),
    /// Put right what no machine could finish.
    Repair(Box<Repair>),
    /// A timer is due.
    Fire(Timer),
    /// Add house accounts' legs of committed transactions to their balances.
    RollUp(RollUp),
}

/// Opens an account.
#[derive(Clone, Debug)]
pub struct OpenAccount {
    /// Its id, of the kind that it shall be.
    pub id: Id<Account>,
    /// A label.
    pub name: String,
    /// Its currency.
    pub currency: Currency,
    /// Its bank addresses, blinded.
    pub aliases: Vec<Alias>,
    /// The holder's name and the addresses in full, sealed.
    pub sealed: Option<Sealed>,
    /// The tenant's own references.
    pub metadata: BTreeMap<String, String>,
}

/// Writes a transaction.
#[derive(Clone, Debug)]
pub struct PostLegs {
    /// Its id.
    pub id: Id<Transaction>,
    /// Its legs, all on the posted layer.
    pub legs: Vec<Leg>,
}

/// Places a hold.
#[derive(Clone, Debug)]
pub struct PlaceHold {
    /// Its id.
    pub id: Id<Hold>,
    /// Who would pay.
    pub debtor: Id<Account>,
    /// Who would be paid.
    pub creditor: Id<Account>,
    /// How much.
    pub money: Money,
    /// For how long, in milliseconds.
    pub expires_in_ms: u64,
}

/// Sends a payment.
#[derive(Clone, Debug)]
pub struct Pay {
    /// Its id.
    pub id: Id<Payment>,
    /// Over which rail.
    pub rail: Rail,
    /// How much.
    pub money: Money,
    /// From which account of ours.
    pub debtor: Id<Account>,
    /// To whom.
    pub creditor: Party,
    /// The id that both ends see.
    pub end_to_end_id: String,
    /// What to do when the money is lacking.
    pub on_insufficient_funds: OnInsufficientFunds,
    /// Why somebody must confirm it first, if somebody must.
    pub verification: Option<Reason>,
    /// When it is to be carried out, if that is later than now.
    pub execute_at: Option<Timestamp>,
    /// By whom it is made, where a machine makes it: its mandate is spent.
    pub agency: Option<Agency>,
    /// Whether somebody else than who gives the order must approve it.
    pub needs_approval: bool,
    /// By what it is decided whether the payer must authenticate; not decided here when absent.
    pub sca: Option<Box<crate::sca::Wish>>,
    /// The rules that ask for the state of its parties.
    pub parties: Vec<crate::party::Rule>,
    /// How long it may wait for funds or verification, in milliseconds; of a scheduled payment,
    /// how long after its day.
    pub wait_ms: u64,
    /// Names, account numbers and remittance text, sealed.
    pub sealed: Option<Sealed>,
    /// What of its texts the rail does not carry as they were given.
    pub warnings: Vec<Warning>,
    /// The tenant's own references.
    pub metadata: BTreeMap<String, String>,
    /// The batch that it came in.
    pub batch: Option<Id<Batch>>,
    /// What risk says of it, where risk is asked.
    pub risk: Option<Assessment>,
}

/// Takes in a payment that a rail brought.
#[derive(Clone, Debug)]
pub struct Receive {
    /// Its id, derived from the rail's own.
    pub id: Id<Payment>,
    /// Over which rail.
    pub rail: Rail,
    /// How much.
    pub money: Money,
    /// From whom.
    pub debtor: External,
    /// For which account of ours; `None` puts it into suspense.
    pub creditor: Option<Id<Account>>,
    /// The id that both ends see.
    pub end_to_end_id: String,
    /// The rail's reference.
    pub rail_reference: String,
    /// Names, account numbers and remittance text, sealed.
    pub sealed: Option<Sealed>,
}

/// The answer that a payment in verification waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Go on.
    Passed,
    /// Do not.
    Refused(Reason),
}

/// What a rail tells of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It is about to leave. Committed before the call.
    Submitted,
    /// A card's bank promises the money of a charge; with the provider's reference.
    Authorised(Option<String>),
    /// The provider neither captured a charge nor let go of it; the promise stands.
    CompletionRefused(Reason, String),
    /// The final yes, with the rail's reference.
    Accepted(Option<String>),
    /// The final no.
    Rejected(Reason, String),
    /// No answer in time, or an answer that says nothing yet.
    TimedOut,
    /// The rail has never heard of it.
    NeverArrived,
    /// Reconciliation found it.
    SettlementFound,
}

/// Sends money back.
#[derive(Clone, Debug)]
pub struct ReturnPayment {
    /// The return's own id.
    pub id: Id<Payment>,
    /// Whose money goes back.
    pub original: Id<Payment>,
    /// How much; `None` for all that remains.
    pub amount: Option<Amount>,
    /// Why.
    pub reason: Reason,
}

/// Takes in a return.
#[derive(Clone, Debug)]
pub struct ReceiveReturn {
    /// The return's own id, derived from the rail's.
    pub id: Id<Payment>,
    /// Whose money came back.
    pub original: Id<Payment>,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: Reason,
    /// The rail's code behind `reason`.
    pub reason_code: String,
    /// The rail's reference.
    pub rail_reference: String,
}

/// The other bank's wish.
#[derive(Clone, Debug)]
pub struct RecallWish {
    /// Why.
    pub reason: Reason,
    /// The rail's code behind `reason`.
    pub reason_code: String,
    /// The case under which they know it.
    pub case: String,
}

/// Adds up house accounts.
#[derive(Clone, Debug)]
pub struct RollUp {
    /// The shard of the change feed that was read.
    pub shard: u16,
    /// Up to which place.
    pub upto: u64,
    /// The transactions up to this place that may not have been counted yet, in the order of the
    /// feed, each with its own place and its tenant. Those that were counted are passed over, so
    /// two runners of one shard do no harm.
    pub transactions: Vec<(u64, TenantId, Transaction)>,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status of the answer.
    pub status: u16,
    /// The answer, in JSON. The same bytes for every retry.
    pub body: Arc<[u8]>,
    /// Where the payment stands, when the command was about one.
    pub stage: Option<Stage>,
    /// Whether this was decided before.
    pub replayed: bool,
}

/// Something that is shown to a caller.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// A payment, or a return.
    Payment(&'a Payment),
    /// An account with its balance.
    Account(&'a Account, &'a Balance),
    /// A hold.
    Hold(&'a Hold),
    /// A transaction.
    Transaction(&'a Transaction),
}

/// Writes what a caller is shown. Pure, given by the API, called by the plan so that the answer
/// is kept in the commit that it tells of.
pub trait Render: Send + Sync {
    /// The view in JSON.
    fn render(&self, view: View<'_>) -> Vec<u8>;
}

impl Timer {
    /// The command that fires it.
    #[must_use]
    pub fn fire(self) -> Command {
        let actor = match self.what {
            Due::Enquire(_) => "worker/enquiry",
            Due::ExecutePayment(_) => "worker/schedule",
            Due::AnswerRecall(_) => "worker/recalls",
            Due::ExpirePayment(_) | Due::ExpireHold(_) => "worker/expiry",
        };
        Command {
            tenant: self.tenant,
            actor: actor.into(),
            trace: None,
            idempotency: None,
            act: Act::Fire(self),
        }
    }
}
