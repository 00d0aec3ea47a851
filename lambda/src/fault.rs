//! Why an invocation failed: the name is what workflows choose their next step by.

use std::fmt;

use lambda_runtime::Diagnostic;
use lombard_core::saga::asl::{NOT_SENT, STILL_UNKNOWN};
use lombard_service::{http::problem::chain, worker::saga::StepError};

/// A failure, with a name for machines and a text for logs; no personal data.
#[derive(Clone, Debug)]
pub struct Fault {
    name: &'static str,
    text: String,
}

/// The name of what has no other.
const NOT_DONE: &str = "NotDone";
/// The name of what was set up wrongly.
const MISCONFIGURED: &str = "Misconfigured";

impl Fault {
    /// It was not done; doing it again may help.
    pub fn not_done(error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            name: NOT_DONE,
            text: chain(error),
        }
    }

    /// The function is set up wrongly.
    pub fn misconfigured(text: impl Into<String>) -> Self {
        Self {
            name: MISCONFIGURED,
            text: text.into(),
        }
    }
}

impl From<StepError> for Fault {
    fn from(error: StepError) -> Self {
        let name = match error {
            StepError::NotSent(_) => NOT_SENT,
            StepError::StillUnknown => STILL_UNKNOWN,
            StepError::NoPayment | StepError::NotDone(_) => NOT_DONE,
        };
        Self {
            name,
            text: chain(&error),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        Self {
            error_type: fault.name.to_owned(),
            error_message: fault.text,
        }
    }
}
