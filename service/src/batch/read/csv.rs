//! Comma-separated values: a header line that names the columns, then a payment a line.
//!
//! The columns are the members of the API's body, see `docs/batches.md`. The header decides which are
//! there; a column that is unknown, or there twice, makes the file wrong, because a column that is
//! silently ignored is a payment that is silently another. An empty field is an absent one.

mod header;

use std::{
    borrow::Cow,
    cell::Cell,
    collections::BTreeMap,
    io::{self, BufRead},
    rc::Rc,
};

use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};
use lombard_core::{
    currency::{Currency, parse_minor},
    limits::{
        END_TO_END_ID_MAX, IDEMPOTENCY_KEY_MAX, METADATA_VALUE_MAX, NAME_MAX, REMITTANCE_MAX,
    },
    money::{Amount, Money},
    payment::OnInsufficientFunds,
    time::Timestamp,
};

use header::Header;

use super::{
    Context, Debtor, Fault, Payee, Piece, Row, Wish,
    bounded::{Bounded, ROW_BYTES_MAX, RowTooLong},
    refused_by,
};
use crate::{
    batch::record::References,
    details::BankAddress,
    http::{
        ErrorCode, Problem,
        input::{AccountRef, Text, bank_address},
    },
    instruct::execution,
};

/// The longest that a payment may wait, as in the API.
const EXPIRES_IN_S_MAX: u64 = 30 * 24 * 60 * 60;
/// See the module.
pub struct Rows<R: BufRead> {
    reader: Reader<Bounded<R>>,
    /// What the reader may still take in for this row.
    room: Rc<Cell<usize>>,
    context: Context,
    header: Header,
    /// Whether decimals are written with a comma.
    decimal_comma: bool,
    fault: Option<Fault>,
    record: StringRecord,
    number: u64,
    ended: bool,
}

impl<R: BufRead> Rows<R> {
    pub fn new(mut input: R, context: Context) -> io::Result<Self> {
        // Spreadsheets of half of Europe write semicolons, for the comma is in their numbers.
        let beginning = input.fill_buf()?;
        let line = beginning.split(|byte| *byte == b'\n').next();
        let line = line.unwrap_or_default();
        let semicolons = line.contains(&b';') && !line.contains(&b',');
        let room = Rc::new(Cell::new(ROW_BYTES_MAX));
        let mut reader = ReaderBuilder::new()
            .delimiter(if semicolons { b';' } else { b',' })
            .trim(csv::Trim::All)
            .from_reader(Bounded {
                input,
                room: room.clone(),
            });
        let (header, fault) = match reader.headers() {
            Ok(names) => match Header::of(names) {
                Ok(header) => (header, None),
                Err(fault) => (Header::default(), Some(fault)),
            },
            Err(error) => (Header::default(), Some(fault_of(error)?)),
        };
        Ok(Self {
            reader,
            room,
            context,
            header,
            decimal_comma: semicolons,
            fault,
            record: StringRecord::new(),
            number: 0,
            ended: false,
        })
    }

    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        if let Some(fault) = self.fault.take() {
            self.ended = true;
            return Ok(Some(Piece::Fault(fault)));
        }
        if self.ended {
            return Ok(None);
        }
        self.room.set(ROW_BYTES_MAX);
        match self.reader.read_record(&mut self.record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.number += 1;
                Ok(Some(Piece::Row(Box::new(self.row()))))
            }
            Err(error) => {
                self.ended = true;
                Ok(Some(Piece::Fault(fault_of(error)?)))
            }
        }
    }

    fn row(&self) -> Row {
        let fields = Fields {
            header: &self.header,
            decimal_comma: self.decimal_comma,
            record: &self.record,
        };
        let end_to_end_id = fields.text("end_to_end_id").map(str::to_owned);
        Row {
            number: self.number,
            references: References {
                end_to_end_id: end_to_end_id.filter(|id| id.len() <= END_TO_END_ID_MAX),
                ..References::default()
            },
            wish: fields
                .wish(self.context)
                .map_err(|problem| refused_by(&problem)),
        }
    }
}

