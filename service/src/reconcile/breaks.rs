//! Breaks as exceptions: under a name that follows from what is wrong, raised once, and closed when
//! a later file explains them.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use lombard_core::{
    id::Id,
    matching::{Break, BreakKind},
    payment::Payment,
    statement::Unit,
    tenant::TenantId,
};

use super::{expected::Gathered, read::Entry, report::Told, source::Source};
use crate::{
    app::App,
    exceptions::{self, Exception, Kind, Raised, State, Trouble},
    ports::CommitError,
};

/// Who reconciles, as records say it.
pub const WORKER: &str = "worker/reconciliation";

/// A break with what a person must know of it.
pub struct Found {
    /// What is wrong.
    pub kind: BreakKind,
    /// With what: `line:…` or a payment's id.
    pub subject: String,
    /// What is at stake.
    pub minor: i64,
    /// Of what.
    pub unit: Option<Unit>,
    /// By what a person knows it.
    pub reference: String,
    /// In a sentence.
    pub why: String,
    /// The payments concerned, or the candidates.
    pub payments: Vec<String>,
    /// The line, when it is not taken in.
    pub line: Option<Untaken>,
}

/// A line that was not taken in.
pub struct Untaken {
    /// Its digest.
    pub digest: String,
    /// The statement that it stands in.
    pub statement: Arc<str>,
    /// What was kept back of it.
    pub fee: i64,
}

impl Untaken {
    fn of(entry: &Entry) -> Self {
        Self {
            digest: entry.digest.clone(),
            statement: Arc::clone(&entry.statement),
            fee: entry.movement.fee,
        }
    }
}

impl Found {
    /// A break of one line.
    pub fn of_line(entry: &Entry, kind: BreakKind, why: &str) -> Self {
        let movement = &entry.movement;
        Self {
            kind,
            subject: entry.subject(),
            minor: movement.minor,
            unit: Some(movement.unit),
            reference: entry.reference().into_owned(),
            why: format!(
                "a line of {} ({}): {why}",
                movement.minor,
                entry.reference()
            ),
            payments: Vec::new(),
            line: Some(Untaken::of(entry)),
        }
    }
}

/// Puts a break of the engine into words.
pub fn describe(it: &Break, entries: &[&Entry], gathered: &Gathered) -> Found {
    let entry = it.movements.first().map(|id| entries[id.0 as usize]);
    let payment = it.expected.first().map(|id| {
        let at = id.0 as usize;
        (&gathered.payments[at], &gathered.items[at])
    });
    let line = entry.map(|it| format!("a line of {} ({})", it.movement.minor, it.reference()));
    let line = line.unwrap_or_default();
    let ours = payment.map(|(known, item)| {
        let of = known
            .original
            .map_or_else(String::new, |it| format!(", a return of {it},"));
        format!(
            "payment {} ({}){of} of {}",
            known.id, known.end_to_end_id, item.minor
        )
    });
    let ours = ours.unwrap_or_default();
    let why = match it.kind {
        BreakKind::AmountDiffers => format!("{line} differs by {} from {ours}", it.minor),
        BreakKind::MissingThere => format!("{ours} is not in the statement that covers its day"),
        BreakKind::MissingHere => format!("{line} is no payment of ours"),
        BreakKind::UnknownReference => format!("{line} has a reference that we never gave"),
        BreakKind::Duplicate => format!("{line} came before: {ours} is settled"),
        BreakKind::ConflictingStatus => format!("{line} settles {ours}, which failed"),
        BreakKind::Currency => format!("{line} is in another currency than {ours}"),
        BreakKind::Ambiguous => format!(
            "{line} could be any of {} payments, with {} lines like it",
            it.expected.len(),
            it.movements.len()
        ),
        BreakKind::Late
        | BreakKind::WrongAccount
        | BreakKind::FeeDiffers
        | BreakKind::BrokenStatement => format!("{line} {ours}"),
    };
    let subject = match (entry, payment) {
        (Some(entry), _) => entry.subject(),
        (None, Some((known, _))) => known.id.to_string(),
        (None, None) => String::new(),
    };
    let reference = match (payment, entry) {
        (Some((known, _)), _) if it.kind != BreakKind::Ambiguous => known.end_to_end_id.clone(),
        (_, Some(entry)) => entry.reference().into_owned(),
        (_, None) => String::new(),
    };
    let named = it.expected.iter().take(20);
    Found {
        kind: it.kind,
        subject,
        minor: it.minor,
        unit: entry
            .map(|it| it.movement.unit)
            .or(payment.map(|(_, item)| item.unit)),
        reference,
        why,
        payments: named
            .map(|id| gathered.payments[id.0 as usize].id.to_string())
            .collect(),
        line: entry.map(Untaken::of),
    }
}

