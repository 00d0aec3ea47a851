//! A set of payments and the statement that tells of them, drawn from a seed, with the truth.
//!
//! Of a hundred payments 95 have a line of their own, four are in payouts of 2 to 500 that one line
//! stands for, or have several lines, and one is broken.

use std::{collections::BTreeMap, io::Write};

use lombard_core::matching::synthetic::Luck;
use time::Date;

/// The most payments in a payout.
const PAYOUT_MAX: u64 = 500;
/// The most lines for one payment.
const LINES_MAX: u64 = 40;
/// Amounts of payments that are told by their amount alone begin here; all others are below.
const TELLING: u64 = 10_000;
/// So many such amounts there are, each used once, below what a rail carries.
const TELLING_COUNT: u64 = 1_000_000;

/// A payment to be made.
pub struct Planned {
    /// By what both ends know it.
    pub end_to_end_id: String,
    /// Minor units.
    pub amount: u64,
}

/// How a statement tells of a line's payment.
enum Names {
    EndToEnd(String),
    Group(String),
    Text(String),
}

/// A line that money left by.
pub struct Line {
    amount: u64,
    names: Names,
}

/// What must come of it: how many exceptions of which kind about which reference.
pub type Exceptions = BTreeMap<(String, String), u64>;

/// The payments, in the files that they are paid by, and what the statement says.
#[derive(Default)]
pub struct Set {
    /// The files: first those paid one by one, then each payout by itself.
    pub files: Vec<Vec<Planned>>,
    /// Lines, but for those of the payouts.
    lines: Vec<Line>,
    /// What does not agree.
    pub exceptions: Exceptions,
    /// Payments that the statement settles.
    pub settled: u64,
}

impl Set {
    /// The set of a seed.
    pub fn draw(seed: u64, size: u64) -> Self {
        let mut maker = Maker {
            luck: Luck(seed),
            set: Self::default(),
            single: Vec::new(),
            count: 0,
        };
        while maker.count < size / 25 {
            let room = size / 25 - maker.count + 1;
            if maker.luck.below(2) == 0 {
                maker.payout(room);
            } else {
                maker.in_parts();
            }
        }
        while maker.count < size {
            if maker.luck.below(96) == 0 {
                maker.broken();
            } else {
                maker.pair();
            }
        }
        let Maker {
            mut set, single, ..
        } = maker;
        set.files.insert(0, single);
        set
    }

    /// Lines of the statement.
    pub fn line_count(&self) -> u64 {
        (self.lines.len() + self.files.len() - 1) as u64
    }

    /// The statement as camt.053, once the files have the names of `batches`.
    pub fn write(&self, day: Date, batches: &[String], to: &mut impl Write) -> std::io::Result<()> {
        const OPENING: u64 = 1 << 50;
        let payouts = self
            .files
            .iter()
            .zip(batches)
            .skip(1)
            .map(|(file, batch)| Line {
                amount: file.iter().map(|it| it.amount).sum(),
                names: Names::Group(batch.clone()),
            });
        let payouts: Vec<Line> = payouts.collect();
        let all = || self.lines.iter().chain(&payouts);
        let closing = OPENING - all().map(|it| it.amount).sum::<u64>();
        write!(
            to,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId><CreDtTm>{day}T23:59:59Z</CreDtTm></GrpHdr><Stmt><Id>S1</Id><CreDtTm>{day}T23:59:59Z</CreDtTm><Acct><Id><Othr><Id>12345678</Id></Othr></Id><Ccy>GBP</Ccy></Acct>"#
        )?;
        for (code, amount) in [("OPBD", OPENING), ("CLBD", closing)] {
            let amount = decimal(amount);
            write!(
                to,
                r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="GBP">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"#
            )?;
        }
        for (at, line) in all().enumerate() {
            let amount = decimal(line.amount);
            let (refs, text) = match &line.names {
                Names::EndToEnd(id) => (format!("<EndToEndId>{id}</EndToEndId>"), String::new()),
                Names::Group(id) => (format!("<PmtInfId>{id}</PmtInfId>"), String::new()),
                Names::Text(text) => (
                    String::new(),
                    format!("<RmtInf><Ustrd>{text}</Ustrd></RmtInf>"),
                ),
            };
            write!(
                to,
                r#"
<Ntry><Amt Ccy="GBP">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><NtryDtls><TxDtls><Refs><AcctSvcrRef>A{at:09}</AcctSvcrRef>{refs}</Refs>{text}</TxDtls></NtryDtls></Ntry>"#
            )?;
        }
        to.write_all(b"</Stmt></BkToCstmrStmt></Document>\n")
    }
}

