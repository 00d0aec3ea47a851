//! What a gateway says to us: `POST /rails/{rail}/messages`.
//!
//! **Shape.** Genuine (signature), then valid (strict parse), then acted on, and answered: with a
//! pacs.002 for money that comes in, a camt.029 for a recall that we refuse at once, nothing for
//! the rest. What is not genuine or not valid changes nothing and is told why.
//!
//! **Twice is once.** What brings money, or a wish for it, is first written down under its own
//! reference ([`seen`]); the same message again finds what was decided then and is given the same
//! answer, byte for byte. A gateway may therefore send again until it has an answer.

mod answers;
mod credits;
mod recalls;
mod returns;
mod seen;

use std::{borrow::Cow, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use lombard_core::{
    command::{Act, Command},
    iso20022::{Agent, Message, Original, Refusal, Rule},
    payment::{Payment, parse_attempt_id},
    plan::keys,
    rail::Rail,
    tenant::TenantId,
};
use tracing::warn;

use super::{
    dialect::Dialect,
    dialect_of,
    signature::{self, Signer},
};
use crate::{
    app::App,
    exceptions::{self, Kind, Trouble, operator},
    http::{Api, ErrorCode, Problem, body::Limits, problem::FileFault, trace::TraceContext},
    ports::{Cause, ExecuteError, ReadError},
    worker::rails::rail_actor,
};

/// The most bytes of a message. One transaction with everything in it has some ten thousand.
const BODY_BYTES_MAX: usize = 128 * 1024;

/// The route for gateways. It needs no API key: the signature says who speaks.
pub fn routes() -> Router<Api> {
    Router::new().route("/rails/{rail}/messages", post(take))
}

/// One rail's counter, with everything that its messages need.
struct Desk<'a> {
    app: &'a App,
    rail: Rail,
    dialect: &'static dyn Dialect,
    own_agent: Agent,
    /// The message in hand and its version, such as `pacs.008.001.10`.
    message: &'static str,
    trace: Option<String>,
}

/// What is said to a genuine, valid message.
enum Said {
    /// A message of ours.
    Xml(String),
    /// Heard; nothing to say.
    Heard,
}

/// Why nothing is said: we could not act on it now. The gateway sends it again.
struct Later(Cause);

impl From<ExecuteError> for Later {
    fn from(error: ExecuteError) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

impl From<ReadError> for Later {
    fn from(error: ReadError) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

impl From<crate::ports::CommitError> for Later {
    fn from(error: crate::ports::CommitError) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

impl From<Refusal> for Later {
    fn from(error: Refusal) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

async fn take(
    State(api): State<Api>,
    Path(rail): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let app = api.app();
    let known = rail.parse::<Rail>().ok().and_then(|rail| {
        let config = app.config.rails.get(&rail)?;
        Some((rail, dialect_of(rail)?, config))
    });
    let (rail, dialect, config) = known.ok_or(Problem::not_found())?;
    let trace = request.extensions().get::<TraceContext>();
    let trace = trace.map(TraceContext::trace_id);
    let (parts, body) = request.into_parts();
    let limits = Limits {
        bytes: BODY_BYTES_MAX,
        time: Duration::from_millis(app.config.http.body_timeout_ms),
    };
    let body = api.room().take(body, None, limits).await?;
    let header = parts.headers.get(signature::HEADER);
    let header = header.and_then(|value| value.to_str().ok());
    if let Err(error) = Signer::new(&config.secret).verify(header, app.host.now(), &body) {
        warn!(%rail, %error, "a message is refused");
        return Err(Problem::new(ErrorCode::SignatureInvalid));
    }
    let (name, message) = Message::parse_named(&body).map_err(|refusal| {
        warn!(%rail, %refusal, "a message is refused");
        refused(&refusal)
    })?;
    let desk = Desk {
        app,
        rail,
        dialect,
        own_agent: dialect.own_agent(&config.own_agent),
        message: name,
        trace,
    };
    match desk.act(message).await {
        Ok(Said::Xml(xml)) => {
            let kind = [(header::CONTENT_TYPE, "application/xml")];
            Ok((kind, xml).into_response())
        }
        Ok(Said::Heard) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(NotActed::Several) => Err(unexpected(
            "the message carries several transactions; this rail takes one in each".into(),
        )),
        Err(NotActed::Unexpected(kind)) => {
            let detail = format!("a {kind} is for the gateway, not for us");
            Err(unexpected(detail.into()))
        }
        Err(NotActed::Later(Later(error))) => {
            warn!(%rail, %error, "a message cannot be acted on now");
            Err(Problem::new(ErrorCode::Unavailable).because(error))
        }
    }
}

fn unexpected(detail: Cow<'static, str>) -> Problem {
    Problem::saying(ErrorCode::MessageUnexpected, detail)
}

/// Why a valid message is not acted on.
enum NotActed {
    Several,
    Unexpected(&'static str),
    Later(Later),
}

impl From<Later> for NotActed {
    fn from(later: Later) -> Self {
        Self::Later(later)
    }
}

impl Desk<'_> {
    async fn act(&self, message: Message) -> Result<Said, NotActed> {
        Ok(match message {
            Message::CreditTransfer(all) => self.credit(one(all)?).await?,
            Message::Return(all) => self.comes_back(one(all)?).await?,
            Message::RecallRequest(all) => self.recalled(one(all)?).await?,
            Message::RecallAnswer(all) => self.recall_answered(one(all)?).await?,
            // Reports of several payments are independent of each other.
            Message::StatusReport(all) => {
                for report in &all {
                    self.reported(report).await?;
                }
                Said::Heard
            }
            message @ Message::StatusRequest(_) => {
                return Err(NotActed::Unexpected(message.kind()));
            }
        })
    }

