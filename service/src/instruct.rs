//! From what somebody wants to pay to the command that pays it: the rail is chosen, the scheme's
//! rules are held against it, what is personal is sealed, and risk is asked. One way for all that
//! come in: the API, batches, files.
//!
//! Nothing is written here, and nothing is cut: what the scheme would refuse is refused before
//! any money is held, and what it would respell or shorten is a warning with the rule's name, which stays
//! with the payment.

mod rules;

use std::collections::BTreeMap;

use lombard_core::{
    bank::uk::weights::Weights,
    command::Pay,
    currency::Currency,
    id::Id,
    ledger::Account,
    limits::{SCHEDULE_MS_MAX, WAIT_MS_DEFAULT},
    money::Money,
    payment::{Batch, OnInsufficientFunds, Party, Payment, Warning},
    rail::Rail,
    reason::Reason,
    sca::{self, Ask, Channel, rules::Regime},
    scheme::Finding,
    store::Key,
    tenant::TenantId,
    time::Timestamp,
};

use crate::{
    app::App,
    config::Decide,
    details::{BankAddress, Details},
    ports::VaultError,
    risk::{self, Order},
};

/// What somebody wants to pay. Texts are as they were given.
#[derive(Clone)]
pub struct Instruction<'a> {
    /// The payment's id.
    pub id: Id<Payment>,
    /// Over which rail; inferred from creditor and currency when absent.
    pub rail: Option<Rail>,
    /// How much.
    pub money: Money,
    /// From which account of ours.
    pub debtor: Id<Account>,
    /// Under which name, when it is not the holder's.
    pub debtor_name: Option<&'a str>,
    /// To whom.
    pub creditor: Creditor<'a>,
    /// The id that both ends see; derived from the payment's id when absent.
    pub end_to_end_id: Option<&'a str>,
    /// The payee's own reference.
    pub reference: Option<&'a str>,
    /// Free text for the payee. The schemes carry a reference or a text, not both.
    pub remittance: Option<&'a str>,
    /// What to do when the money is lacking.
    pub on_insufficient_funds: OnInsufficientFunds,
    /// Why somebody must confirm it first, if somebody must.
    pub verification: Option<Reason>,
    /// When it is to be carried out, if not at once.
    pub execute_at: Option<Timestamp>,
    /// What is known for deciding whether the payer must authenticate; not decided when absent.
    pub sca: Option<Ask>,
    /// How long it may wait for funds or verification, in milliseconds.
    pub wait_ms: Option<u64>,
    /// The tenant's own references.
    pub metadata: BTreeMap<String, String>,
    /// The batch that it came in.
    pub batch: Option<Id<Batch>>,
}

/// Who is paid.
#[derive(Clone, Copy, Debug)]
pub enum Creditor<'a> {
    /// An account of ours.
    Account(Id<Account>),
    /// Somebody outside.
    Outside {
        /// The name.
        name: &'a str,
        /// The account.
        address: BankAddress,
    },
}

/// An instruction that can be carried out.
#[derive(Debug)]
pub struct Prepared {
    /// The command.
    pub pay: Pay,
    /// What the scheme will do to the texts on their way; `field` and `rule` of each may be
    /// shown, `sent` is personal data.
    pub warnings: Vec<Finding>,
    /// How near the creditor's name is to the nearest under sanctions, in per cent, where lists
    /// are loaded.
    screening: Option<u8>,
}

impl Prepared {
    /// The command, with what risk says of it and what its exemption by risk hangs on, where risk is asked. Where there is a record under
    /// `before` already, the order was carried out and is only repeated: nobody judges it again.
    pub async fn judged(mut self, app: &App, tenant: TenantId, before: &Key) -> Pay {
        let order = Order::from(&self.pay);
        self.pay.risk = risk::assess(app, tenant, &order, self.screening, before).await;
        risk::portfolio::inform(app, tenant, &mut self.pay).await;
        self.pay
    }
}

/// Why an instruction cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// The member of the API's body that is at fault, as a JSON pointer.
    pub field: &'static str,
    /// The rule's stable code, such as `too_long` or `rail_off`.
    pub rule: &'static str,
    /// The nearest reason of ours, for files that answer with codes.
    pub reason: Reason,
    /// A sentence for whoever gave the instruction. Never repeats an account number.
    pub message: String,
}

/// Why there is no command.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The instruction is at fault.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The vault is.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// When a payment is to be carried out whose day or moment was asked for, as it is written; a day
/// begins at midnight in UTC, which is within that day in London and in central Europe. What is
/// not later than `now` is to be done at once: a request may be repeated long after its day.
///
/// # Errors
/// Why it cannot be done then, in words.
pub fn execution(asked: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let at = Timestamp::parse_day(asked).or_else(|| Timestamp::parse_rfc3339(asked));
    let at = at.ok_or("expected a day, such as 2026-11-22")?;
    if at > now.plus_ms(SCHEDULE_MS_MAX) {
        let days = SCHEDULE_MS_MAX / (24 * 60 * 60 * 1000);
        return Err(format!("a payment is scheduled at most {days} days ahead"));
    }
    Ok((at > now).then_some(at))
}

