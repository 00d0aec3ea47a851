//! Refusals on the wire: RFC 9457 problem details.
//!
//! A [`Problem`] is made where the refusal is known. It travels in the response's extensions and
//! is written by [`super::observe`], which knows the request's id.

use std::{borrow::Cow, error::Error};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use lombard_core::{command::Rejection, iso20022::Violation, ledger::LedgerError};
use serde::Serialize;
use utoipa::ToSchema;

use super::{error::ErrorCode, trace::TraceContext};
use crate::{
    gate::redact,
    ports::{Cause, CommitError, ExecuteError, ReadError, VaultError},
};

/// Why a request is not answered with what it asked for.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Which of the known reasons.
    pub code: ErrorCode,
    /// What was wrong this time, for the caller alone: it may repeat what he sent, and is never
    /// logged.
    pub detail: Cow<'static, str>,
    /// A JSON pointer into the body, or the name of a parameter or header.
    pub field: Option<Cow<'static, str>>,
    /// Of a file: what is wrong with it, as far as it was read.
    pub errors: Vec<FileFault>,
    /// What we know of our own failure. Logged, never shown.
    pub cause: Option<Cause>,
    /// In how many seconds the caller may come back, when that is known.
    pub retry_after_s: Option<u64>,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileFault {
    /// Where: an element's path, or a line.
    #[schema(max_length = 500)]
    pub path: String,
    /// The rule's stable name.
    #[schema(pattern = "^[a-z_]{1,40}$")]
    pub rule: String,
    /// In words, without any value of the file.
    #[schema(max_length = 2000)]
    pub message: String,
}

impl From<&Violation> for FileFault {
    fn from(violation: &Violation) -> Self {
        Self {
            path: violation.path.clone(),
            rule: violation.rule.name().to_owned(),
            message: violation.message.clone(),
        }
    }
}

/// Seconds after which a caller may come back when nothing better is known: what is too much now,
/// or still running, is usually over then.
pub const RETRY_AFTER_S: u64 = 1;

impl Problem {
    /// A problem with its usual explanation.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self::saying(code, Cow::Borrowed(code.about()))
    }

    /// A problem, and what was wrong this time.
    #[must_use]
    pub const fn saying(code: ErrorCode, detail: Cow<'static, str>) -> Self {
        Self {
            code,
            detail,
            field: None,
            errors: Vec::new(),
            cause: None,
            retry_after_s: None,
        }
    }

    /// A member of the body that is not as it must be.
    #[must_use]
    pub fn field(
        field: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::saying(ErrorCode::InvalidField, detail.into()).at(field)
    }

    /// A parameter or header that is not as it must be.
    #[must_use]
    pub fn parameter(name: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::saying(ErrorCode::InvalidParameter, detail.into()).at(name)
    }

    /// The thing that the path names is not there.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(ErrorCode::NotFound)
    }

    /// The same, about this field.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, with all that is wrong with a file.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<FileFault>) -> Self {
        self.errors = faults;
        self
    }

    /// The same, with what we know of our own failure.
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same, for a caller who may come back after so many milliseconds.
    #[must_use]
    pub const fn after_ms(mut self, ms: u64) -> Self {
        let seconds = ms.div_ceil(1000);
        self.retry_after_s = Some(if seconds == 0 { 1 } else { seconds });
        self
    }

    /// The value of `Retry-After`: whoever is told to come back is told when.
    fn retry_after(&self) -> Option<u64> {
        let waits = matches!(
            self.code.status(),
            StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        let waits = waits && self.code.is_retryable();
        waits.then(|| self.retry_after_s.unwrap_or(RETRY_AFTER_S))
    }

    /// The same, about a thing that `field` of the body names.
    #[must_use]
    pub fn named_in_body(mut self, field: &'static str) -> Self {
        if self.code == ErrorCode::NotFound {
            self.code = ErrorCode::ReferenceUnknown;
        }
        self.field = Some(field.into());
        self
    }

    /// Says, of a body that refers to other things, where it does: what is not there is then the
    /// body's fault and not the path's.
    #[must_use]
    pub fn where_it_says<F>(mut self, places: &[(F, String)]) -> Self
    where
        F: Clone + Into<Cow<'static, str>>,
    {
        let named = |(_, id): &&(F, String)| !id.is_empty() && self.detail.contains(id.as_str());
        if let Some((field, _)) = places.iter().find(named) {
            if self.code == ErrorCode::NotFound {
                self.code = ErrorCode::ReferenceUnknown;
            }
            self.field = Some(field.clone().into());
        }
        self
    }

    /// The response, once the request's id is known.
    #[must_use]
    pub fn render(&self, trace: &TraceContext) -> Response {
        // What a parser or a library says of a value may repeat it.
        let field = self.field.as_deref().map(redact);
        let document = Document {
            kind: self.code.docs(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &redact(&self.detail),
            code: self.code,
            field: field.as_deref(),
            errors: &self.errors,
            retryable: self.code.is_retryable(),
            request_id: trace.request_id(),
        };
        let mut response = Response::new(Body::from(lombard_core::store::encode(&document)));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == ErrorCode::Unauthenticated {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"lombard\""),
            );
        }
        response
    }
}

