//! JSON Lines: a payment a line, each the body of `POST /v1/payments`.

use std::io::{self, BufRead};

use lombard_core::id::Id;

use super::{Context, Debtor, Fault, Payee, Piece, Row, Wish, refused_by};
use crate::{
    batch::record::References,
    http::{json, payments::CreatePayment},
    instruct::{Creditor, Instruction},
};

/// Bytes of a line, as of a request's body.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// See the module.
pub struct Rows<R> {
    input: R,
    context: Context,
    line: Vec<u8>,
    number: u64,
    ended: bool,
}

impl<R: BufRead> Rows<R> {
    pub const fn new(input: R, context: Context) -> Self {
        Self {
            input,
            context,
            line: Vec::new(),
            number: 0,
            ended: false,
        }
    }

    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        while !self.ended {
            self.line.clear();
            let mut bounded = io::Read::take(&mut self.input, LINE_BYTES_MAX + 1);
            if bounded.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            if self.line.len() as u64 > LINE_BYTES_MAX {
                self.ended = true;
                return Ok(Some(Piece::Fault(Fault {
                    path: format!("row {}", self.number + 1),
                    rule: "limit".to_owned(),
                    message: format!("a line has at most {LINE_BYTES_MAX} bytes"),
                })));
            }
            let line = match self.number {
                // Some editors begin a file with a byte order mark.
                0 => self
                    .line
                    .strip_prefix(b"\xef\xbb\xbf")
                    .unwrap_or(&self.line),
                _ => &self.line,
            };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            self.number += 1;
            return Ok(Some(Piece::Row(Box::new(row(
                self.number,
                line,
                self.context,
            )))));
        }
        Ok(None)
    }
}

fn row(number: u64, line: &[u8], context: Context) -> Row {
    let mut references = References::default();
    let wish = json::parse::<CreatePayment<'_>>(line).and_then(|request| {
        let instruction =
            request.instruction(context.tenant, Id::from_bits(0), context.now, None)?;
        references.end_to_end_id = instruction.end_to_end_id.map(str::to_owned);
        Ok(Wish::from(instruction))
    });
    Row {
        number,
        references,
        wish: wish.map_err(|problem| refused_by(&problem)),
    }
}

impl From<Instruction<'_>> for Wish {
    fn from(instruction: Instruction<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            rail: instruction.rail,
            money: instruction.money,
            debtor: Debtor::Account(instruction.debtor),
            debtor_name: owned(instruction.debtor_name),
            creditor: match instruction.creditor {
                Creditor::Account(account) => Payee::Account(account),
                Creditor::Outside { name, address } => Payee::Outside {
                    name: name.to_owned(),
                    address,
                },
            },
            end_to_end_id: owned(instruction.end_to_end_id),
            reference: owned(instruction.reference),
            remittance: owned(instruction.remittance),
            not_carried: None,
            on_insufficient_funds: instruction.on_insufficient_funds,
            verification: instruction.verification,
            execute_at: instruction.execute_at,
            sca: instruction.sca,
            wait_ms: instruction.wait_ms,
            metadata: instruction.metadata,
            key: None,
        }
    }
}
