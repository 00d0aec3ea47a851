//! Entries and the transactions in them.

use std::io;

use super::{
    super::{
        book::Book,
        model::{Detail, Kind, Line, RefKind, Rule, State, StatementNumber, refer},
        unit::{Mark, Unit, minor},
    },
    balance, dates,
    node::Node,
};

/// The most transactions that are kept of one entry.
const DETAILS_MAX: usize = 100_000;

/// The longest remittance text that is kept, in bytes.
const TEXT_MAX: usize = 2_000;

/// An entry in the making.
pub struct Entry {
    place: u64,
    parts: Vec<Node>,
    details: Vec<(Detail, Amount)>,
    left_out: u64,
    group: Option<String>,
}

/// A transaction's amount as it was written: its unit may only be known with the entry's.
struct Amount {
    text: Option<(String, Option<Unit>)>,
    debit: Option<bool>,
    charges: Option<String>,
}

impl Entry {
    pub fn new(place: u64) -> Self {
        Self {
            place,
            parts: Vec::new(),
            details: Vec::new(),
            left_out: 0,
            group: None,
        }
    }

    /// Takes in a part of the entry itself.
    pub fn part(&mut self, part: Node) {
        self.parts.push(part);
    }

    /// The batch that the entry books.
    pub fn batch(&mut self, batch: &Node) {
        let id = batch
            .text_at(&["PmtInfId"])
            .or_else(|| batch.text_at(&["MsgId"]));
        self.group = self.group.take().or(id.map(str::to_owned));
    }

    /// Takes in one transaction of the entry.
    pub fn transaction(&mut self, details: &Node) {
        if self.details.len() == DETAILS_MAX {
            self.left_out += 1;
            return;
        }
        let mut detail = Detail {
            text: remittance(details),
            ..Detail::default()
        };
        references(details, &mut detail.references);
        // From version 3 on the amount stands by itself, before it only among the details.
        let amount = details
            .child("Amt")
            .or_else(|| details.at(&["AmtDtls", "TxAmt", "Amt"]));
        let text = amount.and_then(|it| {
            let unit = it.currency.as_deref().and_then(Unit::read);
            Some((it.text()?.to_owned(), unit))
        });
        let debit = details.text_at(&["CdtDbtInd"]).map(|it| it == "DBIT");
        let charges = details
            .at(&["Chrgs", "TtlChrgsAndTaxAmt"])
            .and_then(Node::text);
        let charges = charges.map(str::to_owned);
        self.details.push((
            detail,
            Amount {
                text,
                debit,
                charges,
            },
        ));
    }

