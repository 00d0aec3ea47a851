//! The steps of workflows, and the only one that speaks to rails: it has their secrets.

use std::sync::Arc;

use lombard_aws::{
    dead::{Buried, Graveyard},
    secrets,
};
use lombard_service::{
    app::App,
    rails,
    worker::saga::{Outcome, Step, StepError, carry_out},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    surroundings::{Surroundings, told},
};

/// See the module.
pub struct Saga {
    app: App,
    graveyard: Graveyard,
}

impl Saga {
    pub async fn open(of: &Surroundings) -> Result<Self, Fault> {
        let secret = told("LOMBARD_RAILS_SECRET")?;
        let caller = of.caller();
        let known = secrets::of_rails(&of.aws, &secret, &caller);
        let known = known
            .await
            .map_err(|error| Fault::not_done(error.as_ref()))?;
        let mut config = of.config.clone();
        for (rail, settings) in &mut config.rails {
            let secret = known.get(rail);
            let missing = || Fault::misconfigured(format!("there is no secret for {rail}"));
            settings.secret.clone_from(secret.ok_or_else(missing)?);
        }
        let vault = of.vault(false).await?;
        let mut app = of.app(vault, rails::Rails::default());
        let rails = rails::connect(&config, &app.store, &app.vault, &app.host);
        app.rails = Arc::new(rails.map_err(|error| Fault::not_done(error.as_ref()))?);
        Ok(Self {
            app,
            graveyard: of.graveyard()?,
        })
    }

    pub async fn play(&self, event: Value) -> Result<Value, Fault> {
        let step = match Step::deserialize(&event) {
            Ok(step) => step,
            Err(error) => return self.bury(event, &error.to_string()).await,
        };
        match carry_out(&self.app, &step).await {
            Ok(Outcome::Decided) => Ok(json!({"outcome": "decided"})),
            Ok(Outcome::Open) => Ok(json!({"outcome": "open"})),
            // No workflow can help what is not there.
            Err(error @ StepError::NoPayment) => self.bury(event, &error.to_string()).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn bury(&self, original: Value, reason: &str) -> Result<Value, Fault> {
        let buried = Buried {
            role: "saga".to_owned(),
            reason: reason.to_owned(),
            original,
        };
        let sent = self.graveyard.bury(&buried).await;
        sent.map_err(|error| Fault::not_done(error.as_ref()))?;
        Err(Fault::misconfigured(reason))
    }
}