/// The document, in the order in which it is written.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document<'a> {
    /// Where the code is explained, relative to this server.
    #[serde(rename = "type")]
    #[schema(
        format = "uri-reference",
        max_length = 100,
        example = "/docs/errors#not_found"
    )]
    kind: String,
    /// A short name, always the same for the code.
    #[schema(max_length = 200)]
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What was wrong this time, for people.
    #[schema(max_length = 2000)]
    detail: &'a str,
    /// The stable code.
    #[schema(value_type = String, pattern = "^[a-z_]{1,40}$", example = "not_found")]
    code: ErrorCode,
    /// A JSON pointer into the body, or the name of a parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 500)]
    field: Option<&'a str>,
    /// Of a file: what is wrong with it, at most twenty things.
    #[serde(skip_serializing_if = "<[FileFault]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FileFault],
    /// Whether the same request may be sent again, with the same idempotency key, as it is.
    retryable: bool,
    /// Trace id and span id of this request.
    #[schema(pattern = "^[0-9a-f]{32}-[0-9a-f]{16}$")]
    request_id: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Rejected(rejection) => rejection.into(),
            ExecuteError::Overloaded => Self::new(ErrorCode::Overloaded),
            ExecuteError::Unavailable(cause) => Self::new(ErrorCode::Unavailable).because(cause),
            ExecuteError::Unknown(cause) => Self::new(ErrorCode::OutcomeUnknown).because(cause),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        Self::saying(code_of(&rejection), rejection.to_string().into())
    }
}

const fn code_of(rejection: &Rejection) -> ErrorCode {
    match rejection {
        Rejection::NotFound { .. } => ErrorCode::NotFound,
        Rejection::Exists { .. } => ErrorCode::AlreadyExists,
        Rejection::KeyReused => ErrorCode::IdempotencyKeyReused,
        Rejection::Ledger(error) => code_of_ledger(error),
        Rejection::WrongStage { .. } | Rejection::Changed => ErrorCode::WrongState,
        Rejection::WrongKind { .. } => ErrorCode::NotApplicable,
        Rejection::MoreThanRemains { .. } | Rejection::MoreThanHeld { .. } => {
            ErrorCode::AmountTooLarge
        }
        Rejection::HoldEnded { .. } => ErrorCode::HoldEnded,
        Rejection::AccountNotEmpty => ErrorCode::AccountNotEmpty,
        Rejection::SameAccount => ErrorCode::SameAccount,
        Rejection::AliasTaken => ErrorCode::AddressTaken,
        Rejection::NoOpenRecall => ErrorCode::RecallNotOpen,
        Rejection::RecalledBefore => ErrorCode::RecalledBefore,
        Rejection::RecallTooLate { .. } => ErrorCode::RecallTooLate,
        Rejection::Mandate(_) => ErrorCode::MandateExceeded,
        Rejection::OwnApproval => ErrorCode::OwnApproval,
    }
}

const fn code_of_ledger(error: &LedgerError) -> ErrorCode {
    match error {
        LedgerError::TooFewLegs | LedgerError::Unbalanced { .. } => ErrorCode::Unbalanced,
        LedgerError::TooManyLegs(_) | LedgerError::Overflow { .. } => ErrorCode::TooLarge,
        LedgerError::WrongCurrency { .. } => ErrorCode::CurrencyMismatch,
        LedgerError::InsufficientFunds { .. } => ErrorCode::InsufficientFunds,
        LedgerError::NothingPending { .. } => ErrorCode::WrongState,
        LedgerError::Closed { .. } => ErrorCode::AccountClosed,
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let code = match error {
            ReadError::Unavailable(_) => ErrorCode::Unavailable,
            ReadError::Damaged(_) | ReadError::Trimmed(_) => ErrorCode::Internal,
        };
        Self::new(code).because(std::sync::Arc::new(error))
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(_) => Self::new(ErrorCode::Overloaded),
            CommitError::Unavailable(cause) => Self::new(ErrorCode::Unavailable).because(cause),
            CommitError::Unknown(cause) => Self::new(ErrorCode::OutcomeUnknown).because(cause),
            CommitError::TooLarge(_) => {
                Self::new(ErrorCode::TooLarge).because(std::sync::Arc::new(error))
            }
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Self::new(ErrorCode::Internal).because(std::sync::Arc::new(error))
    }
}

/// The whole chain of an error, for the log.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