fn decimal(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

struct Maker {
    luck: Luck,
    set: Set,
    single: Vec<Planned>,
    count: u64,
}

impl Maker {
    /// Amounts come again and again, as in life; a reference never does.
    fn planned(&mut self, amount: u64) -> Planned {
        self.count += 1;
        let number = self.luck.below(1 << 24);
        Planned {
            end_to_end_id: format!("E2E-{:08}-{number:06X}", self.count),
            amount,
        }
    }

    fn amount(&mut self) -> u64 {
        1 + self.luck.below(TELLING - 2)
    }

    /// A payment by itself; gives how it is known.
    fn single(&mut self, amount: u64) -> String {
        let planned = self.planned(amount);
        let known = planned.end_to_end_id.clone();
        self.single.push(planned);
        known
    }

    fn tell(&mut self, amount: u64, names: Names) {
        self.set.lines.push(Line { amount, names });
    }

    fn pair(&mut self) {
        let manner = self.luck.below(100);
        // Without any reference only an amount that is like no other tells.
        let telling = manner < 2 && self.count < TELLING_COUNT;
        let amount = if telling {
            TELLING + self.count
        } else {
            self.amount()
        };
        let known = self.single(amount);
        let names = match manner {
            _ if telling => Names::Text("thank you".to_owned()),
            0..6 => Names::Text(format!("INVOICE {known} OF MARCH")),
            6..16 => Names::EndToEnd(known.replace('-', "").to_lowercase()),
            _ => Names::EndToEnd(known),
        };
        self.tell(amount, names);
        self.set.settled += 1;
    }

    /// Payments of a file of their own, which the bank books as one.
    fn payout(&mut self, room: u64) {
        let parts = 2 + self.luck.below(PAYOUT_MAX.min(room.max(2)) - 1);
        let file: Vec<Planned> = { 0..parts }
            .map(|_| {
                let amount = self.amount();
                self.planned(amount)
            })
            .collect();
        self.set.files.push(file);
        self.set.settled += parts;
    }

    /// A payment that the bank books in parts.
    fn in_parts(&mut self) {
        let amounts: Vec<u64> = { 0..2 + self.luck.below(LINES_MAX - 1) }
            .map(|_| self.amount())
            .collect();
        let known = self.single(amounts.iter().sum());
        for amount in amounts {
            self.tell(amount, Names::EndToEnd(known.clone()));
        }
        self.set.settled += 1;
    }

    fn broken(&mut self) {
        let amount = self.amount();
        let known = self.single(amount);
        let (kind, about) = match self.luck.below(4) {
            0 => {
                self.tell(amount + 1, Names::EndToEnd(known.clone()));
                ("amount_differs", known)
            }
            1 => ("missing_there", known),
            2 => {
                self.tell(amount, Names::EndToEnd(known.clone()));
                let unknown = format!("X{known}");
                self.tell(amount, Names::EndToEnd(unknown.clone()));
                self.set.settled += 1;
                ("unknown_reference", unknown)
            }
            _ => {
                self.tell(amount, Names::EndToEnd(known.clone()));
                self.tell(amount, Names::EndToEnd(known.clone()));
                self.set.settled += 1;
                ("duplicate", known)
            }
        };
        let about = (kind.to_owned(), about);
        *self.set.exceptions.entry(about).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use lombard_core::statement;

    use super::*;

    #[test]
    fn a_seed_is_a_set_and_its_statement_adds_up() {
        let set = Set::draw(7, 2_000);
        let again = Set::draw(7, 2_000);
        let payments: usize = set.files.iter().map(Vec::len).sum();
        assert!(payments >= 2_000);
        let batches: Vec<String> = (0..set.files.len()).map(|n| format!("bat_{n}")).collect();
        let bytes = |set: &Set| {
            let mut bytes = Vec::new();
            let day = Date::from_ordinal_date(2026, 60).expect("a day");
            set.write(day, &batches, &mut bytes).expect("memory");
            bytes
        };
        assert_eq!(bytes(&set), bytes(&again));
        let read = bytes(&set);
        let mut lines = 0;
        let found = statement::inspect(
            &read[..],
            None,
            &mut statement::Preview::default(),
            &mut || lines += 1,
        )
        .expect("memory");
        assert_eq!(found.statements[0].consistent, Some(true));
        assert_eq!(lines, set.line_count());
    }
}
