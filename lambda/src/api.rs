//! The way in: the same router as everywhere, behind API Gateway.
//!
//! Somebody who may invoke the function itself, and nobody else, can also ask it to
//! `{"begin": "first"}`: the first tenant and the keys of its admin and its approver, once, or
//! `{"begin": "demo"}` the demo tenant, in a stage for trying things out.

use axum::Router;
use lambda_http::{Adapter, request::LambdaRequest};
use lambda_runtime::LambdaEvent;
use lombard_service::{
    app::App,
    config::Environment,
    http::{self, Api as Shared},
    tenants,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{fault::Fault, remote::Remote, surroundings::Surroundings};

/// See the module.
pub struct Api {
    app: App,
    router: Router,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Begin {
    First,
    Demo,
}

impl Api {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let rails = of.remote_rails(&Remote::default().into());
        let app = of.app(of.vault(true).await?, rails);
        let router = http::router(Shared::new(app.clone()));
        Ok(Self { app, router })
    }

    pub async fn play(&self, event: LambdaEvent<Value>) -> Result<Value, Fault> {
        if let Some(begin) = event.payload.get("begin") {
            let begin = Begin::deserialize(begin).map_err(|error| Fault::not_done(&error))?;
            return self.begin(begin).await;
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
}
