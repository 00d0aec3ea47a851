//! Adyen: payments, captures, cancels and refunds of the Checkout API.
//!
//! **In doubt.** Adyen has nothing to look a payment up by. It answers a request that comes again under the
//! same key as it did the first time, for at least seven days, and that is how we look; after
//! [`KEY_KNOWN_MS`] nothing is sent any more, and what its webhooks do not tell waits for a person.
//! What became of a capture, cancel or refund only webhooks tell.

use futures_util::future::BoxFuture;
use lombard_core::{
    charge::Capture,
    psp::Map,
    reason::{RailCode, Reason},
};
use reqwest::Client;
use serde_json::{Value, json};
use std::sync::Arc;

use super::{
    PspPort, answer,
    call::{Said, call},
    order::{Order, Source, Want},
    refused,
};
use crate::{
    ports::Host,
    rails::{Answer, RailError},
};

/// How long a key is surely known, less a day.
const KEY_KNOWN_MS: u64 = 6 * 24 * 60 * 60 * 1000;

/// See the module.
pub struct Adyen {
    /// The way out.
    pub http: Client,
    /// The beginning of its addresses, such as `https://checkout-test.adyen.com/v71`.
    pub url: String,
    /// Our API key.
    pub api_key: String,
    /// Our account there.
    pub merchant_account: String,
    /// What its statuses mean.
    pub map: Map,
    /// The clock.
    pub host: Arc<dyn Host>,
}

impl PspPort for Adyen {
    fn send<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.ask(order))
    }

    fn look_up<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.ask(order))
    }

    fn looks_up_by_asking(&self) -> bool {
        true
    }
}

impl Adyen {
    async fn ask(&self, order: &Order) -> Result<Answer, RailError> {
        if self.host.now().ms_since(order.sent_at) > KEY_KNOWN_MS {
            return Ok(Answer::Pending);
        }
        let path = match &order.want {
            Want::Charge { .. } => "payments".to_owned(),
            Want::Capture(id) => format!("payments/{id}/captures"),
            Want::Void(id) => format!("payments/{id}/cancels"),
            Want::Refund(id) => format!("payments/{id}/refunds"),
        };
        let request = self
            .http
            .post(format!("{}/{path}", self.url))
            .header("x-api-key", &self.api_key)
            .header("idempotency-key", &order.key)
            .json(&self.body(order));
        let said = call(request).await?;
        self.heard(order, &said)
    }

    fn body(&self, order: &Order) -> Value {
        let mut body = json!({
            "merchantAccount": self.merchant_account,
            "reference": order.attempt,
        });
        if !matches!(order.want, Want::Void(_)) {
            let currency = order.money.currency.code();
            body["amount"] = json!({"value": order.money.amount, "currency": currency});
        }
        if let Want::Charge { from, capture, .. } = &order.want {
            body["paymentMethod"] = method(from.as_ref());
            body["shopperInteraction"] = "ContAuth".into();
            // Nobody is there to be asked: a bank that insists on it declines.
            body["authenticationData"] = json!({"attemptAuthentication": "never"});
            match capture {
                Capture::Manual => body["additionalData"] = json!({"manualCapture": "true"}),
                Capture::Automatic => body["captureDelayHours"] = 0.into(),
            }
        }
        body
    }

    fn heard(&self, order: &Order, said: &Said) -> Result<Answer, RailError> {
        let reference = said.text("/pspReference");
        if said.status.is_success() {
            let Want::Charge { .. } = order.want else {
                // Received, which is all that is said at once.
                return Ok(Answer::Pending);
            };
            let code = said.text("/resultCode").unwrap_or_default();
            let status = format!("result_code.{code}");
            return Ok(match answer(&self.map, &status, &said.body, reference) {
                Answer::Rejected(..) => declined(said.text("/refusalReason").unwrap_or(code)),
                answer => answer,
            });
        }
        let code = said.text("/errorCode").unwrap_or(said.status.as_str());
        let safe = RailCode::sanitised(code).as_str().to_owned();
        match (&order.want, code) {
            // The first request under this key is under way.
            (_, "704") => Ok(Answer::Pending),
            (Want::Charge { .. } | Want::Refund(_), _) => Err(RailError::Refused(safe)),
            (Want::Capture(_) | Want::Void(_), _) => {
                Ok(Answer::NotCompleted(Reason::Declined, safe))
            }
        }
    }
}

fn method(from: Option<&Source>) -> Value {
    match from {
        Some(Source::Token(token)) => json!({"type": "scheme", "storedPaymentMethodId": token}),
        Some(Source::Card {
            number,
            exp_month,
            exp_year,
        }) => json!({
            "type": "scheme",
            "number": number.as_str(),
            "expiryMonth": format!("{exp_month:02}"),
            "expiryYear": exp_year.to_string(),
        }),
        None => Value::Null,
    }
}

fn declined(why: &str) -> Answer {
    let reason = match why {
        "Not enough balance" => Reason::InsufficientFunds,
        "FRAUD" | "FRAUD-CANCELLED" => Reason::FraudSuspected,
        "Authentication required" => Reason::AuthenticationNeeded,
        _ => Reason::Declined,
    };
    refused(reason, why)
}
