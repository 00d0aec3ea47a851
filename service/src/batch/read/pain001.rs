//! pain.001, from version .03 on: each transaction is a row.
//!
//! **What is carried.** Amount, debtor account (by address, or an account of ours as `Othr/Id`),
//! creditor name and account, end-to-end id, remittance; `InstrId`, `UETR` and the purpose as metadata.
//! **What is refused rather than changed:** cheques and advices, charges that the payer or payee would bear
//! alone, counter-values. A day in the future schedules the payment. What else a file may say of a payment
//! (ultimate parties, addresses, regulatory reporting) instant rails do not take from us, and
//! `docs/batches.md` says so.
//!
//! **What is wrong with whom.** A break of the schema, a wrong count or sum is a [`Fault`] of the file,
//! wherever it stands: whoever wrote it cannot be trusted with the rest. A value that is well-formed
//! and cannot be paid is the row's.

use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

use lombard_core::{
    bank::uk::UkAccount,
    iso20022::{
        Account, Agent, ChargeBearer, Rule, Violation, Violations,
        pain001::{FileHeader, Item, Payment, PaymentBlock, PaymentFile, Row as FileRow},
    },
    payment::OnInsufficientFunds,
    reason::Reason,
    time::Timestamp,
};

use super::{Context, Debtor, Fault, Payee, Piece, Row, Wish};
use crate::{
    batch::record::{Block, Pain001, References, Refused},
    details::BankAddress,
    instruct::execution,
};

/// What a sender writes who has no end-to-end id.
const NOT_PROVIDED: &str = "NOTPROVIDED";

/// See the module.
pub struct Rows<R: BufRead> {
    file: PaymentFile<R>,
    context: Context,
    block: PaymentBlock,
    rows: u64,
    /// What follows at once.
    next: Vec<Piece>,
}

impl<R: BufRead> Rows<R> {
    pub fn new(input: R, context: Context) -> Self {
        Self {
            file: PaymentFile::new(input),
            context,
            block: PaymentBlock::default(),
            rows: 0,
            next: Vec::new(),
        }
    }

    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.next.pop() {
                return Ok(Some(piece));
            }
            let Some(item) = self.file.next_item()? else {
                return Ok(None);
            };
            match item {
                Item::Header(header) => self.header(header),
                Item::Block(block) => self.block(block),
                Item::Row(row) => self.row(row),
                Item::BlockEnd { violations, .. } => self.faults(violations),
                Item::End(end) => self.faults(end.violations),
            }
        }
    }

    fn faults(&mut self, violations: Violations) {
        let faults = violations.into_kept().into_iter().rev();
        self.next
            .extend(faults.map(|found| Piece::Fault(fault(found))));
    }

    fn header(&mut self, header: FileHeader) {
        let sender = header.initiating_party;
        let sender = sender.lei.or(sender.id).or(sender.name).unwrap_or_default();
        self.faults(header.violations);
        let known = Pain001 {
            message: header.message,
            message_id: header.message_id,
            created_ms: header.created_ms,
            control_sum: header.control_sum,
        };
        self.next.push(Piece::Header(known, sender));
    }

    fn block(&mut self, mut block: PaymentBlock) {
        self.faults(std::mem::take(&mut block.violations));
        self.next.push(Piece::Block(Block {
            block: block.block,
            id: block.id.clone(),
            first_row: self.rows + 1,
            rows: block.rows,
            control_sum: block.control_sum.clone(),
        }));
        self.block = block;
    }

    fn row(&mut self, row: FileRow) {
        self.rows = row.row;
        let wish = match row.payment {
            Ok(payment) => self
                .wish(&payment, row.end_to_end_id.as_deref(), &row.path)
                .map(|wish| with_references(wish, row.instruction_id.clone(), row.uetr.clone())),
            Err(violations) => {
                let of_row = violations
                    .kept()
                    .iter()
                    .all(|it| reason_of(it.rule).is_some());
                match violations.kept().first() {
                    Some(first) if of_row => Err(refused_for(first)),
                    _ => return self.faults(violations),
                }
            }
        };
        self.next.push(Piece::Row(Box::new(Row {
            number: row.row,
            references: References {
                instruction_id: row.instruction_id,
                end_to_end_id: row.end_to_end_id,
                uetr: row.uetr,
            },
            wish,
        })));
    }

    fn wish(
        &self,
        payment: &Payment,
        end_to_end_id: Option<&str>,
        path: &str,
    ) -> Result<Wish, Refused> {
        let block = &self.block;
        self.check_terms(payment, path)?;
        let debtor_account = block.debtor_account.as_ref();
        let debtor = match debtor_account.and_then(ours) {
            Some(account) => Debtor::Account(account),
            None => Debtor::Address(
                address(debtor_account, Some(&block.debtor_agent)).ok_or_else(|| {
                    let words = "the debtor's account is neither an IBAN nor a UK account";
                    refusal(
                        "debtor_account",
                        "DbtrAcct",
                        Reason::AccountNumberInvalid,
                        words,
                    )
                })?,
            ),
        };
        let creditor_account = payment.creditor_account.as_ref();
        let creditor = match creditor_account.and_then(ours) {
            Some(account) => Payee::Account(account),
            None => self.payee(payment, path)?,
        };
        let remittance = &payment.remittance;
        // The schemes carry a reference or a text. Beside a reference, what a sender's system adds in
        // structured form stays behind, and the payment says so.
        let beside = remittance.reference.is_some() && !remittance.also.is_empty();
        let mut text = remittance.text.clone();
        if !beside {
            text.extend(remittance.also.iter().cloned());
        }
        let text = text.join(" ");
        Ok(Wish {
            rail: None,
            money: payment.amount,
            debtor,
            debtor_name: block.debtor.name.clone(),
            creditor,
            end_to_end_id: end_to_end_id
                .filter(|id| *id != NOT_PROVIDED)
                .map(str::to_owned),
            reference: remittance.reference.clone(),
            remittance: Some(text).filter(|text| !text.is_empty()),
            not_carried: beside.then_some("/remittance"),
            on_insufficient_funds: OnInsufficientFunds::Fail,
            verification: None,
            execute_at: self.execute_at()?,
            sca: None,
            wait_ms: None,
            metadata: payment
                .purpose
                .as_ref()
                .map(|purpose| ("purpose".to_owned(), purpose.value().to_owned()))
                .into_iter()
                .collect(),
            key: None,
        })
    }

    fn payee(&self, payment: &Payment, path: &str) -> Result<Payee, Refused> {
        let account = payment.creditor_account.as_ref();
        let address = address(account, payment.creditor_agent.as_ref()).ok_or_else(|| {
            let words = "the creditor's account is neither an IBAN nor a UK account";
            let at = format!("{path}/CdtrAcct");
            refusal("creditor_account", &at, Reason::AccountNumberInvalid, words)
        })?;
        let name = payment.creditor.name.clone().ok_or_else(|| {
            let words = "the creditor has no name";
            refusal(
                "creditor_name",
                &format!("{path}/Cdtr"),
                Reason::NameMissing,
                words,
            )
        })?;
        Ok(Payee::Outside { name, address })
    }

    /// What an order may ask for that an instant rail cannot do.
    fn check_terms(&self, payment: &Payment, path: &str) -> Result<(), Refused> {
        let block = &self.block;
        if block.method != "TRF" {
            let words = "only transfers are carried out, no cheques and no advices";
            return Err(refusal(
                "payment_method",
                "PmtMtd",
                Reason::MessageInvalid,
                words,
            ));
        }
        let bearer = payment.charge_bearer.or(block.charge_bearer);
        if matches!(bearer, Some(ChargeBearer::Debtor | ChargeBearer::Creditor)) {
            let words = "charges are shared by the scheme's rule, never borne by one side";
            let at = format!("{path}/ChrgBr");
            return Err(refusal("charge_bearer", &at, Reason::Terms, words));
        }
        Ok(())
    }

    /// A moment with an offset is that moment; of everything else the day counts.
    fn execute_at(&self) -> Result<Option<Timestamp>, Refused> {
        let asked = self.block.requested_execution.as_str();
        let asked = match Timestamp::parse_rfc3339(asked) {
            Some(_) => asked,
            None => asked.get(..10).unwrap_or(asked),
        };
        execution(asked, self.context.now).map_err(|words| {
            let reason = Reason::DateNotAccepted;
            refusal("execution_date", "ReqdExctnDt", reason, &words)
        })
    }
}

