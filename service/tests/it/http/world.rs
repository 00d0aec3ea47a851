//! A Lombard to call: two tenants, their keys, and requests that read well.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use lombard_core::{
    command::{Act, Command, Receive, Report},
    id::Id,
    ledger::AliasScheme,
    money::{Amount, Money},
    payment::{External, Payment},
    psp::Providers,
    rail::Rail,
    tenant::TenantId,
};
use lombard_service::{
    access::{Access, Grant},
    app::App,
    config::Config,
    http::{Api, router, wire::Wire},
    memory::Memory,
    optimistic::Optimistic,
    ports::{Host, Store},
    psp::Cards,
    rails::{Answer as RailAnswer, RailError, RailPort, Rails},
    risk::Desk,
    tenants::{Scope, create_key, create_tenant},
    vault::{FileKeys, KeyFile, LocalVault, Subjects, Tokens},
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::TestHost;

/// A rail that is switched on and never asked: no worker runs in these tests.
pub struct Silent;

impl RailPort for Silent {
    fn submit<'a>(
        &'a self,
        _: TenantId,
        _: &'a Payment,
    ) -> BoxFuture<'a, Result<RailAnswer, RailError>> {
        Box::pin(async { Ok(RailAnswer::Pending) })
    }

    fn enquire<'a>(
        &'a self,
        _: TenantId,
        _: &'a Payment,
    ) -> BoxFuture<'a, Result<RailAnswer, RailError>> {
        Box::pin(async { Ok(RailAnswer::Pending) })
    }

    fn recall<'a>(&'a self, _: TenantId, _: &'a Payment) -> BoxFuture<'a, Result<(), RailError>> {
        Box::pin(async { Ok(()) })
    }

    fn refuse_recall<'a>(
        &'a self,
        _: TenantId,
        _: &'a Payment,
    ) -> BoxFuture<'a, Result<(), RailError>> {
        Box::pin(async { Ok(()) })
    }
}