/// What the reader says of a file that is no table; an input that fails is no fault of the file.
fn fault_of(error: csv::Error) -> io::Result<Fault> {
    let line = |position: &Option<Position>| {
        let line = position.as_ref().map_or(1, Position::line);
        format!("line {line}")
    };
    let (path, rule, message) = match error.kind() {
        ErrorKind::Utf8 { pos, .. } => (line(pos), "encoding", "is not UTF-8".to_owned()),
        ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let message = format!("has {len} fields, and the header has {expected_len}");
            (line(pos), "fields", message)
        }
        ErrorKind::Io(inner) if inner.get_ref().is_some_and(|it| it.is::<RowTooLong>()) => {
            ("/".to_owned(), "limit", RowTooLong.to_string())
        }
        _ => return Err(io::Error::other(error)),
    };
    Ok(Fault {
        path,
        rule: rule.to_owned(),
        message,
    })
}

/// The fields of a row, by name.
struct Fields<'a> {
    header: &'a Header,
    decimal_comma: bool,
    record: &'a StringRecord,
}

impl<'a> Fields<'a> {
    fn text(&self, column: &str) -> Option<&'a str> {
        self.at(*self.header.places.get(column)?)
    }

    fn at(&self, place: usize) -> Option<&'a str> {
        self.record.get(place).filter(|text| !text.is_empty())
    }

    fn checked(&self, column: &'static str, chars_max: usize) -> Result<Option<String>, Problem> {
        let text = self.text(column).map(Text::from);
        let checked = text.as_ref().map(|text| text.checked(column, chars_max));
        Ok(checked.transpose()?.map(str::to_owned))
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Problem> {
        let parsed = self.text(column).map(str::parse).transpose();
        parsed.map_err(|error: T::Err| Problem::field(column, error.to_string()))
    }

    fn wish(&self, context: Context) -> Result<Wish, Problem> {
        Ok(Wish {
            rail: self.parsed("rail")?,
            money: self.money()?,
            debtor: self.debtor(context)?,
            debtor_name: self.checked("debtor_name", NAME_MAX)?,
            creditor: self.creditor(context)?,
            end_to_end_id: self.checked("end_to_end_id", END_TO_END_ID_MAX)?,
            reference: self.checked("reference", REMITTANCE_MAX)?,
            remittance: self.checked("remittance", REMITTANCE_MAX)?,
            not_carried: None,
            on_insufficient_funds: match self.text("on_insufficient_funds") {
                None | Some("fail") => OnInsufficientFunds::Fail,
                Some("wait") => OnInsufficientFunds::Wait,
                Some(_) => {
                    let column = "on_insufficient_funds";
                    return Err(Problem::field(column, "expected `fail` or `wait`"));
                }
            },
            verification: None,
            execute_at: self.execute_at(context.now)?,
            sca: None,
            wait_ms: self.wait_ms()?,
            metadata: self.metadata()?,
            key: self.key()?,
        })
    }

    fn money(&self) -> Result<Money, Problem> {
        let missing = |column| Problem::field(column, "is missing");
        let currency: Option<Currency> = self.parsed("currency")?;
        let currency = currency.ok_or_else(|| missing("currency"))?;
        let (column, minor) = match self.text("amount_decimal") {
            Some(text) => {
                // With both signs one of them groups digits, and which one is a guess.
                let comma = self.decimal_comma && !text.contains('.');
                let text = match comma {
                    true => Cow::Owned(text.replace(',', ".")),
                    false => Cow::Borrowed(text),
                };
                let minor = parse_minor(&text, currency);
                let wrong = |error: lombard_core::currency::DecimalError| error.to_string();
                ("amount_decimal", minor.map_err(wrong))
            }
            None => {
                let text = self.text("amount").ok_or_else(|| missing("amount"))?;
                let wrong = |_| "expected a whole number of minor units".to_owned();
                ("amount", text.parse().map_err(wrong))
            }
        };
        let amount = minor.and_then(|minor| Amount::try_from(minor).map_err(|e| e.to_string()));
        let amount = amount.map_err(|error| Problem::field(column, error))?;
        Ok(Money { amount, currency })
    }

    fn account(
        &self,
        column: &'static str,
        context: Context,
    ) -> Result<Option<lombard_core::id::Id<lombard_core::ledger::Account>>, Problem> {
        let account: Option<AccountRef> = self.parsed(column)?;
        Ok(account.map(|account| account.resolve(context.tenant)))
    }

    fn address(
        &self,
        [iban, sort_code, number]: [&'static str; 3],
        within: &'static str,
    ) -> Result<Option<BankAddress>, Problem> {
        let text = |column| self.text(column).map(Text::from);
        let (iban, sort_code, number) = (text(iban), text(sort_code), text(number));
        bank_address(iban.as_ref(), sort_code.as_ref(), number.as_ref(), within)
    }

    fn debtor(&self, context: Context) -> Result<Debtor, Problem> {
        let columns = ["debtor_iban", "debtor_sort_code", "debtor_account_number"];
        let address = self.address(columns, "debtor")?;
        match (self.account("debtor_account", context)?, address) {
            (Some(account), None) => Ok(Debtor::Account(account)),
            (None, Some(address)) => Ok(Debtor::Address(address)),
            _ => {
                let detail = "expected an account, an IBAN, or a sort code with an account number";
                Err(Problem::field("debtor_account", detail))
            }
        }
    }

    fn creditor(&self, context: Context) -> Result<Payee, Problem> {
        let columns = [
            "creditor_iban",
            "creditor_sort_code",
            "creditor_account_number",
        ];
        let address = self.address(columns, "creditor")?;
        let name = self.checked("creditor_name", NAME_MAX)?;
        match (self.account("creditor_account", context)?, name, address) {
            (Some(account), None, None) => Ok(Payee::Account(account)),
            (None, Some(name), Some(address)) => Ok(Payee::Outside { name, address }),
            _ => {
                let detail = "expected an account alone, or a name with an IBAN or with a sort \
                              code and an account number";
                Err(Problem::field("creditor_account", detail))
            }
        }
    }

    fn execute_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        let column = "requested_execution_date";
        let Some(day) = self.text(column) else {
            return Ok(None);
        };
        execution(day, now).map_err(|why| Problem::field(column, why))
    }

    fn wait_ms(&self) -> Result<Option<u64>, Problem> {
        let Some(text) = self.header.expires.and_then(|place| self.at(place)) else {
            return Ok(None);
        };
        match text.parse() {
            Ok(seconds @ 1..=EXPIRES_IN_S_MAX) => Ok(Some(seconds * 1000)),
            _ => {
                let detail = format!("expected 1 to {EXPIRES_IN_S_MAX}");
                Err(Problem::field("expires_in_seconds", detail))
            }
        }
    }

    fn metadata(&self) -> Result<BTreeMap<String, String>, Problem> {
        let mut metadata = BTreeMap::new();
        for (key, place) in &self.header.metadata {
            if let Some(value) = self.at(*place) {
                let value = Text::from(value);
                let value = value.checked("metadata", METADATA_VALUE_MAX)?;
                metadata.insert(key.clone(), value.to_owned());
            }
        }
        Ok(metadata)
    }

    fn key(&self) -> Result<Option<String>, Problem> {
        let Some(key) = self.text("idempotency_key") else {
            return Ok(None);
        };
        let printable = key.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if !printable || key.len() > IDEMPOTENCY_KEY_MAX {
            return Err(Problem::new(ErrorCode::IdempotencyKeyInvalid).at("idempotency_key"));
        }
        Ok(Some(key.to_owned()))
    }
}
