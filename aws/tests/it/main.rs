//! The store held to its contract against DynamoDB: an emulator in this process, and whatever
//! `LOMBARD_AWS_ENDPOINT` names beside it.

mod bucket;
mod conformance;
mod contention;
mod faults;
mod kms;
mod migration;
mod operations;
mod proxy;
mod recovery;
mod sealing;
mod services;
mod support;
mod world;
