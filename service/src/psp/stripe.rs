//! Stripe: PaymentIntents and refunds, in API version [`VERSION`].
//!
//! **In doubt.** Stripe replays the answer to a key for at least 24 hours. What became of an order is
//! asked by look-ups alone, which do nothing: by id, or by our reference in the metadata. The search
//! is up to a minute behind, so that it finds nothing says something only after [`SEARCH_LAG_MS`]; and
//! since the order is then sent again under its old key, only while Stripe knows the key.

use futures_util::future::BoxFuture;
use lombard_core::{
    charge::Capture,
    psp::Map,
    reason::{RailCode, Reason},
};
use reqwest::{Client, RequestBuilder, StatusCode, header};
use serde_json::Value;
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

/// The version whose shapes we send and read.
const VERSION: &str = "2025-09-30.clover";
/// Where Stripe is unless the configuration says otherwise.
pub const URL: &str = "https://api.stripe.com";
/// How far the search may be behind, doubled.
const SEARCH_LAG_MS: u64 = 120_000;
/// How long a key is surely known, less an hour.
const KEY_KNOWN_MS: u64 = 23 * 60 * 60 * 1000;

/// See the module.
pub struct Stripe {
    /// The way out.
    pub http: Client,
    /// The beginning of its addresses.
    pub url: String,
    /// Our secret key.
    pub api_key: String,
    /// What its statuses mean.
    pub map: Map,
    /// The clock.
    pub host: Arc<dyn Host>,
}

impl PspPort for Stripe {
    fn send<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.ask(order))
    }

    fn look_up<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Answer, RailError>> {
        Box::pin(self.find(order))
    }
}

impl Stripe {
    async fn ask(&self, order: &Order) -> Result<Answer, RailError> {
        if self.host.now().ms_since(order.sent_at) > KEY_KNOWN_MS {
            // Sent again it could be done again. Only looking tells.
            return self.find(order).await;
        }
        let (path, form) = request_of(order);
        let request = self.request(self.http.post(format!("{}{path}", self.url)));
        let request = request
            .header("idempotency-key", &order.key)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let said = call(request).await?;
        self.heard(order, &said)
    }

    fn request(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.bearer_auth(&self.api_key);
        request.header("stripe-version", VERSION)
    }

    /// What the answer to an order says.
    fn heard(&self, order: &Order, said: &Said) -> Result<Answer, RailError> {
        if said.status.is_success() {
            return Ok(self.standing(order, &said.body));
        }
        let code = said.text("/error/decline_code");
        let code = code
            .or(said.text("/error/code"))
            .or(said.text("/error/type"));
        let code = code.unwrap_or(said.status.as_str());
        match (&order.want, said.text("/error/type")) {
            // Somebody used the key for something else, or the first request is under way.
            (_, Some("idempotency_error")) => Ok(Answer::Pending),
            (Want::Charge { .. }, Some("card_error")) => Ok(declined(code)),
            (Want::Charge { .. } | Want::Refund(_), _) => Err(RailError::Refused(
                RailCode::sanitised(code).as_str().to_owned(),
            )),
            // Where it stands may be why: it was captured, or has ended.
            (Want::Capture(_) | Want::Void(_), _) => {
                let intent = said.body.pointer("/error/payment_intent");
                match intent.map(|it| self.standing(order, it)) {
                    Some(answer @ (Answer::Accepted(_) | Answer::Rejected(..))) => Ok(answer),
                    _ => {
                        let code = RailCode::sanitised(code).as_str().to_owned();
                        Ok(Answer::NotCompleted(Reason::Declined, code))
                    }
                }
            }
        }
    }

    /// What the state of a PaymentIntent, or of a refund, answers to an order.
    fn standing(&self, order: &Order, object: &Value) -> Answer {
        let text = |name: &str| object.pointer(name).and_then(Value::as_str);
        let (id, status) = (text("/id"), text("/status").unwrap_or_default());
        let last = text("/last_payment_error/decline_code").or(text("/last_payment_error/code"));
        match (&order.want, last) {
            (Want::Refund(_), _) => answer(&self.map, &format!("refund.{status}"), object, id),
            // A PaymentIntent is open after a decline; nobody but we could try it again.
            (Want::Charge { .. }, Some(code)) if status == "requires_payment_method" => {
                declined(code)
            }
            _ => answer(&self.map, &format!("payment_intent.{status}"), object, id),
        }
    }

