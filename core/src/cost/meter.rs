//! What AWS counts, and what we ask for.

use serde::{Deserialize, Serialize};

/// A thing that is counted. Most have a price; a few say what is asked for, and the
/// [choices](super::Choices) say which priced thing answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "named as in the price table, which says what each is"
)]
pub enum Meter {
    // What is asked for.
    Request,
    FunctionGbSecond,
    Workflow,
    WorkflowGbSecond,
    WorkflowTransition,
    // What is charged.
    RestRequest,
    HttpRequest,
    LoadBalancerHour,
    LoadBalancerUnit,
    FirewallRequest,
    FirewallListMonth,
    FirewallRuleMonth,
    OutGb,
    FunctionRequest,
    FunctionArmGbSecond,
    FunctionX86GbSecond,
    TaskCpuHour,
    TaskGbHour,
    WriteRequest,
    ReadRequest,
    WriteCapacityHour,
    ReadCapacityHour,
    TableGbMonth,
    RecoveryGbMonth,
    ExpressRequest,
    ExpressGbSecond,
    StateTransition,
    ShardHour,
    StreamPut,
    StreamRead,
    DeliveryGb,
    ConversionGb,
    BusEvent,
    QueueRequest,
    ObjectPut,
    ObjectGet,
    ObjectGbMonth,
    KeyRequest,
    Signature,
    KeyMonth,
    SecretMonth,
    LogGb,
    LogGbMonth,
    Trace,
    DataEvent,
    AlarmMonth,
    MetricMonth,
    DashboardMonth,
    RuleEvaluation,
    NatHour,
    EndpointHour,
}

impl Meter {
    /// Its name in the files and in answers.
    #[must_use]
    pub fn name(self) -> String {
        // The variants are unit variants, which serialise to their names and cannot fail.
        let quoted = serde_json::to_string(&self).unwrap_or_default();
        quoted.trim_matches('"').to_owned()
    }
}
