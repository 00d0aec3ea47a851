//! What may have happened when a call failed: all that a caller needs of an error of AWS.

use std::sync::Arc;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::CancellationReason,
};
use lombard_service::ports::Cause;

use crate::meter::Ended;

/// What may have happened, and with it what may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The guard of the action at this place did not hold. Nothing was written: decide again.
    Conflict(usize),
    /// Another transaction was at one of the items. Nothing was written; the guards may still hold,
    /// so the same may be tried again soon.
    Contended,
    /// More than the table, its partition or the account gives. Nothing was written; try later.
    Throttled,
    /// No answer, or one that does not say. All was written or nothing was.
    Unknown,
    /// It cannot be done, however often it is tried: no such table, no permission, a request that
    /// breaks a rule of DynamoDB. Nothing was written.
    Refused,
}

impl Class {
    /// As the meter counts it.
    #[must_use]
    pub const fn ended(self) -> Ended {
        match self {
            Self::Conflict(_) => Ended::Conflict,
            Self::Contended => Ended::Contended,
            Self::Throttled => Ended::Throttled,
            Self::Unknown => Ended::Unknown,
            Self::Refused => Ended::Refused,
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// What may have happened.
    pub class: Class,
    /// For the log.
    pub cause: Cause,
}

/// Classifies a failure of any operation but a transaction's cancellation.
pub fn failed<E>(error: SdkError<E>) -> Failed
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let class = match &error {
        SdkError::ServiceError(answer) => match answer.err().code() {
            Some(code) => of_code(code, answer.raw().status().as_u16()),
            None => of_status(answer.raw().status().as_u16()),
        },
        // It was never sent.
        SdkError::ConstructionFailure(_) => Class::Refused,
        _ => Class::Unknown,
    };
    Failed {
        class,
        cause: Arc::new(error),
    }
}

/// Classifies a cancelled transaction. Reasons come in the order of the actions. A guard that does
/// not hold decides before anything else: trying again would not help.
pub fn cancelled(reasons: &[CancellationReason], cause: Cause) -> Failed {
    let codes = || reasons.iter().map(|reason| reason.code().unwrap_or("None"));
    let guard = codes().position(|code| code == "ConditionalCheckFailed");
    let class = match guard {
        Some(place) => Class::Conflict(place),
        None => codes()
            .find(|code| *code != "None")
            .map_or(Class::Contended, |code| of_code(code, 400)),
    };
    Failed { class, cause }
}

/// Codes of exceptions and of cancellation reasons.
fn of_code(code: &str, status: u16) -> Class {
    match code {
        "ConditionalCheckFailedException" => Class::Conflict(0),
        "TransactionConflict"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException" => Class::Contended,
        "ProvisionedThroughputExceededException"
        | "ProvisionedThroughputExceeded"
        | "ThrottlingError"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Class::Throttled,
        _ => of_status(status),
    }
}

const fn of_status(status: u16) -> Class {
    match status {
        429 => Class::Throttled,
        // 4xx: refused before anything was done.
        400..=499 => Class::Refused,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[&str]) -> Class {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        let reasons: Vec<_> = codes.iter().map(reason).collect();
        cancelled(&reasons, Arc::new(std::fmt::Error)).class
    }

    #[test]
    fn a_cancelled_transaction_says_why() {
        assert_eq!(of(&["None", "ConditionalCheckFailed"]), Class::Conflict(1));
        assert_eq!(
            of(&["TransactionConflict", "ConditionalCheckFailed"]),
            Class::Conflict(1)
        );
        assert_eq!(of(&["None", "TransactionConflict"]), Class::Contended);
        assert_eq!(of(&["ThrottlingError"]), Class::Throttled);
        assert_eq!(of(&["ProvisionedThroughputExceeded"]), Class::Throttled);
        assert_eq!(of(&["None", "ValidationError"]), Class::Refused);
        assert_eq!(of(&["ItemCollectionSizeLimitExceeded"]), Class::Refused);
        assert_eq!(of(&[]), Class::Contended);
    }

    #[test]
    fn an_exception_says_whether_anything_was_done() {
        let cases = [
            ("ThrottlingException", 400, Class::Throttled),
            ("TransactionInProgressException", 400, Class::Contended),
            ("ResourceNotFoundException", 400, Class::Refused),
            ("AccessDeniedException", 400, Class::Refused),
            ("InternalServerError", 500, Class::Unknown),
            ("ServiceUnavailable", 503, Class::Unknown),
            ("SomethingNew", 400, Class::Refused),
            ("SomethingNew", 502, Class::Unknown),
        ];
        for (code, status, class) in cases {
            assert_eq!(of_code(code, status), class, "{code}");
        }
    }
}
