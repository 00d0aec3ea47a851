//! The place for what cannot be done: a queue of SQS, with the original and the reason.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use lombard_service::ports::Cause;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::{Caller, What, plain};

/// What lies in the queue. To redrive it is to hand `original` to `role` once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Buried {
    /// Whose work it was.
    pub role: String,
    /// Why it was not done; no personal data.
    pub reason: String,
    /// The event as the role takes it.
    pub original: Value,
}

/// A queue of what was buried.
#[derive(Clone)]
pub struct Graveyard {
    client: Client,
    url: Arc<str>,
    caller: Caller,
}

impl Graveyard {
    /// The queue at a URL.
    #[must_use]
    pub fn new(config: &SdkConfig, url: &str, caller: Caller) -> Self {
        let (client, url) = (Client::new(config), url.into());
        Self {
            client,
            url,
            caller,
        }
    }

    /// Buries something. Twice is harmless: what is redriven twice is done once.
    ///
    /// # Errors
    /// When the queue did not take it.
    pub async fn bury(&self, buried: &Buried) -> Result<(), Cause> {
        let body = serde_json::to_string(buried).map_err(|error| Arc::new(error) as Cause)?;
        let request = self.client.send_message().queue_url(&*self.url);
        let what = What {
            bytes: body.len(),
            ..plain("SendMessage")
        };
        let request = request.message_body(body);
        self.caller.call(what, || request.clone().send()).await?;
        Ok(())
    }
}
