//! Counts and sums that a header announces, held against what follows.
//!
//! `CtrlSum` is the total of all amounts "irrespective of currencies" (message definition reports of
//! pain.001 and pacs.008); `TtlIntrBkSttlmAmt` is of one currency, which every amount then has.

use std::io::BufRead;

use crate::iso20022::amount;
use crate::iso20022::lexical::Decimal;
use crate::iso20022::violation::Rule;
use crate::iso20022::walk::{Step, Walk};

/// Where a message has its transactions and their amounts.
struct Family {
    /// How the identifiers of its versions begin.
    message: &'static str,
    /// The element of several transactions inside the message, if there is one.
    block: Option<&'static str>,
    /// The element of a transaction, in the message or in the block.
    transaction: &'static str,
    /// Paths of the amount inside the transaction.
    amounts: &'static [&'static [&'static str]],
    /// The element of the group header that has the total of one currency.
    total: Option<&'static str>,
}

const FAMILIES: [Family; 6] = [
    Family {
        message: "pain.001.",
        block: Some("PmtInf"),
        transaction: "CdtTrfTxInf",
        amounts: &[&["Amt", "InstdAmt"], &["Amt", "EqvtAmt", "Amt"]],
        total: None,
    },
    Family {
        message: "pain.008.",
        block: Some("PmtInf"),
        transaction: "DrctDbtTxInf",
        amounts: &[&["InstdAmt"]],
        total: None,
    },
    Family {
        message: "pacs.008.",
        block: None,
        transaction: "CdtTrfTxInf",
        amounts: &[&["IntrBkSttlmAmt"]],
        total: Some("TtlIntrBkSttlmAmt"),
    },
    Family {
        message: "pacs.009.",
        block: None,
        transaction: "CdtTrfTxInf",
        amounts: &[&["IntrBkSttlmAmt"]],
        total: Some("TtlIntrBkSttlmAmt"),
    },
    Family {
        message: "pacs.003.",
        block: None,
        transaction: "DrctDbtTxInf",
        amounts: &[&["IntrBkSttlmAmt"]],
        total: Some("TtlIntrBkSttlmAmt"),
    },
    Family {
        message: "pacs.004.",
        block: None,
        transaction: "TxInf",
        amounts: &[&["RtrdIntrBkSttlmAmt"]],
        total: Some("TtlRtrdIntrBkSttlmAmt"),
    },
];

/// What was announced, and what has come so far.
#[derive(Default)]
struct Sums {
    /// `NbOfTxs`, with the path where it stood.
    number: Option<(String, u64)>,
    /// `CtrlSum`, in units of 10^-17.
    control: Option<(String, i128)>,
    /// The total of one currency.
    total: Option<(String, i128, String)>,
    count: u64,
    /// `None` once a sum is beyond 128 bits, where no announced one is either.
    sum: Option<i128>,
    /// An amount was in another currency than the total.
    mixed: bool,
}

/// A part of a message.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    /// A block, outside its transactions.
    Block,
    Transaction,
    #[default]
    Other,
}

/// The sums of a message and of its present block.
#[derive(Default)]
pub(super) struct Totals {
    family: Option<&'static Family>,
    message: Sums,
    block: Sums,
    /// The part of the message that the walk is in.
    part: Part,
    /// A return of a whole message names no transactions of its own.
    whole_group: bool,
}

impl Sums {
    fn new() -> Self {
        Self {
            sum: Some(0),
            ..Self::default()
        }
    }

    fn add(&mut self, amount: i128) {
        self.sum = self.sum.and_then(|sum| sum.checked_add(amount));
    }

    /// Takes what a header announces.
    fn announce<R: BufRead>(&mut self, walk: &Walk<R>, total: Option<&str>) {
        let value = || Decimal::parse(walk.value()).and_then(Decimal::scaled);
        match walk.name() {
            "NbOfTxs" => {
                self.number = walk
                    .value()
                    .parse()
                    .ok()
                    .map(|number| (walk.path(), number));
            }
            "CtrlSum" => self.control = value().map(|sum| (walk.path(), sum)),
            name if Some(name) == total => {
                let currency = walk.attribute().unwrap_or_default().to_owned();
                self.total = value().map(|sum| (walk.path(), sum, currency));
            }
            _ => {}
        }
    }