/// Raises a break, unless somebody has resolved it. What is still open is told.
///
/// # Errors
/// See [`CommitError`].
pub async fn raise(
    app: &App,
    tenant: TenantId,
    source: &Source,
    found: &Found,
) -> Result<(Id<Exception>, Option<Told>), CommitError> {
    let kind = Kind::of_break(found.kind);
    let subject = format!("{}/{}", source.name, found.subject);
    let currency = found.unit.map(|it| it.code().to_owned());
    let mut trouble = Trouble::new(tenant, kind, &subject, &found.why)
        .evidence("amount", found.minor)
        .evidence("reference", &found.reference)
        .evidence("source", &source.name);
    if let Some(currency) = &currency {
        trouble = trouble.evidence("currency", currency);
    }
    if let Some(line) = &found.line {
        trouble = trouble
            .evidence("line", &line.digest)
            .evidence("statement", &line.statement);
        if line.fee != 0 {
            trouble = trouble.evidence("fee", line.fee);
        }
    }
    if !found.payments.is_empty() {
        trouble = trouble.evidence("payments", found.payments.join(" "));
    }
    let Raised { id, state } = exceptions::raise_once(app, trouble).await?;
    let told = (state == State::Open).then(|| Told {
        kind: found.kind.name(),
        amount: found.minor,
        currency,
        reference: found.reference.clone(),
        why: found.why.clone(),
        id: id.to_string(),
    });
    Ok((id, told))
}

/// What agrees now: exceptions about it are over.
#[derive(Default)]
pub struct Over<'e> {
    /// Payments that were found.
    pub payments: HashSet<Id<Payment>>,
    /// Lines that are matched or explained, by their digests.
    pub lines: HashSet<&'e str>,
    /// Statements that do not contradict themselves.
    pub statements: BTreeSet<String>,
}

impl Over<'_> {
    fn has(&self, subject: &str) -> bool {
        match subject.split_once(':') {
            Some(("line", digest)) => self.lines.contains(digest),
            Some(_) => self.statements.contains(subject),
            None => {
                let id = subject.parse();
                id.is_ok_and(|id: Id<Payment>| self.payments.contains(&id))
            }
        }
    }
}

/// Resolves what was open about lines, payments and statements that agree now; not what this run
/// has just told of.
///
/// # Errors
/// See [`CommitError`].
pub async fn close_found(
    app: &App,
    tenant: TenantId,
    source: &Source,
    over: &Over<'_>,
    told: &BTreeSet<Id<Exception>>,
) -> Result<(), CommitError> {
    let prefix = format!("{}/", source.name);
    let is_over = |it: &Exception| {
        let subject = it.subject.strip_prefix(&prefix);
        let payments = it.evidence.get("payments").map(String::as_str);
        let mut payments = payments
            .into_iter()
            .flat_map(|all| all.split(' '))
            .peekable();
        let all = payments.peek().is_some() && payments.all(|id| over.has(id));
        subject.is_some_and(|subject| all || over.has(subject))
    };
    let mut after = None;
    loop {
        let found = exceptions::list(app, tenant, after.clone(), 500).await;
        let found = found.map_err(|it| CommitError::Unavailable(Arc::new(it)))?;
        let Some((last, _)) = found.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (_, it) in found {
            let closes = it.kind.closes_by_a_match() && it.state == State::Open;
            if closes && !told.contains(&it.id) && is_over(&it) {
                let why = "a later statement explains it";
                exceptions::resolve(app, tenant, it.id, WORKER, "matched", why).await?;
            }
        }
    }
}
