//! What is stored of tenants, and how it gets there.

use lombard_core::{
    audit::Audit,
    command::{Act, Command, OpenAccount, Rejection},
    currency::Currency,
    id::Id,
    journal::{self, Role},
    plan::keys,
    rail::Rail,
    store::{Body, Key, decode},
    tenant::TenantId,
};

use super::Tenant;
use crate::{
    app::App,
    password::NoRandomness,
    ports::{CommitError, ExecuteError, Found, RANGE_MAX, Range, ReadError},
    records::create_noted,
};

/// Who makes tenants and keys, as timelines and audit records say it.
const ACTOR: &str = "service/tenants";

/// The list of all tenants.
const LIST: &str = "tenants";

/// Why a tenant or a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store did not take it.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// An account could not be opened or funded.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// No secret could be kept.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// A built-in address is not one: a mistake of ours.
    #[error("the demo account's address is wrong: {0}")]
    Demo(String),
}

fn tenant_key(id: TenantId) -> Key {
    Key::new(&format!("{}/tenant", id.short()), "tenant")
}

/// Makes a tenant, with its house accounts.
///
/// # Errors
/// See [`TenantError`].
pub async fn create_tenant(app: &App, name: &str) -> Result<Tenant, TenantError> {
    loop {
        let id = TenantId::new(app.host.random() as u64);
        match create_tenant_as(app, id, name).await {
            // Two of a trillion ids were the same: draw again.
            Err(TenantError::Commit(CommitError::Conflict(_))) => {}
            done => return done,
        }
    }
}

/// The same, under an id that was given.
pub(super) async fn create_tenant_as(
    app: &App,
    id: TenantId,
    name: &str,
) -> Result<Tenant, TenantError> {
    // The accounts first: a tenant that is there has them.
    open_house_accounts(app, id).await?;
    let tenant = Tenant {
        id,
        name: name.to_owned(),
        created_at: app.host.now(),
    };
    let body = Body::of(&tenant).listed(Key::new(LIST, &id.to_string()));
    let note = note(app, id, "tenant.create", id);
    create_noted(app, [(tenant_key(id), body)], &note).await?;
    Ok(tenant)
}

/// The ids of all tenants.
///
/// # Errors
/// See [`ReadError`].
pub async fn ids(app: &App) -> Result<Vec<TenantId>, ReadError> {
    let tenants = all(app).await?;
    Ok(tenants.into_iter().map(|tenant| tenant.id).collect())
}

/// All tenants, in the order of their ids.
///
/// # Errors
/// See [`ReadError`].
pub async fn all(app: &App) -> Result<Vec<Tenant>, ReadError> {
    let (mut tenants, mut after) = (Vec::new(), None);
    loop {
        let range = Range::listed(LIST, RANGE_MAX).after(after);
        let page = app.store.range(&range).await?;
        let Some(last) = page.last() else {
            return Ok(tenants);
        };
        after = Some(last.at.sort().to_owned());
        let read = |found: &Found| decode::<Tenant>(&found.record.body.bytes);
        tenants.extend(page.iter().map(read));
    }
}

/// The tenant of an id, if there is one.
pub(super) async fn find_tenant(app: &App, id: TenantId) -> Result<Option<Tenant>, ReadError> {
    app.value(&tenant_key(id)).await
}

/// That this program did something to what an operator looks after.
pub(super) fn note(app: &App, tenant: TenantId, what: &str, thing: impl ToString) -> Audit {
    let (now, random) = (app.host.now(), app.host.random());
    Audit::new(Id::new(now, random), tenant, now, ACTOR, what).on(thing)
}

/// Gives a tenant the accounts of the chart that have no holder: clearing, settlement, suspense
/// and fees of each rail in its currency, and fees for payments on our own books. Does nothing
/// for those that are there.
///
/// # Errors
/// See [`ExecuteError`].
pub async fn open_house_accounts(app: &App, tenant: TenantId) -> Result<(), ExecuteError> {
    open_all(app, tenant, chart()).await
}

/// The same for a rail that takes any currency, in one in which it is used: the accounts are listed, and
/// balance, from the first payment on.
///
/// # Errors
/// See [`TenantError`].
pub async fn open_accounts_of(
    app: &App,
    tenant: TenantId,
    rail: Rail,
    currency: Currency,
) -> Result<(), TenantError> {
    let all = Role::ALL.map(|role| (rail, role, currency));
    let [.., (_, last, _)] = all;
    // They are opened in this order.
    let last = keys::account(tenant, journal::house(tenant, rail, last, currency));
    if app.get(&last).await?.is_some() {
        return Ok(());
    }
    Ok(open_all(app, tenant, all).await?)
}

async fn open_all(
    app: &App,
    tenant: TenantId,
    accounts: impl IntoIterator<Item = (Rail, Role, Currency)>,
) -> Result<(), ExecuteError> {
    for (rail, role, currency) in accounts {
        let act = Act::OpenAccount(OpenAccount {
            id: journal::house(tenant, rail, role, currency),
            name: journal::house_name(rail, role, currency),
            currency,
            aliases: Vec::new(),
            sealed: None,
            metadata: std::collections::BTreeMap::new(),
        });
        open(app, tenant, act).await?;
    }
    Ok(())
}

/// The house accounts that every tenant has.
fn chart() -> impl Iterator<Item = (Rail, Role, Currency)> {
    let rails = Rail::ALL.into_iter().filter_map(|rail| {
        let currency = rail.currency()?;
        Some(
            Role::ALL
                .into_iter()
                .map(move |role| (rail, role, currency)),
        )
    });
    let book = [Currency::GBP, Currency::EUR].map(|currency| (Rail::Book, Role::Fees, currency));
    rails.flatten().chain(book)
}

/// Carries out an act that may have been carried out before.
pub(super) async fn open(app: &App, tenant: TenantId, act: Act) -> Result<(), ExecuteError> {
    let command = Command {
        tenant,
        actor: ACTOR.into(),
        trace: None,
        idempotency: None,
        act,
    };
    match app.execute(command).await {
        Ok(_) | Err(ExecuteError::Rejected(Rejection::Exists { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}