    /// The payment of ours that a message quotes by the reference that we gave it. One of another
    /// rail is not found: a gateway speaks for its own payments only.
    async fn quoted(&self, original: &Original) -> Result<Option<(TenantId, Payment)>, Later> {
        let mut references = [&original.tx_id, &original.instruction_id]
            .into_iter()
            .flatten();
        let Some((tenant, id)) = references.find_map(|text| parse_attempt_id(text)) else {
            return Ok(None);
        };
        let payment: Option<Payment> = self.app.value(&keys::payment(tenant, id)).await?;
        Ok(payment
            .filter(|payment| payment.rail == self.rail)
            .map(|payment| (tenant, payment)))
    }

    fn command(&self, tenant: TenantId, act: Act) -> Command {
        Command {
            tenant,
            actor: rail_actor(self.rail).into(),
            trace: self.trace.clone(),
            idempotency: None,
            act,
        }
    }

    /// Opens an exception about a message of which we can make nothing.
    async fn puzzled(
        &self,
        about: Option<(TenantId, &Payment)>,
        reference: &str,
        kind: &'static str,
        text: &str,
    ) -> Result<(), Later> {
        let trouble = match about {
            Some((tenant, payment)) => {
                Trouble::with_payment(tenant, Kind::ImplausibleMessage, payment.id, text)
            }
            None => Trouble::new(operator(), Kind::UnmatchedMessage, reference, text),
        };
        let trouble = trouble
            .evidence("rail", self.rail)
            .evidence("message", kind)
            .evidence("reference", reference);
        exceptions::raise(self.app, trouble).await?;
        Ok(())
    }
}

fn one<T>(mut all: Vec<T>) -> Result<T, NotActed> {
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(NotActed::Several),
    }
}

/// The refusal of a message that is not valid, with all that is wrong with it.
fn refused(refusal: &Refusal) -> Problem {
    let kept = refusal.violations.kept();
    let unreadable = kept.iter().any(|violation| {
        matches!(
            violation.rule,
            Rule::Malformed
                | Rule::Encoding
                | Rule::Dtd
                | Rule::Entity
                | Rule::Character
                | Rule::Limit
        )
    });
    let code = if unreadable {
        ErrorCode::MessageUnreadable
    } else {
        ErrorCode::MessageInvalid
    };
    let faults = kept.iter().map(FileFault::from).collect();
    Problem::saying(code, refusal.to_string().into()).with_faults(faults)
}
