//! Workflows of Step Functions: starting one, and telling one that a person has answered.

use aws_config::SdkConfig;
use aws_sdk_sfn::{
    Client, operation::send_task_success::SendTaskSuccessError,
    operation::start_execution::StartExecutionError,
};
use lombard_service::ports::Cause;
use serde_json::Value;

use crate::call::{Caller, plain};

/// See the module.
#[derive(Clone)]
pub struct Workflows {
    client: Client,
    caller: Caller,
}

impl Workflows {
    /// Those of the account.
    #[must_use]
    pub fn new(config: &SdkConfig, caller: Caller) -> Self {
        let client = Client::new(config);
        Self { client, caller }
    }

    /// Starts an execution, unless one of this name was started before. (An Express workflow knows
    /// no names that were: its steps make a second run harmless.)
    ///
    /// # Errors
    /// When it is not known to have been started.
    pub async fn start(&self, machine: &str, name: &str, input: &Value) -> Result<(), Cause> {
        let request = self.client.start_execution().state_machine_arn(machine);
        let request = request.name(name).input(input.to_string());
        let started = self.caller.call(plain("StartExecution"), || {
            let sent = request.clone().send();
            async {
                match sent.await {
                    Err(error) if is_there(error.as_service_error()) => Ok(()),
                    other => other.map(drop),
                }
            }
        });
        started.await
    }

    /// Lets an execution go on that waits under a token. One that waits no more needs nothing.
    ///
    /// # Errors
    /// When it is not known to have been told.
    pub async fn answer(&self, token: &str, output: &Value) -> Result<(), Cause> {
        let request = self.client.send_task_success().task_token(token);
        let request = request.output(output.to_string());
        let told = self.caller.call(plain("SendTaskSuccess"), || {
            let sent = request.clone().send();
            async {
                match sent.await {
                    Err(error) if is_over(error.as_service_error()) => Ok(()),
                    other => other.map(drop),
                }
            }
        });
        told.await
    }
}

fn is_there(error: Option<&StartExecutionError>) -> bool {
    error.is_some_and(StartExecutionError::is_execution_already_exists)
}

fn is_over(error: Option<&SendTaskSuccessError>) -> bool {
    error.is_some_and(|it| it.is_task_timed_out() || it.is_task_does_not_exist())
}
