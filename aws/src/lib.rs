//! Lombard on AWS: the store on DynamoDB, its change feed from DynamoDB Streams, and what stands
//! around them. The same plans, the same API and the same workers as everywhere, on other ports.
//!
//! **Shape.** [`dynamo`] is the store and passes the conformance suite. [`feed`] makes one numbered
//! feed of the table's stream. [`blobs`] keeps the verifiable log in S3. [`connect`] makes the clients, behind the [`residency`] guard.
//! For the functions, [`outward`] tells events to others, [`workflows`] starts what Step Functions leads, [`dead`] keeps what
//! could not be done, [`signing`] and [`sealing`] use keys of KMS, and [`secrets`] reads what is kept for the rails.
//! [`kms`] wraps the data keys of people.
//! [`meter`] counts every operation and charges it to a component, a tenant and a payment.
//!
//! **Invariants.** Nothing else in the workspace names a crate of the AWS SDK. No call is without a
//! time-out, a retry class and a [`deadline`]. No error of the SDK crosses a port: what may have
//! happened does.

pub use aws_config::SdkConfig;

pub mod blobs;
pub mod call;
pub mod connect;
pub mod dead;
pub mod deadline;
pub mod dynamo;
pub mod feed;
pub mod kms;
pub mod meter;
pub mod outward;
pub mod residency;
pub mod sealing;
pub mod secrets;
pub mod signing;
pub mod workflows;