/// Makes the command that carries an instruction out.
///
/// `weights` is the table of the UK modulus check; without it that check is not made.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(
    app: &App,
    tenant: TenantId,
    instruction: Instruction<'_>,
    weights: Option<&Weights>,
) -> Result<Prepared, PrepareError> {
    let rail = rail_of(&instruction)?;
    if !app.rails.is_on(rail) {
        let message = format!("the rail `{rail}` is not switched on");
        return Err(refused("/rail", "rail_off", Reason::RailUnavailable, message).into());
    }
    let end_to_end_id = end_to_end_id(&instruction);
    let warnings = rules::judge(rail, &instruction, &end_to_end_id, weights)?;
    let details = details_of(&instruction);
    let sealed = if details == Details::default() {
        None
    } else {
        Some(details.seal(app.vault.as_ref(), tenant, instruction.id)?)
    };
    let creditor = match instruction.creditor {
        Creditor::Account(account) => Party::Account(account),
        Creditor::Outside { address, .. } => {
            Party::External(address.external(app.vault.as_ref(), tenant))
        }
    };
    let warned = warnings.iter().map(|finding| Warning {
        rule: finding.rule.code().to_owned(),
        field: rules::pointer(finding.field, &instruction).to_owned(),
    });
    let warned = warned.collect();
    let screening = match (&app.risk, instruction.creditor) {
        (Some(desk), Creditor::Outside { name, .. }) => desk.screen(name),
        _ => None,
    };
    let pay = Pay {
        id: instruction.id,
        rail,
        money: instruction.money,
        debtor: instruction.debtor,
        creditor,
        end_to_end_id,
        on_insufficient_funds: instruction.on_insufficient_funds,
        verification: instruction.verification,
        execute_at: instruction.execute_at,
        agency: None,
        needs_approval: needs_approval(app, instruction.money),
        parties: app.config.parties.fitting(instruction.money, rail),
        sca: instruction
            .sca
            .or_else(|| unsaid(app, instruction.money.currency))
            .map(|ask| wish(app, ask)),
        wait_ms: instruction.wait_ms.unwrap_or(WAIT_MS_DEFAULT),
        sealed,
        warnings: warned,
        metadata: instruction.metadata,
        batch: instruction.batch,
        risk: None,
    };
    Ok(Prepared {
        pay,
        warnings,
        screening,
    })
}

/// Whether it takes a second person.
fn needs_approval(app: &App, money: Money) -> bool {
    let above = app.config.approvals.payments_above;
    above > 0 && money.amount.minor() > above
}

/// What is asked about authentication when the order says nothing of it.
fn unsaid(app: &App, currency: Currency) -> Option<Ask> {
    match app.config.sca.decide {
        Decide::Stated => None,
        Decide::All => Some(Ask::plain(Regime::of(currency), Channel::RemoteTransfer)),
    }
}

/// What the decision about authentication is made of, beside the payment.
fn wish(app: &App, ask: Ask) -> Box<sca::Wish> {
    Box::new(sca::Wish {
        ask,
        rules: app.config.sca.rules(),
        fraud: None,
    })
}

/// The rail that was asked for if it fits, or the one that fits.
fn rail_of(instruction: &Instruction<'_>) -> Result<Rail, Refused> {
    let fitting = match instruction.creditor {
        Creditor::Account(_) => Rail::Book,
        Creditor::Outside { .. } if instruction.money.currency == Currency::GBP => Rail::Fps,
        Creditor::Outside { .. } if instruction.money.currency == Currency::EUR => Rail::SepaInst,
        Creditor::Outside { .. } => {
            let currency = instruction.money.currency.code();
            let message = format!("no rail carries {currency} to an account outside");
            let reason = Reason::CurrencyNotAccepted;
            return Err(refused("/currency", "currency", reason, message));
        }
    };
    match instruction.rail {
        None => Ok(fitting),
        Some(rail) if (rail == Rail::Book) == (fitting == Rail::Book) => Ok(rail),
        Some(rail) => {
            let message = format!("`{rail}` does not lead to this creditor; `{fitting}` does");
            let reason = Reason::AccountNumberInvalid;
            Err(refused("/rail", "account_kind", reason, message))
        }
    }
}

/// The caller's, or the digits of the payment's id: every scheme takes those.
fn end_to_end_id(instruction: &Instruction<'_>) -> String {
    match instruction.end_to_end_id {
        Some(given) => given.to_owned(),
        None => {
            let id = instruction.id.to_string();
            id.rsplit('_').next().unwrap_or(&id).to_owned()
        }
    }
}

fn details_of(instruction: &Instruction<'_>) -> Details {
    let mut details = Details {
        debtor_name: instruction.debtor_name.map(str::to_owned),
        reference: instruction.reference.map(str::to_owned),
        remittance: instruction.remittance.map(str::to_owned),
        ..Details::default()
    };
    if let Creditor::Outside { name, address } = instruction.creditor {
        details.creditor_name = Some(name.to_owned());
        details.creditor_account = Some(address);
    }
    details
}

fn refused(field: &'static str, rule: &'static str, reason: Reason, message: String) -> Refused {
    Refused {
        field,
        rule,
        reason,
        message,
    }
}
