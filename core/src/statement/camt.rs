//! camt.052, camt.053 and camt.054 of every version, as banks write them.
//!
//! **Shape.** A statement is read element by element; of its entries only one is in memory, and of
//! an entry's transactions only what is kept of them. Elements are known by their local names, so
//! the version and the national variant of the schema do not matter, nor does an envelope around
//! it. An entry's sign is `CdtDbtInd` alone: `RvslInd` says why, not which way (ISO 20022 Message
//! Definition Report, Bank-to-Customer Cash Management).

mod balance;
mod dates;
mod entry;
mod node;

use std::io::{self, BufRead};

use self::{
    balance::Balances,
    entry::Entry,
    node::{Node, Trouble, node, skip},
};
use super::{
    Unit,
    book::Book,
    decode::Decoded,
    model::{Format, Header, Rule, Sequence, StatementNumber},
};
use crate::iso20022::xml::{Token, Tokens};

/// Reads a file. What is wrong with it is told as deviations.
pub fn read(input: impl BufRead, book: &mut Book<'_>) -> io::Result<Option<Format>> {
    let mut reader = Reader {
        tokens: Tokens::of_decoded(Decoded::new(input)),
        book,
        message: None,
        format: None,
    };
    match reader.file() {
        Ok(()) => {}
        Err(Trouble::Io(error)) => return Err(error),
        Err(Trouble::Broken(message)) => reader.book.deviate_file(Rule::Broken, "xml", message),
    }
    let format = reader.format;
    book.end_all()?;
    Ok(format)
}

struct Reader<'b, 'a, R: BufRead> {
    tokens: Tokens<R>,
    book: &'b mut Book<'a>,
    message: Option<String>,
    format: Option<Format>,
}

impl<R: BufRead> Reader<'_, '_, R> {
    fn file(&mut self) -> Result<(), Trouble> {
        loop {
            match self.tokens.next()? {
                Token::Eof => return Ok(()),
                Token::Start => {
                    let name = self.tokens.name().1.to_owned();
                    match (name.as_str(), self.format) {
                        ("Document", _) => self.version(),
                        ("Stmt", Some(Format::Camt053))
                        | ("Rpt", Some(Format::Camt052))
                        | ("Ntfctn", Some(Format::Camt054)) => self.statement()?,
                        _ => self.format = self.format.or(format(&name)),
                    }
                }
                Token::End | Token::Text => {}
            }
        }
    }

    /// The message, from any namespace that names one: `…:camt.053.001.02`, with whatever a
    /// national variant adds.
    fn version(&mut self) {
        let attributes = self.tokens.attributes().iter();
        let mut named = attributes.filter(|(name, _)| name.starts_with("xmlns"));
        let found = named.find_map(|(_, value)| {
            let place = value.find("camt.05")?;
            Some(
                value[place..]
                    .chars()
                    .take_while(|ch| ch.is_ascii_alphanumeric() || *ch == '.'),
            )
        });
        self.message = found.map(Iterator::collect);
    }

    fn statement(&mut self) -> Result<(), Trouble> {
        let number = self.book.open(Header {
            message: self.message.clone(),
            ..Header::default()
        })?;
        let mut balances = Balances::default();
        let mut totals = None;
        let mut lines = 0u64;
        loop {
            match self.tokens.next()? {
                Token::Start => {
                    let name = self.tokens.name().1.to_owned();
                    match name.as_str() {
                        "Ntry" => {
                            lines += 1;
                            self.entry(number, lines)?;
                        }
                        "Bal" => {
                            if lines > 0 {
                                let message = "a balance stands after the entries";
                                self.book.deviate(number, Rule::Order, "Bal", message);
                            }
                            let bal = node(&mut self.tokens)?;
                            balances.take(self.book, number, &bal);
                        }
                        "TxsSummry" => totals = Some(node(&mut self.tokens)?),
                        "Acct" | "Id" | "ElctrncSeqNb" | "LglSeqNb" | "StmtPgntn"
                        | "NtfctnPgntn" | "RptPgntn" | "FrToDt" => {
                            let part = node(&mut self.tokens)?;
                            self.heading(number, &part);
                        }
                        _ => skip(&mut self.tokens)?,
                    }
                }
                Token::End => break,
                Token::Text => {}
                Token::Eof => return Err(Trouble::Broken("the file ends too early".to_owned())),
            }
        }
        balances.settle(self.book, number, self.format == Some(Format::Camt053));
        if let Some(totals) = totals {
            balance::check_totals(self.book, number, &totals);
        }
        if self.book.header(number).account.is_empty() {
            let message = "the statement names no account";
            self.book.deviate(number, Rule::Missing, "Acct/Id", message);
        }
        Ok(self.book.end(number)?)
    }