/// Everything, with one tenant to act for and another to keep out.
pub struct World {
    pub app: App,
    pub host: Arc<TestHost>,
    pub router: Router,
    pub tenant: TenantId,
    pub key: String,
    pub other_key: String,
    pub tokens: Tokens,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// A member of the body, as text.
    pub fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Asserts the status and gives the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        self.json()
    }

    /// Asserts the status, the code and the field of a refusal.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str, field: Option<&str>) {
        let body = self.json();
        assert_eq!(
            (self.status, body["code"].as_str(), body["field"].as_str()),
            (status, Some(code), field),
            "{body}"
        );
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        Self::of(config, None).await
    }

    /// With settings, and with somebody who judges payments or nobody.
    pub async fn of(config: Config, risk: Option<Arc<Desk>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = LocalVault::open(&folder.path().join("keys")).unwrap();
        let host = Arc::new(TestHost::default());
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let bank = Optimistic::new(store.clone(), host.clone(), Arc::new(Wire));
        let mut rails = Rails::default();
        rails.add(Rail::Fps, Arc::new(Silent));
        rails.add(Rail::SepaInst, Arc::new(Silent));
        let cards = Cards::connect(&config, store.clone(), host.clone()).unwrap();
        if let Some(cards) = cards {
            rails.add_cards(Arc::new(cards));
        }
        let mut providers = Providers::built_in();
        for path in config.psp.values().filter_map(|it| it.map.as_ref()) {
            let text = std::fs::read_to_string(path).unwrap();
            providers.add(&text).unwrap();
        }
        let app = App {
            store,
            bank: Arc::new(bank),
            host: host.clone(),
            vault: Arc::new(vault),
            rails: Arc::new(rails),
            risk,
            config: Arc::new(config),
        };
        let (tenant, key) = tenant(&app, "One").await;
        let (_, other_key) = tenant_key(&app).await;
        let tokens = tokens(&app, folder.path());
        if let Some(cards) = app.rails.cards() {
            cards.open_with(tokens.clone());
        }
        let api = Api::new(app.clone()).with_providers(providers);
        let router = router(api.with_tokens(tokens.clone()));
        Self {
            app,
            host,
            router,
            tenant,
            key,
            other_key,
            tokens,
            _folder: folder,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            bytes: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(&self.key, path).await
    }

    pub async fn get_as(&self, key: &str, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A key of our tenant that may do no more than `access` says.
    pub async fn key_with(&self, access: Access) -> String {
        let made = create_key(&self.app, self.tenant, "test", access).await;
        made.unwrap().1.expose().to_owned()
    }

    /// A request under a fresh idempotency key, by somebody.
    pub async fn call_as(&self, key: &str, method: &str, path: &str, body: Value) -> Answer {
        let idempotency = format!("{:032x}", self.host.random());
        let mut request = self.request(path, &idempotency, body.to_string());
        *request.method_mut() = method.parse().unwrap();
        let bearer = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        self.send(request).await
    }

    /// A POST under a fresh idempotency key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let key = format!("{:032x}", self.host.random());
        self.post_with(path, &key, body).await
    }

    pub async fn post_with(&self, path: &str, idempotency: &str, body: Value) -> Answer {
        self.send(self.request(path, idempotency, body.to_string()))
            .await
    }

    pub fn request(&self, path: &str, idempotency: &str, body: String) -> Request<Body> {
        Request::post(path)
            .header("authorization", format!("Bearer {}", self.key))
            .header("idempotency-key", idempotency)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    }

    /// An account with so many pence in it.
    pub async fn account(&self, pence: u64) -> String {
        self.account_in("GBP", "fps/settlement/GBP", pence).await
    }

    /// An account in a currency, with money from a house account.
    pub async fn account_in(&self, currency: &str, from: &str, minor: u64) -> String {
        let body = json!({"name": "wallet", "currency": currency});
        let account = self.post("/v1/accounts", body).await.expect(201);
        let account = account["id"].as_str().unwrap().to_owned();
        if minor > 0 {
            self.fund_in(currency, from, &account, minor).await;
        }
        account
    }

    pub async fn fund(&self, account: &str, pence: u64) {
        self.fund_in("GBP", "fps/settlement/GBP", account, pence)
            .await;
    }

    async fn fund_in(&self, currency: &str, from: &str, account: &str, minor: u64) {
        let leg = |account: &str, side: &str| json!({"account": account, "side": side, "amount": minor, "currency": currency});
        let legs = [leg(from, "debit"), leg(account, "credit")];
        self.post("/v1/ledger", json!({ "legs": legs }))
            .await
            .expect(201);
    }

    /// A payment of 12.50 from an account to somebody outside, held and not yet sent.
    pub async fn payment(&self) -> String {
        let account = self.account(10_000).await;
        let payment = self.post("/v1/payments", outgoing(&account)).await;
        payment.expect(201)["id"].as_str().unwrap().to_owned()
    }

    pub async fn execute(&self, act: Act) {
        let command = Command {
            tenant: self.tenant,
            actor: "rail/fps".into(),
            trace: None,
            idempotency: None,
            act,
        };
        self.app.execute(command).await.unwrap();
    }

    pub async fn report(&self, payment: &str, report: Report) {
        self.execute(Act::Report(payment.parse().unwrap(), report))
            .await;
    }

    /// A payment that left and was accepted by the rail.
    pub async fn cleared(&self) -> String {
        let payment = self.payment().await;
        self.report(&payment, Report::Submitted).await;
        self.report(&payment, Report::Accepted(None)).await;
        payment
    }

    /// A payment of 20.00 that came in for an account.
    pub async fn received(&self, account: &str) -> String {
        self.came(account, Rail::Fps, "E2E-7", 2_000).await
    }

    /// A payment that came in over a rail for an account.
    pub async fn came(&self, account: &str, rail: Rail, reference: &str, minor: u64) -> String {
        let id = Id::<Payment>::new(self.host.now(), self.host.random());
        let receive = Receive {
            id,
            rail,
            money: Money {
                amount: Amount::try_from(minor).unwrap(),
                currency: rail.currency().unwrap(),
            },
            debtor: External {
                scheme: AliasScheme::UkAccount,
                country: "GB".into(),
                last4: "9911".into(),
                fingerprint: "0".repeat(64),
            },
            creditor: Some(account.parse().unwrap()),
            end_to_end_id: reference.into(),
            rail_reference: "R1".into(),
            sealed: None,
        };
        self.execute(Act::Receive(Box::new(receive))).await;
        id.to_string()
    }
}

/// A vault with a store of its own.
fn tokens(app: &App, folder: &std::path::Path) -> Tokens {
    let keys = Arc::new(KeyFile::open(&folder.join("keys")).unwrap());
    let keys = Arc::new(FileKeys::open(keys, &folder.join("shred")).unwrap());
    let own = App {
        store: Arc::new(Memory::default()),
        ..app.clone()
    };
    let subjects = Subjects::new(own.store.clone(), keys, own.host.clone());
    Tokens::new(own, app.clone(), Arc::new(subjects))
}

async fn tenant(app: &App, name: &str) -> (TenantId, String) {
    let tenant = create_tenant(app, name).await.unwrap();
    let mut access = Access::of(Scope::Write);
    access.grants = Grant::ALL.into_iter().collect();
    let (_, key) = create_key(app, tenant.id, "test", access).await.unwrap();
    (tenant.id, key.expose().to_owned())
}

async fn tenant_key(app: &App) -> (TenantId, String) {
    tenant(app, "Two").await
}

/// The body of a payment to somebody outside.
pub fn outgoing(account: &str) -> Value {
    json!({
        "amount": 1250,
        "currency": "GBP",
        "debtor": {"account": account},
        "creditor": {"name": "Ada Lovelace", "sort_code": "20-00-00", "account_number": "55779911"},
        "reference": "INV 42",
    })
}

/// The body of a payment between two accounts here.
pub fn internal(debtor: &str, creditor: &str, pence: u64) -> Value {
    json!({
        "amount": pence,
        "currency": "GBP",
        "debtor": {"account": debtor},
        "creditor": {"account": creditor},
    })
}