    fn part_named(&self, name: &str) -> Option<&Node> {
        self.parts.iter().find(|part| part.name == name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.part_named(name)?.text()
    }

    /// Makes the line and hands it on.
    pub fn finish(self, book: &mut Book<'_>, number: StatementNumber) -> io::Result<()> {
        let at = format!("Ntry[{}]", self.place);
        let Some((units, unit)) = self.amount(book, number, &at) else {
            return Ok(());
        };
        let debit = match self.text("CdtDbtInd") {
            Some("CRDT") => false,
            Some("DBIT") => true,
            _ => {
                let message = "the entry is neither CRDT nor DBIT, and is not counted";
                book.deviate(number, Rule::Unreadable, at, message);
                return Ok(());
            }
        };
        let day = |name: &str| dates::day(self.part_named(name)?.any_text()?);
        let code = self.part_named("BkTxCd");
        let mut line = Line {
            minor: if debit { -units } else { units },
            unit: Some(unit),
            state: self.state(book, number, &at),
            reversal: matches!(self.text("RvslInd"), Some("true" | "1")),
            kind: Kind::Payment,
            booked: day("BookgDt"),
            value: day("ValDt"),
            code: code.map(transaction_code).unwrap_or_default(),
            text: self.text("AddtlNtryInf").unwrap_or_default().to_owned(),
            ..Line::default()
        };
        line.kind = kind(&line);
        self.refer(&mut line);
        self.into_details(book, number, &at, &mut line);
        book.line(number, line, &at)
    }

    fn amount(
        &self,
        book: &mut Book<'_>,
        number: StatementNumber,
        at: &str,
    ) -> Option<(i64, Unit)> {
        let Some(amount) = self.part_named("Amt") else {
            let message = "the entry has no amount, and is not counted";
            book.deviate(number, Rule::Unreadable, at, message);
            return None;
        };
        let unit = balance::unit(book, number, amount, at)?;
        match minor(amount.text().unwrap_or_default(), Mark::Point, unit) {
            Ok(units) => Some((units, unit)),
            Err(why) => {
                let message = format!("the amount {why}, and the entry is not counted");
                book.deviate(number, Rule::Amount, at, message);
                None
            }
        }
    }

    /// A code of its own until version 6, inside an element from version 7 on.
    fn state(&self, book: &mut Book<'_>, number: StatementNumber, at: &str) -> State {
        let status = self.part_named("Sts").and_then(Node::any_text);
        match status {
            Some("BOOK") => State::Booked,
            Some("PDNG" | "FUTR" | "EXPD") => State::Pending,
            Some("INFO") => State::Information,
            None => {
                let message = "the entry has no status and is read as booked";
                book.deviate(number, Rule::Missing, format!("{at}/Sts"), message);
                State::Booked
            }
            Some(code) => {
                let message = format!("the status {code:.35} is unknown; the entry is not counted");
                book.deviate(number, Rule::Variant, format!("{at}/Sts"), message);
                State::Information
            }
        }
    }

    fn refer(&self, line: &mut Line) {
        if let Some(text) = self.text("AcctSvcrRef") {
            line.refer(RefKind::Bank, text);
        }
        if let Some(text) = self.text("NtryRef") {
            line.refer(RefKind::Customer, text);
        }
        if let Some(group) = &self.group {
            line.refer(RefKind::Group, group);
        }
    }

    /// One transaction is the line itself; several are its parts.
    fn into_details(self, book: &mut Book<'_>, number: StatementNumber, at: &str, line: &mut Line) {
        if self.left_out > 0 {
            let message = format!("{} transactions of the entry are not kept", self.left_out);
            book.deviate(number, Rule::Limit, at, message);
        }
        let unit = line.unit;
        let mut details: Vec<Detail> = Vec::with_capacity(self.details.len());
        for (mut detail, amount) in self.details {
            let read = |text: &str| minor(text, Mark::Point, unit?).ok();
            detail.fee = amount.charges.as_deref().and_then(read);
            let debit = amount.debit.unwrap_or(line.minor < 0);
            detail.minor = amount
                .text
                .filter(|(_, said)| said.is_none() || *said == unit)
                .and_then(|(text, _)| read(&text))
                .map(|units| if debit { -units } else { units });
            details.push(detail);
        }
        if details.len() == 1 {
            if let Some(only) = details.pop() {
                line.fee = only.fee;
                only.references
                    .iter()
                    .for_each(|(kind, it)| line.refer(*kind, it));
                if !only.text.is_empty() {
                    line.text = only.text;
                }
            }
            return;
        }
        let sum = details.iter().map(|it| it.minor).sum::<Option<i64>>();
        if let Some(sum) = sum.filter(|sum| !details.is_empty() && *sum != line.minor) {
            let message = format!(
                "its transactions are {sum} minor units, the entry is {}",
                line.minor
            );
            book.deviate(number, Rule::Total, at, message);
        }
        line.details = details;
    }
}

/// The references of a transaction, under the names of the standard.
fn references(details: &Node, to: &mut Vec<(RefKind, String)>) {
    let Some(refs) = details.child("Refs") else {
        return;
    };
    for (name, kind) in [
        ("UETR", RefKind::Uetr),
        ("EndToEndId", RefKind::EndToEnd),
        ("TxId", RefKind::Transaction),
        ("ClrSysRef", RefKind::Transaction),
        ("InstrId", RefKind::Instruction),
        ("AcctSvcrRef", RefKind::Bank),
        ("MndtId", RefKind::Mandate),
        ("ChqNb", RefKind::Customer),
        ("PmtInfId", RefKind::Group),
    ] {
        if let Some(text) = refs.child(name).and_then(Node::text) {
            refer(to, kind, text);
        }
    }
    // `Prtry` has the reference beside its type.
    for own in refs.all("Prtry") {
        if let Some(text) = own.child("Ref").and_then(Node::text) {
            refer(to, RefKind::Customer, text);
        }
    }
    for structured in details
        .child("RmtInf")
        .into_iter()
        .flat_map(|it| it.all("Strd"))
    {
        if let Some(text) = structured.text_at(&["CdtrRefInf", "Ref"]) {
            refer(to, RefKind::Invoice, text);
        }
        for document in structured.all("RfrdDocInf") {
            if let Some(text) = document.child("Nb").and_then(Node::text) {
                refer(to, RefKind::Invoice, text);
            }
        }
    }
}

fn remittance(details: &Node) -> String {
    let unstructured = details
        .child("RmtInf")
        .into_iter()
        .flat_map(|it| it.all("Ustrd"));
    let mut text = String::new();
    for part in unstructured.filter_map(Node::text) {
        if text.len() + part.len() > TEXT_MAX {
            break;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    }
    if text.is_empty() {
        let other = details.child("AddtlTxInf").and_then(Node::text);
        other.unwrap_or_default().clone_into(&mut text);
    }
    text
}

/// `PMNT/RCDT/ESCT`, or the bank's own code.
fn transaction_code(code: &Node) -> String {
    let Some(domain) = code.child("Domn") else {
        let own = code.text_at(&["Prtry", "Cd"]).or_else(|| code.any_text());
        return own.unwrap_or_default().to_owned();
    };
    let parts = [
        domain.text_at(&["Cd"]),
        domain.text_at(&["Fmly", "Cd"]),
        domain.text_at(&["Fmly", "SubFmlyCd"]),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// Bank charges have a sub-family of their own (ISO 20022 Bank Transaction Code list: `CHRG`,
/// `COMM`, `FEES`); returns and rejections are refunds.
fn kind(line: &Line) -> Kind {
    match line.code.rsplit('/').next() {
        Some("CHRG" | "COMM" | "FEES" | "COME") => Kind::Fee,
        Some("RRTN" | "UPCT" | "UPDD" | "ARET" | "PRDD" | "RPCR") => Kind::Refund,
        _ => Kind::Payment,
    }
}
