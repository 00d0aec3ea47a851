//! What it costs a request to be authorised: whose key it shows, from where that may come, how
//! fast, and what the key may do. With a key that was seen before, as all but the first request of
//! a key are.

use std::{error::Error, hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use lombard_service::{
    access::{Role, needs},
    app::App,
    config::Config,
    host::SystemHost,
    http::wire::Wire,
    memory::Memory,
    optimistic::Optimistic,
    ports::Store,
    rails::Rails,
    tenants::{Keys, Shown, create_key, create_tenant},
    vault::LocalVault,
};
use tokio::runtime::Runtime;

/// An installation in memory, with a key of the role that makes payments.
fn installed(runtime: &Runtime) -> Result<(App, String), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let host = Arc::new(SystemHost::default());
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let bank = Optimistic::new(store.clone(), host.clone(), Arc::new(Wire));
    let app = App {
        store,
        bank: Arc::new(bank),
        host,
        vault: Arc::new(LocalVault::open(&folder.path().join("keys"))?),
        rails: Arc::new(Rails::default()),
        risk: None,
        config: Arc::new(Config::default()),
    };
    let tenant = runtime.block_on(create_tenant(&app, "bench"))?;
    let made = create_key(&app, tenant.id, "bench", Role::Operator.access());
    let (_, text) = runtime.block_on(made)?;
    let text = text.expose().to_owned();
    Ok((app, text))
}

async fn is_allowed(app: &App, keys: &Keys, text: &str) -> bool {
    let Ok(Shown::Caller(caller)) = keys.find(app, text, || Ok(())).await else {
        return false;
    };
    caller.may_come_from(Some([127, 0, 0, 1].into()))
        && caller.pace.ask(app.host.now(), u32::MAX).is_ok()
        && caller.access.allows(&needs("POST", "/v1/payments"))
}

fn authorisation(bench: &mut Criterion) {
    let runtime = Runtime::new().unwrap_or_else(|error| panic!("{error}"));
    let (app, text) = installed(&runtime).unwrap_or_else(|error| panic!("{error}"));
    let keys = Keys::of(&app.config);
    let ask = || runtime.block_on(is_allowed(&app, &keys, black_box(&text)));
    assert!(ask(), "the key may do it");
    bench.bench_function("authorisation", |it| it.iter(ask));
}

criterion_group!(benches, authorisation);
criterion_main!(benches);
