//! Which service does a thing, where several could.

use serde::{Deserialize, Serialize};

use super::meter::Meter;

/// What callers come in by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// API Gateway's REST API: deployed, because it takes a firewall within the region.
    #[default]
    Rest,
    /// API Gateway's HTTP API: no firewall without an edge network.
    Http,
    /// An application load balancer.
    Balancer,
}

/// What the program runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compute {
    /// Lambda on Graviton: deployed.
    #[default]
    Arm,
    /// Lambda on x86.
    X86,
    /// Long-lived tasks of Fargate on Graviton.
    Tasks,
}

/// How the tables are paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Database {
    /// By the request: deployed.
    #[default]
    OnDemand,
    /// By the hour, scaled with the load.
    Provisioned,
}

/// What runs a payment's saga.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Orchestration {
    /// The consumer of the feed itself.
    None,
    /// An Express workflow: deployed for the straight path.
    #[default]
    Express,
    /// A Standard workflow: deployed where a person is waited for.
    Standard,
}

/// One of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named after their types")]
pub struct Choices {
    pub entry: Entry,
    pub compute: Compute,
    pub database: Database,
    pub orchestration: Orchestration,
}

impl Choices {
    /// What is charged for what is asked for; `None` when nothing is by the request.
    #[must_use]
    pub const fn charged(self, asked: Meter) -> Option<Meter> {
        match asked {
            Meter::Request => match self.entry {
                Entry::Rest => Some(Meter::RestRequest),
                Entry::Http => Some(Meter::HttpRequest),
                Entry::Balancer => None,
            },
            // The HTTP API takes no firewall, so none is paid for.
            Meter::FirewallRequest => match self.entry {
                Entry::Http => None,
                Entry::Rest | Entry::Balancer => Some(asked),
            },
            Meter::FunctionRequest => match self.compute {
                Compute::Tasks => None,
                Compute::Arm | Compute::X86 => Some(asked),
            },
            Meter::FunctionGbSecond => match self.compute {
                Compute::Arm => Some(Meter::FunctionArmGbSecond),
                Compute::X86 => Some(Meter::FunctionX86GbSecond),
                Compute::Tasks => None,
            },
            Meter::Workflow => match self.orchestration {
                Orchestration::Express => Some(Meter::ExpressRequest),
                Orchestration::None | Orchestration::Standard => None,
            },
            Meter::WorkflowGbSecond => match self.orchestration {
                Orchestration::Express => Some(Meter::ExpressGbSecond),
                Orchestration::None | Orchestration::Standard => None,
            },
            Meter::WorkflowTransition => match self.orchestration {
                Orchestration::Standard => Some(Meter::StateTransition),
                Orchestration::None | Orchestration::Express => None,
            },
            other => Some(other),
        }
    }
}
