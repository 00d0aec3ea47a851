//! pain.001: a customer's file of payments, read as a stream.
//!
//! **Shape.** A pull of items: the file's header, then for each block of payments (`PmtInf`) what its
//! payments share and its rows (`CdtTrfTxInf`) one by one, then the end. Every item carries what is
//! wrong with it, so one bad row does not stop a file of a million; what is wrong with the bytes
//! themselves ends it.
//!
//! **Bounds.** One header, one block's shared part and one row are in memory at a time, each of at
//! most [`ROW_ELEMENTS_MAX`] elements and [`ROW_TEXT_BYTES_MAX`] bytes of text.
//!
//! **Ordering.** That a count or a sum does not agree is known only behind the rows that it covers:
//! it is in the [`Item::BlockEnd`] or the [`FileEnd`]. Who must not act on any row of a file that does
//! not add up reads it twice, with [`super::inspect`] first.

use std::io::{self, BufRead};

use super::limits::{ROW_ELEMENTS_MAX, ROW_TEXT_BYTES_MAX, VIOLATIONS_MAX};
use super::rules::Rules;
use super::tree::Tree;
use super::violation::{Rule, Violations};
use super::walk::{Step, Walk};

mod model;
mod read;

pub use model::{FileEnd, FileHeader, Item, Payment, PaymentBlock, Row};

/// The oldest version that is read; the newest is the newest of which there is a schema.
const OLDEST: &str = "pain.001.001.03";

/// Where the elements stand: 0 is the document, 1 the message, 2 the header and the blocks, 3 the
/// rows and what their block says of all of them.
const BLOCK_DEPTH: usize = 2;
const ROW_DEPTH: usize = 3;

/// A file of payments, item by item.
pub struct PaymentFile<R: BufRead> {
    walk: Walk<R>,
    rules: Rules,
    /// The header, or what a block says of all its rows.
    shared: Tree,
    row: Tree,
    /// The row or the shared part is too large to be kept, and what follows of it is passed over.
    too_large: bool,
    block: u64,
    block_reported: bool,
    rows: u64,
    rows_in_block: u64,
    /// An item that follows at once.
    next: Option<Item>,
    end: Violations,
    checked_kind: bool,
    ended: bool,
}

impl<R: BufRead> PaymentFile<R> {
    /// A file of payments, not yet looked at.
    pub fn new(input: R) -> Self {
        Self {
            walk: Walk::new(input, VIOLATIONS_MAX),
            rules: Rules::default(),
            shared: Tree::default(),
            row: Tree::default(),
            too_large: false,
            block: 0,
            block_reported: false,
            rows: 0,
            rows_in_block: 0,
            next: None,
            end: Violations::default(),
            checked_kind: false,
            ended: false,
        }
    }

    /// How many bytes were read, for a progress bar.
    pub fn position(&self) -> u64 {
        self.walk.position()
    }

    /// The message and version, such as `pain.001.001.09`, once the beginning was read.
    pub fn message(&self) -> Option<&str> {
        self.walk.message()
    }

