//! Balances of a statement, and its own totals.

use super::{
    super::{
        book::Book,
        model::{Balance, Rule, StatementNumber},
        unit::{Mark, Unit, minor},
    },
    dates,
    node::Node,
};

/// The balances from which an opening and a closing one are chosen.
#[derive(Default)]
pub struct Balances {
    /// `OPBD`: at the beginning of the statement.
    opening: Option<Balance>,
    /// `PRCD`: the closing balance of the statement before.
    previous: Option<Balance>,
    /// `CLBD`: at its end.
    closing: Option<Balance>,
    /// `ITBD`: at the edges of a page, the first of which begins and the last of which ends it.
    interim: Vec<Balance>,
}

impl Balances {
    /// Takes in one balance. Available, expected and informational ones say nothing of the lines.
    pub fn take(&mut self, book: &mut Book<'_>, number: StatementNumber, bal: &Node) {
        let code = bal.text_at(&["Tp", "CdOrPrtry", "Cd"]);
        let code = code.or_else(|| bal.text_at(&["Tp", "CdOrPrtry", "Prtry"]));
        let Some(code) = code.or_else(|| bal.child("Tp")?.any_text()) else {
            book.deviate(number, Rule::Missing, "Bal/Tp", "a balance without a type");
            return;
        };
        let known = ["OPBD", "PRCD", "CLBD", "ITBD"];
        if !known.contains(&code) {
            return;
        }
        let Some(balance) = balance(book, number, bal, code) else {
            return;
        };
        match code {
            "OPBD" => keep(&mut self.opening, balance, is_before),
            "PRCD" => keep(&mut self.previous, balance, is_before),
            "CLBD" => keep(&mut self.closing, balance, |one, other| {
                is_before(other, one)
            }),
            _ => self.interim.push(balance),
        }
    }

    /// Chooses the opening and the closing balance. Interim ones are the edges of a page of a
    /// statement; in a report or a notification they hold what other reports told, and prove nothing.
    pub fn settle(&self, book: &mut Book<'_>, number: StatementNumber, is_statement: bool) {
        let interim = if is_statement {
            self.interim.as_slice()
        } else {
            &[]
        };
        let opening = self.opening.or(self.previous);
        let closing = self.closing;
        // One interim balance alone ends a page that has a beginning, and begins one that has an
        // end.
        let first = interim
            .first()
            .filter(|_| interim.len() > 1 || closing.is_some());
        let last = interim
            .last()
            .filter(|_| interim.len() > 1 || opening.is_some());
        if let Some(opening) = opening.or(first.copied()) {
            book.header(number).opening = Some(opening);
        }
        if let Some(closing) = closing.or(last.copied()) {
            book.close_at(number, closing);
        }
    }
}

/// Of one day the first counts: banks repeat a type with a sub-type, or for another currency. A
/// statement of several days may hold each day's balances: it begins with the earliest of them
/// and ends with the latest.
fn keep(kept: &mut Option<Balance>, new: Balance, outranks: impl Fn(&Balance, &Balance) -> bool) {
    if kept.as_ref().is_none_or(|old| outranks(&new, old)) {
        *kept = Some(new);
    }
}

fn is_before(one: &Balance, other: &Balance) -> bool {
    one.date.is_some() && other.date.is_some() && one.date < other.date
}

fn balance(
    book: &mut Book<'_>,
    number: StatementNumber,
    bal: &Node,
    code: &str,
) -> Option<Balance> {
    let at = format!("Bal[{code}]");
    let Some(amount) = bal.child("Amt") else {
        book.deviate(number, Rule::Missing, at, "a balance without an amount");
        return None;
    };
    let unit = unit(book, number, amount, &at)?;
    let read = minor(amount.text().unwrap_or_default(), Mark::Point, unit);
    let units = match read {
        Ok(units) => units,
        Err(why) => {
            book.deviate(number, Rule::Amount, at, format!("the balance {why}"));
            return None;
        }
    };
    let debit = match bal.text_at(&["CdtDbtInd"]) {
        Some("CRDT") => false,
        Some("DBIT") => true,
        _ => {
            let message = "a balance that is neither CRDT nor DBIT is read as a credit";
            book.deviate(number, Rule::Missing, at, message);
            false
        }
    };
    let date = bal
        .child("Dt")
        .and_then(Node::any_text)
        .and_then(dates::day);
    Some(Balance {
        minor: if debit { -units } else { units },
        date,
    })
}

/// The currency of an amount; that of the account where it is not said.
pub fn unit(book: &mut Book<'_>, number: StatementNumber, amount: &Node, at: &str) -> Option<Unit> {
    let said = amount.currency.as_deref().and_then(Unit::read);
    let account = book.header(number).unit;
    match said.or(account) {
        Some(unit) => {
            // The account may leave its currency to its first balance.
            book.header(number).unit.get_or_insert(unit);
            if said.is_none() {
                let message = "the amount has no currency; it is read in the account's";
                book.deviate(number, Rule::Currency, at, message);
            }
            Some(unit)
        }
        None => {
            book.deviate(number, Rule::Currency, at, "the amount has no currency");
            None
        }
    }
}

/// Holds the statement's own totals against what was read.
pub fn check_totals(book: &mut Book<'_>, number: StatementNumber, totals: &Node) {
    let (entries, credits, debits) = book.sums(number);
    let Some(unit) = book.header(number).unit else {
        return;
    };
    let count = totals.text_at(&["TtlNtries", "NbOfNtries"]);
    if let Some(said) = count.and_then(|text| text.parse::<u64>().ok())
        && said != entries
    {
        let message = format!("the summary counts {said} entries, there are {entries}");
        book.deviate(number, Rule::Total, "TxsSummry/TtlNtries", message);
    }
    for (name, sum) in [("TtlCdtNtries", credits), ("TtlDbtNtries", debits)] {
        let said = totals.text_at(&[name, "Sum"]);
        let said = said.and_then(|text| minor(text, Mark::Point, unit).ok());
        if let Some(said) = said
            && said != sum
        {
            let message = format!("the summary says {said} minor units, the entries are {sum}");
            book.deviate(number, Rule::Total, format!("TxsSummry/{name}"), message);
        }
    }
}
