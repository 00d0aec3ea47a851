//! The port of a model that runs somewhere else, and an endpoint of HTTP behind it.
//!
//! **Shape.** The endpoint is sent the features that have a value and answers a probability:
//!
//! ```text
//! POST {url}   {"features": {"amount": 12500, "new_payee": 1, …}}
//! 200          {"probability": 0.0123, "model": "2026-11"}
//! ```
//!
//! Whoever asks ends the wait, and leaves a model that fails alone for a while. Anything else than that answer is no score, and no score is the
//! policy's fallback, never a yes.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::BoxFuture;
use lombard_risk::{
    decision::millionths,
    features::{Vector, catalogue},
};
use reqwest::{Client, redirect};
use serde::{Deserialize, Serialize};

use crate::{ports::Cause, rails::gateway::use_ring};

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 4096;

/// A model that is asked over a distance.
pub trait Model: Send + Sync + 'static {
    /// Scores a payment.
    fn score<'a>(&'a self, vector: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>>;
}

/// What a model elsewhere said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// The probability of fraud, in millionths.
    pub score: u32,
    /// Which model; never the name of one that was loaded here.
    pub model: String,
}

/// Why it said nothing that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoScore {
    /// It did not answer in time.
    #[error("the model took too long")]
    Slow,
    /// It was not reached, or broke off.
    #[error("the model cannot be reached")]
    Gone(#[source] Cause),
    /// It answered, but not a probability.
    #[error("the model answered {0}")]
    Wrong(String),
}

/// A model behind a URL.
pub struct Endpoint {
    url: String,
    /// The one model that is believed.
    model: Option<String>,
    http: Client,
}

#[derive(Serialize)]
struct Question<'a> {
    features: BTreeMap<&'a str, f64>,
}

#[derive(Deserialize)]
struct Answer {
    probability: f64,
    model: Option<String>,
}

impl Endpoint {
    /// The model at a URL, which is given up after `limit`; with `model`, no other is believed.
    ///
    /// # Errors
    /// When no HTTP client can be made on this system.
    pub fn new(url: &str, model: Option<String>, limit: Duration) -> Result<Self, reqwest::Error> {
        use_ring();
        let http = Client::builder()
            .timeout(limit)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        let url = url.to_owned();
        Ok(Self { url, model, http })
    }

    async fn ask(&self, vector: &Vector) -> Result<Scored, NoScore> {
        let named = catalogue::all().iter().zip(vector.values());
        let features = named
            .filter(|(_, value)| !value.is_nan())
            .map(|(feature, value)| (feature.name.as_str(), *value))
            .collect();
        let question = self.http.post(&self.url).json(&Question { features });
        let answer = question.send().await.map_err(|error| {
            late(&error).unwrap_or_else(|| NoScore::Gone(std::sync::Arc::new(error)))
        })?;
        if !answer.status().is_success() {
            return Err(NoScore::Wrong(format!("status {}", answer.status())));
        }
        if answer
            .content_length()
            .is_some_and(|length| length > ANSWER_BYTES_MAX)
        {
            return Err(NoScore::Wrong("too much".to_owned()));
        }
        let answer: Answer = answer.json().await.map_err(|error| {
            late(&error).unwrap_or_else(|| NoScore::Wrong(format!("what is no score: {error}")))
        })?;
        if !(0.0..=1.0).contains(&answer.probability) {
            return Err(NoScore::Wrong(format!("{}", answer.probability)));
        }
        let model = answer.model.unwrap_or_default();
        if self.model.as_ref().is_some_and(|wanted| *wanted != model) {
            return Err(NoScore::Wrong("for another model".to_owned()));
        }
        Ok(Scored {
            score: millionths(answer.probability),
            model: format!("elsewhere:{}", model.chars().take(64).collect::<String>()),
        })
    }
}

/// The client's own limit of time may end a moment before that of whoever asks.
fn late(error: &reqwest::Error) -> Option<NoScore> {
    error.is_timeout().then_some(NoScore::Slow)
}

impl Model for Endpoint {
    fn score<'a>(&'a self, vector: &'a Vector) -> BoxFuture<'a, Result<Scored, NoScore>> {
        Box::pin(self.ask(vector))
    }
}