    /// The next item; the last one is [`Item::End`], after which there is none.
    ///
    /// # Errors
    /// The input could not be read; there is no further item then. What is wrong with the file is in the items.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        if let Some(item) = self.next.take() {
            return Ok(Some(item));
        }
        while !self.ended {
            let step = self.walk.next().inspect_err(|_| self.ended = true)?;
            if step == Step::End {
                self.ended = true;
                return Ok(Some(self.end()));
            }
            self.rules.observe(&mut self.walk, step);
            if !self.walk.in_document() {
                continue;
            }
            if !std::mem::replace(&mut self.checked_kind, true) && !self.is_payment_file() {
                self.ended = true;
                return Ok(Some(self.end()));
            }
            if let Some(item) = self.take(step) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    fn is_payment_file(&mut self) -> bool {
        let message = self.walk.document().unwrap_or_default();
        let known = message.starts_with("pain.001.") && message >= OLDEST;
        if !known {
            let reason = "is not a credit transfer initiation from version .03 on";
            self.walk.violate(Rule::UnsupportedMessage, reason);
        }
        known
    }

    /// Keeps a step, and gives the item that it completes.
    fn take(&mut self, step: Step) -> Option<Item> {
        let at = self.walk.depth() - 1;
        let in_row = self.walk.name_at(ROW_DEPTH) == "CdtTrfTxInf";
        match step {
            Step::Open if at == BLOCK_DEPTH => self.open_shared(),
            Step::Open if at == ROW_DEPTH && in_row => {
                if !self.block_reported {
                    self.walk.require_before();
                }
                let block = self.report_block();
                self.row.clear();
                self.too_large = false;
                self.row.open(&self.walk);
                return block;
            }
            Step::Close if at == ROW_DEPTH && in_row => {
                self.row.finish();
                return Some(self.end_row());
            }
            Step::Close if at == BLOCK_DEPTH => {
                self.shared.finish();
                return self.close_shared();
            }
            _ if at < BLOCK_DEPTH => {}
            _ => self.keep(step, in_row),
        }
        None
    }

    fn open_shared(&mut self) {
        // What was wrong between the parts belongs to none of them.
        self.end.append(VIOLATIONS_MAX, self.walk.take_violations());
        self.shared.clear();
        self.too_large = false;
        self.shared.open(&self.walk);
        if self.walk.name() == "PmtInf" {
            self.block += 1;
            self.block_reported = false;
            self.rows_in_block = 0;
        }
    }

    fn close_shared(&mut self) -> Option<Item> {
        match self.walk.name() {
            "GrpHdr" => {
                let violations = self.walk.take_violations();
                let message = self.walk.document().unwrap_or_default();
                Some(Item::Header(read::header(
                    &self.shared,
                    message,
                    violations,
                )))
            }
            "PmtInf" => {
                let missing = self.report_block();
                let violations = self.walk.take_violations();
                let end = Item::BlockEnd {
                    block: self.block,
                    rows: self.rows_in_block,
                    violations,
                };
                if missing.is_some() {
                    self.next = Some(end);
                    return missing;
                }
                Some(end)
            }
            _ => None,
        }
    }

    /// What the block says of all its rows, before the first of them.
    fn report_block(&mut self) -> Option<Item> {
        if std::mem::replace(&mut self.block_reported, true) {
            return None;
        }
        // Nothing of the block but rows follows, so what it says of them is complete.
        self.shared.finish();
        let violations = self.walk.take_violations();
        Some(Item::Block(read::block(
            &self.shared,
            self.block,
            violations,
        )))
    }

    fn end_row(&mut self) -> Item {
        self.rows += 1;
        self.rows_in_block += 1;
        let violations = self.walk.take_violations();
        Item::Row(read::row(
            &self.row,
            self.rows,
            self.block,
            self.walk.path(),
            violations,
        ))
    }

    fn keep(&mut self, step: Step, in_row: bool) {
        let tree = if in_row {
            &mut self.row
        } else {
            &mut self.shared
        };
        if tree.len() >= ROW_ELEMENTS_MAX || tree.text_bytes() > ROW_TEXT_BYTES_MAX {
            if !std::mem::replace(&mut self.too_large, true) {
                let reason = "is larger than any real payment";
                self.walk.violate(Rule::Limit, reason);
            }
            return;
        }
        match step {
            Step::Open => tree.open(&self.walk),
            Step::Value => tree.value(&self.walk),
            Step::Close | Step::End => tree.close(),
        }
    }

    fn end(&mut self) -> Item {
        self.end.append(VIOLATIONS_MAX, self.walk.take_violations());
        let violations = std::mem::take(&mut self.end);
        Item::End(FileEnd {
            rows: self.rows,
            broken: self.walk.is_broken(),
            violations,
        })
    }
}

impl<R: BufRead> Iterator for PaymentFile<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<io::Result<Item>> {
        self.next_item().transpose()
    }
}
