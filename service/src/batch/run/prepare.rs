//! Rows into commands: accounts found, rules checked, personal data sealed.

use std::{
    collections::{BTreeSet, HashMap},
    io,
};

use lombard_core::{
    bank::uk::weights::Weights,
    command::{Act, Command, Pay},
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    ledger::Account,
    payment::Warning,
    plan::keys,
    reason::Reason,
    store::encode,
    tenant::TenantId,
};
use tokio::{runtime::Handle, sync::mpsc};

use super::CHUNK;
use crate::{
    app::App,
    batch::{
        read::{Context, Debtor, Payee, Piece, Row, Rows, Wish},
        record::{Block, Outcome, Record, References, Refused, What, payment_id},
        spool::Spool,
    },
    http::{ErrorCode, Problem},
    instruct::{Creditor, Instruction, PrepareError, prepare},
    ports::ReadError,
};

/// Debtor accounts that are remembered. A file has one, or a few.
const KNOWN_MAX: usize = 10_000;

/// A row, ready.
pub enum Ready {
    /// To be carried out.
    Pay(u64, Command, References),
    /// Not to be.
    Refused(Outcome),
    /// Not a row: a block begins.
    Block(Block),
}

/// What rows are made ready with.
pub struct Source {
    pub app: App,
    pub weights: Option<Weights>,
    pub tenant: TenantId,
    pub record: Record,
    /// Rows after the last without gaps that an earlier run refused.
    pub decided: BTreeSet<u64>,
    pub runtime: Handle,
}

/// Reads the file and hands its rows over. Ends when nobody wants them any more.
pub fn prepare_rows(
    source: Source,
    mut spool: Spool,
    to: &mpsc::Sender<Vec<Ready>>,
) -> io::Result<()> {
    let context = Context {
        tenant: source.tenant,
        // As on the day the file was accepted: a resumed run decides alike.
        now: source.record.created_at,
    };
    let mut rows = Rows::new(source.record.file.format, spool.read()?, context)?;
    let mut maker = Maker {
        source,
        accounts: HashMap::new(),
    };
    let mut chunk = Vec::with_capacity(CHUNK);
    while let Some(piece) = rows.next_piece()? {
        match piece {
            Piece::Row(row) if maker.was_decided(row.number) => continue,
            Piece::Row(row) => chunk.push(maker.ready(*row).map_err(io::Error::other)?),
            Piece::Block(block) => chunk.push(Ready::Block(block)),
            Piece::Header(..) => {}
            // The first reading found none.
            Piece::Fault(fault) => return Err(io::Error::other(fault.message)),
        }
        if chunk.len() == CHUNK {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            if to.blocking_send(full).is_err() {
                return Ok(());
            }
        }
    }
    // Whoever has gone away needs no rest either.
    let _ = to.blocking_send(chunk);
    Ok(())
}

struct Maker {
    source: Source,
    accounts: HashMap<String, Option<Id<Account>>>,
}

/// Why a row cannot be made ready: itself, or our own side.
enum NotReady {
    Refused(Refused),
    Failed(ReadError),
}

impl From<Problem> for NotReady {
    fn from(problem: Problem) -> Self {
        Self::Refused(refused_by(&problem))
    }
}

impl Maker {
    fn was_decided(&self, row: u64) -> bool {
        row <= self.source.record.done || self.source.decided.contains(&row)
    }

    fn ready(&mut self, row: Row) -> Result<Ready, ReadError> {
        let references = row.references;
        let made = match row.wish {
            Ok(wish) => self.command(row.number, &wish),
            Err(refused) => Err(NotReady::Refused(refused)),
        };
        match made {
            Ok(command) => Ok(Ready::Pay(row.number, command, references)),
            Err(NotReady::Refused(refused)) => Ok(Ready::Refused(Outcome {
                row: row.number,
                what: What::Rejected(refused),
                references,
            })),
            Err(NotReady::Failed(error)) => Err(error),
        }
    }

