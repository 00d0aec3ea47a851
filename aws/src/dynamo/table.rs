//! The tables: made here for emulators and tests, checked here for all.
//!
//! In an account the templates in `deploy/` make them, with keys, recovery and protection; a process
//! that serves payments has no permission to make or change a table, and asks only whether the one
//! it was given is the one it needs, and where it is.

use aws_sdk_dynamodb::{
    Client,
    error::DisplayErrorContext,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
        TableDescription, TableStatus, TimeToLiveSpecification,
    },
};

use super::{item::INDEX_KEYS, list::INDEX_NAMES};
use crate::residency::{Elsewhere, Residency};

/// The table of the journal beside `table`.
#[must_use]
pub fn feed_name(table: &str) -> String {
    format!("{table}-feed")
}

/// The journal's attribute by which DynamoDB removes segments.
pub const TTL_ATTRIBUTE: &str = "t";

/// Why a table is not usable.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// AWS refused or did not answer.
    #[error("the table {table}: {why}")]
    Aws {
        /// Which.
        table: String,
        /// What the SDK says, with its causes.
        why: String,
    },
    /// It is not as the layout says.
    #[error("the table {table} {what}")]
    Unfit {
        /// Which.
        table: String,
        /// What is not right.
        what: &'static str,
    },
    /// It is outside of where data may be.
    #[error(transparent)]
    Elsewhere(#[from] Elsewhere),
}

/// Makes both tables, unless they are there: for emulators and tests.
///
/// # Errors
/// See [`TableError`].
pub async fn make(client: &Client, table: &str) -> Result<(), TableError> {
    if describe(client, table).await?.is_none() {
        make_records(client, table).await?;
    }
    let feed = feed_name(table);
    if describe(client, &feed).await?.is_none() {
        make_feed(client, &feed).await?;
    }
    Ok(())
}

/// Checks that both tables are there, as the layout says, and where data may be. Returns the ARN of
/// the stream.
///
/// # Errors
/// See [`TableError`].
pub async fn check(
    client: &Client,
    table: &str,
    residency: &Residency,
    at_aws: bool,
) -> Result<String, TableError> {
    let unfit = |table: &str, what| TableError::Unfit {
        table: table.to_owned(),
        what,
    };
    let feed_table = feed_name(table);
    let Some(feed) = describe(client, &feed_table).await? else {
        return Err(unfit(&feed_table, "is not there"));
    };
    let Some(records) = describe(client, table).await? else {
        return Err(unfit(table, "is not there"));
    };
    for description in [&feed, &records] {
        if description.table_status() != Some(&TableStatus::Active) {
            return Err(unfit(table, "is not active yet"));
        }
        // An emulator's ARNs name regions that mean nothing.
        if at_aws {
            residency.arn(description.table_arn().unwrap_or_default())?;
        }
        if !description.replicas().is_empty() {
            return Err(unfit(
                table,
                "has replicas, which are outside of the guard's sight",
            ));
        }
    }
    let indexes = records.global_secondary_indexes();
    let has = |name: &&str| indexes.iter().any(|index| index.index_name() == Some(name));
    if !INDEX_NAMES.iter().all(has) {
        return Err(unfit(table, "lacks an index"));
    }
    let view = records
        .stream_specification()
        .and_then(|it| it.stream_view_type());
    if view != Some(&StreamViewType::NewImage) {
        return Err(unfit(table, "has no stream of new images"));
    }
    match records.latest_stream_arn() {
        Some(arn) => Ok(arn.to_owned()),
        None => Err(unfit(table, "has a stream without a name")),
    }
}

async fn describe(client: &Client, table: &str) -> Result<Option<TableDescription>, TableError> {
    match client.describe_table().table_name(table).send().await {
        Ok(found) => Ok(found.table),
        Err(error) => match error.as_service_error() {
            Some(why) if why.is_resource_not_found_exception() => Ok(None),
            _ => Err(aws(table, &error)),
        },
    }
}

async fn make_records(client: &Client, table: &str) -> Result<(), TableError> {
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(table, "p", "s")?))
        .set_attribute_definitions(Some(definitions(
            table,
            &["p", "s"],
            ScalarAttributeType::S,
        )?));
    for (name, (p, s)) in INDEX_NAMES.into_iter().zip(INDEX_KEYS) {
        let keys_alone = Projection::builder()
            .projection_type(ProjectionType::KeysOnly)
            .build();
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .set_key_schema(Some(schema(table, p, s)?))
            .projection(keys_alone)
            .build()
            .map_err(|error| aws(table, &error))?;
        request = request.global_secondary_indexes(index);
        for definition in definitions(table, &[p, s], ScalarAttributeType::S)? {
            request = request.attribute_definitions(definition);
        }
    }
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()
        .map_err(|error| aws(table, &error))?;
    let made = request.stream_specification(stream).send().await;
    made.map(|_| ()).map_err(|error| aws(table, &error))
}

async fn make_feed(client: &Client, table: &str) -> Result<(), TableError> {
    let mut definitions_of = definitions(table, &["p"], ScalarAttributeType::S)?;
    definitions_of.extend(definitions(table, &["f"], ScalarAttributeType::N)?);
    let made = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(table, "p", "f")?))
        .set_attribute_definitions(Some(definitions_of))
        .send()
        .await;
    made.map_err(|error| aws(table, &error))?;
    let ttl = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(TTL_ATTRIBUTE)
        .build()
        .map_err(|error| aws(table, &error))?;
    let set = client.update_time_to_live().table_name(table);
    let set = set.time_to_live_specification(ttl).send().await;
    set.map(|_| ()).map_err(|error| aws(table, &error))
}

fn schema(table: &str, p: &str, s: &str) -> Result<Vec<KeySchemaElement>, TableError> {
    let element = |name: &str, kind| {
        let element = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind);
        element.build().map_err(|error| aws(table, &error))
    };
    Ok(vec![
        element(p, KeyType::Hash)?,
        element(s, KeyType::Range)?,
    ])
}

fn definitions(
    table: &str,
    names: &[&str],
    kind: ScalarAttributeType,
) -> Result<Vec<AttributeDefinition>, TableError> {
    let definition = |name: &&str| {
        let definition = AttributeDefinition::builder()
            .attribute_name(*name)
            .attribute_type(kind.clone());
        definition.build().map_err(|error| aws(table, &error))
    };
    names.iter().map(definition).collect()
}

fn aws<E: std::error::Error>(table: &str, error: &E) -> TableError {
    TableError::Aws {
        table: table.to_owned(),
        why: DisplayErrorContext(error).to_string(),
    }
}
