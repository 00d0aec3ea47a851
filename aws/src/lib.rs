//! Lombard on AWS: the store on DynamoDB, its change feed from DynamoDB Streams, and what stands
//! around them. The same plans, the same API and the same workers as everywhere, on other ports.
//!
//! **Shape.** [`dynamo`] is the store and passes the conformance suite. [`feed`] makes one numbered
//! feed of the table's stream. [`blobs`] keeps the verifiable log in S3. [`connect`] makes the clients, behind the [`residency`] guard.
//! [`meter`] counts every operation and charges it to a component, a tenant and a payment.
//!
//! **Invariants.** Nothing else in the workspace names a crate of the AWS SDK. No call is without a
//! time-out, a retry class and a [`deadline`]. No error of the SDK crosses a port: what may have
//! happened does.

pub mod blobs;
pub mod connect;
pub mod deadline;
pub mod dynamo;
pub mod feed;
pub mod meter;
pub mod residency;
