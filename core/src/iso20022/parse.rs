//! From bytes to messages: validated first, then read.
//!
//! **Invariant.** Nothing is read from a message that breaks its schema or a rule: a
//! [`Refusal`] names what is wrong and there is no half of a message.

use super::limits::{MESSAGE_BYTES_MAX, VIOLATIONS_MAX};
use super::messages::{
    CreditTransfer, RecallAnswer, RecallRequest, Return, StatusReport, StatusRequest,
};
use super::rules::Rules;
use super::tree::{El, Tree};
use super::violation::{Refusal, Rule, Violation, Violations};
use super::walk::{Step, Walk};

pub(super) mod parts;
mod recall;
mod status;
mod transfer;

/// The oldest version of each message that rails still speak. Older ones name banks and parties in
/// other elements, and reading them half would be worse than not at all.
const OLDEST: [&str; 6] = [
    "pacs.008.001.08",
    "pacs.002.001.10",
    "pacs.028.001.03",
    "pacs.004.001.09",
    "camt.056.001.08",
    "camt.029.001.09",
];

/// What a rail's gateway says. Each variant holds at least one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// pacs.008 from version .08.
    CreditTransfer(Vec<CreditTransfer>),
    /// pacs.002 from version .10.
    StatusReport(Vec<StatusReport>),
    /// pacs.028 from version .03.
    StatusRequest(Vec<StatusRequest>),
    /// pacs.004 from version .09.
    Return(Vec<Return>),
    /// camt.056 from version .08.
    RecallRequest(Vec<RecallRequest>),
    /// camt.029 from version .09.
    RecallAnswer(Vec<RecallAnswer>),
}

impl Message {
    /// Reads a message, whichever of the six it is, bare or in an envelope.
    ///
    /// # Errors
    /// [`Refusal`] with everything that is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        Self::parse_named(bytes).map(|(_, message)| message)
    }

    /// The same, with the name of the message and its version, such as `pacs.008.001.10`, as answers quote it.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse_named(bytes: &[u8]) -> Result<(&'static str, Self), Refusal> {
        let (name, tree) = validated(bytes)?;
        let kind = name.get(..8).unwrap_or_default();
        let old = OLDEST
            .iter()
            .any(|oldest| oldest.starts_with(kind) && name < *oldest);
        let read = |root| match kind {
            _ if old => None,
            "pacs.008" => Some(transfer::credit_transfers(root).map(Self::CreditTransfer)),
            "pacs.002" => Some(status::reports(root).map(Self::StatusReport)),
            "pacs.028" => Some(status::requests(root).map(Self::StatusRequest)),
            "pacs.004" => Some(transfer::returns(root).map(Self::Return)),
            "camt.056" => Some(recall::requests(root).map(Self::RecallRequest)),
            "camt.029" => Some(recall::answers(root).map(Self::RecallAnswer)),
            _ => None,
        };
        // The document has passed its schema, so it holds the one element of its message.
        let root = tree.root().and_then(|root| root.children().next());
        let refuse = |violation| Refusal::of(Some(name), violation);
        let Some(message) = root.and_then(read) else {
            let reason = "is not a message of the rail protocol, or an old version";
            let path = "/Document".to_owned();
            return Err(refuse(Violation::new(
                path,
                Rule::UnsupportedMessage,
                reason,
            )));
        };
        message.map(|message| (name, message)).map_err(refuse)
    }

    /// The message's identifier without its version, such as `pacs.008`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CreditTransfer(_) => "pacs.008",
            Self::StatusReport(_) => "pacs.002",
            Self::StatusRequest(_) => "pacs.028",
            Self::Return(_) => "pacs.004",
            Self::RecallRequest(_) => "camt.056",
            Self::RecallAnswer(_) => "camt.029",
        }
    }
}

/// Reads a message that must be of one kind and carry one transaction.
macro_rules! parse_one {
    ($kind:ident) => {
        impl $kind {
            /// Reads a message of this kind with exactly one transaction.
            ///
            /// # Errors
            /// [`Refusal`] with everything that is wrong with it; `unsupported_message` for another
            /// kind and `one_transaction` for several.
            pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
                let (rule, reason) = match Message::parse(bytes)? {
                    Message::$kind(mut all) => match (all.pop(), all.is_empty()) {
                        (Some(one), true) => return Ok(one),
                        _ => (
                            Rule::OneTransaction,
                            "carries several transactions, one is expected",
                        ),
                    },
                    _ => (
                        Rule::UnsupportedMessage,
                        "is another message than the one expected",
                    ),
                };
                let violation = Violation::new("/Document".to_owned(), rule, reason);
                Err(Refusal::of(None, violation))
            }
        }
    };
}

parse_one!(CreditTransfer);
parse_one!(StatusReport);
parse_one!(StatusRequest);
parse_one!(Return);
parse_one!(RecallRequest);
parse_one!(RecallAnswer);

/// Validates a message; its identifier and its document, if nothing is wrong with it.
fn validated(bytes: &[u8]) -> Result<(&'static str, Tree), Refusal> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        let reason = format!("has more than {MESSAGE_BYTES_MAX} bytes");
        return Err(Refusal::of(
            None,
            Violation::new(String::new(), Rule::Limit, reason),
        ));
    }
    let mut walk = Walk::new(bytes, VIOLATIONS_MAX);
    let mut rules = Rules::default();
    let mut tree = Tree::default();
    loop {
        let step = walk.next().map_err(|_| unreadable())?;
        if step == Step::End {
            break;
        }
        rules.observe(&mut walk, step);
        match step {
            _ if !walk.in_document() => {}
            Step::Open => tree.open(&walk),
            Step::Value => tree.value(&walk),
            Step::Close | Step::End => tree.close(),
        }
    }
    let violations = walk.take_violations();
    match walk.document() {
        Some(name) if violations.is_empty() => Ok((name, tree)),
        document => Err(refusal(document.or(walk.message()), violations)),
    }
}

/// Bytes in memory can always be read; the type of the walk allows for other inputs.
fn unreadable() -> Refusal {
    let violation = Violation::new(String::new(), Rule::Malformed, "cannot be read");
    Refusal::of(None, violation)
}

fn refusal(message: Option<&str>, violations: Violations) -> Refusal {
    if violations.is_empty() {
        let reason = "there is a header without a document";
        let violation = Violation::new(String::new(), Rule::NoDocument, reason);
        return Refusal::of(message, violation);
    }
    Refusal {
        message: message.map(str::to_owned),
        violations,
    }
}

/// At least one of what a message should hold.
fn at_least_one<T>(root: El, found: Vec<T>) -> Result<Vec<T>, Violation> {
    if found.is_empty() {
        return Err(root.violation(Rule::NoTransaction, "holds no transaction"));
    }
    Ok(found)
}