fn with_references(mut wish: Wish, instruction: Option<String>, uetr: Option<String>) -> Wish {
    let named = [("instruction_id", instruction), ("uetr", uetr.clone())];
    let kept: BTreeMap<_, _> = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect();
    wish.metadata.extend(kept);
    // A UETR is one payment in the whole world, in whatever file it comes.
    wish.key = uetr.map(|uetr| format!("uetr:{uetr}"));
    wish
}

/// An account of ours that is named by its id.
fn ours(account: &Account) -> Option<lombard_core::id::Id<lombard_core::ledger::Account>> {
    account.number().parse().ok()
}

fn address(account: Option<&Account>, agent: Option<&Agent>) -> Option<BankAddress> {
    match account? {
        Account::Iban(iban) => iban.parse().ok().map(BankAddress::Iban),
        Account::Other { id, .. } => {
            let sort_code = agent?.as_sort_code()?;
            UkAccount::parse(sort_code, id).ok().map(BankAddress::Uk)
        }
    }
}

fn fault(found: Violation) -> Fault {
    Fault {
        path: found.path,
        rule: found.rule.name().to_owned(),
        message: found.message,
    }
}

/// The reason behind a rule that a row alone can break; `None` for what is wrong with the file.
const fn reason_of(rule: Rule) -> Option<Reason> {
    match rule {
        Rule::Iban => Some(Reason::AccountNumberInvalid),
        Rule::Bic => Some(Reason::BankUnknown),
        Rule::Currency => Some(Reason::CurrencyNotAccepted),
        Rule::MinorUnits | Rule::AmountRange => Some(Reason::AmountInvalid),
        Rule::EquivalentAmount => Some(Reason::Terms),
        _ => None,
    }
}

fn refused_for(found: &Violation) -> Refused {
    Refused {
        code: "invalid_field".to_owned(),
        detail: found.message.clone(),
        field: Some(found.path.clone()),
        rule: Some(found.rule.name().to_owned()),
        reason: reason_of(found.rule).unwrap_or(Reason::MessageInvalid),
    }
}

fn refusal(rule: &str, field: &str, reason: Reason, words: &str) -> Refused {
    Refused {
        code: "not_applicable".to_owned(),
        detail: words.to_owned(),
        field: Some(field.to_owned()),
        rule: Some(rule.to_owned()),
        reason,
    }
}
