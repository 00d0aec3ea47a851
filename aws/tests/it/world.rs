//! A Lombard over DynamoDB: accounts, a rail that always says yes, and the API to call.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, body::Body, http::Request};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use lombard_aws::dynamo::Dynamo;
use lombard_core::{
    command::{Act, Command, OpenAccount, Pay, Reply},
    currency::Currency,
    id::Id,
    idempotency::{Fingerprint, Idempotency},
    journal::{self, Role},
    ledger::{Account, Rollup},
    money::{Amount, Money},
    payment::{OnInsufficientFunds, Party, Payment},
    rail::Rail,
    tenant::TenantId,
};
use lombard_service::{
    app::App,
    config::Config,
    http::{self, Api, wire::Wire},
    optimistic::Optimistic,
    ports::{ExecuteError, Store},
    rails::{Answer, RailError, RailPort, Rails},
    tenants::{self, DemoTenant},
    vault::LocalVault,
};
use serde_json::Value;
use tower::ServiceExt;

use crate::support::host;

/// A rail that accepts everything at once.
struct Agreeable;

impl RailPort for Agreeable {
    fn submit<'a>(
        &'a self,
        _: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(async { Ok(Answer::Accepted(Some(payment.id.to_string()))) })
    }

    fn enquire<'a>(
        &'a self,
        tenant: TenantId,
        payment: &'a Payment,
    ) -> BoxFuture<'a, Result<Answer, RailError>> {
        self.submit(tenant, payment)
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

/// See the module.
pub struct World {
    pub app: App,
    pub router: Router,
    pub demo: DemoTenant,
}

impl World {
    pub async fn over(store: &Dynamo) -> Self {
        let store: Arc<dyn Store> = Arc::new(store.clone());
        let folder = tempfile::tempdir().expect("a folder");
        let vault = LocalVault::open(&folder.path().join("keys")).expect("a vault");
        let app = App {
            bank: Arc::new(Optimistic::new(store.clone(), host(), Arc::new(Wire))),
            store,
            host: host(),
            vault: Arc::new(vault),
            rails: Arc::default(),
            risk: None,
            config: Arc::new(Config::default()),
        };
        Self::of(app).await
    }

    /// Over the ports of an application, but for its rails.
    pub async fn of(app: App) -> Self {
        let mut rails = Rails::default();
        rails.add(Rail::Fps, Arc::new(Agreeable));
        let app = App {
            rails: Arc::new(rails),
            ..app
        };
        let demo = tenants::demo(&app).await.expect("the demo tenant");
        let router = http::router(Api::new(app.clone()));
        Self { app, router, demo }
    }

    pub async fn execute(&self, act: Act, key: Option<&str>) -> Result<Reply, ExecuteError> {
        let idempotency = key.map(|key| Idempotency {
            operation: "test",
            key: key.to_owned(),
            fingerprint: Fingerprint::of(key.as_bytes()),
        });
        let command = Command {
            tenant: self.demo.tenant,
            actor: "key/test".into(),
            trace: None,
            idempotency,
            act,
        };
        self.app.execute(command).await
    }

    /// Opens an account; the same name is the same account.
    pub async fn open(&self, name: &str, kind: Rollup) -> Id<Account> {
        let id = Id::of_name(name).of_kind(kind);
        let open = OpenAccount {
            id,
            name: name.to_owned(),
            currency: Currency::GBP,
            aliases: Vec::new(),
            sealed: None,
            metadata: BTreeMap::new(),
        };
        self.until_done(Act::OpenAccount(open), name).await;
        id
    }

    /// Opens an account with so many pence in it.
    pub async fn funded(&self, name: &str, pence: u64) -> Id<Account> {
        let id = self.open(name, Rollup::Constrained).await;
        let from = journal::house(self.demo.tenant, Rail::Fps, Role::Settlement, Currency::GBP);
        let funds = lombard_core::command::PostLegs {
            id: Id::of_name(&format!("{name}/funds")),
            legs: journal::move_now(from, id, pounds(pence)),
        };
        self.until_done(Act::PostLegs(funds), &format!("{name}/funds"))
            .await;
        id
    }

    /// Asks with the same key until there is an answer, as a client does.
    pub async fn until_done(&self, act: Act, key: &str) -> Reply {
        for _ in 0..100 {
            match self.execute(act.clone(), Some(key)).await {
                Ok(reply) => return reply,
                Err(ExecuteError::Rejected(why)) => panic!("{key}: {why}"),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
        panic!("{key} had no answer");
    }

    /// Sends a request with the demo tenant's key; status and body.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let key = format!("{:032x}", self.app.host.random());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                "authorization",
                format!("Bearer {}", self.demo.key.expose()),
            )
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .expect("a request");
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let status = answer.status().as_u16();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }
}

pub fn pounds(pence: u64) -> Money {
    Money {
        amount: Amount::try_from(pence).expect("not nothing"),
        currency: Currency::GBP,
    }
}

/// A payment within the house; the same name is the same payment.
pub fn pay(name: &str, debtor: Id<Account>, creditor: Id<Account>, pence: u64) -> Act {
    Act::Pay(Box::new(Pay {
        id: Id::of_name(name),
        rail: Rail::Book,
        money: pounds(pence),
        debtor,
        creditor: Party::Account(creditor),
        end_to_end_id: name.to_owned(),
        on_insufficient_funds: OnInsufficientFunds::Fail,
        verification: None,
        execute_at: None,
        agency: None,
        needs_approval: false,
        parties: Vec::new(),
        sca: None,
        wait_ms: 60_000,
        sealed: None,
        metadata: BTreeMap::new(),
        batch: None,
        warnings: Vec::new(),
        risk: None,
    }))
}