    fn command(&mut self, row: u64, wish: &Wish) -> Result<Command, NotReady> {
        let debtor = self.debtor(wish.debtor)?;
        let Source {
            app,
            weights,
            tenant,
            record,
            ..
        } = &self.source;
        let instruction = Instruction {
            id: payment_id(record.id, row),
            rail: wish.rail,
            money: wish.money,
            debtor,
            debtor_name: wish.debtor_name.as_deref(),
            creditor: match &wish.creditor {
                Payee::Account(account) => Creditor::Account(*account),
                Payee::Outside { name, address } => Creditor::Outside {
                    name,
                    address: *address,
                },
            },
            end_to_end_id: wish.end_to_end_id.as_deref(),
            reference: wish.reference.as_deref(),
            remittance: wish.remittance.as_deref(),
            on_insufficient_funds: wish.on_insufficient_funds,
            verification: wish.verification,
            execute_at: wish.execute_at,
            sca: wish.sca.clone(),
            wait_ms: wish.wait_ms,
            metadata: wish.metadata.clone(),
            batch: Some(record.id),
        };
        let prepared = prepare(app, *tenant, instruction, weights.as_ref());
        let paid = keys::payment(*tenant, payment_id(record.id, row));
        let judged = prepared.map_err(not_prepared)?;
        let judged = judged.judged(app, *tenant, &paid);
        // The reader is a thread of its own, so it may wait.
        let mut pay = self.source.runtime.block_on(judged);
        pay.warnings.extend(wish.not_carried.map(|field| Warning {
            rule: "not_carried".to_owned(),
            field: field.to_owned(),
        }));
        let idempotency = wish
            .key
            .as_ref()
            .map(|key| idempotency(app, *tenant, key, wish, &pay));
        Ok(Command {
            tenant: *tenant,
            actor: record.actor.as_str().into(),
            trace: record.trace.clone(),
            idempotency,
            act: Act::Pay(Box::new(pay)),
        })
    }

    fn debtor(&mut self, debtor: Debtor) -> Result<Id<Account>, NotReady> {
        let address = match debtor {
            Debtor::Account(account) => return Ok(account),
            Debtor::Address(address) => address,
        };
        let app = &self.source.app;
        let blind = address.alias(app.vault.as_ref()).blind;
        let known = match self.accounts.get(&blind) {
            Some(known) => *known,
            None => {
                let key = keys::alias(&blind);
                let read = app.value::<(TenantId, Id<Account>)>(&key);
                // The reader is a thread of its own, so it may wait.
                let read = self.source.runtime.block_on(read);
                let found = read.map_err(NotReady::Failed)?;
                let ours = found.filter(|(tenant, _)| *tenant == self.source.tenant);
                if self.accounts.len() >= KNOWN_MAX {
                    self.accounts.clear();
                }
                *self
                    .accounts
                    .entry(blind)
                    .or_insert(ours.map(|(_, account)| account))
            }
        };
        known.ok_or_else(|| {
            NotReady::Refused(Refused {
                code: ErrorCode::ReferenceUnknown.code().to_owned(),
                detail: "no account of yours has the debtor's address".to_owned(),
                field: Some("debtor_account".to_owned()),
                rule: Some("account_unknown".to_owned()),
                reason: Reason::AccountUnknown,
            })
        })
    }
}

fn not_prepared(error: PrepareError) -> NotReady {
    match error {
        PrepareError::Refused(refused) => {
            let (rule, reason) = (refused.rule.to_owned(), refused.reason);
            let problem = Problem::from(PrepareError::Refused(refused));
            NotReady::Refused(Refused {
                rule: Some(rule),
                reason,
                ..refused_by(&problem)
            })
        }
        PrepareError::Vault(error) => {
            NotReady::Failed(ReadError::Unavailable(std::sync::Arc::new(error)))
        }
    }
}

/// The row's wish to be paid once under its own key. What was asked has personal data, so its
/// fingerprint is keyed.
fn idempotency(app: &App, tenant: TenantId, key: &str, wish: &Wish, pay: &Pay) -> Idempotency {
    let name = match &wish.creditor {
        Payee::Account(_) => None,
        Payee::Outside { name, .. } => Some(name),
    };
    let asked = zeroize::Zeroizing::new(encode(&(
        (pay.rail, pay.money, pay.debtor, &pay.creditor),
        (&wish.debtor_name, name, &wish.end_to_end_id),
        (&wish.reference, &wish.remittance),
    )));
    let text = String::from_utf8_lossy(&asked);
    let blind = app.vault.blind(tenant.short(), &text);
    Idempotency {
        operation: "batches.row",
        key: key.to_owned(),
        fingerprint: Fingerprint::of(blind.as_bytes()),
    }
}

/// A refusal of the API, for a row.
pub fn refused_by(problem: &Problem) -> Refused {
    let reason = match problem.code {
        ErrorCode::AccountClosed => Reason::AccountClosed,
        ErrorCode::BankAddressInvalid | ErrorCode::SameAccount => Reason::AccountNumberInvalid,
        ErrorCode::CurrencyMismatch => Reason::CurrencyNotAccepted,
        ErrorCode::IdempotencyKeyReused | ErrorCode::AlreadyExists => Reason::Duplicate,
        ErrorCode::NotFound | ErrorCode::ReferenceUnknown => Reason::AccountUnknown,
        ErrorCode::RailOff => Reason::RailUnavailable,
        _ => Reason::MessageInvalid,
    };
    Refused {
        code: problem.code.code().to_owned(),
        detail: problem.detail.clone().into_owned(),
        field: problem
            .field
            .as_ref()
            .map(|field| field.clone().into_owned()),
        rule: None,
        reason,
    }
}