    /// What stands before the entries.
    fn heading(&mut self, number: StatementNumber, part: &Node) {
        let header = self.book.header(number);
        let text = part.text().unwrap_or_default();
        let day = |name: &str| dates::day(part.child(name)?.text()?);
        match part.name.as_str() {
            "Id" => text.clone_into(&mut header.id),
            "Acct" => {
                // IBAN, or Othr/Id; a proxy or a bare text where banks have their own way.
                let account = part.child("Id").and_then(Node::any_text);
                account.unwrap_or_default().clone_into(&mut header.account);
                header.unit = part.child("Ccy").and_then(Node::text).and_then(Unit::read);
            }
            "ElctrncSeqNb" => set_number(header, text),
            "LglSeqNb" if header.sequence.is_none() => set_number(header, text),
            "StmtPgntn" | "NtfctnPgntn" | "RptPgntn" => {
                let page = part.child("PgNb").and_then(Node::text);
                let page = page.and_then(|page| page.parse().ok());
                let number = header.sequence.map_or(0, |it| it.number);
                header.sequence = Some(Sequence { number, page });
            }
            "FrToDt" => {
                header.from = day("FrDtTm").or_else(|| day("FrDt"));
                header.to = day("ToDtTm").or_else(|| day("ToDt"));
            }
            _ => {}
        }
    }

    fn entry(&mut self, number: StatementNumber, place: u64) -> Result<(), Trouble> {
        let mut entry = Entry::new(place);
        loop {
            match self.tokens.next()? {
                Token::Start if self.tokens.name().1 == "NtryDtls" => self.details(&mut entry)?,
                Token::Start => {
                    let part = node(&mut self.tokens)?;
                    entry.part(part);
                }
                Token::End => break,
                Token::Text => {}
                Token::Eof => return Err(Trouble::Broken("the file ends too early".to_owned())),
            }
        }
        entry.finish(self.book, number).map_err(Trouble::Io)
    }

    fn details(&mut self, entry: &mut Entry) -> Result<(), Trouble> {
        loop {
            match self.tokens.next()? {
                Token::Start => {
                    let part = node(&mut self.tokens)?;
                    match part.name.as_str() {
                        "TxDtls" => entry.transaction(&part),
                        "Btch" => entry.batch(&part),
                        _ => {}
                    }
                }
                Token::End => return Ok(()),
                Token::Text => {}
                Token::Eof => return Err(Trouble::Broken("the file ends too early".to_owned())),
            }
        }
    }
}

/// Some banks write a date and a number in one, which is still a number.
fn set_number(header: &mut Header, text: &str) {
    if let Ok(number) = text.parse() {
        let page = header.sequence.and_then(|it| it.page);
        header.sequence = Some(Sequence { number, page });
    }
}

/// The format, by the element around its statements; version 1 has `V01` at the end of the name.
fn format(name: &str) -> Option<Format> {
    let of = |start: &str| {
        name.strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('V'))
    };
    match name {
        _ if of("BkToCstmrStmt") => Some(Format::Camt053),
        _ if of("BkToCstmrAcctRpt") => Some(Format::Camt052),
        _ if of("BkToCstmrDbtCdtNtfctn") => Some(Format::Camt054),
        _ => None,
    }
}
