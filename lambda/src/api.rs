//! The way in: the same router as everywhere, behind API Gateway, with the vault's tokens, and the
//! verifiable log as its sequencer has published it.
//!
//! Somebody who may invoke the function itself, and nobody else, can also ask it to
//! `{"begin": "first"}`: the first tenant and the keys of its admin and its approver, once, or
//! `{"begin": "demo"}` the demo tenant, in a stage for trying things out. Every five minutes it is asked
//! to `{"tend": "vault"}`, because no other role has the right: people are forgotten whose time has come,
//! and keys exchanged, page by page.

use axum::Router;
use lambda_http::{Adapter, request::LambdaRequest};
use lambda_runtime::LambdaEvent;
use lombard_service::{
    app::App,
    config::Environment,
    http::{self, Api as Shared},
    tenants,
    vault::{Tokens, erasure, rotation},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt;
use tracing::info;

use crate::{fault::Fault, remote::Remote, surroundings::Surroundings};

/// See the module.
pub struct Api {
    app: App,
    tokens: Tokens,
    router: Router,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Begin {
    First,
    Demo,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tend {
    Vault,
}

impl Api {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let rails = of.remote_rails(&Remote::default().into());
        let (vault, log) = tokio::try_join!(of.vault(true), of.log(true))?;
        let app = of.app(vault, rails);
        let tokens = of.tokens(&app).await?;
        let shared = Shared::new(app.clone()).with_log(log);
        let router = http::router(shared.with_tokens(tokens.clone()));
        Ok(Self {
            app,
            tokens,
            router,
        })
    }

    pub async fn play(&self, event: LambdaEvent<Value>, until: Instant) -> Result<Value, Fault> {
        if let Some(begin) = event.payload.get("begin") {
            let begin = Begin::deserialize(begin).map_err(|error| Fault::not_done(&error))?;
            return self.begin(begin).await;
        }
        if let Some(tend) = event.payload.get("tend") {
            let tend = Tend::deserialize(tend).map_err(|error| Fault::not_done(&error))?;
            return self.tend(&tend, until).await;
        }
        let request: LambdaRequest = serde_json::from_str(&event.payload.to_string())
            .map_err(|error| Fault::not_done(&error))?;
        let event = LambdaEvent::new(request, event.context);
        let adapter = Adapter::from(self.router.clone());
        let answer = adapter.oneshot(event).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        serde_json::to_value(answer).map_err(|error| Fault::not_done(&error))
    }

    async fn begin(&self, begin: Begin) -> Result<Value, Fault> {
        match begin {
            Begin::First => {
                let made = tenants::begin(&self.app).await;
                let made = made.map_err(|error| Fault::not_done(&error))?;
                Ok(made.map_or(json!({}), |(tenant, keys)| {
                    json!({
                        "tenant": tenant,
                        "key": keys.admin.expose(),
                        "approver_key": keys.approver.expose(),
                    })
                }))
            }
            Begin::Demo if self.app.config.environment == Environment::Live => Err(
                Fault::misconfigured("nobody tries things out where money moves"),
            ),
            Begin::Demo => {
                let demo = tenants::demo(&self.app).await;
                let demo = demo.map_err(|error| Fault::not_done(&error))?;
                Ok(json!({
                    "tenant": demo.tenant,
                    "key": demo.key.expose(),
                    "account": demo.account,
                    "euro_account": demo.euro_account,
                }))
            }
        }
    }

    /// What the vault has to do by itself. What is not done in time goes on from its place the next time.
    async fn tend(&self, of: &Tend, until: Instant) -> Result<Value, Fault> {
        let Tend::Vault = of;
        let erased = erasure::carry_out(&self.tokens).await;
        let erased = erased.map_err(|error| Fault::not_done(&error))?;
        let mut pages = 0;
        for what in rotation::What::ALL {
            while Instant::now() < until {
                let more = rotation::step(&self.tokens, what).await;
                if !more.map_err(|error| Fault::not_done(&error))? {
                    break;
                }
                pages += 1;
            }
        }
        info!(erased, pages, "the vault is tended");
        Ok(json!({"erased": erased, "pages": pages}))
    }
}
