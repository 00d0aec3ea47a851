//! A tenant to try Lombard with: two funded accounts and a key, the same at every start.

use lombard_core::{
    bank::uk::UkAccount,
    command::{Act, OpenAccount, PostLegs},
    currency::Currency,
    id::Id,
    journal::{self, Role},
    ledger::{Account, Rollup},
    money::{Amount, Money},
    plan::keys,
    rail::Rail,
    tenant::TenantId,
};

use super::{
    KeyWish, Scope, SecretKey, find_key, keeper,
    keys::{made_by_us, record_of},
    records::{TenantError, create_tenant_as, find_tenant, open},
};
use crate::{
    access::{Access, Grant},
    app::App,
    details::{BankAddress, Holder},
    ports::CommitError,
    records::create_noted,
};

/// What `lombard up` tells of it.
#[derive(Clone, Debug)]
pub struct DemoTenant {
    /// Whose everything here is.
    pub tenant: TenantId,
    /// The key to call the API with.
    pub key: SecretKey,
    /// A funded account in pounds, with a sort code and account number.
    pub account: Id<Account>,
    /// A funded account in euros, with an IBAN.
    pub euro_account: Id<Account>,
}

const TENANT: &str = "ten_demo0000";
const HOLDER: &str = "Demo Trading Ltd";
/// A thousand million, in minor units: enough for any benchmark.
const FUNDS_MINOR: u64 = 100_000_000_000;
/// In no bank's range, so that no real account is ever meant.
const SORT_CODE: &str = "000001";
const ACCOUNT_NUMBER: &str = "10000001";
/// The example of ISO 13616 for Germany.
const IBAN: &str = "DE89370400440532013000";

/// The demo tenant's id.
///
/// # Panics
/// Never: the text is one.
#[must_use]
pub fn demo_id() -> TenantId {
    match TENANT.parse() {
        Ok(tenant) => tenant,
        Err(_) => unreachable!("{TENANT} is a tenant's id"),
    }
}

/// Makes the demo tenant, or finds it as it was made.
///
/// The key is derived by the vault, so that a restart with the same data and the same key file
/// gives the same key, although the store has only its hash.
///
/// # Errors
/// See [`TenantError`].
pub async fn demo(app: &App) -> Result<DemoTenant, TenantError> {
    let wrong = |error: &dyn std::fmt::Display| TenantError::Demo(error.to_string());
    let tenant = demo_id();
    if find_tenant(app, tenant).await?.is_none() {
        unless_there(create_tenant_as(app, tenant, "Demo").await.map(drop))?;
    }
    keeper::settle(app).await?;
    let key = demo_key(app, tenant).await?;
    let uk = UkAccount::parse(SORT_CODE, ACCOUNT_NUMBER).map_err(|error| wrong(&error))?;
    let iban = IBAN.parse().map_err(|error| wrong(&error))?;
    let account = fund(app, tenant, Rail::Fps, Currency::GBP, BankAddress::Uk(uk)).await?;
    let address = BankAddress::Iban(iban);
    let euro_account = fund(app, tenant, Rail::SepaInst, Currency::EUR, address).await?;
    Ok(DemoTenant {
        tenant,
        key,
        account,
        euro_account,
    })
}

/// The demo's key, made if it is not there.
async fn demo_key(app: &App, tenant: TenantId) -> Result<SecretKey, TenantError> {
    let id = Id::of_name(&format!("{tenant}/demo-key"));
    let drawn = app.vault.blind("demo-api-key", TENANT);
    let key = SecretKey::of(app.config.environment, id, &drawn);
    if find_key(app, tenant, id).await?.is_none() {
        // Whoever has the laptop has everything on it.
        let mut access = Access::of(Scope::Write);
        access.grants = Grant::ALL.into_iter().collect();
        let wish = KeyWish::of("demo", access);
        let record = record_of(app, tenant, wish, id, &key).await?;
        let made = [(record.key(), record.body())];
        let made = create_noted(app, made, &made_by_us(app, &record)).await;
        unless_there(made.map_err(TenantError::from))?;
    }
    Ok(key)
}

fn unless_there(made: Result<(), TenantError>) -> Result<(), TenantError> {
    match made {
        Err(TenantError::Commit(CommitError::Conflict(_))) => Ok(()),
        other => other,
    }
}

/// Opens an account and credits it from the rail's settlement account.
async fn fund(
    app: &App,
    tenant: TenantId,
    rail: Rail,
    currency: Currency,
    address: BankAddress,
) -> Result<Id<Account>, TenantError> {
    let name = format!("demo/{}", currency.code());
    let id = Id::of_name(&format!("{tenant}/{name}")).of_kind(Rollup::Constrained);
    let holder = Holder {
        name: Some(HOLDER.to_owned()),
        addresses: vec![address],
    };
    let sealed = holder
        .seal(app.vault.as_ref(), tenant, id)
        .map_err(|error| TenantError::Demo(error.to_string()))?;
    let act = Act::OpenAccount(OpenAccount {
        id,
        name: name.clone(),
        currency,
        aliases: vec![address.alias(app.vault.as_ref())],
        sealed: Some(sealed),
        metadata: std::collections::BTreeMap::new(),
    });
    open(app, tenant, act).await?;
    let settlement = journal::house(tenant, rail, Role::Settlement, currency);
    let amount =
        Amount::try_from(FUNDS_MINOR).map_err(|error| TenantError::Demo(error.to_string()))?;
    // The same at every start, and of the account's time, by which the ledger is listed.
    let opened: Option<Account> = app.value(&keys::account(tenant, id)).await?;
    let opened = opened.map_or(app.host.now(), |account| account.created_at);
    let act = Act::PostLegs(PostLegs {
        id: Id::derived(opened, id, 0),
        legs: journal::move_now(settlement, id, Money { amount, currency }),
    });
    open(app, tenant, act).await?;
    Ok(id)
}