    fn check<R: BufRead>(&self, walk: &mut Walk<R>) {
        if let Some((path, number)) = self.number.as_ref().filter(|(_, it)| *it != self.count) {
            let reason = format!("says {number} transactions, there are {}", self.count);
            walk.violate_path(path, Rule::NumberOfTransactions, reason);
        }
        let reason = "is not the sum of the amounts";
        if let Some((path, _)) = self
            .control
            .as_ref()
            .filter(|(_, it)| Some(*it) != self.sum)
        {
            walk.violate_path(path, Rule::ControlSum, reason);
        }
        if let Some((path, total, _)) = &self.total
            && (self.mixed || self.sum != Some(*total))
        {
            walk.violate_path(path, Rule::ControlSum, reason);
        }
    }
}

impl Totals {
    /// The totals that a message has.
    pub(super) fn of(message: &str) -> Self {
        let family = FAMILIES
            .iter()
            .find(|family| message.starts_with(family.message));
        Self {
            family,
            message: Sums::new(),
            block: Sums::new(),
            ..Self::default()
        }
    }

    /// Follows a step inside the document.
    pub(super) fn observe<R: BufRead>(&mut self, walk: &mut Walk<R>, step: Step) {
        let Some(family) = self.family else { return };
        // 0 is the document, 1 the message, 2 the header or a block, 3 what is in them.
        let transaction_depth = if family.block.is_some() { 3 } else { 2 };
        let at = walk.depth() - 1;
        match step {
            Step::Open if at == 2 || at == transaction_depth => {
                self.part = match walk.name() {
                    name if at == transaction_depth && name == family.transaction => {
                        Part::Transaction
                    }
                    "GrpHdr" if at == 2 => Part::Header,
                    name if at == 2 && family.block == Some(name) => Part::Block,
                    _ => self.part,
                };
            }
            Step::Value if self.part == Part::Transaction => {
                self.take_amount(walk, family, transaction_depth);
            }
            Step::Value if at == 3 && self.part == Part::Header => {
                self.message.announce(walk, family.total);
                if walk.name() == "GrpRtr" {
                    self.whole_group = matches!(walk.value(), "true" | "1");
                }
            }
            Step::Value if at == 3 && self.part == Part::Block => {
                self.block.announce(walk, None);
            }
            Step::Close if at == transaction_depth && self.part == Part::Transaction => {
                self.message.count += 1;
                self.block.count += 1;
                self.part = Part::Other;
            }
            Step::Close if at == 2 => {
                self.part = Part::Other;
                if family.block == Some(walk.name()) {
                    std::mem::replace(&mut self.block, Sums::new()).check(walk);
                }
            }
            Step::Close if at == 1 && !(self.whole_group && self.message.count == 0) => {
                self.message.check(walk);
            }
            _ => {}
        }
    }

    fn take_amount<R: BufRead>(&mut self, walk: &mut Walk<R>, family: &Family, above: usize) {
        let is_amount = family.amounts.iter().any(|path| {
            above + path.len() + 1 == walk.depth()
                && (path.iter().enumerate().rev())
                    .all(|(nth, name)| walk.name_at(above + 1 + nth) == *name)
        });
        let amount = is_amount
            .then(|| Decimal::parse(walk.value())?.scaled())
            .flatten();
        let Some(amount) = amount else { return };
        if amount == 0 {
            let (rule, reason) = amount::nothing();
            walk.violate(rule, reason);
        }
        self.message.add(amount);
        self.block.add(amount);
        if let Some((.., currency)) = &self.message.total {
            self.message.mixed |= walk.attribute() != Some(currency);
        }
    }
}