    /// Looks an order up.
    async fn find(&self, order: &Order) -> Result<Answer, RailError> {
        let object = match &order.want {
            Want::Charge {
                known: Some(id), ..
            }
            | Want::Capture(id)
            | Want::Void(id) => {
                let path = format!("/v1/payment_intents/{id}");
                Some(self.get(&path, &[]).await?.body)
            }
            Want::Charge { .. } => {
                let query = format!("metadata['lombard_attempt']:'{}'", order.attempt);
                let path = "/v1/payment_intents/search";
                let said = self.get(path, &[("query", &query)]).await?;
                said.body.pointer("/data/0").cloned()
            }
            Want::Refund(id) => {
                let query = [("payment_intent", id.as_str()), ("limit", "100")];
                let said = self.get("/v1/refunds", &query).await?;
                let all = said.body.pointer("/data").and_then(Value::as_array);
                let ours = |it: &&Value| {
                    it.pointer("/metadata/lombard_attempt")
                        .and_then(Value::as_str)
                        == Some(&order.attempt)
                };
                all.and_then(|all| all.iter().find(ours)).cloned()
            }
        };
        let Some(object) = object else {
            return Ok(self.absent(order));
        };
        Ok(match (&order.want, self.standing(order, &object)) {
            // It is as it was before we asked.
            (Want::Capture(_) | Want::Void(_), Answer::Authorised(_)) => self.absent(order),
            (_, answer) => answer,
        })
    }

    /// What it says that an order is not there.
    fn absent(&self, order: &Order) -> Answer {
        match self.host.now().ms_since(order.sent_at) {
            SEARCH_LAG_MS..=KEY_KNOWN_MS => Answer::Unknown,
            _ => Answer::Pending,
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Said, RailError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let url = format!("{}{path}?{query}", self.url);
        let said = call(self.request(self.http.get(url))).await?;
        match said.status {
            StatusCode::OK => Ok(said),
            status => Err(RailError::Refused(status.as_str().to_owned())),
        }
    }
}

/// Where an order is sent, and what it says.
fn request_of(order: &Order) -> (String, String) {
    let amount = order.money.amount.to_string();
    let mut form = form_urlencoded::Serializer::new(String::new());
    let path = match &order.want {
        Want::Charge { from, capture, .. } => {
            form.append_pair("amount", &amount);
            charge(&mut form, order, from.as_ref(), *capture);
            "/v1/payment_intents".to_owned()
        }
        Want::Capture(id) => {
            form.append_pair("amount_to_capture", &amount);
            format!("/v1/payment_intents/{id}/capture")
        }
        Want::Void(id) => format!("/v1/payment_intents/{id}/cancel"),
        Want::Refund(id) => {
            form.append_pair("payment_intent", id)
                .append_pair("amount", &amount)
                .append_pair("metadata[lombard_attempt]", &order.attempt);
            "/v1/refunds".to_owned()
        }
    };
    (path, form.finish())
}

fn charge(
    form: &mut form_urlencoded::Serializer<'_, String>,
    order: &Order,
    from: Option<&Source>,
    capture: Capture,
) {
    let capture = match capture {
        Capture::Automatic => "automatic",
        Capture::Manual => "manual",
    };
    form.append_pair(
        "currency",
        &order.money.currency.code().to_ascii_lowercase(),
    )
    .append_pair("confirm", "true")
    .append_pair("capture_method", capture)
    .append_pair("payment_method_types[]", "card")
    // Nobody is there to be asked: a bank that insists on it declines.
    .append_pair("error_on_requires_action", "true")
    .append_pair("metadata[lombard_attempt]", &order.attempt);
    match from {
        Some(Source::Token(token)) => {
            form.append_pair("payment_method", token);
        }
        Some(Source::Card {
            number,
            exp_month,
            exp_year,
        }) => {
            form.append_pair("payment_method_data[type]", "card")
                .append_pair("payment_method_data[card][number]", number)
                .append_pair(
                    "payment_method_data[card][exp_month]",
                    &exp_month.to_string(),
                )
                .append_pair("payment_method_data[card][exp_year]", &exp_year.to_string());
        }
        None => {}
    }
}

fn declined(code: &str) -> Answer {
    let reason = match code {
        "insufficient_funds" => Reason::InsufficientFunds,
        "authentication_required" => Reason::AuthenticationNeeded,
        "fraudulent" | "stolen_card" | "lost_card" => Reason::FraudSuspected,
        _ => Reason::Declined,
    };
    refused(reason, code)
}
