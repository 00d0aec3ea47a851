//! What every receiver checks beyond the schema, whatever the message.
//!
//! | rule | source |
//! |---|---|
//! | `currency`, `minor_units` | ISO 4217: the code can be paid, and the amount has its decimals |
//! | `amount_range` | ours: a payment is of something, and at most of what JSON carries exactly |
//! | `iban` | ISO 13616 and ISO 7064 (mod 97-10), with the country's length |
//! | `bic` | ISO 9362: the fifth and sixth character are a country of ISO 3166 |
//! | `number_of_transactions`, `control_sum` | the message definition reports of ISO 20022: what the header announces is what follows |
//! | `header_mismatch` | head.001: `MsgDefIdr` names the message that the header goes with |
//!
//! Statements (camt.052 to camt.054, camt.060) tell what happened and are read leniently elsewhere:
//! these rules hold for messages that move money or speak of one payment.

use std::io::BufRead;

use super::amount;
use super::violation::Rule;
use super::walk::{Step, Walk};
use crate::bank::bic::{Bic, BicError};
use crate::bank::iban::{Iban, IbanError, has_check_digits};

mod totals;

use totals::Totals;

/// Messages that tell what happened, and that no money hangs on.
const STATEMENTS: [&str; 4] = ["camt.052.", "camt.053.", "camt.054.", "camt.060."];

/// The rules, with what they must remember of the message so far.
#[derive(Default)]
pub(super) struct Rules {
    totals: Totals,
    /// `MsgDefIdr` of the header.
    announced: Option<String>,
    started: bool,
    moves_money: bool,
}

impl Rules {
    /// Looks at a step of the walk and notes in it what is wrong.
    pub(super) fn observe<R: BufRead>(&mut self, walk: &mut Walk<R>, step: Step) {
        if !walk.in_document() {
            if step == Step::Value && walk.name() == "MsgDefIdr" && walk.depth() == 2 {
                self.announced = Some(walk.value().to_owned());
            }
            return;
        }
        if !std::mem::replace(&mut self.started, true) {
            self.check_header(walk);
            let message = walk.document().unwrap_or_default();
            self.moves_money = !STATEMENTS.iter().any(|kind| message.starts_with(kind));
            self.totals = Totals::of(message);
        }
        if step == Step::Value && self.moves_money {
            check_value(walk);
        }
        self.totals.observe(walk, step);
    }

    /// A gateway that lags behind names an older version in the header than the document has, and
    /// no receiver minds: the message must be the same, its version need not be.
    fn check_header<R: BufRead>(&self, walk: &mut Walk<R>) {
        let Some(announced) = &self.announced else {
            return;
        };
        let kind = |name: &str| name.get(..8).map(str::to_owned);
        if kind(announced) != kind(walk.document().unwrap_or_default()) {
            let reason = "the header is of another message than the document";
            walk.violate_path("/AppHdr/MsgDefIdr", Rule::HeaderMismatch, reason);
        }
    }
}

fn check_value<R: BufRead>(walk: &mut Walk<R>) {
    match walk.name() {
        "IBAN" => {
            // Which characters are letters is the country's business and changes with it; a receiver
            // refuses for the check digits and the length.
            match walk.value().parse::<Iban>() {
                Ok(_) => {}
                Err(IbanError::Structure { .. }) if has_check_digits(walk.value()) => {}
                Err(IbanError::Structure { .. }) => {
                    walk.violate(Rule::Iban, IbanError::CheckDigits.to_string());
                }
                Err(error) => walk.violate(Rule::Iban, error.to_string()),
            }
        }
        "BIC" | "BICFI" | "AnyBIC" | "BICOrBEI" => {
            if let Err(error @ BicError::Country) = walk.value().parse::<Bic>() {
                walk.violate(Rule::Bic, error.to_string());
            }
        }
        _ => {}
    }
    let fault = walk
        .attribute()
        .and_then(|currency| amount::fault(walk.value(), currency));
    if let Some((rule, reason)) = fault {
        walk.violate(rule, reason);
    }
}
